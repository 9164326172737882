// store/sqlite/connections: the connections of one store, for any number of threads.  Spec: licence.md §8.2.
#pragma once

#include <mutex>
#include <type_traits>
#include <utility>

#include "store/sqlite/connection.h"

namespace usher::store::sqlite {

/// Two connections write, one transaction at a time. One waits until its commit is on the disk. The other (for grants)
/// does not wait: the next durable commit brings its data to the disk. This is sufficient, since the log reaches the
/// disk in order: if a commit is durable, all commits before it are durable too. The other connections read at the same
/// time.
class Connections {
 public:
  /// Throws Failure.
  Connections(const std::filesystem::path& file, const ConnectionOptions& options)
      : durable_(file, with(options, Durability::full)),
        quick_(file, with(options, Durability::normal)),
        reader_(file, with(options, Durability::normal)),
        checker_(file, with(options, Durability::normal)) {}

  template <class Body>
  auto durably(std::string_view where, Body&& body) {
    const std::lock_guard lock(writing_);
    return write(durable_, where, std::forward<Body>(body));
  }
  template <class Body>
  auto quickly(std::string_view where, Body&& body) {
    const std::lock_guard lock(writing_);
    return write(quick_, where, std::forward<Body>(body));
  }
  template <class Body>
  auto reading(std::string_view where, Body&& body) {
    const std::lock_guard lock(reading_);
    return read(reader_, where, std::forward<Body>(body));
  }
  /// For short reads, which do not wait for long ones.
  template <class Body>
  auto checking(std::string_view where, Body&& body) {
    const std::lock_guard lock(checking_);
    return read(checker_, where, std::forward<Body>(body));
  }
  /// Gives the reading connection to a body that makes its own transactions.
  template <class Body>
  auto with_reader(Body&& body) {
    const std::lock_guard lock(reading_);
    return body(reader_);
  }

 private:
  static ConnectionOptions with(ConnectionOptions options, Durability durability) {
    options.durability = durability;
    return options;
  }
  std::mutex writing_;   // durable_ and quick_
  std::mutex reading_;   // reader_
  std::mutex checking_;  // checker_
  Connection durable_;
  Connection quick_;
  Connection reader_;
  Connection checker_;
};

}  // namespace usher::store::sqlite

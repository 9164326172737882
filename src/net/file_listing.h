// net/file_listing: the lines of LIST.  For file_shares.cpp.  Spec: filestream.md §3.1.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>

#include "net/file_shares.h"

namespace usher::net {

/// Beneath `directory`, whatever links, `..` and mounts say. `flags`: open(2)'s, beside O_CLOEXEC.
/// Errors: not_found, not_permitted (also what leads out), io.
[[nodiscard]] Result<Descriptor> open_beneath(int directory, const std::string& name, int flags);

/// Name to line, ordered by the names' bytes.
class FileListing {
 public:
  FileListing(std::string_view prefix, const Cancelled& cancelled) : prefix_(prefix), cancelled_(cancelled) {}

  /// `before`: what stands before the share's own names ("albums/", or nothing). `allows`: of names beneath the share.
  /// Errors: as FileShares::list.
  [[nodiscard]] Result<> add_directory(int directory, const std::string& before,
                                       const std::function<bool(std::string_view)>& allows);
  [[nodiscard]] Result<> add(const std::string& name, std::uint64_t size, std::int64_t modified_seconds);
  [[nodiscard]] std::string text() const;

 private:
  struct Walk;
  [[nodiscard]] Result<> walk(const Walk& walk, const std::string& inner, std::size_t depth);
  [[nodiscard]] Result<> look_at(const Walk& walk, int directory, const char* entry, const std::string& inner,
                                 std::size_t depth);

  std::string prefix_;
  const Cancelled& cancelled_;
  std::map<std::string, std::string> lines_;
};

}  // namespace usher::net

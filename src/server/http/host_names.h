// server/http/host_names: the host names that a listener accepts.  Spec: channel.md §8.1.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace usher::server {

/// DNS names (`*.` stands for one whole left-most label) and addresses. Thread-safe.
class HostNames {
 public:
  explicit HostNames(std::vector<std::string> names = {}) { set(std::move(names)); }
  void set(std::vector<std::string> names);
  /// `host`: a Host field as sent, with or without a port. The port is ignored, because a proxy may map it.
  [[nodiscard]] bool contains(std::string_view host) const;
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<std::string>> names_;
};

/// The host in "name", "name:port", "[::1]" or "[::1]:port", in lower case, without brackets and without a final dot.
/// Empty if `field` has another form.
[[nodiscard]] std::string host_of(std::string_view field);

}  // namespace usher::server

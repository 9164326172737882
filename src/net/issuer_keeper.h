// net/issuer_keeper: fetches the authorities' certificates that chains lack, from where the operator allows it.
// Spec: identity.md §11.7.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "identity/issuers.h"
#include "net/fetch.h"
#include "net/log.h"
#include "net/metrics.h"
#include "net/refresher.h"

namespace usher::net {

struct IssuerOptions {
  Refresher::Options refreshing{};
  FetchLimits limits{};               // `bytes` is not looked at
  std::filesystem::path directory{};  // of the certificates, which outlive the process
};

/// Thread-safe. Its threads run from start() to stop(). What it has is nobody's word: paths are validated with it as with
/// what a peer sent.
class IssuerKeeper {
 public:
  /// References are borrowed.
  struct Parts {
    const Clock& clock;
    Random& random;
    Log& log;
  };
  IssuerKeeper(IssuerOptions options, Parts parts);
  ~IssuerKeeper() { stop(); }
  IssuerKeeper(const IssuerKeeper&) = delete;
  IssuerKeeper& operator=(const IssuerKeeper&) = delete;

  /// Authorities that verify this one's signature and are valid now, of those behind the URLs that it points to and that begin
  /// with one of `allowed`. What is there is fetched when it is first asked for, and again now and then.
  [[nodiscard]] identity::FoundIssuers find(const identity::Certificate& certificate,
                                            const std::vector<std::string>& allowed);

  void start(Metrics& metrics);
  void stop() { refresher_.stop(); }

 private:
  struct Source {
    identity::Chain held{};  // authorities, whoever pointed there
    Time fetched{};
    Time wanted{};  // when it was asked for last
  };
  using Sources = std::map<std::string, Source, std::less<>>;

  [[nodiscard]] Result<Time> refresh(const std::string& url, const std::stop_token& stop);
  [[nodiscard]] Result<identity::Chain> get(const std::string& url, const std::stop_token& stop) const;
  [[nodiscard]] Source* source_of(const std::string& url);
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::filesystem::path file_of(const std::string& url) const;

  const IssuerOptions options_;
  Parts p_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  Sources sources_;
  Refresher refresher_;  // calls back: ends first
};

}  // namespace usher::net

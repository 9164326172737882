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
  /// Knows at once what was kept.
  IssuerKeeper(IssuerOptions options, Parts parts);
  ~IssuerKeeper() { stop(); }
  IssuerKeeper(const IssuerKeeper&) = delete;
  IssuerKeeper& operator=(const IssuerKeeper&) = delete;

  /// The certificate that verifies this one's signature; where it is not at hand it is asked for, at the URLs of this one
  /// that begin with one of `allowed`.
  [[nodiscard]] identity::FoundIssuer find(const identity::Certificate& certificate,
                                           const std::vector<std::string>& allowed);

  void start(Metrics& metrics);
  void stop() { refresher_.stop(); }

 private:
  struct Source {
    identity::Chain wanted_by{};  // certificates that point to it
    Time fetched{};
  };

  [[nodiscard]] Result<Time> refresh(const std::string& url, const std::stop_token& stop);
  [[nodiscard]] Result<identity::Chain> get(const std::string& url, const std::stop_token& stop) const;
  [[nodiscard]] Source* source_of(const std::string& url);
  void keep(const identity::Certificate& authority);

  const IssuerOptions options_;
  Parts p_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, Source, std::less<>> sources_;
  identity::Chain issuers_;
  Refresher refresher_;  // calls back: ends first
};

}  // namespace usher::net

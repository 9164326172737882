// server/fetching/issuer_fetcher: fetches authorities' certificates that chains lack, from URLs that the operator
// allows.
// Spec: identity.md §11.7.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "pki/issuers.h"
#include "server/fetching/fetch.h"
#include "server/fetching/refresher.h"
#include "server/runtime/log.h"
#include "server/runtime/metrics.h"

namespace usher::server {

struct IssuerOptions {
  Refresher::Options refreshing{};
  FetchLimits limits{};               // `bytes` is ignored
  std::filesystem::path directory{};  // keeps the certificates between processes
};

/// Thread-safe. Its threads run from start() to stop(). Fetched certificates are not trusted: path validation treats
/// them like certificates that a peer sent.
class IssuerFetcher {
 public:
  /// References are borrowed.
  struct Parts {
    const Clock& clock;
    Random& random;
    Log& log;
  };
  IssuerFetcher(IssuerOptions options, Parts parts);
  ~IssuerFetcher() { stop(); }
  IssuerFetcher(const IssuerFetcher&) = delete;
  IssuerFetcher& operator=(const IssuerFetcher&) = delete;

  /// Authorities that are valid now and whose key verifies the signature of `certificate`. They are from the URLs in
  /// `certificate` that begin with one of `allowed`. A URL is fetched when it is first needed, and again at intervals.
  [[nodiscard]] pki::FoundIssuers find(const pki::Certificate& certificate, const std::vector<std::string>& allowed);

  void start(Metrics& metrics);
  void stop() { refresher_.stop(); }

 private:
  struct Source {
    pki::Chain held{};  // all authorities at this URL, for any certificate that names it
    Time fetched{};
    Time wanted{};  // when it was last needed
  };
  using Sources = std::map<std::string, Source, std::less<>>;

  [[nodiscard]] Result<Time> refresh(const std::string& url, const std::stop_token& stop);
  [[nodiscard]] Result<pki::Chain> get(const std::string& url, const std::stop_token& stop) const;
  [[nodiscard]] Source* source_of(const std::string& url);
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::filesystem::path file_of(const std::string& url) const;

  const IssuerOptions options_;
  Parts p_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  Sources sources_;
  Refresher refresher_;  // its threads use the other members: it must be destroyed first
};

}  // namespace usher::server

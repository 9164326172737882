// server/fetching/ocsp_fetcher: fetches OCSP answers about certificates, if the operator lets such answers count.
// Spec: identity.md §4.8, §11.6.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "pki/ocsp.h"
#include "server/fetching/fetch.h"
#include "server/fetching/refresher.h"
#include "server/runtime/log.h"
#include "server/runtime/metrics.h"

namespace usher::server {

struct StatusOptions {
  Refresher::Options refreshing{};
  FetchLimits limits{};               // `bytes` is ignored
  std::filesystem::path directory{};  // keeps answers and revocations between processes
  Fetch fetch = server::fetch;
};

/// Thread-safe. Its threads run from start() to stop().
class OcspFetcher {
 public:
  struct Wanted {
    bool coming = false;   // an answer is being fetched or has just arrived: the caller should retry soon
    bool lacking = false;  // at least one certificate has no usable responder: it names no responder, or fetching fails
  };
  /// References are borrowed.
  struct Parts {
    const Clock& clock;
    Random& random;
    Log& log;
  };
  OcspFetcher(StatusOptions options, Parts parts);
  ~OcspFetcher() { stop(); }
  OcspFetcher(const OcspFetcher&) = delete;
  OcspFetcher& operator=(const OcspFetcher&) = delete;

  /// As pki::AnswerOf. A certificate that is looked up counts as in use: its answer is renewed before it ends.
  [[nodiscard]] std::optional<pki::StatusAnswer> answer(const Hash256& certificate, const Hash256& issuer);
  /// Requests answers for the certificates of `path`, which leads to a configured root and whose status is not known.
  [[nodiscard]] Wanted want(const pki::Chain& path);

  /// `changed`: called by any thread when a certificate is newly reported as revoked.
  void start(std::function<void()> changed, Metrics& metrics);
  void stop() { refresher_.stop(); }

 private:
  struct Source {
    pki::Certificate certificate;
    pki::Certificate issuer;
    std::optional<pki::StatusAnswer> answer{};
    Time wanted{};  // when it was last needed
  };
  /// A revocation. It is kept longer than its answer and its source.
  struct Revoked {
    Time this_update{};
    Time until{};  // the certificate's end
  };

  [[nodiscard]] static Revoked revoked_of(const Result<Bytes>& content);
  [[nodiscard]] static std::string text_of_revoked(const Revoked& revoked);
  [[nodiscard]] Result<Time> refresh(const std::string& name, const std::stop_token& stop);
  [[nodiscard]] Result<pki::StatusAnswer> ask(const Source& source, const std::string& name,
                                              const std::stop_token& stop);
  [[nodiscard]] Result<pki::StatusAnswer> ask_one(const Source& source, const std::string& name, const std::string& url,
                                                  const std::stop_token& stop);
  [[nodiscard]] Source* source_of(const std::string& name, const pki::Certificate& certificate,
                                  const pki::Certificate& issuer);
  /// Puts an answer to use. True if it reports a revocation that was not known.
  [[nodiscard]] bool settle(const std::string& name, const pki::StatusAnswer& answer);
  [[nodiscard]] std::optional<pki::StatusAnswer> at_hand(const std::string& name) const;
  void make_room();
  [[nodiscard]] std::filesystem::path file_of(const std::string& name, const char* extension) const;

  const StatusOptions options_;
  Parts p_;
  std::function<void()> changed_;
  Metrics* metrics_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, Source, std::less<>> sources_;
  std::map<std::string, Revoked, std::less<>> revoked_;
  Refresher refresher_;  // its threads use the other members: it must be destroyed first
};

}  // namespace usher::server

// pki/trust_store: decides whether a peer's chain may act in a role, under a name.  Spec: identity.md §3.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "pki/issuers.h"
#include "pki/ocsp.h"
#include "pki/path.h"
#include "pki/role.h"

namespace usher::pki {

/// The name that a listener dialled. The server's certificate must have it (§3.4).
class ServerName {
 public:
  /// A DNS name, an IPv4 or an IPv6 address (with or without brackets), no port. Errors: bad_usage.
  [[nodiscard]] static Result<ServerName> from_host(std::string_view host);
  /// The SHA-256 of the server's SubjectPublicKeyInfo: the key is checked instead of the name.
  [[nodiscard]] static ServerName pinned(const Hash256& key_fingerprint);
  /// For a server that checks its own certificate. A client must not use it.
  [[nodiscard]] static ServerName own();

  /// DNS and IP names come from the subject alternative names only; `*` matches one whole left-most label.
  /// Errors: wrong_name.
  [[nodiscard]] Result<> check(const Certificate& certificate) const;
  /// As dialled: in lower case, IPv6 without brackets; "key <hex>" when pinned.
  [[nodiscard]] std::string text() const;

 private:
  struct Own {};
  using Value = std::variant<Own, std::string, IpAddress, Hash256>;
  explicit ServerName(Value value) : value_(std::move(value)) {}
  Value value_;
};

/// Proof that a chain was verified: only TrustStore makes one.
class VerifiedPeer {
 public:
  [[nodiscard]] const Certificate& certificate() const noexcept { return path_.front(); }
  [[nodiscard]] const crypto::PublicKey& public_key() const noexcept { return key_; }
  [[nodiscard]] Role role() const noexcept { return role_; }
  /// Leaf first, the configured root last.
  [[nodiscard]] const Chain& path() const noexcept { return path_; }
  [[nodiscard]] const Certificate& anchor() const noexcept { return path_.back(); }
  /// The earliest end of validity on the path.
  [[nodiscard]] Time valid_until() const noexcept;
  /// When the first responder's answer about it ends (§4.8); Time::max() if there are no answers.
  [[nodiscard]] Time answers_until() const noexcept { return answers_until_; }

 private:
  friend class TrustStore;
  VerifiedPeer(Role role, crypto::PublicKey key, VerifiedPath path)
      : role_(role), key_(std::move(key)), path_(std::move(path.chain)), answers_until_(path.answers_until) {}
  Role role_;
  crypto::PublicKey key_;
  Chain path_;
  Time answers_until_;
};

/// Called with a path (leaf first, root last) that leads to an anchor, if the status of its certificates cannot be
/// established. Returns whether lists or answers are being fetched; then the peer should retry soon (§11.2). Called by
/// any thread that verifies; must not block.
using StatusMissing = std::function<bool(const Chain& path)>;

struct TrustConfig {
  Role role = Role::server;
  Chain anchors{};
  Chain intermediates{};       // not trusted by themselves
  std::vector<Crl> crls{};     // complete and delta
  std::vector<Crl> fetched{};  // the same, from the URLs in the certificates
  RevocationMode revocation = RevocationMode::chain;
  std::optional<RoleMapping> mapping{};
  PolicyInputs policy{};
  RevocationTolerance tolerance{};
  StatusMissing missing{};
  AnswerOf answers{};      // empty: responders' answers do not count
  IssuersOf issuers_of{};  // empty: authorities that a chain lacks are not fetched
};

/// An authority of a trust store below which no certificate at all can be accepted, and the reason.
struct TrustGap {
  Certificate authority;
  Error why;
};

/// Judges the certificates of one role. An immutable snapshot: a reload makes a new one and swaps the pointer.
class TrustStore {
 public:
  /// Errors: bad_config (no anchor), crl_rollback.
  [[nodiscard]] static Result<std::shared_ptr<const TrustStore>> make(TrustConfig config,
                                                                      const RevocationFloor& floor = {});

  /// A copy with other fetched lists. Errors: as make, except crl_rollback.
  [[nodiscard]] Result<std::shared_ptr<const TrustStore>> with_fetched(std::vector<Crl> lists) const;

  /// `chain`: 1 to kMaxChain certificates, leaf first, as the peer sent them. `name`: required for servers, ignored
  /// for other roles. `depth`: as verify_path.
  /// Errors: those of verify_path, check_role and ServerName::check; bad_key; server_busy, if the status or an
  /// authority is missing and is being fetched.
  [[nodiscard]] Result<VerifiedPeer> verify(std::span<const Certificate> chain, Time at,
                                            const ServerName* name = nullptr, int* depth = nullptr) const;

  /// For signed documents: judges validity at the time of signing, and revocation now (§3.5).
  /// Errors: as verify; certificate_not_yet_valid, when signing_time is more than 5 minutes after `now`.
  [[nodiscard]] Result<VerifiedPeer> verify_signed_at(std::span<const Certificate> chain, Time signing_time,
                                                      Time now) const;

  /// Checks that a peer that an earlier snapshot verified is still accepted. For reloads and long sessions.
  [[nodiscard]] Result<> verify_again(const VerifiedPeer& peer, Time at) const;

  /// The anchors and intermediates below which no certificate can be accepted at `at` with the present lists: they are
  /// expired, or their own status or that of every certificate below them cannot be established. What a peer or a fetch
  /// may still bring does not count. Exception: a present list of an unknown authority counts, because a peer may send
  /// that authority.
  [[nodiscard]] std::vector<TrustGap> gaps(Time at) const;

  /// `floor`, raised by this store's CRLs. A CRL counts only if its signature verifies with one of the store's
  /// certificates.
  [[nodiscard]] RevocationFloor raised(RevocationFloor floor) const;

  [[nodiscard]] Role role() const noexcept { return config_.role; }
  [[nodiscard]] const TrustConfig& config() const noexcept { return config_; }

 private:
  TrustStore(TrustConfig config, PathTrust trust) : config_(std::move(config)), trust_(std::move(trust)) {}
  [[nodiscard]] Result<VerifiedPeer> finish(VerifiedPath path, int* depth = nullptr) const;
  [[nodiscard]] PathOptions options_at(Time at) const;
  [[nodiscard]] Result<> check_authority(const Certificate& authority, const CrlSelection& lists, Time at) const;
  /// The chain and the authorities that it lacks, as far as IssuersOf has them. Errors: server_busy, if one is being
  /// fetched.
  [[nodiscard]] Result<Chain> complete(std::span<const Certificate> chain) const;
  /// Verifies the path. Calls IssuersOf if an authority is missing, and StatusMissing if a status is missing.
  [[nodiscard]] Result<VerifiedPath> path_of(std::span<const Certificate> chain, Time at, int* depth = nullptr) const;

  TrustConfig config_;
  PathTrust trust_;
};

}  // namespace usher::pki

// identity/trust: whether a peer's chain may act in a role, under a name.  Spec: identity.md §3.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "identity/issuers.h"
#include "identity/ocsp.h"
#include "identity/path.h"
#include "identity/role.h"

namespace usher::identity {

/// What a listener dialled, to be found in the server's certificate (§3.4).
class ServerName {
 public:
  /// A DNS name, an IPv4 or an IPv6 address (with or without brackets), no port. Errors: bad_usage.
  [[nodiscard]] static Result<ServerName> from_host(std::string_view host);
  /// The SHA-256 of the server's SubjectPublicKeyInfo: the key counts in place of the name.
  [[nodiscard]] static ServerName pinned(const Hash256& key_fingerprint);
  /// For a server that looks at its own certificate: no client must use it.
  [[nodiscard]] static ServerName own();

  /// DNS and IP names come from the subject alternative names only; `*` stands for one whole left-most label.
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
  /// When the first of the responders' answers about it ends (§4.8); Time::max(): there are none.
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

/// Told of a path (leaf first, root last) that leads to an anchor while the status of its certificates cannot be
/// established. Returns whether lists or answers are on their way, so that asking again soon makes sense (§11.2). Called by whatever
/// thread verifies; must not wait.
using StatusMissing = std::function<bool(const Chain& path)>;

struct TrustConfig {
  Role role = Role::server;
  Chain anchors{};
  Chain intermediates{};       // not trusted by themselves
  std::vector<Crl> crls{};     // complete and delta
  std::vector<Crl> fetched{};  // the same, from where the certificates point to
  RevocationMode revocation = RevocationMode::chain;
  std::optional<RoleMapping> mapping{};
  PolicyInputs policy{};
  RevocationTolerance tolerance{};
  StatusMissing missing{};
  AnswerOf answers{};      // none: responders' answers do not count
  IssuersOf issuers_of{};  // none: what a chain lacks is not fetched
};

/// Why no certificate below an authority of a trust store can be accepted, whatever it is.
struct TrustGap {
  Certificate authority;
  Error why;
};

/// What one role's certificates are judged by: an immutable snapshot; a reload makes a new one and swaps the pointer.
class TrustStore {
 public:
  /// Errors: bad_config (no anchor), crl_rollback.
  [[nodiscard]] static Result<std::shared_ptr<const TrustStore>> make(TrustConfig config,
                                                                      const RevocationFloor& floor = {});

  /// The same with other fetched lists. Errors: as make, but crl_rollback.
  [[nodiscard]] Result<std::shared_ptr<const TrustStore>> with_fetched(std::vector<Crl> lists) const;

  /// `chain`: 1 to kMaxChain certificates, leaf first, as the peer sent them. `name`: required for servers, ignored
  /// for other roles. `depth`: as verify_path.  Errors: those of verify_path, check_role and ServerName::check; bad_key;
  /// server_busy, where the status or an authority is missing and on its way.
  [[nodiscard]] Result<VerifiedPeer> verify(std::span<const Certificate> chain, Time at,
                                            const ServerName* name = nullptr, int* depth = nullptr) const;

  /// For signed documents: validity judged at the time of signing, revocation now (§3.5).
  /// Errors: as verify; certificate_not_yet_valid, when signing_time is more than 5 minutes after `now`.
  [[nodiscard]] Result<VerifiedPeer> verify_signed_at(std::span<const Certificate> chain, Time signing_time,
                                                      Time now) const;

  /// Whether somebody who was verified by an earlier snapshot still is: for reloads and long sessions.
  [[nodiscard]] Result<> verify_again(const VerifiedPeer& peer, Time at) const;

  /// The anchors and intermediates below which nobody can be accepted at `at` by what is at hand: expired, or their own
  /// status or that of everybody below them cannot be established. What a peer or a fetch may still bring is not counted
  /// in, but for the lists of authorities that are not known here.
  [[nodiscard]] std::vector<TrustGap> gaps(Time at) const;

  /// `floor`, raised by those of this store's CRLs whose signature one of its certificates proves.
  [[nodiscard]] RevocationFloor raised(RevocationFloor floor) const;

  [[nodiscard]] Role role() const noexcept { return config_.role; }
  [[nodiscard]] const TrustConfig& config() const noexcept { return config_; }

 private:
  TrustStore(TrustConfig config, PathTrust trust) : config_(std::move(config)), trust_(std::move(trust)) {}
  [[nodiscard]] Result<VerifiedPeer> finish(VerifiedPath path, int* depth = nullptr) const;
  [[nodiscard]] PathOptions options_at(Time at) const;
  [[nodiscard]] Result<> check_authority(const Certificate& authority, const CrlSelection& lists, Time at) const;
  /// The chain with the authorities that it lacks, as far as IssuersOf has them. Errors: server_busy, if one is on its way.
  [[nodiscard]] Result<Chain> complete(std::span<const Certificate> chain) const;
  /// The path; where an authority is missing IssuersOf is asked, and where its status is, StatusMissing is told.
  [[nodiscard]] Result<VerifiedPath> path_of(std::span<const Certificate> chain, Time at, int* depth = nullptr) const;

  TrustConfig config_;
  PathTrust trust_;
};

}  // namespace usher::identity

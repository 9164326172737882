// person/statement: how a person proves their identity on a channel.  Spec: identity.md §6, §7.
//
//   card signs:           64 spaces ‖ "usher/1 statement" ‖ 0 ‖ statement
//   ephemeral key signs:  64 spaces ‖ "usher/1 statement holder" ‖ 0 ‖ statement
//   and on each channel:  64 spaces ‖ "usher/1 channel binding" ‖ 0 ‖ exporter value ‖ SHA-256(statement)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/key.h"
#include "person/profile.h"
#include "pki/certificate.h"

namespace usher::pki {
class TrustStore;
class VerifiedPeer;
}  // namespace usher::pki

namespace usher::person {

inline constexpr std::uint16_t kStatementVersion = 1;
inline constexpr Seconds kMaxStatementLife{12 * 3600};     // §6.2
inline constexpr Seconds kStatementSkew{5 * 60};           // §6.4: how far the clocks may differ
inline constexpr std::size_t kMaxStatement = 512;          // bytes
inline constexpr std::size_t kMaxCardSignature = 512;      // bytes: RSA-4096
inline constexpr std::size_t kMaxEphemeralSignature = 72;  // bytes: ECDSA P-256 in DER
inline constexpr std::size_t kExporterSize = 32;           // bytes, channel.md

enum class Purpose : std::uint8_t { media = 1 };

/// §6.2.
struct Statement {
  Hash256 server_key{};    // SHA-256 of the server certificate's SubjectPublicKeyInfo
  Hash256 installation{};  // SHA-256 of the client certificate's DER
  Hash256 card{};          // SHA-256 of the card certificate's DER
  Bytes ephemeral_key{};   // SubjectPublicKeyInfo, P-256
  Purpose purpose = Purpose::media;
  std::int64_t not_before = 0;  // unix seconds
  std::int64_t not_after = 0;
  Id128 nonce{};

  [[nodiscard]] Bytes encode() const;
  /// Errors: malformed; unsupported (version, purpose).
  [[nodiscard]] static Result<Statement> decode(View bytes);
  bool operator==(const Statement&) const = default;
};

/// The body of api/auth, §7.2.
struct AuthRequest {
  Bytes statement{};
  std::vector<Bytes> chain{};  // DER, leaf first, 1..4, at most 16 KiB together
  std::uint16_t card_scheme = 0;
  Bytes card_signature{};
  Bytes holder_signature{};
  Bytes binding_signature{};

  [[nodiscard]] Bytes encode() const;
  /// Errors: malformed.
  [[nodiscard]] static Result<AuthRequest> decode(View bytes);
  bool operator==(const AuthRequest&) const = default;
};

/// The server, the installation and the time of a login.
struct LoginTerms {
  Hash256 server_key{};    // Certificate::key_fingerprint() of the verified server
  Hash256 installation{};  // Certificate::fingerprint() of the client certificate
  Time now{};
  Seconds life = kMaxStatementLife;
};

/// A login. It binds any number of channels without the card. Immutable; bind() is thread-safe.
class PersonLogin {
 public:
  virtual ~PersonLogin() = default;
  /// `exporter`: the channel's exporter value, kExporterSize bytes. Errors: local; those of an agent that keeps the
  /// login.
  [[nodiscard]] virtual Result<AuthRequest> bind(View exporter) const = 0;

  [[nodiscard]] const Statement& statement() const noexcept { return statement_; }
  [[nodiscard]] Time not_after() const noexcept { return from_unix_seconds(statement_.not_after); }
  /// Whether the statement can be used at this server, with this installation, now. Errors: bad_statement.
  [[nodiscard]] Result<> usable(const Hash256& server_key, const Hash256& installation, Time now) const;

 protected:
  explicit PersonLogin(Statement statement) : statement_(std::move(statement)) {}
  PersonLogin(const PersonLogin&) = default;
  PersonLogin(PersonLogin&&) = default;
  PersonLogin& operator=(const PersonLogin&) = default;
  PersonLogin& operator=(PersonLogin&&) = default;

 private:
  Statement statement_;
};

/// A login of this process, made with one signature of the card. Holds the ephemeral key. Movable.
class PersonSession final : public PersonLogin {
 public:
  /// `card`: logged in. `chain`: the card's certificate, then its sub-CA if known.
  /// Errors: the card's; malformed (the chain is too long); local.
  [[nodiscard]] static Result<PersonSession> create(const crypto::Signer& card, const pki::Chain& chain,
                                                    const LoginTerms& terms, Random& random);

  [[nodiscard]] Result<AuthRequest> bind(View exporter) const override;
  /// The key that signs receipts later.
  [[nodiscard]] const crypto::PrivateKey& ephemeral_key() const noexcept { return ephemeral_; }

 private:
  PersonSession(crypto::PrivateKey ephemeral, Statement statement)
      : PersonLogin(std::move(statement)), ephemeral_(std::move(ephemeral)) {}
  crypto::PrivateKey ephemeral_;
  AuthRequest unbound_{};
};

/// PersonSession::create(), as a shared pointer.
[[nodiscard]] Result<std::shared_ptr<const PersonLogin>> make_login(const crypto::Signer& card, const pki::Chain& chain,
                                                                    const LoginTerms& terms, Random& random);

/// What the server knows about the channel of the request.
struct AuthContext {
  Hash256 server_key{};    // its own certificate's key_fingerprint()
  Hash256 installation{};  // the client certificate's fingerprint(), as verified in the handshake
  View exporter{};         // kExporterSize bytes
  Time now{};
};

/// Proof that a person was authenticated: only verify_auth makes one.
class VerifiedPerson {
 public:
  /// Personal data: for the pseudonym only (pseudonym.h).
  [[nodiscard]] const std::string& subject_id() const noexcept { return id_.subject_id; }
  [[nodiscard]] const std::string& display_name() const noexcept { return id_.display_name; }
  [[nodiscard]] const std::string& profile() const noexcept { return profile_; }
  /// SHA-256 of the trust anchor's SubjectPublicKeyInfo.
  [[nodiscard]] const Hash256& anchor_key() const noexcept;
  /// SHA-256 of the card certificate's DER.
  [[nodiscard]] const Hash256& card() const noexcept;
  /// The end of the statement or of the chain, whichever is earlier.
  [[nodiscard]] Time not_after() const noexcept { return not_after_; }
  /// The key that verifies this person's receipts.
  [[nodiscard]] const crypto::PublicKey& ephemeral_key() const noexcept { return ephemeral_; }
  /// For TrustStore::verify_again.
  [[nodiscard]] const pki::VerifiedPeer& peer() const noexcept { return *peer_; }

 private:
  friend class AuthVerifier;
  VerifiedPerson(std::shared_ptr<const pki::VerifiedPeer> peer, PersonId id, std::string profile, Time not_after,
                 crypto::PublicKey ephemeral);
  std::shared_ptr<const pki::VerifiedPeer> peer_;
  PersonId id_;
  std::string profile_;
  Time not_after_;
  crypto::PublicKey ephemeral_;
};

/// Checks everything of §6.4 and §7 in that order.
/// Errors: malformed, unsupported; bad_statement (`about`: another server, another installation, another card, not
/// valid yet, expired, valid for too long, its key is not P-256); bad_signature (`about`: which of the three);
/// TrustStore::verify's; Profile::identify's.
[[nodiscard]] Result<VerifiedPerson> verify_auth(const AuthRequest& request, const AuthContext& context,
                                                 const pki::TrustStore& persons, const Profile& profile);

}  // namespace usher::person

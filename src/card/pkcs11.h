// card/pkcs11: a thin layer over Cryptoki (PKCS #11 v2.40).  Spec: identity.md §9.
//
// Use each session from one thread at a time. Modules do their own locking (CKF_OS_LOCKING_OK). No call here has a
// deadline, and a module can hang or crash. So a person's card is used through Card (card.h), which runs all of this in
// a child process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/key.h"
#include "crypto/secret.h"

namespace usher::pki {
class Certificate;
}

namespace usher::card::p11 {

using SlotId = unsigned long;    // CK_SLOT_ID
using ObjectId = unsigned long;  // CK_OBJECT_HANDLE

inline constexpr std::size_t kMaxSlots = 64;              // of one module
inline constexpr std::size_t kMaxLabel = 32;              // bytes of a token's label
inline constexpr std::size_t kMaxObjects = 64;            // read on one token
inline constexpr std::size_t kMaxObjectValue = 16 << 10;  // bytes of a certificate on a token

/// The state of the PIN, as the token reports it. PKCS #11 has no number of tries, only these states (§9.4).
enum class PinState : std::uint8_t { ok, low, last_try, locked, not_set };
/// A sentence for the listener; empty for ok.
[[nodiscard]] std::string_view words(PinState state) noexcept;

struct TokenInfo {
  SlotId slot = 0;
  std::string label{};  // without trailing blanks, clean UTF-8
  std::string manufacturer{};
  std::string model{};
  std::string serial{};
  bool initialised = false;
  bool login_required = false;
  bool protected_path = false;  // the PIN is entered at the reader
  bool write_protected = false;
  PinState pin = PinState::ok;
  std::uint32_t min_pin = 0;  // bytes, as the token reports
  std::uint32_t max_pin = 0;  // bytes; 0: the token does not report it
  /// Whether the token's PIN can have this size. A PIN of another size must not cost a try.
  [[nodiscard]] bool takes_pin_of(std::size_t size) const noexcept {
    return size > 0 && size >= min_pin && (max_pin == 0 || size <= max_pin);
  }
};

/// A place for a card, usually a reader.
struct SlotInfo {
  SlotId slot = 0;
  std::string description{};  // clean UTF-8, as a token's texts
  bool token_present = false;
};

enum class ObjectClass : std::uint8_t { certificate, public_key, private_key };

struct Object {
  ObjectId handle = 0;
  std::string label{};
  Bytes id{};  // CKA_ID: the same for a key and its certificate
};

/// A label or an id that is absent does not restrict the search.
struct Search {
  ObjectClass kind = ObjectClass::certificate;
  std::optional<std::string> label{};
  std::optional<Bytes> id{};
};

enum class User : std::uint8_t { user, security_officer, each_signature };
/// Whether a private key requires the PIN again for each signature (CKA_ALWAYS_AUTHENTICATE).
enum class KeyUse : std::uint8_t { after_login, each_signature };

class TokenSession;

/// A loaded, initialised module. Copies share it; the last copy finalises it. Its code is never unloaded, because
/// modules do not survive that. Within a process, the same path gives the same module.
class Module {
 public:
  /// A path, or a bare name for the loader to find. Errors: module_missing, module_failed.
  [[nodiscard]] static Result<Module> load(const std::string& path);

  [[nodiscard]] const std::string& path() const noexcept;
  /// The module's own description: "OpenSC smartcard framework, version 0.23". May be empty.
  [[nodiscard]] std::string description() const;
  /// All slots, at most kMaxSlots, with a token or without. Errors: module_failed.
  [[nodiscard]] Result<std::vector<SlotInfo>> slots() const;
  /// Errors: card_removed (the slot has gone), module_failed.
  [[nodiscard]] Result<SlotInfo> slot(SlotId slot) const;
  /// All slots with a token present. Errors: module_failed.
  [[nodiscard]] Result<std::vector<TokenInfo>> tokens() const;
  /// Errors: card_removed, module_failed.
  [[nodiscard]] Result<TokenInfo> token(SlotId slot) const;
  /// The schemes of the token's signatures, the preferred one first, by its list of mechanisms (§9.5). May be empty.
  /// Errors: card_removed, module_failed.
  [[nodiscard]] Result<std::vector<crypto::SignatureScheme>> schemes(SlotId slot) const;
  /// Errors: card_removed, module_failed, not_permitted (a write-protected token).
  [[nodiscard]] Result<TokenSession> open(SlotId slot, bool writing = false) const;
  /// Wipes the token. No session may be open on it.
  /// Errors: wrong_pin or pin_locked (the SO-PIN), pin_invalid, card_removed, module_failed.
  [[nodiscard]] Result<> init_token(SlotId slot, const crypto::Secret& so_pin, std::string_view label) const;

 private:
  friend class TokenSession;
  struct Library;
  explicit Module(std::shared_ptr<Library> library) : library_(std::move(library)) {}
  std::shared_ptr<Library> library_;
};

struct NewKeyPair {
  crypto::PublicKey public_key;
  ObjectId private_key = 0;
};

struct CardSignature {
  crypto::SignatureScheme scheme;
  Bytes bytes;
};

/// A private key's operations without padding and hashing. OpenSSL does those before or after.
enum class RawUse : std::uint8_t { rsa_sign, rsa_decrypt, ecdsa };

/// An open session; closed when destroyed.
class TokenSession {
 public:
  TokenSession(TokenSession&& other) noexcept;
  TokenSession& operator=(TokenSession&& other) noexcept;
  TokenSession(const TokenSession&) = delete;
  TokenSession& operator=(const TokenSession&) = delete;
  ~TokenSession();

  /// `pin` is null for a protected authentication path. To be logged in already is no error. Only sign() uses
  /// `each_signature`.
  /// Errors: wrong_pin, pin_locked, pin_invalid, card_unsuitable (PIN not set), card_removed, cancelled, module_failed.
  [[nodiscard]] Result<> login(User user, const crypto::Secret* pin);
  [[nodiscard]] Result<> logout();
  /// Checks that the token with which the session was opened is still there. Errors: card_removed, module_failed.
  [[nodiscard]] Result<> alive() const;
  /// Sets the user's PIN; needs the security officer's login. Errors: pin_invalid, card_removed, module_failed.
  [[nodiscard]] Result<> set_user_pin(const crypto::Secret& pin);

  /// At most kMaxObjects. Errors: card_removed, module_failed.
  [[nodiscard]] Result<std::vector<Object>> find(const Search& search) const;
  /// A certificate's DER. Errors: too_long, card_removed, module_failed.
  [[nodiscard]] Result<Bytes> value_of(ObjectId certificate) const;

  /// Errors: card_removed, module_failed.
  [[nodiscard]] Result<KeyUse> use_of(ObjectId private_key) const;
  /// Computes SHA-256 in software if the module allows it (§9.5). KeyUse::each_signature: the key gets `pin`; if `pin`
  /// is null, the reader asks for it. After a refused PIN the session can no longer sign.
  /// Errors: not_authenticated, card_removed, card_unsuitable, module_failed; those of login().
  [[nodiscard]] Result<CardSignature> sign(ObjectId private_key, crypto::SignatureScheme scheme, View message,
                                           KeyUse use = KeyUse::after_login, const crypto::Secret* pin = nullptr);

  // For keys of servers and installations on a token (token_key.h).
  /// Errors: card_unsuitable (another kind; no public half with the same CKA_ID, or more than one; a key that requires
  /// the PIN for each use), card_removed, module_failed, bad_key.
  [[nodiscard]] Result<crypto::PublicKey> public_key_of(const Object& private_key) const;
  /// CKM_RSA_X_509: as many bytes as the modulus, in and out. CKM_ECDSA: a digest of 32 bytes in, r ‖ s out.
  /// Errors: not_authenticated, card_removed, card_unsuitable, module_failed.
  [[nodiscard]] Result<crypto::Secret> raw(RawUse use, ObjectId private_key, View input) const;
  /// CKM_ECDH1_DERIVE with an uncompressed P-256 point: the shared x coordinate, 32 bytes. Errors: as raw().
  [[nodiscard]] Result<crypto::Secret> agree(ObjectId private_key, View point) const;
  /// Checks that session, login and object still exist. Errors: not_authenticated, card_removed, module_failed.
  [[nodiscard]] Result<> check(ObjectId object, bool login_required) const;

  /// Generates the keys on the token; the private key is private and not extractable.
  /// Errors: card_unsuitable, not_authenticated, card_removed, module_failed.
  [[nodiscard]] Result<NewKeyPair> generate(crypto::NewKey kind, std::string_view label, View id,
                                            KeyUse use = KeyUse::after_login) const;
  /// Errors: not_permitted, disk_full (no room on the token), card_removed, module_failed.
  [[nodiscard]] Result<> write_certificate(std::string_view label, View id, const pki::Certificate& certificate) const;

 private:
  friend class Module;
  TokenSession(std::shared_ptr<Module::Library> library, unsigned long handle);
  void close() noexcept;
  std::shared_ptr<Module::Library> library_;
  unsigned long handle_ = 0;
};

}  // namespace usher::card::p11

// usher-ca/ca_home: the state directory of the authorities.
//
// <home>/media/root/   <home>/card/root/   <home>/card/sub/     one directory for each authority:
//     ca.pem  ca.key (encrypted PKCS#8)  index (one line a certificate)  state (crl number)  crl.pem  delta.pem
//     issued/<serial>.pem
// <home>/media/root-2/ …  later roots;  <home>/media/issuing  name of the issuing root: "root-2" (absent: "root")
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "crypto/secret.h"
#include "pki/issue.h"

namespace usher::ca {

/// The advice if the authority exists already.
inline constexpr std::string_view kKeep =
    "Nothing was changed: an authority is never replaced. Name another directory with --home to make a second one.";

/// One line of the index.
struct IndexEntry {
  std::string serial_hex;
  std::string kind;             // "server", "sub-ca", "card-user", …
  std::int64_t not_after = 0;   // Unix seconds
  std::string label;            // the common name
  std::int64_t revoked_at = 0;  // 0: good
  pki::RevocationReason reason = pki::RevocationReason::unspecified;
};

/// An authority's directory: certificate, encrypted key, index. Writes are atomic. A lock allows one process at a time.
class Authority {
 public:
  /// Makes the directory (mode 0700) and its first files. Errors: already_exists, io, not_permitted, disk_full.
  [[nodiscard]] static Result<Authority> create(const std::filesystem::path& directory,
                                                const pki::Certificate& certificate, const crypto::PrivateKey& key,
                                                const crypto::Secret& passphrase, const pki::CertificateUrls& urls);
  /// Errors: not_set_up, busy (another usher-ca), malformed, io.
  [[nodiscard]] static Result<Authority> open(const std::filesystem::path& directory);

  [[nodiscard]] const pki::Certificate& certificate() const noexcept { return certificate_; }
  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
  /// Errors: bad_passphrase, malformed, bad_key (key and certificate do not belong together).
  [[nodiscard]] Result<crypto::PrivateKey> load_key(const crypto::Secret& passphrase) const;

  [[nodiscard]] const std::vector<IndexEntry>& index() const noexcept { return index_; }
  /// Stores the certificate, appends it to the index and saves. Call before the certificate is handed out.
  [[nodiscard]] Result<> record(const pki::Certificate& certificate, std::string kind);
  /// A certificate of the index. Errors: not_found, it was issued by a release that did not store certificates yet.
  [[nodiscard]] Result<pki::Certificate> issued(std::string_view serial_hex) const;
  /// Revokes by serial number (hex). Errors: not_found, already_exists (it is revoked already).
  [[nodiscard]] Result<> revoke(std::string_view serial_hex, pki::RevocationReason reason, Time now);

  struct CrlState {
    std::uint64_t next_number = 1;
    std::uint64_t base_number = 0;  // of the last complete CRL; 0: none yet
    std::int64_t base_at = 0;       // its thisUpdate
  };
  [[nodiscard]] const CrlState& crl_state() const noexcept { return crl_state_; }
  /// A complete CRL, or a delta to the last complete one; saved as crl.pem or delta.pem.
  /// Errors: not_found (a delta before any complete one), local, io.
  [[nodiscard]] Result<pki::Crl> make_crl(const crypto::PrivateKey& key, bool delta, Time now, Seconds lifetime);
  /// The locations of its lists and certificate that go into the certificates issued here.
  [[nodiscard]] const pki::CertificateUrls& urls() const noexcept { return urls_; }

 private:
  Authority(std::filesystem::path directory, pki::Certificate certificate)
      : directory_(std::move(directory)), certificate_(std::move(certificate)) {}
  [[nodiscard]] Result<> save_index() const;
  [[nodiscard]] Result<> save_state() const;
  [[nodiscard]] Result<> load_state();

  std::filesystem::path directory_;
  pki::Certificate certificate_;
  std::shared_ptr<const FileLock> lock_;  // held while this object lives: no number is used twice
  std::vector<IndexEntry> index_;
  CrlState crl_state_;
  pki::CertificateUrls urls_;
};

}  // namespace usher::ca

#include "ca_home.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/encoding.h"
#include "base/os_error.h"

namespace usher::ca {
namespace {

constexpr std::size_t kMaxIndex = 64 << 20;  // bytes
constexpr std::size_t kMaxSmall = 64 << 10;  // bytes
constexpr Milliseconds kClockSkew = std::chrono::minutes(5);
constexpr std::string_view kIndexHeader = "# usher-ca index 1: serial, kind, not after, revoked at, reason, name\n";
constexpr std::string_view kRestore =
    "Restore the authority's directory from a backup: an authority has to know what it has issued.";

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::string line_of(const IndexEntry& entry) {
  return entry.serial_hex + "\t" + entry.kind + "\t" + std::to_string(entry.not_after) + "\t" +
         std::to_string(entry.revoked_at) + "\t" + std::string(name_of(entry.reason)) + "\t" + entry.label + "\n";
}

std::optional<IndexEntry> entry_of(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() != 6) return std::nullopt;
  const auto not_after = number_of<std::int64_t>(fields[2]);
  const auto revoked_at = number_of<std::int64_t>(fields[3]);
  const auto reason = pki::revocation_reason_of_name(fields[4]);
  if (!not_after || !revoked_at || !reason) return std::nullopt;
  return IndexEntry{
      std::string(fields[0]), std::string(fields[1]), *not_after, std::string(fields[5]), *revoked_at, *reason};
}

Result<std::vector<IndexEntry>> parse_index(std::string_view text, const std::string& about) {
  std::vector<IndexEntry> out;
  if (!text.starts_with(kIndexHeader)) return fail(Fault::malformed, "index", about, std::string(kRestore));
  text.remove_prefix(kIndexHeader.size());
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const auto entry = end == std::string_view::npos ? std::nullopt : entry_of(text.substr(0, end));
    if (!entry) return fail(Fault::malformed, "index", about, std::string(kRestore));
    out.push_back(*entry);
    text.remove_prefix(end + 1);
  }
  return out;
}

Result<std::map<std::string, std::string>> parse_state(std::string_view text, const std::string& about) {
  std::map<std::string, std::string> out;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return fail(Fault::malformed, "state", about, std::string(kRestore));
    out.emplace(line.substr(0, space), line.substr(space + 1));
  }
  return out;
}

}  // namespace

Result<Authority> Authority::create(const std::filesystem::path& directory, const pki::Certificate& certificate,
                                    const crypto::PrivateKey& key, const crypto::Secret& passphrase,
                                    const pki::CertificateUrls& urls) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(fault_of_errno(error.value()), "authority", directory.string());
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  Authority authority(directory, certificate);
  authority.urls_ = urls;
  USHER_TRY(const std::string key_pem, key.to_pem(passphrase));
  // The certificate is written last: a directory without one is not an authority yet.
  if (std::filesystem::exists(directory / "ca.pem"))
    return fail(Fault::already_exists, "authority", directory.string(), std::string(kKeep));
  USHER_CHECK(replace_file(directory / "ca.key", key_pem));
  USHER_CHECK(authority.save_index());
  USHER_CHECK(authority.save_state());
  USHER_CHECK(create_file(directory / "ca.pem", certificate.to_pem(), 0644));
  return open(directory);
}

Result<Authority> Authority::open(const std::filesystem::path& directory) {
  auto read = read_file(directory / "ca.pem", kMaxSmall);
  if (!read && read.error().fault == Fault::not_found) {
    return fail(Fault::not_set_up, "authority",
                "no authority in " + directory.string() + "; `usher-ca init` makes them");
  }
  USHER_TRY(const std::string pem, std::move(read));
  USHER_TRY(pki::Certificate certificate, pki::Certificate::from_pem(pem));
  Authority authority(directory, std::move(certificate));
  USHER_TRY(FileLock lock, FileLock::try_now(directory / "lock"));
  authority.lock_ = std::make_shared<const FileLock>(std::move(lock));
  USHER_TRY(const std::string index, read_file(directory / "index", kMaxIndex));
  USHER_TRY(authority.index_, parse_index(index, (directory / "index").string()));
  USHER_CHECK(authority.load_state());
  return authority;
}

Result<> Authority::load_state() {
  const std::string about = (directory_ / "state").string();
  USHER_TRY(const std::string text, read_file(about, kMaxSmall));
  USHER_TRY(auto state, parse_state(text, about));
  const auto next = number_of<std::uint64_t>(state["next-crl"]);
  const auto base = number_of<std::uint64_t>(state["base-crl"]);
  const auto base_at = number_of<std::int64_t>(state["base-at"]);
  if (!next || *next == 0 || !base || !base_at) return fail(Fault::malformed, "state", about, std::string(kRestore));
  crl_state_ = {.next_number = *next, .base_number = *base, .base_at = *base_at};
  urls_ = {.crl = state["crl-url"],
           .freshest_crl = state["freshest-crl-url"],
           .issuer = state["issuer-url"],
           .responder = state["responder-url"]};
  return {};
}

Result<> Authority::save_state() const {
  std::string text = "next-crl " + std::to_string(crl_state_.next_number) + "\nbase-crl " +
                     std::to_string(crl_state_.base_number) + "\nbase-at " + std::to_string(crl_state_.base_at) + "\n";
  text += "crl-url " + urls_.crl + "\nfreshest-crl-url " + urls_.freshest_crl + "\nissuer-url " + urls_.issuer +
          "\nresponder-url " + urls_.responder + "\n";
  return replace_file(directory_ / "state", text);
}

Result<> Authority::save_index() const {
  std::string text(kIndexHeader);
  for (const IndexEntry& entry : index_) text += line_of(entry);
  return replace_file(directory_ / "index", text);
}

Result<crypto::PrivateKey> Authority::load_key(const crypto::Secret& passphrase) const {
  USHER_TRY(const std::string pem, read_file(directory_ / "ca.key", kMaxSmall));
  auto key = crypto::PrivateKey::from_pem(pem, passphrase);
  if (!key) return fail(key.error().fault, key.error().where, (directory_ / "ca.key").string());
  if (key->public_key().fingerprint() != certificate_.key_fingerprint()) {
    return fail(Fault::bad_key, "authority", "the key in " + directory_.string() + " is not the certificate's",
                std::string(kRestore));
  }
  return key;
}

Result<pki::Certificate> Authority::issued(std::string_view serial_hex) const {
  USHER_TRY(const std::string pem, read_file(directory_ / "issued" / (std::string(serial_hex) + ".pem"), kMaxSmall));
  return pki::Certificate::from_pem(pem);
}

Result<> Authority::record(const pki::Certificate& certificate, std::string kind) {
  const std::filesystem::path kept = directory_ / "issued";
  std::error_code error;
  std::filesystem::create_directory(kept, error);
  if (error) return fail(fault_of_errno(error.value()), "authority", kept.string());
  USHER_CHECK(replace_file(kept / (certificate.serial_hex() + ".pem"), certificate.to_pem()));
  index_.push_back(IndexEntry{.serial_hex = certificate.serial_hex(),
                              .kind = std::move(kind),
                              .not_after = unix_seconds(certificate.not_after()),
                              .label = certificate.common_name()});
  return save_index();
}

Result<> Authority::revoke(std::string_view serial_hex, pki::RevocationReason reason, Time now) {
  const auto entry = std::ranges::find(index_, serial_hex, &IndexEntry::serial_hex);
  if (entry == index_.end())
    return fail(Fault::not_found, "revoke", "no certificate with this serial number",
                "`usher-ca list` shows those that were issued.");
  if (entry->revoked_at != 0)
    return fail(Fault::already_exists, "revoke", "the certificate was revoked before",
                "Nothing has to be done; `usher-ca crl` makes the list that says so.");
  entry->revoked_at = unix_seconds(now);
  entry->reason = reason;
  return save_index();
}

Result<pki::Crl> Authority::make_crl(const crypto::PrivateKey& key, bool delta, Time now, Seconds lifetime) {
  if (delta && crl_state_.base_number == 0)
    return fail(Fault::not_found, "delta", "no complete list was made before", "Make one first: `usher-ca crl`.");
  pki::CrlRequest request{.number = crl_state_.next_number,
                          .this_update = now - kClockSkew,
                          .next_update = now + lifetime,
                          .freshest_crl = urls_.freshest_crl};
  if (delta) request.base_number = crl_state_.base_number;
  // A complete list never drops a certificate: today's list also decides about past signatures.
  for (const IndexEntry& entry : index_) {
    if (entry.revoked_at == 0 || (delta && entry.revoked_at < crl_state_.base_at)) continue;
    request.revoked.push_back({entry.serial_hex, from_unix_seconds(entry.revoked_at), entry.reason});
  }
  USHER_TRY(pki::Crl crl, pki::issue_crl({certificate_, key}, request));
  // The number is used up before the list becomes visible: a crash wastes a number, but never uses one twice.
  ++crl_state_.next_number;
  USHER_CHECK(save_state());
  USHER_CHECK(replace_file(directory_ / (delta ? "delta.pem" : "crl.pem"), crl.to_pem(), 0644));
  if (delta) return crl;
  crl_state_.base_number = request.number;
  crl_state_.base_at = unix_seconds(now);
  USHER_CHECK(save_state());
  std::error_code ignored;  // a delta that remains is superseded, and verifiers ignore it
  std::filesystem::remove(directory_ / "delta.pem", ignored);
  return crl;
}

}  // namespace usher::ca

#include <algorithm>

#include "base/encoding.h"
#include "commands.h"
#include "options.h"

namespace usher::ca {
namespace {

constexpr Milliseconds kClockSkew = std::chrono::minutes(5);
constexpr std::size_t kMaxPem = 64 << 10;  // bytes
constexpr int kMaxRoots = 99;

Result<Bytes> der_of_public_key(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  const std::size_t begin = pem.find(kBegin);
  const std::size_t end = pem.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
    return fail(Fault::malformed, "public key");
  std::string text;
  for (char c : pem.substr(begin + kBegin.size(), end - begin - kBegin.size())) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
    if (c != '\n' && c != '\r' && c != '=') text.push_back(c);
  }
  return from_base64url(text);
}

}  // namespace

Result<crypto::NewKey> new_key_of(std::string_view name) {
  if (name == "p256") return crypto::NewKey::p256;
  if (name == "rsa2048") return crypto::NewKey::rsa2048;
  if (name == "rsa3072") return crypto::NewKey::rsa3072;
  return fail(Fault::bad_usage, "key kind", "--key " + std::string(name), "Use p256, rsa2048 or rsa3072.");
}

Result<crypto::PublicKey> read_public_key(const std::filesystem::path& file) {
  USHER_TRY(const std::string pem, read_file(file, kMaxPem));
  auto key = Result<crypto::PublicKey>(fail(Fault::malformed, "public key"));
  if (const auto chain = pki::chain_from_pem(pem)) {
    key = chain->front().public_key();
  } else if (const auto der = der_of_public_key(pem)) {
    key = crypto::PublicKey::from_spki(*der);
  }
  if (!key) {
    return fail(key.error().fault, key.error().where, file.string(),
                key.error().fault == Fault::malformed ? "Name a PEM file with a certificate or a public key." : "");
  }
  return key;
}

std::vector<std::string> media_roots_in(const std::filesystem::path& home) {
  std::vector<std::string> out;
  for (int number = 1; number <= kMaxRoots; ++number) {
    std::string name = number == 1 ? "media/root" : "media/root-" + std::to_string(number);
    std::error_code ignored;
    if (std::filesystem::exists(home / name / "ca.pem", ignored)) out.push_back(std::move(name));
  }
  return out;
}

std::vector<std::string> authorities_in(const std::filesystem::path& home) {
  std::vector<std::string> out = media_roots_in(home);
  for (const char* name : {"card/root", "card/sub"}) {
    std::error_code ignored;
    if (std::filesystem::exists(home / name / "ca.pem", ignored)) out.emplace_back(name);
  }
  return out;
}

Result<std::string> issuing_root(const std::filesystem::path& home) {
  const std::filesystem::path file = home / "media/issuing";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::string("media/root");
  USHER_TRY(std::string name, read_file(file, kMaxPem));
  while (name.ends_with('\n')) name.pop_back();
  name.insert(0, "media/");
  if (std::ranges::count(media_roots_in(home), name) != 1) {
    return fail(Fault::malformed, "issuing root", file.string(),
                "Restore it from a backup, or write the name of a root into it that stands beside it.");
  }
  return name;
}

Result<> set_issuing_root(const std::filesystem::path& home, const std::string& name) {
  return replace_file(home / "media/issuing", std::filesystem::path(name).filename().string() + "\n");
}

pki::Validity validity_of(int days, Time now, const pki::Certificate* authority) {
  pki::Validity validity{now - kClockSkew, now + std::chrono::days(days)};
  if (authority != nullptr) {
    validity.not_before = std::max(validity.not_before, authority->not_before());
    validity.not_after = std::min(validity.not_after, authority->not_after());
  }
  return validity;
}

Result<pki::Certificate> issue_recorded(Authority& authority, const crypto::PrivateKey& authority_key,
                                        const pki::LeafRequest& request, std::string kind, const crypto::PublicKey& key,
                                        Random& random) {
  USHER_TRY(pki::Certificate certificate,
            pki::issue_leaf({authority.certificate(), authority_key}, request, key, random));
  USHER_CHECK(authority.record(certificate, std::move(kind)));
  return certificate;
}

Result<pki::Chain> issue_card_user(Context& context, const CardUser& user, const crypto::PublicKey& key) {
  USHER_TRY(Authority sub, Authority::open(context.home / "card/sub"));
  USHER_TRY(const std::string root_pem, read_file(context.home / "card/root/ca.pem", kMaxPem));
  USHER_TRY(const pki::Certificate root, pki::Certificate::from_pem(root_pem));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(false));
  USHER_TRY(const crypto::PrivateKey sub_key, sub.load_key(passphrase));
  pki::LeafRequest request{.name = {.common_name = user.common_name,
                                    .organisation = "Cartão de Cidadão",
                                    .organisational_unit = "Cidadão Português",
                                    .country = "PT",
                                    .serial_number = user.civil_number,
                                    .given_name = user.given_name,
                                    .surname = user.surname},
                           .validity = validity_of(user.days, context.clock.now(), &sub.certificate()),
                           .urls = sub.urls()};
  if (user.profile == "generic") {
    request.role = pki::Role::person;
  } else if (user.profile == "cartao-de-cidadao") {
    request.more_eku = {std::string(pki::kOidClientAuth)};  // like the real card: no role of usher's
  } else {
    return fail(Fault::bad_usage, "profile", "cartao-de-cidadao or generic");
  }
  USHER_TRY(const pki::Certificate certificate,
            issue_recorded(sub, sub_key, request, "card-user", key, context.random));
  return pki::Chain{certificate, sub.certificate(), root};
}

}  // namespace usher::ca

#include "keys.h"

#include "base/file.h"
#include "card/token_key.h"

namespace usher::press {
namespace {

constexpr std::size_t kMaxPem = 256 << 10;  // bytes

/// Adds the file's name to an error without one.
template <class T>
Result<T> about_file(Result<T> result, const std::filesystem::path& file) {
  if (!result && result.error().about.empty()) result.error().about = file.string();
  return result;
}

Result<std::shared_ptr<const pki::TrustStore>> load_trust(pki::Role role, const TrustOptions& options) {
  pki::TrustConfig config{.role = role};
  USHER_TRY(const std::string anchors, read_file(options.anchors, kMaxPem));
  USHER_TRY(config.anchors, about_file(pki::bundle_from_pem(anchors), options.anchors));
  for (const auto& file : options.crls) {
    USHER_TRY(const std::string pem, read_file(file, pki::kMaxCrlFile));
    USHER_TRY(pki::Crl crl, about_file(pki::Crl::from_pem(pem), file));
    config.crls.push_back(std::move(crl));
  }
  if (options.no_revocation) config.revocation = pki::RevocationMode::none;
  config.mapping = options.mapping;
  return pki::TrustStore::make(std::move(config));
}

/// Without a root, only the dates are checked.
Result<> check_dates(const pki::Certificate& certificate, Time at) {
  if (at < certificate.not_before()) {
    return fail(Fault::certificate_not_yet_valid, "press: dates", certificate.subject_text());
  }
  if (at > certificate.not_after()) return fail(Fault::certificate_expired, "press: dates", certificate.subject_text());
  return {};
}

}  // namespace

Result<pki::Chain> load_chain(const std::filesystem::path& file) {
  USHER_TRY(const std::string pem, read_file(file, kMaxPem));
  return about_file(pki::chain_from_pem(pem), file);
}

app::Option add_key_options(const app::Command& verb, KeyOptions& options, const std::string& about) {
  const app::Option key =
      verb.option("--key", options.name, about + " (encrypted PEM), or its URI on a token: pkcs11:…")
          .value_name("FILE|URI");
  verb.option("--module", options.module, "PKCS #11 module of a key on a token, if its URI names no module")
      .value_name("FILE");
  verb.option("--passphrase-file", options.passphrase.file, "File with the key's passphrase, or the token's PIN");
  verb.option("--passphrase-fd", options.passphrase.descriptor, "Open descriptor to read that from");
  return key;
}

Result<crypto::PrivateKey> load_key(const KeyOptions& options) {
  if (card::is_token_key(options.name)) {
    return app::until_right(options.passphrase, [&] {
      auto pins = std::make_shared<card::TokenPins>([source = options.passphrase](const std::string& token) {
        return app::read_pin(source, "PIN of the token " + token + ": ");
      });
      return card::open_token_key({.uri = options.name, .module = options.module, .pins = std::move(pins)});
    });
  }
  const std::filesystem::path file = options.name;
  USHER_TRY(std::string pem, read_file(file, kMaxPem));
  return app::until_right(options.passphrase, [&]() -> Result<crypto::PrivateKey> {
    USHER_TRY(const crypto::Secret secret,
              app::read_passphrase(options.passphrase, "Passphrase of " + file.string() + ": "));
    return about_file(crypto::PrivateKey::from_pem(pem, secret), file);
  });
}

Result<> check_chain(const pki::Chain& chain, pki::Role role, const TrustOptions& options, Time now,
                     const Time* signing_time) {
  if (options.anchors.empty()) {
    USHER_CHECK(pki::check_role(chain.front(), role, &options.mapping));
    return check_dates(chain.front(), signing_time == nullptr ? now : *signing_time);
  }
  USHER_TRY(const auto store, load_trust(role, options));
  if (signing_time == nullptr) {
    USHER_CHECK(store->verify(chain, now));
  } else {
    USHER_CHECK(store->verify_signed_at(chain, *signing_time, now));
  }
  return {};
}

}  // namespace usher::press

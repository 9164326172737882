// usher-ca init: a hierarchy of authorities.
#include <cstdio>

#include "commands.h"
#include "common/json.h"
#include "options.h"

namespace usher::ca {
namespace {

struct InitOptions {
  bool card = false;
  std::string common_name;
  std::string organisation;
  std::string country;
  std::string key_kind = "p256";
  int days = 365 * 10;
  int crl_days = 30;
  std::string url;
  std::string ocsp_url;
  bool deltas = false;
};

/// The URLs of an authority's lists and certificate, below the operator's URL.
pki::CertificateUrls urls_of(const InitOptions& options, const std::string& stem) {
  if (options.url.empty()) return {.responder = options.ocsp_url};
  const std::string base = options.url.ends_with('/') ? options.url : options.url + "/";
  return {.crl = base + stem + ".crl",
          .freshest_crl = options.deltas ? base + stem + ".delta.crl" : std::string(),
          .issuer = base + stem + ".crt",
          .responder = options.ocsp_url};
}

Result<> first_crl(Authority& authority, const crypto::PrivateKey& key, const Context& context,
                   const InitOptions& options) {
  USHER_TRY(const pki::Crl crl,
            authority.make_crl(key, false, context.clock.now(), std::chrono::days(options.crl_days)));
  static_cast<void>(crl);
  if (context.json) {
    app::print_json(
        boost::json::object{{"authority", std::filesystem::relative(authority.directory(), context.home).string()},
                            {"subject", authority.certificate().subject_text()},
                            {"certificate", (authority.directory() / "ca.pem").string()},
                            {"serial", authority.certificate().serial_hex()},
                            {"not_before", app::iso_time(authority.certificate().not_before())},
                            {"not_after", app::iso_time(authority.certificate().not_after())}});
    return {};
  }
  std::printf("created: %s (%s)\n", authority.directory().c_str(), authority.certificate().subject_text().c_str());
  return {};
}

Result<> init_media(const Context& context, const InitOptions& options) {
  if (std::filesystem::exists(context.home / "media/root/ca.pem"))
    return fail(Fault::already_exists, "init", (context.home / "media").string(), std::string(kKeep));
  USHER_TRY(const crypto::NewKey kind, new_key_of(options.key_kind));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(true));
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(kind));
  const pki::CaRequest request{
      .name = {.common_name = options.common_name.empty() ? "usher media root" : options.common_name,
               .organisation = options.organisation,
               .country = options.country},
      .validity = validity_of(options.days, context.clock.now(), nullptr),
      .path_length = 0};
  USHER_TRY(const pki::Certificate root, pki::issue_root(request, key, context.random));
  USHER_TRY(Authority authority,
            Authority::create(context.home / "media/root", root, key, passphrase, urls_of(options, "media-root")));
  return first_crl(authority, key, context, options);
}

Result<> init_card(const Context& context, const InitOptions& options) {
  if (std::filesystem::exists(context.home / "card/root/ca.pem"))
    return fail(Fault::already_exists, "init", (context.home / "card").string(), std::string(kKeep));
  USHER_TRY(const crypto::NewKey kind, new_key_of(options.key_kind));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(true));
  USHER_TRY(const crypto::PrivateKey root_key, crypto::PrivateKey::generate(kind));
  USHER_TRY(const crypto::PrivateKey sub_key, crypto::PrivateKey::generate(kind));
  const std::string organisation =
      options.organisation.empty() ? "SCEE - Sistema de Certificação Electrónica do Estado" : options.organisation;
  const pki::CaRequest root_request{
      .name = {.common_name = options.common_name.empty() ? "Cartão de Cidadão 001 (test)" : options.common_name,
               .organisation = organisation,
               .country = "PT"},
      .validity = validity_of(options.days, context.clock.now(), nullptr),
      .path_length = 1};
  USHER_TRY(const pki::Certificate root, pki::issue_root(root_request, root_key, context.random));
  const pki::CertificateUrls root_urls = urls_of(options, "card-root");
  const pki::CaRequest sub_request{.name = {.common_name = "EC de Autenticação do Cartão de Cidadão 0001 (test)",
                                            .organisation = "Instituto dos Registos e do Notariado I.P.",
                                            .organisational_unit = "subECEstado",
                                            .country = "PT"},
                                   .validity = validity_of(options.days, context.clock.now(), &root),
                                   .path_length = 0,
                                   .urls = root_urls};
  USHER_TRY(const pki::Certificate sub,
            pki::issue_sub_ca({root, root_key}, sub_request, sub_key.public_key(), context.random));
  USHER_TRY(Authority sub_authority,
            Authority::create(context.home / "card/sub", sub, sub_key, passphrase, urls_of(options, "card-sub")));
  USHER_TRY(Authority root_authority,
            Authority::create(context.home / "card/root", root, root_key, passphrase, root_urls));
  USHER_CHECK(root_authority.record(sub, "sub-ca"));
  USHER_CHECK(first_crl(root_authority, root_key, context, options));
  return first_crl(sub_authority, sub_key, context, options);
}

}  // namespace

void add_init_command(const app::Command& program, Context& context) {
  auto options = std::make_shared<InitOptions>();
  const app::Command verb =
      program.command("init", "Create a hierarchy: the media root, or with --card a root and a sub-CA for test cards");
  verb.footer(
      "Examples:\n"
      "  usher-ca --home ca --passphrase-file pass init --organisation \"Example Records\" --key rsa3072\n"
      "  usher-ca --home ca --passphrase-file pass init --card --url http://pki.example.org/\n"
      "Both may live in one home, under one passphrase. A first, empty revocation list is made at once.");
  verb.flag("--card", options->card, "The card hierarchy");
  verb.option("--cn", options->common_name, "The root's common name");
  verb.option("--organisation", options->organisation, "The root's organisation");
  verb.option("--country", options->country, "The root's country, two letters");
  verb.option("--key", options->key_kind, "Kind of the authorities' keys: p256, rsa2048 or rsa3072").with_default();
  verb.option("--days", options->days, "Validity of the authorities in days").between(1, 36500).with_default();
  verb.option("--crl-days", options->crl_days, "Validity of the first revocation lists in days")
      .between(1, 3650)
      .with_default();
  const app::Option url =
      verb.option("--url", options->url,
                  "Where lists and authorities will be published: goes into certificates as CRL distribution point and "
                  "issuer");
  verb.flag("--deltas", options->deltas,
            "Certificates also point to delta lists (freshest CRL); verification then requires one in force")
      .needs(url);
  verb.option("--ocsp-url", options->ocsp_url,
              "URL of your OCSP responder: goes into certificates. usher-ca includes no responder");
  verb.action(
      [&context, options] { return options->card ? init_card(context, *options) : init_media(context, *options); });
}

}  // namespace usher::ca

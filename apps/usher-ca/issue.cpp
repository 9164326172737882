// usher-ca issue: certificates by role, and their keys.
#include <cstdio>
#include <span>

#include "base/encoding.h"
#include "commands.h"
#include "common/json.h"
#include "issue.h"
#include "options.h"

namespace usher::ca {
namespace {

/// The key to certify; `private_pem` is empty if the private key is elsewhere.
struct Subject {
  crypto::PublicKey key;
  std::string private_pem{};
};

/// A new key pair, not written yet; or the public key from the command line.
Result<Subject> make_subject(const IssueOptions& options) {
  if (!options.public_key.empty()) {
    USHER_TRY(crypto::PublicKey key, read_public_key(options.public_key));
    return Subject{std::move(key)};
  }
  USHER_TRY(const crypto::NewKey kind, new_key_of(options.key_kind));
  USHER_TRY(const crypto::Secret passphrase,
            app::read_new_passphrase(options.key_passphrase, "Passphrase for the new key " + options.out + ".key: "));
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(kind));
  USHER_TRY(std::string pem, key.to_pem(passphrase));
  return Subject{key.public_key(), std::move(pem)};
}

/// Runs last, after everything else has succeeded: a failure leaves no file that would block the next try.
Result<> write_outputs(const IssueOptions& options, const Subject& subject, std::span<const pki::Certificate> chain) {
  if (!subject.private_pem.empty()) USHER_CHECK(create_file(options.out + ".key", subject.private_pem));
  return create_file(options.out + ".pem", pki::to_pem(chain), 0644);
}

Result<> check_outputs(const IssueOptions& options) {
  for (const char* suffix : {".pem", ".key"}) {
    const std::string file = options.out + suffix;
    const bool written = std::string_view(suffix) == ".pem" || options.public_key.empty();
    if (written && std::filesystem::exists(file)) return fail(Fault::already_exists, "issue", file);
  }
  return {};
}

void tell(const Context& context, const IssueOptions& options, const pki::Certificate& certificate,
          std::string_view kind) {
  if (context.json) {
    boost::json::object out{{"serial", certificate.serial_hex()},
                            {"kind", kind},
                            {"name", certificate.common_name()},
                            {"certificate", options.out + ".pem"},
                            {"key", nullptr},
                            {"key_sha256", to_hex(certificate.key_fingerprint())},
                            {"not_before", app::iso_time(certificate.not_before())},
                            {"not_after", app::iso_time(certificate.not_after())},
                            {"replaces", nullptr}};
    if (options.public_key.empty()) out["key"] = options.out + ".key";
    if (!options.replaces.empty()) out["replaces"] = options.replaces;
    app::print_json(out);
    return;
  }
  std::printf("issued: %s.pem (serial %s, SHA-256 of the key %s)\n", options.out.c_str(),
              certificate.serial_hex().c_str(), to_hex(certificate.key_fingerprint()).c_str());
  if (options.public_key.empty()) std::printf("key:    %s.key\n", options.out.c_str());
}

}  // namespace

Result<> issue_media(Context& context, const IssueOptions& options, pki::Role role) {
  pki::LeafRequest request{.role = role, .dns_names = options.dns_names};
  for (const std::string& text : options.ip_addresses) {
    auto address = pki::IpAddress::from_text(text);
    if (!address) return fail(Fault::bad_usage, "issue", "not an IP address: " + text);
    request.ip_addresses.push_back(*std::move(address));
  }
  if (role == pki::Role::server && options.dns_names.empty() && options.ip_addresses.empty()) {
    return fail(Fault::bad_usage, "issue", "a server needs --name or --ip: what its listeners dial");
  }
  request.name = {.common_name = options.common_name, .organisation = options.organisation};
  if (request.name.common_name.empty() && !options.dns_names.empty())
    request.name.common_name = options.dns_names.front();
  if (request.name.common_name.empty()) request.name.common_name = std::string(name_of(role));
  USHER_CHECK(check_outputs(options));
  USHER_TRY(const std::string root, issuing_root(context.home));
  USHER_TRY(Authority authority, Authority::open(context.home / root));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(false));
  USHER_TRY(const crypto::PrivateKey authority_key, authority.load_key(passphrase));
  request.validity = validity_of(options.days, context.clock.now(), &authority.certificate());
  request.urls = authority.urls();
  USHER_TRY(const Subject subject, make_subject(options));
  USHER_TRY(const pki::Certificate certificate,
            issue_recorded(authority, authority_key, request, std::string(name_of(role)), subject.key, context.random));
  USHER_CHECK(write_outputs(options, subject, std::span(&certificate, 1)));
  tell(context, options, certificate, name_of(role));
  return {};
}

namespace {

Result<> issue_user(Context& context, IssueOptions& options) {
  options.user.common_name = options.common_name;
  options.user.days = options.days;
  USHER_CHECK(check_outputs(options));
  USHER_TRY(const Subject subject, make_subject(options));
  USHER_TRY(const pki::Chain chain, issue_card_user(context, options.user, subject.key));
  // User and sub-CA only: a verifier must never take the root from the peer that the root vouches for.
  USHER_CHECK(write_outputs(options, subject, std::span(chain).first(2)));
  tell(context, options, chain.front(), "card-user");
  return {};
}

}  // namespace

void add_common_issue_options(const app::Command& verb, IssueOptions& options) {
  verb.option("--out", options.out, "Path without suffix: <out>.pem and <out>.key are written").required();
  verb.option("--key", options.key_kind, "Kind of the new key: p256, rsa2048 or rsa3072").with_default();
  verb.option("--public-key", options.public_key,
              "PEM with a public key, or a certificate whose key is kept: certify that, make no new key");
  verb.option("--key-passphrase-file", options.key_passphrase.file, "File with the passphrase for the new key");
  verb.option("--key-passphrase-fd", options.key_passphrase.descriptor, "Open descriptor to read that passphrase from");
  verb.option("--days", options.days, "Validity in days, at most the authority's").between(1, 36500).with_default();
}

namespace {

void add_media_verb(const app::Command& issue, Context& context, pki::Role role, const char* about) {
  auto options = std::make_shared<IssueOptions>();
  const app::Command verb = issue.command(std::string(name_of(role)), about);
  if (role == pki::Role::release_recipient) {
    verb.also("recipient");
    verb.also("release");
  }
  add_common_issue_options(verb, *options);
  verb.option("--cn", options->common_name, "Common name");
  verb.option("--organisation", options->organisation, "Organisation");
  if (role == pki::Role::server) {
    verb.option("--name", options->dns_names, "DNS name that listeners dial; may be repeated");
    verb.option("--ip", options->ip_addresses, "IPv4 or IPv6 address that listeners dial; may be repeated");
  }
  verb.action([&context, options, role] { return issue_media(context, *options, role); });
}

void add_user_verb(const app::Command& issue, Context& context) {
  auto options = std::make_shared<IssueOptions>();
  options->days = options->user.days;
  const app::Command verb =
      issue.command("user", "A person of the card hierarchy, for a key that is elsewhere or new (see also: card)");
  add_common_issue_options(verb, *options);
  verb.option("--cn", options->common_name, "The person's full name").required();
  verb.option("--given-name", options->user.given_name, "Given name");
  verb.option("--surname", options->user.surname, "Surname");
  verb.option("--civil-number", options->user.civil_number, "Subject serialNumber: BI123456789").required();
  verb.option("--profile", options->user.profile, "cartao-de-cidadao or generic").with_default();
  verb.action([&context, options] { return issue_user(context, *options); });
}

}  // namespace

void add_issue_command(const app::Command& program, Context& context) {
  const app::Command issue = program.command("issue", "Issue a certificate");
  issue.needs_command();
  issue.footer(
      "Examples:\n"
      "  usher-ca --home ca issue server --name localhost --ip 127.0.0.1 --ip ::1 --out server\n"
      "  usher-ca --home ca issue client --cn \"Kitchen radio\" --public-key client.pem --out client-2027\n"
      "  usher-ca --home ca issue release-recipient --key rsa3072 --out operator\n"
      "  usher-ca --home ca issue user --cn \"Ana Maria Silva\" --civil-number BI123456789 --out ana");
  add_media_verb(issue, context, pki::Role::server, "A server, under the names that listeners dial");
  add_media_verb(issue, context, pki::Role::client, "A listener's installation");
  add_media_verb(issue, context, pki::Role::distributor, "A distributor, who signs releases");
  add_media_verb(issue, context, pki::Role::release_recipient, "An operator, for whom releases are sealed");
  add_user_verb(issue, context);
}

}  // namespace usher::ca

// usher-ca rotate: a new root next to the old one, and successors of certificates.
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "issue.h"
#include "options.h"
#include "rotation.h"

namespace usher::ca {
namespace {

struct RootOptions {
  bool begin = false;
  bool switch_over = false;
  bool again = false;
  std::string common_name;
  std::string key_kind = "p256";
  int days = 365 * 10;
  int crl_days = 30;
  std::string url;
  std::filesystem::path out;
  bool for_a_new_root = false;  // an option was given that describes a new root
};

struct ServerOptions {
  std::string name;
  IssueOptions issue;
};

Result<> tell(const Rotation& rotation, bool as_json) {
  const std::string text = as_json ? json_of(rotation) + "\n" : words_of(rotation);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

/// The URLs of the new root's lists: next to the old root's, if those are published.
pki::CertificateUrls urls_beside(const pki::CertificateUrls& old, const RootOptions& options, const std::string& stem) {
  std::string base = options.url;
  if (base.empty()) base = old.crl.substr(0, old.crl.rfind('/') + 1);  // npos + 1 is 0: no URL
  if (base.empty()) return {.responder = old.responder};
  if (!base.ends_with('/')) base += '/';
  return {.crl = base + stem + ".crl",
          .freshest_crl = old.freshest_crl.empty() ? std::string() : base + stem + ".delta.crl",
          .issuer = base + stem + ".crt",
          .responder = old.responder};
}

Result<> prepare(const Context& context, const RootOptions& options, const std::string& current) {
  const std::string number = std::to_string(media_roots_in(context.home).size() + 1);
  USHER_TRY(const Authority old, Authority::open(context.home / current));
  USHER_TRY(const crypto::NewKey kind, new_key_of(options.key_kind));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(false));
  USHER_CHECK(old.load_key(passphrase));  // one passphrase for all roots: report a wrong one now
  USHER_TRY(const crypto::PrivateKey key, crypto::PrivateKey::generate(kind));
  const pki::Certificate& before = old.certificate();
  const pki::CaRequest request{
      .name = {.common_name = options.common_name.empty() ? "usher media root " + number : options.common_name,
               .organisation = before.organisation(),
               .country = before.subject_field("C").value_or("")},
      .validity = validity_of(options.days, context.clock.now(), nullptr),
      .path_length = 0};
  USHER_TRY(const pki::Certificate root, pki::issue_root(request, key, context.random));
  USHER_TRY(Authority authority, Authority::create(context.home / ("media/root-" + number), root, key, passphrase,
                                                   urls_beside(old.urls(), options, "media-root-" + number)));
  USHER_CHECK(authority.make_crl(key, false, context.clock.now(), std::chrono::days(options.crl_days)));
  return {};
}

/// A file name made from a certificate's kind, label and serial number.
std::string file_name_of(const IndexEntry& entry) {
  std::string name = entry.kind + "-" + entry.label;
  std::ranges::replace_if(
      name, [](char c) { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.'; },
      '-');
  return name + "-" + entry.serial_hex.substr(0, 8) + ".pem";
}

/// A request with the same names and role as `certificate`, for another root.
Result<pki::LeafRequest> request_like(const pki::Certificate& certificate, const IndexEntry& entry) {
  const auto role = pki::role_of_name(entry.kind);
  if (!role)
    return fail(
        Fault::malformed, "rotate: kind", entry.kind,
        "Restore the authority's directory from a backup: its index names a kind that this release does not know.");
  return pki::LeafRequest{
      .role = role,
      .name = {.common_name = certificate.common_name(), .organisation = certificate.organisation()},
      .dns_names = certificate.dns_names(),
      .ip_addresses = certificate.ip_addresses()};
}

struct Roots {
  Authority old;
  Authority next;
  crypto::PrivateKey key;  // of `next`
};

Result<Successor> reissue(const Context& context, Roots& roots, const IndexEntry& entry, const RootOptions& options) {
  Successor successor{.kind = entry.kind, .name = entry.label, .replaces = entry.serial_hex, .file = {}};
  const auto certificate = roots.old.issued(entry.serial_hex);
  if (!certificate && certificate.error().fault == Fault::not_found) return successor;
  if (!certificate) return std::unexpected(certificate.error());
  USHER_TRY(pki::LeafRequest request, request_like(*certificate, entry));
  const Time now = context.clock.now();
  request.validity = validity_of(365, now, &roots.next.certificate());
  // Valid at least as long as the old certificate, which may last for more than a year.
  request.validity.not_after =
      std::min(roots.next.certificate().not_after(), std::max(request.validity.not_after, certificate->not_after()));
  request.urls = roots.next.urls();
  USHER_TRY(const crypto::PublicKey key, certificate->public_key());
  USHER_TRY(const pki::Certificate made,
            issue_recorded(roots.next, roots.key, request, entry.kind, key, context.random));
  successor.file = (options.out / file_name_of(entry)).string();
  USHER_CHECK(create_file(successor.file, made.to_pem(), 0644));
  return successor;
}

Result<std::vector<Successor>> switch_over(const Context& context, const RootOptions& options,
                                           const std::string& current, const std::string& next) {
  if (options.out.empty()) return fail(Fault::bad_usage, "rotate", "--switch needs --out, where the successors go");
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(false));
  USHER_TRY(Authority old, Authority::open(context.home / current));
  USHER_TRY(Authority fresh, Authority::open(context.home / next));
  USHER_TRY(crypto::PrivateKey key, fresh.load_key(passphrase));
  Roots roots{std::move(old), std::move(fresh), std::move(key)};
  std::vector<IndexEntry> entries;
  for (const IndexEntry& entry : roots.old.index()) {
    if (entry.revoked_at != 0 || entry.not_after < unix_seconds(context.clock.now())) continue;
    const std::filesystem::path file = options.out / file_name_of(entry);
    if (std::filesystem::exists(file)) return fail(Fault::already_exists, "rotate", file.string());
    entries.push_back(entry);
  }
  std::vector<Successor> out;
  for (const IndexEntry& entry : entries) {
    USHER_TRY(Successor successor, reissue(context, roots, entry, options));
    out.push_back(std::move(successor));
  }
  // Last: a command that failed before this point can be repeated.
  USHER_CHECK(set_issuing_root(context.home, next));
  return out;
}

/// Refuses to begin a change twice: a repeated command makes nothing.
Result<> check_beginning(Stage stage, const RootOptions& options) {
  if (stage == Stage::prepared) {
    return fail(Fault::bad_usage, "rotate", "a new root is there already: usher-ca rotate root tells what is next");
  }
  if (stage == Stage::switched && !options.again) {
    return fail(Fault::bad_usage, "rotate", "an earlier change has been gone through: --again begins another one");
  }
  return {};
}

Result<> rotate_root(const Context& context, const RootOptions& options) {
  USHER_TRY(const Rotation before, rotation_of(context));
  USHER_TRY(const std::string current, issuing_root(context.home));
  std::vector<Successor> successors;
  if (options.switch_over) {
    if (before.stage != Stage::prepared) {
      return fail(Fault::bad_usage, "rotate", "there is no root to switch to: usher-ca rotate root --begin makes one");
    }
    USHER_TRY(successors, switch_over(context, options, current, before.roots.back().name));
  } else if (options.for_a_new_root && !options.begin && !options.again) {
    return fail(Fault::bad_usage, "rotate", "nothing is made without --begin");
  } else if (options.begin || options.again) {
    USHER_CHECK(check_beginning(before.stage, options));
    USHER_CHECK(prepare(context, options, current));
  }
  USHER_TRY(Rotation after, rotation_of(context));
  after.successors = std::move(successors);
  return tell(after, context.json);
}

/// The newest certificate of a server with this name that is not revoked.
Result<pki::Certificate> find_server(const Context& context, const std::string& name) {
  std::optional<pki::Certificate> found;
  bool not_kept = false;
  for (const std::string& root : media_roots_in(context.home)) {
    USHER_TRY(const Authority authority, Authority::open(context.home / root));
    for (const IndexEntry& entry : authority.index()) {
      if (entry.kind != pki::name_of(pki::Role::server) || entry.revoked_at != 0) continue;
      const auto certificate = authority.issued(entry.serial_hex);
      if (!certificate && entry.label == name) not_kept = true;
      if (!certificate) continue;
      const auto names = certificate->dns_names();
      if (entry.label == name || std::ranges::count(names, name) != 0) found = *certificate;
    }
  }
  if (found) return *std::move(found);
  return fail(
      Fault::not_found, "rotate",
      not_kept ? "the certificate of " + name + " was issued before certificates were kept: use usher-ca issue server"
               : "no server with the name " + name);
}

Result<> rotate_server(Context& context, ServerOptions& options) {
  USHER_TRY(const pki::Certificate old, find_server(context, options.name));
  IssueOptions& issue = options.issue;
  issue.common_name = old.common_name();
  issue.organisation = old.organisation();
  issue.dns_names = old.dns_names();
  for (const pki::IpAddress& address : old.ip_addresses()) issue.ip_addresses.push_back(address.text());
  issue.replaces = old.serial_hex();
  USHER_CHECK(issue_media(context, issue, pki::Role::server));
  if (context.json) return {};
  std::printf(
      "Next:\n"
      "1. operator: put certificate and key in place of the old ones; usherd config check; SIGHUP. No client notices,\n"
      "   except where the key itself is pinned (connection.server_key): those listeners need the new fingerprint "
      "first\n"
      "2. authority: revoke the old one (serial %s), if its key is not to be trusted any more, once 1. is done\n",
      old.serial_hex().c_str());
  return {};
}

}  // namespace

void add_rotate_command(const app::Command& program, Context& context) {
  const app::Command rotate =
      program.command("rotate", "Change the root, or a server's certificate, without a client failing");
  rotate.needs_command();
  rotate.footer(
      "Examples:\n"
      "  usher-ca --home ca rotate root                       how far the change is, and what to do next\n"
      "  usher-ca --home ca rotate root --begin               a new root beside the old one\n"
      "  usher-ca --home ca rotate root --switch --out again  once everybody trusts both\n"
      "  usher-ca --home ca rotate server media.example.org --out server-2027");
  auto root = std::make_shared<RootOptions>();
  const app::Command verb = rotate.command(
      "root", "Say how far the change of the media root is, and what is next; only the flags below change anything");
  const app::Option begin = verb.flag("--begin", root->begin, "Make a new media root beside the old one");
  const app::Option over =
      verb.flag("--switch", root->switch_over, "From now on the new root issues; certify the same keys anew");
  const app::Option again =
      verb.flag("--again", root->again, "Begin another change, after an earlier one has been gone through");
  begin.excludes(over);
  over.excludes(again);
  verb.option("--out", root->out, "Directory for the successors' certificates");
  const std::array making{
      verb.option("--cn", root->common_name, "The new root's common name"),
      verb.option("--key", root->key_kind, "Kind of the new root's key: p256, rsa2048 or rsa3072").with_default(),
      verb.option("--days", root->days, "Validity of the new root in days").between(1, 36500).with_default(),
      verb.option("--crl-days", root->crl_days, "Validity of its first revocation list in days")
          .between(1, 3650)
          .with_default(),
      verb.option("--url", root->url, "Where its lists will be published (default: where the old one's are)")};
  verb.action([&context, root, making] {
    root->for_a_new_root = std::ranges::any_of(making, &app::Option::given);
    return rotate_root(context, *root);
  });

  auto server = std::make_shared<ServerOptions>();
  const app::Command one =
      rotate.command("server", "Issue the successor of a server's certificate, with the same names");
  one.option("name", server->name, "Common name or DNS name of the server").required();
  add_common_issue_options(one, server->issue);
  one.action([&context, server] { return rotate_server(context, *server); });
}

}  // namespace usher::ca

// usher-ca revoke, list, crl: handles certificates after they were issued.
#include <unistd.h>
#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdio>

#include "base/display.h"
#include "base/encoding.h"
#include "commands.h"
#include "common/json.h"
#include "common/output.h"
#include "common/table.h"

namespace usher::ca {
namespace {

constexpr std::size_t kMaxPem = 64 << 10;  // bytes

struct RevokeOptions {
  std::string serial;
  std::filesystem::path certificate;
  std::string reason = "unspecified";
};

struct CrlOptions {
  bool delta = false;
  bool card = false;
  bool media = false;
  double days = 30;
  std::filesystem::path out;
};

Result<> revoke(Context& context, const RevokeOptions& options) {
  const auto reason = pki::revocation_reason_of_name(options.reason);
  if (!reason || *reason == pki::RevocationReason::remove_from_crl)
    return fail(Fault::bad_usage, "revoke", "no such reason: " + options.reason);
  std::string serial = lower_ascii(options.serial);
  if (!options.certificate.empty()) {
    USHER_TRY(const std::string pem, read_file(options.certificate, kMaxPem));
    USHER_TRY(const pki::Chain chain, pki::chain_from_pem(pem));
    serial = chain.front().serial_hex();
  }
  for (const std::string& name : authorities_in(context.home)) {
    USHER_TRY(Authority authority, Authority::open(context.home / name));
    const auto entry = std::ranges::find(authority.index(), serial, &IndexEntry::serial_hex);
    if (entry == authority.index().end()) continue;
    const std::string kind = entry->kind;
    const std::string label = entry->label;
    const Time now = context.clock.now();
    USHER_CHECK(authority.revoke(serial, *reason, now));
    if (context.json) {
      app::print_json(boost::json::object{{"serial", serial},
                                          {"kind", kind},
                                          {"name", label},
                                          {"authority", name},
                                          {"reason", options.reason},
                                          {"revoked_at", app::iso_time(now)}});
      return {};
    }
    std::printf(
        "revoked: %s %s (serial %s, %s)\nIt takes effect with the next list: usher-ca crl, or usher-ca crl --delta\n",
        kind.c_str(), label.c_str(), serial.c_str(), name.c_str());
    return {};
  }
  return fail(Fault::not_found, "revoke", "no authority here has issued the certificate with serial number " + serial,
              "`usher-ca list` shows those that were issued.");
}

/// Writes the files for a web server: DER under the names that the certificates point to, PEM for configurations.
Result<std::filesystem::path> publish(const std::filesystem::path& out, std::string stem, const Authority& authority,
                                      const pki::Crl& crl) {
  std::ranges::replace(stem, '/', '-');
  const std::string kind = crl.is_delta() ? ".delta.crl" : ".crl";
  std::filesystem::path pem = out / (stem + kind + ".pem");
  USHER_CHECK(replace_file(pem, crl.to_pem(), 0644));
  USHER_CHECK(replace_file(out / (stem + kind), text_of(crl.der()), 0644));
  USHER_CHECK(replace_file(out / (stem + ".crt"), text_of(authority.certificate().der()), 0644));
  USHER_CHECK(replace_file(out / (stem + ".pem"), authority.certificate().to_pem(), 0644));
  std::error_code ignored;  // a complete list supersedes an older delta; verifiers ignore that delta anyway
  for (const char* old : {".delta.crl", ".delta.crl.pem"}) {
    if (!crl.is_delta()) std::filesystem::remove(out / (stem + old), ignored);
  }
  return pem;
}

Result<> make_one(Context& context, const CrlOptions& options, const std::string& name) {
  USHER_TRY(Authority authority, Authority::open(context.home / name));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(false));
  USHER_TRY(const crypto::PrivateKey key, authority.load_key(passphrase));
  const Seconds lifetime{static_cast<std::int64_t>(options.days * 86400)};
  USHER_TRY(const pki::Crl crl, authority.make_crl(key, options.delta, context.clock.now(), lifetime));
  std::filesystem::path file = authority.directory() / (options.delta ? "delta.pem" : "crl.pem");
  if (!options.out.empty()) {
    USHER_TRY(file, publish(options.out, name, authority, crl));
  }
  if (context.json) {
    app::print_json(boost::json::object{{"authority", name},
                                        {"file", file.string()},
                                        {"delta", options.delta},
                                        {"number", authority.crl_state().next_number - 1},
                                        {"revoked", crl.entries()},
                                        {"this_update", app::iso_time(crl.this_update())},
                                        {"next_update", app::iso_time(crl.next_update())}});
    return {};
  }
  std::printf("list: %s (number %llu, %zu revoked)\n", file.c_str(),
              static_cast<unsigned long long>(authority.crl_state().next_number - 1), crl.entries());
  return {};
}

Result<> make_crls(Context& context, const CrlOptions& options) {
  std::error_code error;
  if (!options.out.empty()) std::filesystem::create_directories(options.out, error);
  bool made = false;
  for (const std::string& name : authorities_in(context.home)) {
    const bool all = options.card == options.media;
    if (!all && name.starts_with("card/") != options.card) continue;
    USHER_CHECK(make_one(context, options, name));
    made = true;
  }
  if (!made)
    return fail(Fault::not_set_up, "crl", "no authority in " + context.home.string() + "; `usher-ca init` makes it");
  return {};
}

std::string state_of(const IndexEntry& entry, Time now) {
  if (entry.revoked_at != 0) return "revoked";
  return entry.not_after < unix_seconds(now) ? "expired" : "good";
}

boost::json::object json_of(const IndexEntry& entry, Time now) {
  const bool revoked = entry.revoked_at != 0;
  boost::json::object out{{"serial", entry.serial_hex},
                          {"kind", entry.kind},
                          {"name", entry.label},
                          {"state", state_of(entry, now)},
                          {"not_after", app::iso_time(entry.not_after)},
                          {"revoked_at", nullptr},
                          {"reason", nullptr}};
  if (!revoked) return out;
  out["revoked_at"] = app::iso_time(entry.revoked_at);
  out["reason"] = name_of(entry.reason);
  return out;
}

Result<> list(const Context& context) {
  const std::vector<std::string> names = authorities_in(context.home);
  if (names.empty())
    return fail(Fault::not_set_up, "list", "no authority in " + context.home.string() + "; `usher-ca init` makes it");
  const Time now = context.clock.now();
  const std::size_t width = app::terminal_columns(STDOUT_FILENO);
  boost::json::array authorities;
  for (const std::string& name : names) {
    USHER_TRY(const Authority authority, Authority::open(context.home / name));
    boost::json::array certificates;
    app::Table table({{.head = "serial", .least = 9},
                      {.head = "kind"},
                      {.head = "state", .goes = 1},
                      {.head = "name", .least = 12}});
    for (const IndexEntry& entry : authority.index()) {
      certificates.push_back(json_of(entry, now));
      const std::string why = entry.revoked_at != 0 ? " (" + std::string(name_of(entry.reason)) + ")" : "";
      table.add({entry.serial_hex, entry.kind, state_of(entry, now) + why, titled(entry.label)});
    }
    authorities.push_back(boost::json::object{{"authority", name},
                                              {"subject", authority.certificate().subject_text()},
                                              {"not_after", app::iso_time(authority.certificate().not_after())},
                                              {"certificates", std::move(certificates)}});
    if (context.json) continue;
    const std::string head = wrapped(name + ": " + printable(authority.certificate().subject_text()), width, 2);
    std::printf("%s\n%s", head.c_str(), authority.index().empty() ? "" : table.text(width).c_str());
  }
  if (context.json) app::print_json(authorities);
  return {};
}

}  // namespace

void add_revoke_command(const app::Command& program, Context& context) {
  auto options = std::make_shared<RevokeOptions>();
  const app::Command verb = program.command("revoke", "Revoke a certificate");
  verb.footer(
      "Examples:\n  usher-ca --home ca revoke --certificate client.pem --reason key-compromise\n"
      "  usher-ca --home ca revoke 5d1f0a…\n"
      "Reasons: unspecified key-compromise ca-compromise affiliation-changed superseded\n"
      "  cessation-of-operation certificate-hold privilege-withdrawn");
  const app::Option serial =
      verb.option("serial", options->serial, "Serial number, hexadecimal, as `usher-ca list` shows it");
  verb.option("--certificate", options->certificate, "The certificate, PEM").excludes(serial);
  verb.option("--reason", options->reason, "Why").with_default();
  verb.action([&context, options]() -> Result<> {
    if (options->serial.empty() && options->certificate.empty()) {
      return fail(Fault::bad_usage, "revoke", "give either a serial number or --certificate",
                  "`usher-ca revoke --help` shows how it is used.");
    }
    return revoke(context, *options);
  });
}

void add_crl_command(const app::Command& program, Context& context) {
  auto options = std::make_shared<CrlOptions>();
  const app::Command verb = program.command("crl", "Make revocation lists, for every authority of the home");
  verb.footer(
      "Examples:\n  usher-ca --home ca crl --out published\n  usher-ca --home ca crl --delta --days 1 --out published\n"
      "Files: <out>/media-root.crl.pem, card-root.crl.pem, card-sub.crl.pem, with --delta *.delta.crl.pem; the same "
      "in\n"
      "DER without .pem, and the authorities' certificates, as a web server publishes them.\n"
      "A delta holds what changed since the last complete list; configure it beside that list.");
  verb.flag("--delta", options->delta, "Delta lists");
  verb.flag("--media", options->media, "The media hierarchy alone");
  verb.flag("--card", options->card, "The card hierarchy alone");
  verb.option("--days", options->days, "Days until the next one must be there").between(0.001, 3650.0).with_default();
  verb.option("--out", options->out, "Directory for copies");
  verb.action([&context, options] { return make_crls(context, *options); });
}

void add_list_command(const app::Command& program, Context& context) {
  const app::Command verb = program.command("list", "List the certificates that were issued");
  verb.action([&context] { return list(context); });
}

}  // namespace usher::ca

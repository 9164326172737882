#include "usherd/config/config.h"

namespace usher::usherd {
namespace {

using app::Key;

constexpr std::int64_t kDay = 86'400;

void add_source_keys(app::Settings& settings, const std::string& section, SourceKeys& keys) {
  settings.add({Key::flag(section + ".ocsp", keys.ocsp,
                          "ask the responders (OCSP) that certificates point to, where no list tells their status"),
                Key::texts(section + ".issuers_from", keys.issuers_from,
                           "beginnings of URLs that missing authorities may be fetched from, as http://pki.example/")});
}

void add_person_keys(app::Settings& settings, const std::string& section, PersonKeys& keys) {
  add_trust_keys(settings, section, keys.trust);
  add_source_keys(settings, section, keys.sources);
  settings.add({Key::texts(section + ".organisations", keys.organisations,
                           "allowed O of the subject; empty: as the profile says"),
                Key::texts(section + ".issuer_organisations", keys.issuer_organisations,
                           "allowed O of the issuer; empty: as the profile says")});
}

}  // namespace

// clang-format off
app::Settings settings_of(Config& c) {
  app::Settings settings("usherd");
  settings.add({
      Key::text("server.id", c.id, "name of this server in licences: never changed once licences were issued"),
      Key::file("server.data", c.data, "directory of the store and the vault"),
      Key::texts("server.names", c.names, "Host names answered to, beside those in the server's certificate"),
      Key::texts("server.listen", c.listen, "addresses of the media channel, ADDRESS:PORT or [ADDRESS]:PORT; port 0: any"),
      Key::texts("server.operator_listen", c.operator_listen, "addresses of health, readiness and metrics; empty: none"),
      Key::number("server.threads", c.threads, 0, 1024, "threads that work on requests; 0: two for each processor, four at least"),
      Key::number("server.drain_seconds", c.drain_seconds, 0, 3600, "seconds that requests may take to finish after SIGTERM"),

      Key::file("keys.passphrase_file", c.passphrase_file, "file with the passphrase of the private keys, outside of the home; empty: asked for"),
      Key::file("keys.pin_file", c.pin_file, "file with the PIN of the tokens that have keys, outside of the home; empty: asked for"),
      Key::file("keys.module", c.module, "PKCS #11 module of keys on tokens, if their URI names no module"),
      Key::file("keys.server_certificate", c.server_certificate, "PEM chain of the media channel, leaf first"),
      Key::file("keys.server_key", c.server_key, "its private key: encrypted PKCS#8, or the URI of a key on a token (pkcs11:…)"),
      Key::file("keys.recipient_certificate", c.recipient_certificate, "PEM certificate that releases are sealed for"),
      Key::file("keys.recipient_key", c.recipient_key, "its private key, in a file or on a token"),
      Key::file("keys.licence_key", c.licence_key, "private key that signs licences, in a file or on a token"),
      Key::files("keys.licence_retired", c.licence_retired, "public keys (licence.pub files) of licences that were signed before"),
      Key::file("keys.vault_key", c.vault_key, "key of the media at rest, sealed with the passphrase or for keys.vault_token"),
      Key::text("keys.vault_token", c.vault_token, "URI of the key on a token that the vault key is sealed for, if it is"),
      Key::file("keys.pseudonym_key", c.pseudonym_key, "key of the pseudonyms, sealed with the passphrase: never changed"),
  });
  add_trust_keys(settings, "trust.client", c.client);
  add_source_keys(settings, "trust.client", c.client_sources);
  add_trust_keys(settings, "trust.distributor", c.distributor);

  add_person_keys(settings, "person.cartao-de-cidadao", c.citizen);
  add_person_keys(settings, "person.generic", c.generic);
  settings.add({
      Key::text("person.generic.subject_field", c.generic.subject_field, "attribute of the subject that identifies a person"),

      Key::flag("revocation.fetch", c.revocation_fetch, "fetch what certificates point to: revocation lists, and what .ocsp and .issuers_from allow"),
      Key::texts("revocation.urls", c.revocation_urls, "lists that are always fetched, also if no certificate points to them: http and https"),
      Key::texts("revocation.addresses", c.revocation_addresses, "private addresses that these may come from, as 10.0.0.0/8 or fd00::/8; public ones may always"),
      Key::text("revocation.proxy", c.revocation_proxy, "HTTP proxy for that, as http://proxy:3128; it then decides on addresses"),
      Key::number("revocation.refresh_seconds", c.revocation_refresh_seconds, 1, 7 * kDay, "seconds after which a newer list is looked for"),
      Key::number("revocation.retry_seconds", c.revocation_retry_seconds, 1, 3600, "seconds after which a failed fetch is tried again; doubled by each failure"),
      Key::number("revocation.deadline_seconds", c.revocation_deadline_seconds, 1, 600, "seconds that a fetch may take"),
      Key::number("revocation.max_bytes", c.revocation_max_bytes, 1024, 64 << 20, "bytes of a list"),

      Key::texts("channel.suites", c.suites, "cipher suites by name, the preferred one first; empty: all, in the default order"),
      Key::texts("channel.groups", c.groups, "key exchange groups by name, the preferred one first; empty: all"),
      Key::number("channel.session_seconds", c.session_seconds, 60, 7 * kDay, "seconds that a session lives at most"),
      Key::number("channel.handshake_seconds", c.handshake_seconds, 1, 600, "seconds that a handshake may take"),
      Key::number("channel.half_open_sessions", c.half_open_sessions, 1, 1'000'000, "handshakes under way at once"),
      Key::number("channel.sessions", c.sessions, 1, 1'000'000, "open sessions at once"),
      Key::number("channel.sessions_per_installation", c.sessions_per_installation, 1, 1'000'000, "open sessions of one installation; one more ends its oldest"),

      Key::number("limits.header_bytes", c.header_bytes, 1024, 65'536, "bytes of an HTTP request's head"),
      Key::number("limits.connections", c.connections, 1, 1'000'000, "connections at once"),
      Key::number("limits.connections_per_address", c.connections_per_address, 1, 1'000'000, "connections at once from one IPv4 address or IPv6 /64"),
      Key::number("limits.header_seconds", c.header_seconds, 1, 600, "seconds that a request's head may take"),
      Key::number("limits.body_seconds", c.body_seconds, 1, 3600, "seconds that a request's body may take"),
      Key::number("limits.idle_seconds", c.idle_seconds, 1, kDay, "seconds that a connection may wait between two requests"),
      Key::number("limits.write_stall_seconds", c.write_stall_seconds, 1, 3600, "seconds without the peer taking a byte of an answer"),
      Key::number("limits.write_seconds", c.write_seconds, 1, kDay, "seconds that an answer may take"),

      Key::texts("files.listen", c.files_listen, "addresses of the file stream, which is served when there is a share"),
      Key::texts("files.shares", c.files_shares, "directories that are shared, NAME=DIRECTORY"),
      Key::texts("files.publish", c.files_publish, "media of the vault that are shared, uncounted: SHARE/NAME=MEDIUM"),
      Key::texts("files.rules", c.files_rules, "who may fetch what (see The file stream); a share without rules is open to every client"),
      Key::files("files.certificates", c.files_certificates, "PEM chains of the file stream: an RSA one, a P-256 one, or both; empty: the media channel's"),
      Key::files("files.keys", c.files_keys, "their private keys in the same order, in files or on tokens"),
      Key::file("files.key_transport_certificate", c.files_key_transport_certificate, "PEM chain for RSA key transport, which has no forward secrecy; empty: not offered"),
      Key::file("files.key_transport_key", c.files_key_transport_key, "its private key, used for nothing else, encrypted PKCS#8; always a file: OpenSSL cannot use a key on a token for this"),
      Key::number("files.threads", c.files_threads, 0, 1024, "event loops; 0: one for each processor"),
      Key::number("files.connections", c.files_connections, 1, 1'000'000, "connections at once"),
      Key::number("files.connections_per_address", c.files_connections_per_address, 1, 1'000'000, "connections at once from one IPv4 address or IPv6 /64"),
      Key::number("files.handshake_seconds", c.files_handshake_seconds, 1, 600, "seconds that a TLS handshake may take"),
      Key::number("files.line_seconds", c.files_line_seconds, 1, 3600, "seconds from the handshake to the end of the request line"),
      Key::number("files.stall_seconds", c.files_stall_seconds, 1, 3600, "seconds without the client taking a byte of an answer"),
      Key::number("files.sessions", c.files_sessions, 1, 1'000'000, "TLS sessions that are kept to be resumed"),
      Key::number("files.session_seconds", c.files_session_seconds, 1, 3600, "seconds that a TLS session can be resumed"),
      Key::flag("files.kernel_tls", c.files_kernel_tls, "the kernel encrypts what is sent, where it and OpenSSL can"),

      Key::choice("policy.acquisition", c.acquisition, "operator|quota|open", "who issues licences: the operator alone; or listeners acquire them, up to policy.quota_plays, or as many as they want (open: five calls give a person a hundred plays free of charge)").as_decided(),
      Key::number("policy.quota_plays", c.quota_plays, 1, 1'000'000, "plays that one person can acquire of one medium over all time, with acquisition = quota"),
      Key::number("policy.open_licences", c.open_licences, 1, 1'000'000, "licences that one person can acquire of one medium over all time, with acquisition = open"),
      Key::flag("policy.bind_installation", c.bind_installation, "acquired licences play only on the installation that acquired them"),
      Key::number("policy.commit_after_seconds", c.commit_after_seconds, 0, kDay, "seconds of a medium that are heard before a play counts; of a short one, less"),
      Key::number("policy.play_seconds", c.play_seconds, 60, 365 * kDay, "seconds that a play lives at least"),
      Key::number("policy.play_durations", c.play_durations, 1, 1000, "times its medium's duration that a play lives at least"),
      Key::number("policy.open_plays", c.open_plays, 1, 1000, "plays of one medium that one person has open at once"),
      Key::number("policy.play_moves", c.play_moves, 0, 1000, "times that one play can be moved to another installation"),
      Key::number("policy.keep_operations_days", c.keep_operations_days, 1, 3650, "days that a repeated request is known as a repeat"),

      Key::choice("log.level", c.log_level, "debug|info|warning|error", "least level of the log"),
      Key::choice("log.format", c.log_format, "auto|text|json", "auto: text on a terminal, JSON lines otherwise"),
  });
  settings.retire({
      {"policy.budget_percent", "is not there any more: a play may fetch chunks again within one bound (spec/licence.md §5.4); take the line out"},
      {"policy.grants_per_chunk", "is not there any more: there is no limit for a single chunk; take the line out"},
      {"policy.open_plays_per_licence", "is called policy.open_plays now, and counts per person and medium"},
  });
  return settings;
}
// clang-format on

}  // namespace usher::usherd

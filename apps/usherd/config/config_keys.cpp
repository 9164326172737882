#include "usherd/config/config.h"

namespace usher::usherd {
namespace {

using app::Key;

constexpr std::int64_t kDay = 86'400;

void add_source_keys(app::Settings& settings, const std::string& section, SourceKeys& keys) {
  settings.add({Key::flag(section + ".ocsp", keys.ocsp,
                          "query the OCSP responders that certificates point to, if no list gives their status")
                    .as_reloaded(),
                Key::texts(section + ".issuers_from", keys.issuers_from,
                           "beginnings of URLs from which missing authorities may be fetched, for example "
                           "http://pki.example/")
                    .as_reloaded()});
}

void add_person_keys(app::Settings& settings, const std::string& section, PersonKeys& keys) {
  add_trust_keys(settings, section, keys.trust);
  add_source_keys(settings, section, keys.sources);
  settings.add(
      {Key::texts(section + ".organisations", keys.organisations, "allowed O of the subject; none: the profile's own")
           .as_reloaded(),
       Key::texts(section + ".issuer_organisations", keys.issuer_organisations,
                  "allowed O of the issuer; none: the profile's own")
           .as_reloaded()});
}

}  // namespace

// clang-format off
app::Settings settings_of(Config& c) {
  app::Settings settings("usherd", true);
  settings.add({
      Key::text("server.id", c.id, "name of this server in licences. Do not change it after the first licence was issued"),
      Key::file("server.data", c.data, "directory of the store and of the vault"),
      Key::texts("server.names", c.names, "more Host names that the server answers to, in addition to the names in its certificate").as_reloaded(),
      Key::texts("server.listen", c.listen, "addresses of the media channel, ADDRESS:PORT or [ADDRESS]:PORT; port 0: any"),
      Key::texts("server.operator_listen", c.operator_listen, "addresses of health, readiness and metrics; empty: no such listener"),
      Key::number("server.threads", c.threads, 0, 1024, "threads that work on requests; 0: two for each processor, at least four"),
      Key::number("server.drain_seconds", c.drain_seconds, 0, 3600, "seconds that running requests may take to finish after SIGTERM"),

      Key::file("keys.passphrase_file", c.passphrase_file, "file with the passphrase of the private keys, outside of the home; empty: the program prompts for it"),
      Key::file("keys.pin_file", c.pin_file, "file with the PIN of the tokens that hold keys, outside of the home; empty: the program prompts for it"),
      Key::file("keys.module", c.module, "PKCS #11 module for keys on tokens whose URI names no module"),
      Key::file("keys.server_certificate", c.server_certificate, "PEM chain of the media channel, leaf first").as_reloaded(),
      Key::file("keys.server_key", c.server_key, "its private key: encrypted PKCS#8, or the URI of a key on a token (pkcs11:…)").as_reloaded(),
      Key::file("keys.recipient_certificate", c.recipient_certificate, "PEM certificate that the distributor seals releases for"),
      Key::file("keys.recipient_key", c.recipient_key, "its private key, in a file or on a token"),
      Key::file("keys.licence_key", c.licence_key, "private key that signs licences, in a file or on a token"),
      Key::files("keys.licence_retired", c.licence_retired, "public keys (licence.pub files) that signed licences earlier"),
      Key::file("keys.vault_key", c.vault_key, "key of the sealed media, itself sealed with the passphrase or for keys.vault_token"),
      Key::text("keys.vault_token", c.vault_token, "URI of the key on a token that the vault key is sealed for; empty: the passphrase opens the vault key"),
      Key::file("keys.pseudonym_key", c.pseudonym_key, "key of the pseudonyms, sealed with the passphrase. Never change it"),
  });
  add_trust_keys(settings, "trust.client", c.client);
  add_source_keys(settings, "trust.client", c.client_sources);
  add_trust_keys(settings, "trust.distributor", c.distributor);

  add_person_keys(settings, "person.cartao-de-cidadao", c.citizen);
  add_person_keys(settings, "person.generic", c.generic);
  settings.add({
      Key::text("person.generic.subject_field", c.generic.subject_field, "attribute of the subject that identifies a person").as_reloaded(),

      Key::flag("revocation.fetch", c.revocation_fetch, "the server fetches the lists that certificates point to, and what the .ocsp and .issuers_from keys allow"),
      Key::texts("revocation.urls", c.revocation_urls, "lists that the server fetches in any case, http and https"),
      Key::texts("revocation.addresses", c.revocation_addresses, "private addresses that lists may come from, for example 10.0.0.0/8 or fd00::/8. Public addresses are always allowed"),
      Key::text("revocation.proxy", c.revocation_proxy, "HTTP proxy for these fetches, for example http://proxy:3128. The proxy then decides which addresses are allowed"),
      Key::number("revocation.refresh_seconds", c.revocation_refresh_seconds, 1, 7 * kDay, "seconds after which the server looks for a newer list"),
      Key::number("revocation.retry_seconds", c.revocation_retry_seconds, 1, 3600, "seconds until a failed fetch is repeated; each further failure doubles them"),
      Key::number("revocation.deadline_seconds", c.revocation_deadline_seconds, 1, 600, "seconds that a fetch may take"),
      Key::number("revocation.max_bytes", c.revocation_max_bytes, 1024, 64 << 20, "largest list, in bytes"),

      Key::texts("channel.suites", c.suites, "cipher suites by name, the preferred one first; empty: all, in the default order").as_reloaded(),
      Key::texts("channel.groups", c.groups, "key exchange groups by name, the preferred one first; empty: all").as_reloaded(),
      Key::number("channel.session_seconds", c.session_seconds, 60, 7 * kDay, "longest life of a session, in seconds"),
      Key::number("channel.handshake_seconds", c.handshake_seconds, 1, 600, "seconds that a handshake may take").as_reloaded(),
      Key::number("channel.half_open_sessions", c.half_open_sessions, 1, 1'000'000, "handshakes at the same time"),
      Key::number("channel.sessions", c.sessions, 1, 1'000'000, "open sessions at the same time"),
      Key::number("channel.sessions_per_installation", c.sessions_per_installation, 1, 1'000'000, "open sessions of one installation; one more ends the oldest"),

      Key::number("limits.header_bytes", c.header_bytes, 1024, 65'536, "bytes of an HTTP request's head"),
      Key::number("limits.connections", c.connections, 1, 1'000'000, "connections at the same time"),
      Key::number("limits.connections_per_address", c.connections_per_address, 1, 1'000'000, "connections at the same time from one IPv4 address or one IPv6 /64"),
      Key::number("limits.header_seconds", c.header_seconds, 1, 600, "seconds that a request's head may take"),
      Key::number("limits.body_seconds", c.body_seconds, 1, 3600, "seconds that a request's body may take"),
      Key::number("limits.idle_seconds", c.idle_seconds, 1, kDay, "seconds that a connection may wait between two requests"),
      Key::number("limits.write_stall_seconds", c.write_stall_seconds, 1, 3600, "longest time, in seconds, in which the peer takes no byte of an answer"),
      Key::number("limits.write_seconds", c.write_seconds, 1, kDay, "seconds that an answer may take"),

      Key::texts("files.listen", c.files_listen, "addresses of the file stream. The server opens them when at least one share exists"),
      Key::texts("files.shares", c.files_shares, "shared directories, NAME=DIRECTORY").as_reloaded(),
      Key::texts("files.publish", c.files_publish, "media of the vault that are shared and not counted, SHARE/NAME=MEDIUM").as_reloaded(),
      Key::texts("files.rules", c.files_rules, "which client may fetch which file (docs/reference/file-stream.md). A share without rules is open to every client with a valid certificate").as_reloaded(),
      Key::files("files.certificates", c.files_certificates, "PEM chains of the file stream: one for RSA, one for P-256, or both; empty: the media channel's certificate").as_reloaded(),
      Key::files("files.keys", c.files_keys, "their private keys in the same order, in files or on tokens").as_reloaded(),
      Key::file("files.key_transport_certificate", c.files_key_transport_certificate, "PEM chain for RSA key transport, which has no forward secrecy; empty: not offered").as_reloaded(),
      Key::file("files.key_transport_key", c.files_key_transport_key, "its private key, encrypted PKCS#8, not used for anything else. It must be in a file: OpenSSL does not accept a key on a token here").as_reloaded(),
      Key::number("files.threads", c.files_threads, 0, 1024, "event loops; 0: one for each processor"),
      Key::number("files.connections", c.files_connections, 1, 1'000'000, "connections at the same time"),
      Key::number("files.connections_per_address", c.files_connections_per_address, 1, 1'000'000, "connections at the same time from one IPv4 address or one IPv6 /64"),
      Key::number("files.handshake_seconds", c.files_handshake_seconds, 1, 600, "seconds that a TLS handshake may take"),
      Key::number("files.line_seconds", c.files_line_seconds, 1, 3600, "seconds from the handshake to the end of the request line"),
      Key::number("files.stall_seconds", c.files_stall_seconds, 1, 3600, "longest time, in seconds, in which the client takes no byte of an answer"),
      Key::number("files.sessions", c.files_sessions, 1, 1'000'000, "TLS sessions that the server keeps for resumption"),
      Key::number("files.session_seconds", c.files_session_seconds, 1, 3600, "seconds during which a TLS session can be resumed"),
      Key::flag("files.kernel_tls", c.files_kernel_tls, "the kernel encrypts the data, if the kernel and OpenSSL can"),

      Key::choice("policy.acquisition", c.acquisition, "operator|quota|open", "who issues licences. operator: the operator alone. quota: listeners acquire licences, up to policy.quota_plays. open: listeners acquire as many as they want; five calls give a person a hundred plays free of charge").as_decided().as_reloaded(),
      Key::number("policy.quota_plays", c.quota_plays, 1, 1'000'000, "plays that one person can acquire of one medium in total, if policy.acquisition is quota").as_reloaded(),
      Key::number("policy.open_licences", c.open_licences, 1, 1'000'000, "licences that one person can acquire of one medium in total, if policy.acquisition is open").as_reloaded(),
      Key::flag("policy.bind_installation", c.bind_installation, "an acquired licence plays only on the installation that acquired it").as_reloaded(),
      Key::number("policy.commit_after_seconds", c.commit_after_seconds, 0, kDay, "seconds of a medium that a person hears before a play counts; fewer for a short medium"),
      Key::number("policy.play_seconds", c.play_seconds, 60, 365 * kDay, "seconds that a play stays open, at least"),
      Key::number("policy.play_durations", c.play_durations, 1, 1000, "how many times the medium's duration a play stays open, at least"),
      Key::number("policy.open_plays", c.open_plays, 1, 1000, "plays of one medium that one person may have open at the same time"),
      Key::number("policy.play_moves", c.play_moves, 0, 1000, "how often one play may move to another installation"),
      Key::number("policy.keep_operations_days", c.keep_operations_days, 1, 3650, "days during which the server recognises a repeated request as a repeat"),

      Key::choice("log.level", c.log_level, "debug|info|warning|error", "lowest level that the log contains"),
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

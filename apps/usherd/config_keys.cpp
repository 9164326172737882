#include <algorithm>
#include <array>

#include "config.h"

namespace usher::usherd {
namespace {

// A key of four kinds; the macro says where in Config it stands.
#define SLOT(type, member) +[](Config& c) -> type* { return &c.member; }
#define TEXT(name, member, help) \
  Key { name, SLOT(std::string, member), help }
#define CHOICE(name, member, choices, help) \
  Key { name, SLOT(std::string, member), help, 0, 0, choices }
#define TEXTS(name, member, help) \
  Key { name, SLOT(std::vector<std::string>, member), help }
#define NUMBER(name, member, min, max, help) \
  Key { name, SLOT(std::int64_t, member), help, min, max }
#define FLAG(name, member, help) \
  Key { name, SLOT(bool, member), help }
#define TRUST(prefix, member)                                                                                   \
  TEXTS(prefix ".anchors", member.anchors, "PEM files with the root certificates that are trusted"),            \
      TEXTS(prefix ".intermediates", member.intermediates, "PEM files with authorities between root and leaf"), \
      TEXTS(prefix ".crls", member.crls, "PEM or DER files with revocation lists, complete and delta"),         \
      CHOICE(prefix ".revocation", member.revocation, "chain|leaf|none",                                        \
             "which certificates need a current revocation list"),                                              \
      TEXTS(prefix ".eku", member.eku,                                                                          \
            "extended key usages (dotted) that stand for this role, for certificates made elsewhere"),          \
      FLAG(prefix ".accept_without_eku", member.accept_without_eku, "take certificates without extended key usage")
#define PERSON(prefix, member)                                                                                      \
  TRUST(prefix, member.trust),                                                                                      \
      TEXTS(prefix ".organisations", member.organisations, "allowed O of the subject; empty: as the profile says"), \
      TEXTS(prefix ".issuer_organisations", member.issuer_organisations,                                            \
            "allowed O of the issuer; empty: as the profile says")

constexpr std::int64_t kDay = 86'400;

// clang-format off
const std::array kKeys{
    TEXT("server.id", id, "name of this server in licences: never changed once licences were issued"),
    TEXT("server.data", data, "directory of the store and the vault"),
    TEXTS("server.names", names, "Host names answered to, beside those in the server's certificate"),
    TEXTS("server.listen", listen, "addresses of the media channel, ADDRESS:PORT or [ADDRESS]:PORT; port 0: any"),
    TEXTS("server.operator_listen", operator_listen, "addresses of health, readiness and metrics; empty: none"),
    NUMBER("server.threads", threads, 0, 1024, "worker threads; 0: one for each processor, two at least"),
    NUMBER("server.drain_seconds", drain_seconds, 0, 3600, "seconds that requests may take to finish after SIGTERM"),

    TEXT("keys.passphrase_file", passphrase_file, "file with the passphrase of the private keys, outside of the home; empty: asked for"),
    TEXT("keys.server_certificate", server_certificate, "PEM chain of the media channel, leaf first"),
    TEXT("keys.server_key", server_key, "its private key, encrypted PKCS#8"),
    TEXT("keys.recipient_certificate", recipient_certificate, "PEM certificate that releases are sealed for"),
    TEXT("keys.recipient_key", recipient_key, "its private key, encrypted PKCS#8"),
    TEXT("keys.licence_key", licence_key, "private key that signs licences, encrypted PKCS#8"),
    TEXTS("keys.licence_retired", licence_retired, "public keys (licence.pub files) of licences that were signed before"),
    TEXT("keys.vault_key", vault_key, "key of the media at rest, sealed with the passphrase"),
    TEXT("keys.pseudonym_key", pseudonym_key, "key of the pseudonyms, sealed with the passphrase: never changed"),

    TRUST("trust.client", client),
    TRUST("trust.distributor", distributor),

    PERSON("person.cartao-de-cidadao", citizen),
    PERSON("person.generic", generic),
    TEXT("person.generic.subject_field", generic.subject_field, "attribute of the subject that identifies a person"),

    TEXTS("channel.suites", suites, "cipher suites by name, the preferred one first; empty: all, in the default order"),
    TEXTS("channel.groups", groups, "key exchange groups by name, the preferred one first; empty: all"),
    NUMBER("channel.session_seconds", session_seconds, 60, 7 * kDay, "seconds that a session lives at most"),
    NUMBER("channel.handshake_seconds", handshake_seconds, 1, 600, "seconds that a handshake may take"),
    NUMBER("channel.half_open_sessions", half_open_sessions, 1, 1'000'000, "handshakes under way at once"),
    NUMBER("channel.sessions", sessions, 1, 1'000'000, "open sessions at once"),
    NUMBER("channel.sessions_per_installation", sessions_per_installation, 1, 1'000'000, "open sessions of one installation; one more ends its oldest"),

    NUMBER("limits.header_bytes", header_bytes, 1024, 65'536, "bytes of an HTTP request's head"),
    NUMBER("limits.connections", connections, 1, 1'000'000, "connections at once"),
    NUMBER("limits.connections_per_address", connections_per_address, 1, 1'000'000, "connections at once from one IPv4 address or IPv6 /64"),
    NUMBER("limits.header_seconds", header_seconds, 1, 600, "seconds that a request's head may take"),
    NUMBER("limits.body_seconds", body_seconds, 1, 3600, "seconds that a request's body may take"),
    NUMBER("limits.idle_seconds", idle_seconds, 1, kDay, "seconds that a connection may wait between two requests"),
    NUMBER("limits.write_stall_seconds", write_stall_seconds, 1, 3600, "seconds without the peer taking a byte of an answer"),
    NUMBER("limits.write_seconds", write_seconds, 1, kDay, "seconds that an answer may take"),

    CHOICE("policy.acquisition", acquisition, "open|operator", "who issues licences: listeners acquire them, or the operator alone"),
    FLAG("policy.bind_installation", bind_installation, "acquired licences play only on the installation that acquired them"),
    NUMBER("policy.commit_after_seconds", commit_after_seconds, 0, kDay, "seconds of a medium that are heard before a play counts; half the medium at most"),
    NUMBER("policy.play_seconds", play_seconds, 60, 365 * kDay, "seconds that a play lives at least"),
    NUMBER("policy.play_durations", play_durations, 1, 1000, "times its medium's duration that a play lives at least"),
    NUMBER("policy.budget_percent", budget_percent, 100, 10'000, "chunks that one play may fetch, in percent of the medium"),
    NUMBER("policy.grants_per_chunk", grants_per_chunk, 1, 255, "times that one play may fetch one chunk"),
    NUMBER("policy.open_plays_per_licence", open_plays_per_licence, 1, 1000, "plays of one licence that are open at once"),
    NUMBER("policy.keep_operations_days", keep_operations_days, 1, 3650, "days that a repeated request is known as a repeat"),

    CHOICE("log.level", log_level, "debug|info|warning|error", "least level of the log"),
    CHOICE("log.format", log_format, "auto|text|json", "auto: text on a terminal, JSON lines otherwise"),
};
// clang-format on
#undef PERSON
#undef TRUST
#undef FLAG
#undef NUMBER
#undef TEXTS
#undef CHOICE
#undef TEXT
#undef SLOT

}  // namespace

std::span<const Key> keys() noexcept { return kKeys; }

const Key* key_of(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKeys, name, &Key::name);
  return found == kKeys.end() ? nullptr : &*found;
}

std::string variable_of(const Key& key) {
  std::string name = "USHER_";
  for (const char c : key.name) {
    if (c == '.' || c == '-') {
      name += '_';
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

}  // namespace usher::usherd

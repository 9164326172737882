#include <algorithm>
#include <array>

#include "config.h"

namespace usher::listening {
namespace {

#define SLOT(type, member) +[](Config& c) -> type* { return &c.member; }
#define TEXT(name, member, help) \
  Key { name, SLOT(std::string, member), help }
#define FILE_(name, member, help) \
  Key { name, SLOT(std::string, member), help, true }
#define TEXTS(name, member, help) \
  Key { name, SLOT(std::vector<std::string>, member), help }
#define FILES(name, member, help) \
  Key { name, SLOT(std::vector<std::string>, member), help, true }
#define NUMBER(name, member, min, max, help) \
  Key { name, SLOT(std::int64_t, member), help, false, min, max }
#define CHOICE(name, member, choices, help) \
  Key { name, SLOT(std::string, member), help, false, 0, 0, choices }
#define FLAG(name, member, help) \
  Key { name, SLOT(bool, member), help }
#define TRUST(prefix, member)                                                                                   \
  FILES(prefix ".anchors", member.anchors, "PEM files with the root certificates that are trusted"),            \
      FILES(prefix ".intermediates", member.intermediates, "PEM files with authorities between root and leaf"), \
      FILES(prefix ".crls", member.crls, "PEM or DER files with revocation lists, complete and delta"),         \
      CHOICE(prefix ".revocation", member.revocation, "chain|leaf|none",                                        \
             "which certificates need a current revocation list"),                                              \
      TEXTS(prefix ".eku", member.eku,                                                                          \
            "extended key usages (dotted) that stand for this role, for certificates made elsewhere"),          \
      FLAG(prefix ".accept_without_eku", member.accept_without_eku, "take certificates without extended key usage")

// clang-format off
const std::array kKeys{
    TEXT("connection.url", url, "address of the server, http://HOST:PORT"),
    TEXT("connection.server_name", server_name, "name in the server's certificate; empty: the host of the URL"),
    TEXT("connection.server_key", server_key, "SHA-256 of the server's public key (SubjectPublicKeyInfo), in hexadecimal: counts in place of the name"),
    TEXT("connection.proxy", proxy, "HTTP proxy; empty: as http_proxy says; none: no proxy"),
    NUMBER("connection.retry_seconds", retry_seconds, 0, 86'400, "seconds that a lost connection is tried again"),
    TEXTS("connection.suites", suites, "cipher suites offered, the preferred one first; empty: all"),
    TEXTS("connection.groups", groups, "key exchange groups offered, the preferred one first; empty: all"),

    FILE_("installation.certificate", certificate, "PEM chain of this installation, leaf first"),
    FILE_("installation.key", key, "its private key, encrypted PKCS#8"),
    FILE_("installation.passphrase_file", passphrase_file, "file with the passphrase of that key; empty: asked for"),

    TRUST("trust.server", server),
    TRUST("trust.distributor", distributor),

    TEXTS("card.modules", modules, "PKCS #11 modules, tried in this order; empty: the profile's"),
    CHOICE("card.profile", profile, "cartao-de-cidadao|generic", "what the card must look like"),
    TEXT("card.token", token, "label of the token; empty: the one that fits"),
    FILES("card.intermediates", card_intermediates, "PEM files with sub-CAs, for cards that do not hold theirs"),
    FILE_("card.pin_file", pin_file, "file with the PIN, for tests; empty: asked for"),

    TEXT("player.command", player, "ffplay, mpv, - (standard output) or the path of a program that plays its standard input"),
    NUMBER("player.window", window, 1, 64, "chunks fetched ahead"),
};
// clang-format on
#undef TRUST
#undef FLAG
#undef CHOICE
#undef NUMBER
#undef FILES
#undef TEXTS
#undef FILE_
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
  for (const char c : key.name) name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

}  // namespace usher::listening

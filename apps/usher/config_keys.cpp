#include "config.h"

#include <limits>

namespace usher::cli {

using app::Key;

// clang-format off
app::Settings settings_of(Config& c) {
  app::Settings settings("usher");
  settings.add({
      Key::text("connection.url", c.url, "address of the server, http://HOST:PORT"),
      Key::text("connection.server_name", c.server_name, "name in the server's certificate; empty: the host of the URL"),
      Key::text("connection.server_key", c.server_key, "SHA-256 of the server's public key (SubjectPublicKeyInfo), in hexadecimal: counts in place of the name"),
      Key::text("connection.proxy", c.proxy, "HTTP proxy; empty: as http_proxy says; none: no proxy"),
      Key::number("connection.retry_seconds", c.retry_seconds, 0, 86'400, "seconds that a lost connection is tried again"),
      Key::texts("connection.suites", c.suites, "cipher suites offered, the preferred one first; empty: all"),
      Key::texts("connection.groups", c.groups, "key exchange groups offered, the preferred one first; empty: all"),

      Key::file("installation.certificate", c.certificate, "PEM chain of this installation, leaf first"),
      Key::file("installation.key", c.key, "its private key, encrypted PKCS#8; or a pkcs11: URI of a key on a token (RFC 7512)"),
      Key::file("installation.passphrase_file", c.passphrase_file, "file with the passphrase of that key, or the token's PIN; empty: asked for"),
      Key::text("installation.module", c.module, "PKCS #11 module of a key on a token; empty: the URI's module-path"),
  });
  add_trust_keys(settings, "trust.server", c.server);
  add_trust_keys(settings, "trust.distributor", c.distributor);
  settings.add({
      Key::texts("card.modules", c.modules, "PKCS #11 modules, tried in this order; empty: the profile's"),
      Key::choice("card.profile", c.profile, "cartao-de-cidadao|generic", "what the card must look like"),
      Key::text("card.token", c.token, "label of the token; empty: the one that fits"),
      Key::number("card.slot", c.slot, -1, std::numeric_limits<std::int64_t>::max(), "number of its slot, as usher card shows it; -1: any"),
      Key::text("card.certificate", c.card_certificate, "first digits of the fingerprint of the certificate to use, as usher card shows it; empty: the one that fits"),
      Key::choice("card.removed", c.removed, "go-on|stop", "what happens when the card is taken out after the login"),
      Key::files("card.intermediates", c.card_intermediates, "PEM files with sub-CAs, for cards that do not hold theirs"),
      Key::file("card.pin_file", c.pin_file, "file with the PIN, for tests; empty: asked for"),

      Key::text("player.command", c.player, "ffplay, mpv, - (standard output) or the path of a program that plays its standard input"),
      Key::number("player.window", c.window, 1, 64, "requests for chunks under way at once"),
  });
  return settings;
}
// clang-format on

}  // namespace usher::cli

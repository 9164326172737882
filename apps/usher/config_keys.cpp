#include "config.h"

#include <limits>

namespace usher::cli {

using app::Key;

// clang-format off
app::Settings settings_of(Config& c) {
  app::Settings settings("usher");
  settings.add({
      Key::text("connection.url", c.url, "address of the server, http://HOST:PORT (--url)"),
      Key::text("connection.server_name", c.server_name, "name in the server's certificate; empty: the host of the URL (--server-name). The server must also answer to the host of the URL: the operator sets server.names"),
      Key::text("connection.server_key", c.server_key, "SHA-256 of the server's public key (SubjectPublicKeyInfo), in hexadecimal. It counts instead of the name (--server-key)"),
      Key::text("connection.proxy", c.proxy, "HTTP proxy; empty: the variable http_proxy decides; none: no proxy"),
      Key::number("connection.retry_seconds", c.retry_seconds, 0, 86'400, "seconds during which usher tries to restore a lost connection"),
      Key::texts("connection.suites", c.suites, "cipher suites that usher offers, the preferred one first; empty: all"),
      Key::texts("connection.groups", c.groups, "key exchange groups that usher offers, the preferred one first; empty: all"),

      Key::file("installation.certificate", c.certificate, "PEM chain of this installation, leaf first"),
      Key::file("installation.key", c.key, "its private key: encrypted PKCS#8, or the URI of a key on a token (pkcs11:, RFC 7512)"),
      Key::file("installation.passphrase_file", c.passphrase_file, "file with the passphrase of that key, or with the token's PIN; empty: usher prompts for it"),
      Key::text("installation.module", c.module, "PKCS #11 module of a key on a token; empty: the module-path of the URI"),
  });
  add_trust_keys(settings, "trust.server", c.server);
  add_trust_keys(settings, "trust.distributor", c.distributor);
  settings.add({
      Key::texts("card.modules", c.modules, "PKCS #11 modules, tried in this order; empty: the profile's own list (--module)"),
      Key::choice("card.profile", c.profile, "cartao-de-cidadao|generic", "what the card must look like (--profile)"),
      Key::text("card.token", c.token, "label of the token, if there are several; empty: the token that fits (--token)"),
      Key::number("card.slot", c.slot, -1, std::numeric_limits<std::int64_t>::max(), "number of its slot, as usher card shows it; -1: any slot (--slot)"),
      Key::text("card.certificate", c.card_certificate, "first 8 or more digits of the fingerprint of the certificate to use, as usher card shows it; empty: the certificate that fits (--card-certificate)"),
      Key::choice("card.removed", c.removed, "go-on|stop", "what happens when the card is taken out after the login"),
      Key::files("card.intermediates", c.card_intermediates, "PEM files with sub-CAs, for cards that do not contain theirs"),
      Key::file("card.pin_file", c.pin_file, "file with the PIN, for tests; empty: usher prompts for it"),

      Key::text("player.command", c.player, "ffplay, mpv, - (standard output), or the path of a program that plays its standard input (--player)"),
      Key::number("player.window", c.window, 1, 64, "requests for chunks at the same time (--window). Time, not this number, limits how far ahead usher fetches: 10 seconds"),
  });
  return settings;
}
// clang-format on

}  // namespace usher::cli

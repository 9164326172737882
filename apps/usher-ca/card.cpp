// usher-ca card: makes a PKCS #11 token into a person's card.  Spec: identity.md §9.8.
#include <cstdio>

#include "card/card_provision.h"
#include "commands.h"
#include "common/json.h"
#include "options.h"

namespace usher::ca {
namespace {

constexpr const char* kSoftHsm = "/usr/lib/softhsm/libsofthsm2.so";

struct CardCommand {
  std::string module = kSoftHsm;
  std::string token;
  std::string kind = "p256";
  bool no_sub_ca = false;
  bool each_signature = false;
  app::PassphraseSource pin;
  app::PassphraseSource so_pin;
  CardUser user;
};

/// "BI" is part of the number as a citizen card writes it; people often leave it out.
Result<std::string> civil_number_of(const CardUser& user) {
  if (user.profile != "cartao-de-cidadao") return user.civil_number;
  const std::string_view typed = user.civil_number;
  const std::string_view digits = typed.starts_with("BI") ? typed.substr(2) : typed;
  if (digits.size() < 6 || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(Fault::bad_usage, "card: civil number", "a civil number is 6 to 9 digits, with BI before them or not");
  }
  return "BI" + std::string(digits);
}

/// Reports a wrong passphrase or a missing card hierarchy before a token is touched.
Result<> check_authority(Context& context) {
  USHER_TRY(const Authority sub, Authority::open(context.home / "card/sub"));
  USHER_TRY(const crypto::Secret passphrase, context.passphrase(false));
  USHER_TRY(const crypto::PrivateKey key, sub.load_key(passphrase));
  return {};
}

Result<> make_card(Context& context, const CardCommand& command) {
  USHER_TRY(const crypto::NewKey kind, new_key_of(command.kind));
  CardUser user = command.user;
  USHER_TRY(user.civil_number, civil_number_of(user));
  USHER_TRY(const person::Profile profile, person::profile_of_name(user.profile));
  USHER_CHECK(check_authority(context));
  USHER_TRY(const crypto::Secret so_pin, app::read_pin(command.so_pin, "New SO-PIN of the card: ", true));
  USHER_TRY(const crypto::Secret pin, app::read_pin(command.pin, "New PIN of the card: ", true));
  if (profile.name == person::citizen_card_profile().name) USHER_CHECK(app::check_citizen_pin(pin));

  // The objects get the citizen card's labels with every profile: a profile that names no labels finds them too.
  const card::NewCard card{
      .module = command.module,
      .token_label = command.token,
      .kind = kind,
      .labels = person::citizen_card_profile().labels,
      .with_sub_ca = !command.no_sub_ca,
      .key_use = command.each_signature ? card::p11::KeyUse::each_signature : card::p11::KeyUse::after_login};
  USHER_TRY(const pki::Chain chain, card::provision_card(card, so_pin, pin, [&](const crypto::PublicKey& key) {
              return issue_card_user(context, user, key);
            }));
  if (context.json) {
    app::print_json(boost::json::object{{"token", command.token},
                                        {"profile", profile.name},
                                        {"key_kind", command.kind},
                                        {"serial", chain.front().serial_hex()},
                                        {"kind", "card-user"},
                                        {"name", user.common_name},
                                        {"not_before", app::iso_time(chain.front().not_before())},
                                        {"not_after", app::iso_time(chain.front().not_after())},
                                        {"sub_ca_on_card", !command.no_sub_ca}});
    return {};
  }
  std::printf("card:   \"%s\" (%s, profile %s), its key made on the token\n", command.token.c_str(),
              command.kind.c_str(), profile.name.c_str());
  std::printf("issued: serial %s, for %s\n", chain.front().serial_hex().c_str(), user.common_name.c_str());
  if (command.no_sub_ca) {
    std::printf("note:   the card does not hold its sub-CA: configure %s\n",
                (context.home / "card/sub/ca.pem").c_str());
  }
  return {};
}

}  // namespace

void add_card_command(const app::Command& program, Context& context) {
  const auto command = std::make_shared<CardCommand>();
  const app::Command verb = program.command("card", "Make a free PKCS #11 token into a person's card");
  verb.option("--module", command->module, "PKCS #11 module").with_default();
  verb.option("--token", command->token, "Label of the new token, 1 to 32 bytes").required();
  verb.option("--kind", command->kind, "Key: p256, rsa2048 or rsa3072").with_default();
  verb.option("--name", command->user.common_name, "The person's whole name").required();
  verb.option("--given-name", command->user.given_name, "Given name");
  verb.option("--surname", command->user.surname, "Surname");
  verb.option("--civil-number", command->user.civil_number, "Civil number: the subject's serialNumber").required();
  verb.option("--profile", command->user.profile, "cartao-de-cidadao or generic").with_default();
  verb.option("--days", command->user.days, "Validity of the certificate").with_default();
  verb.flag("--no-sub-ca", command->no_sub_ca, "Do not write the sub-CA, as on the citizen card v2");
  verb.flag("--always-authenticate", command->each_signature, "The key asks for the PIN for each signature");
  verb.option("--pin-file", command->pin.file, "File with the card's new PIN");
  verb.option("--pin-fd", command->pin.descriptor, "Open descriptor to read the PIN from");
  verb.option("--so-pin-file", command->so_pin.file, "File with the card's new SO-PIN");
  verb.option("--so-pin-fd", command->so_pin.descriptor, "Open descriptor to read the SO-PIN from");
  verb.action([&context, command] { return make_card(context, *command); });
}

}  // namespace usher::ca

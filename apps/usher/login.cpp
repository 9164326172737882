#include "login.h"

#include <charconv>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "console.h"
#include "installation.h"
#include "kept_login.h"

namespace usher::cli {
namespace {

app::PassphraseSource pin_source(const LoginSource& source) {
  app::PassphraseSource pin = source.options.pin;
  if (pin.file.empty() && pin.descriptor < 0) pin.file = source.config.path_of(source.config.pin_file);
  return pin;
}

/// `typed`: the source of the PIN.
Result<card::LastTry> last_try(const LoginSource& source, card::PinState state, const app::PassphraseSource& typed) {
  if (source.options.last_try) return card::LastTry::accept;
  if (state != card::PinState::last_try) return card::LastTry::refuse;
  // A person who types the PIN can confirm the last try; a script has to allow it in advance.
  if (!confirm_last_try(typed, "card")) return fail(Fault::pin_last_try, "login");
  return card::LastTry::accept;
}

/// For a reader with its own keys: this program asks for no PIN.
Result<> enter_at_reader(const LoginSource& source, card::Card& card, card::PinState state) {
  USHER_TRY(const card::LastTry last, last_try(source, state, {}));
  const auto ask = [&](std::string_view sentence) {
    if (!source.options.quiet) tell(sentence);
  };
  ask("Enter the PIN at the reader.");
  USHER_CHECK(card.login(last));
  if (card.asks_each_time()) ask("Enter the PIN at the reader once more: this card asks for it before it signs.");
  return {};
}

Result<> enter_pin(const LoginSource& source, card::Card& card) {
  if (!card.token().login_required) return card.login();
  USHER_TRY(const card::PinState state, card.pin_state());
  if (const std::string_view words = card::p11::words(state); !words.empty() && !source.options.quiet) tell(words);
  if (state == card::PinState::locked) return fail(Fault::pin_locked, "login");
  if (!card.needs_pin()) return enter_at_reader(source, card, state);
  USHER_TRY(const card::LastTry last, last_try(source, state, pin_source(source)));
  const std::string prompt = "PIN of the card of " + card.certificate().common_name() + ": ";
  USHER_TRY(const crypto::Secret pin, app::read_pin(pin_source(source), prompt));
  if (source.card.profile.name == person::citizen_card_profile().name) USHER_CHECK(app::check_citizen_pin(pin));
  return card.login(pin, last);
}

/// The login that an agent keeps, if it is for this server and this installation, and valid now.
std::shared_ptr<const person::PersonLogin> kept_person(const LoginSource& source, const person::LoginTerms& terms) {
  if (source.kept == Kept::pass_over) return {};
  const auto login = kept_login(source.options, source.config);
  if (!login || !login->person()->usable(terms.server_key, terms.installation, terms.now)) return {};
  if (source.config.removed == "stop") {
    // The agent watches the card. If the agent has ended meanwhile, its login is not used.
    const auto socket = login_socket(source.options, source.config);
    if (!socket || !source.kept_watch->begin(*socket, source.gone)) return {};
  }
  return login->person();
}

std::string day_of(Time time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

Result<std::size_t> choose_certificate(const std::vector<card::CardChoice>& choices) {
  tell("More than one certificate can be used:");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const card::CardChoice& one = choices[i];
    tell(fmt::format("  {}. {}, from {}, until {}, on the card \"{}\" in slot {} ({})", i + 1,
                     one.certificate.common_name(), one.certificate.issuer_field("CN").value_or("(no name)"),
                     day_of(one.certificate.not_after()), one.token_label, one.slot, one.name()));
  }
  const std::string answer = ask_terminal(fmt::format("Which one? (1 to {}; Enter: cancel) ", choices.size()));
  std::size_t chosen = 0;
  const auto [end, bad] = std::from_chars(answer.data(), answer.data() + answer.size(), chosen);
  if (bad != std::errc{} || end != answer.data() + answer.size() || chosen < 1 || chosen > choices.size()) {
    return fail(Fault::cancelled, "card: certificates", "no certificate was chosen");
  }
  return chosen - 1;
}

Result<card::CardOptions> card_options(const Config& config) {
  USHER_TRY(person::Profile profile, person::profile_of_name(config.profile));
  USHER_TRY(pki::Chain sub_cas, app::load_certificates(config.card_intermediates, paths_of(config)));
  card::CardOptions options{.modules = config.modules,
                            .profile = std::move(profile),
                            .token_label = config.token,
                            .certificate = config.card_certificate,
                            .intermediates = std::move(sub_cas)};
  if (config.slot >= 0) options.slot = static_cast<card::p11::SlotId>(config.slot);
  return options;
}

Result<std::shared_ptr<const person::PersonLogin>> log_in(const LoginSource& source, const person::LoginTerms& terms) {
  if (auto person = kept_person(source, terms)) return person;
  USHER_TRY(card::Card card, card::Card::open(source.card));
  const app::PassphraseSource from = card.needs_pin() ? pin_source(source) : app::PassphraseSource{};
  USHER_CHECK(app::until_right(from, [&] { return enter_pin(source, card); }));
  USHER_TRY(auto person, person::make_login(card, card.chain(), terms, source.random));
  if (source.config.removed == "stop") source.watch->begin(std::move(card), source.gone);
  return person;
}

}  // namespace usher::cli

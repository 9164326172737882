#include "card/card.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/encoding.h"
#include "card/card_service.h"

namespace usher::card {
namespace {

int weight(Fault fault) noexcept {
  switch (fault) {
    case Fault::module_missing:
      return 0;
    case Fault::no_card:
      return 1;
    case Fault::module_failed:
      return 2;
    default:
      return 3;
  }
}

}  // namespace

/// The bounds are those of the agent's messages. A value beyond them is an error in the configuration.
Result<std::vector<std::string>> modules_of(const CardOptions& options) {
  std::vector<std::string> modules = options.modules;
  if (modules.empty()) modules = options.profile.modules;
  if (modules.empty()) modules.assign(std::begin(kDefaultModules), std::end(kDefaultModules));
  const auto fits = [](const std::string& text) { return text.size() <= 0xff; };
  const person::CardLabels& labels = options.profile.labels;
  const bool ok = modules.size() <= kMaxCardModules && fits(options.token_label) && fits(labels.certificate) &&
                  fits(labels.key) && fits(labels.sub_ca) && fits(labels.root) &&
                  std::ranges::all_of(modules, [](const std::string& path) { return path.size() <= 0xfff; });
  if (!ok) return fail(Fault::bad_config, "card: options", "the card's modules and labels are too many or too long");
  return modules;
}

Result<std::unique_ptr<CardService>> card_service(const CardOptions& options) {
  if (options.in_process) return local_card();
  return remote_card({options.agent, options.deadline, options.login_deadline, options.silent});
}

Error farthest(std::vector<Error> errors, const std::vector<std::string>& modules) {
  const auto most = std::ranges::max_element(errors, {}, [](const Error& error) { return weight(error.fault); });
  if (most == errors.end()) return {Fault::module_missing, "card: no module named"};
  if (most->fault == Fault::module_missing) most->about = fmt::format("{}", fmt::join(modules, ", "));
  return std::move(*most);
}

std::string unusable(const pki::Certificate* parsed, std::span<const crypto::SignatureScheme> schemes, bool keyless,
                     const std::optional<Time>& now) {
  if (parsed == nullptr) return "it cannot be read";
  if (now && *now > parsed->not_after()) return "it has expired";
  if (now && *now < parsed->not_before()) return "it is not valid yet";
  if (keyless) return "its key is not there";
  const auto key = parsed->public_key();
  if (!key) return "its key is neither RSA of 2048 to 4096 bits nor P-256";
  if (std::ranges::none_of(schemes, [&](auto scheme) { return key->fits(scheme); })) {
    return "its key cannot sign with SHA-256";
  }
  return {};
}

std::string CardChoice::name() const { return to_hex(View(certificate.fingerprint()).first(8)); }

bool can_be_meant(const person::CardLabels& labels, std::string_view label, const pki::Certificate* parsed) noexcept {
  if (!labels.certificate.empty()) return label == labels.certificate;
  return parsed != nullptr && !parsed->is_ca();
}

bool issued_by(const pki::Certificate& certificate, const pki::Certificate& authority) {
  return X509_check_issued(authority.x509(), certificate.x509()) == X509_V_OK;
}

pki::Chain chain_of(const pki::Certificate& leaf, const pki::Chain& authorities) {
  pki::Chain chain{leaf};
  while (chain.size() < pki::kMaxChain) {
    const auto next = std::ranges::find_if(authorities, [&](const pki::Certificate& authority) {
      return issued_by(chain.back(), authority) && !authority.is_self_issued();
    });
    if (next == authorities.end()) break;
    chain.push_back(*next);
  }
  return chain;
}

struct Card::State {
  std::unique_ptr<CardService> service;
  OpenedCard opened;
  pki::Certificate certificate;
  crypto::PublicKey key;
  pki::Chain chain;
  std::optional<pki::Certificate> root;
  p11::KeyUse use = p11::KeyUse::after_login;
  mutable std::mutex lock{};  // guards service, opened.token and use

  /// After a wrong PIN: adds what the token's flags report now.
  [[nodiscard]] Error told_tries(Error error) {
    if (error.fault != Fault::wrong_pin) return error;
    const auto now = service->token();
    if (!now) return error;
    opened.token = *now;
    if (now->pin == PinState::locked) return {Fault::pin_locked, "card: PIN", "that was the last try"};
    if (now->pin == PinState::last_try) error.about = "one try is left before the card locks its PIN";
    if (now->pin == PinState::low) error.about = "few tries are left before the card locks its PIN";
    return error;
  }
};

Card::Card(std::unique_ptr<State> state) : state_(std::move(state)) {}
Card::Card(Card&&) noexcept = default;
Card& Card::operator=(Card&&) noexcept = default;
Card::~Card() = default;

namespace {

constexpr std::size_t kMinPrefix = 8;  // digits of a fingerprint

Result<> check_prefix(std::string_view prefix) {
  const bool digits = prefix.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (prefix.empty() || (digits && prefix.size() >= kMinPrefix && prefix.size() <= 64)) return {};
  return fail(Fault::bad_config, "card: certificate",
              "a card's certificate is named by the first 8 or more digits of its fingerprint, as usher card shows it");
}

Result<std::vector<CardChoice>> choices_of(const std::vector<OfferedCertificate>& offered) {
  std::vector<CardChoice> choices;
  for (const OfferedCertificate& one : offered) {
    auto certificate = pki::Certificate::from_der(one.certificate);
    if (!certificate) return fail(Fault::module_failed, "card: choice");
    choices.push_back({*std::move(certificate), one.label, one.token_label, one.slot});
  }
  return choices;
}

/// The fingerprint of the certificate to use, in hexadecimal. Errors: card_unsuitable, naming all of them; those of
/// `choose`.
Result<std::string> chosen_of(const std::vector<OfferedCertificate>& offered, const ChooseCertificate& choose) {
  USHER_TRY(const std::vector<CardChoice> choices, choices_of(offered));
  if (choose) {
    USHER_TRY(const std::size_t chosen, choose(choices));
    if (chosen < choices.size()) return to_hex(choices[chosen].certificate.fingerprint());
  }
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const CardChoice& one : choices) {
    names.push_back(fmt::format("{} ({}, on the card \"{}\" in slot {})", one.name(), one.certificate.common_name(),
                                one.token_label, one.slot));
  }
  return fail(
      Fault::card_unsuitable, "card: certificates",
      fmt::format("more than one certificate can be meant, choose one with --card-certificate, or its card with "
                  "--token or --slot: {}",
                  fmt::join(names, ", ")));
}

}  // namespace

Result<Card> Card::open(const CardOptions& options) {
  USHER_TRY(const std::vector<std::string> modules, modules_of(options));
  USHER_CHECK(check_prefix(options.certificate));
  std::vector<Error> errors;
  for (const std::string& module : modules) {
    // Each module has its own child: a module that hangs or crashes does not block the next one.
    auto card = open_with(options, module);
    if (card || card.error().fault == Fault::cancelled) return card;
    errors.push_back(std::move(card).error());
  }
  return std::unexpected(farthest(std::move(errors), modules));
}

Result<Card> Card::open_with(const CardOptions& options, const std::string& module) {
  USHER_TRY(std::unique_ptr<CardService> service, card_service(options));
  CardQuery query{module, options.token_label, options.slot, options.profile.labels, options.certificate, options.now};
  USHER_TRY(OpenedCard opened, service->open(query));
  if (!opened.choices.empty()) {
    USHER_TRY(query.certificate, chosen_of(opened.choices, options.choose));
    USHER_TRY(opened, service->open(query));
    if (!opened.choices.empty()) return fail(Fault::card_unsuitable, "card: certificates", "it is on two cards");
  }
  const auto certificate = pki::Certificate::from_der(opened.certificate);
  if (!certificate) return fail(Fault::card_unsuitable, "card: certificate", "its certificate cannot be read");
  USHER_TRY(crypto::PublicKey key, certificate->public_key());

  pki::Chain authorities;
  for (const Bytes& der : opened.authorities) {
    if (auto authority = pki::Certificate::from_der(der)) authorities.push_back(*std::move(authority));
  }
  const auto root = std::ranges::find_if(authorities, &pki::Certificate::is_self_issued);
  std::optional<pki::Certificate> found_root;
  if (root != authorities.end()) found_root = *root;
  authorities.insert(authorities.end(), options.intermediates.begin(), options.intermediates.end());
  pki::Chain chain = chain_of(*certificate, authorities);

  return Card(std::make_unique<State>(std::move(service), std::move(opened), *certificate, std::move(key),
                                      std::move(chain), std::move(found_root)));
}

const pki::Certificate& Card::certificate() const noexcept { return state_->certificate; }
const pki::Chain& Card::chain() const noexcept { return state_->chain; }
const std::optional<pki::Certificate>& Card::root() const noexcept { return state_->root; }
const p11::TokenInfo& Card::token() const noexcept { return state_->opened.token; }
const std::string& Card::module() const noexcept { return state_->opened.module; }
const crypto::PublicKey& Card::public_key() const noexcept { return state_->key; }

crypto::SignatureScheme Card::scheme() const noexcept { return state_->opened.scheme; }

bool Card::needs_pin() const noexcept { return token().login_required && !token().protected_path; }

bool Card::asks_each_time() const {
  const std::scoped_lock guard(state_->lock);
  return state_->use == p11::KeyUse::each_signature;
}

Result<PinState> Card::pin_state() const {
  const std::scoped_lock guard(state_->lock);
  USHER_TRY(const p11::TokenInfo now, state_->service->token());
  return now.pin;
}

Result<> Card::login(const crypto::Secret& pin, LastTry last) {
  if (pin.empty() || pin.size() > kMaxPin) return fail(Fault::pin_invalid, "card: PIN");
  return log_in(&pin, last);
}

Result<> Card::login(LastTry last) {
  if (!token().login_required) return {};
  return log_in(nullptr, last);
}

Result<> Card::log_in(const crypto::Secret* pin, LastTry last) {
  const std::scoped_lock guard(state_->lock);
  // Reports a removed card, or a PIN that must not be tried, before it uses up a try (§9.4).
  USHER_TRY(state_->opened.token, state_->service->token());
  const PinState before = state_->opened.token.pin;
  if (before == PinState::locked) return fail(Fault::pin_locked, "card: PIN");
  if (before == PinState::last_try && last == LastTry::refuse) return fail(Fault::pin_last_try, "card: PIN");
  if (pin != nullptr && !state_->opened.token.takes_pin_of(pin->size())) {
    return fail(Fault::pin_invalid, "card: PIN", "the card accepts no PIN of this length; the PIN was not tried");
  }

  auto use = state_->service->login(pin);
  if (!use) return std::unexpected(state_->told_tries(std::move(use).error()));
  state_->use = *use;
  return {};
}

Result<> Card::logout() {
  const std::scoped_lock guard(state_->lock);
  return state_->service->logout();
}

Result<> Card::present() const {
  const std::scoped_lock guard(state_->lock);
  return state_->service->present();
}

Result<Bytes> Card::sign(View message) const {
  if (message.size() > kMaxSignedByCard) return fail(Fault::too_long, "card: sign");
  const std::scoped_lock guard(state_->lock);
  auto signature = state_->service->sign(message);
  if (!signature) return std::unexpected(state_->told_tries(std::move(signature).error()));
  if (signature->scheme != scheme()) return fail(Fault::card_unsuitable, "card: signature");
  if (!state_->key.verify(signature->scheme, message, signature->bytes)) {
    return fail(Fault::module_failed, "card: signature", "its signature does not fit the card's own certificate");
  }
  return std::move(signature->bytes);
}

}  // namespace usher::card

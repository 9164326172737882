#include "identity/card.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <mutex>

#include "identity/card_service.h"

namespace usher::identity {
namespace {

CardQuery query_of(const CardOptions& options) {
  CardQuery query{options.modules, options.token_label, options.slot, options.profile.labels};
  if (query.modules.empty()) query.modules = options.profile.modules;
  if (query.modules.empty()) query.modules.assign(std::begin(kDefaultModules), std::end(kDefaultModules));
  return query;
}

/// The bounds of the agent's messages; what is beyond them is a mistake in the configuration.
Result<> check(const CardQuery& query) {
  const auto fits = [](const std::string& text) { return text.size() <= 0xff; };
  const CardLabels& labels = query.labels;
  const bool ok = query.modules.size() <= kMaxCardModules && fits(query.token_label) && fits(labels.certificate) &&
                  fits(labels.key) && fits(labels.sub_ca) && fits(labels.root) &&
                  std::ranges::all_of(query.modules, [](const std::string& path) { return path.size() <= 0xfff; });
  if (!ok) return fail(Fault::bad_config, "card: options", "the card's modules and labels are too many or too long");
  return {};
}

/// By names, key identifiers and key usage; authorities of one name but different keys are told apart.
bool issued_by(const Certificate& certificate, const Certificate& authority) {
  return X509_check_issued(authority.x509(), certificate.x509()) == X509_V_OK;
}

/// Leaf first, then upwards by name as far as it goes; without a root. Whether it is right is the server's to judge.
Chain chain_of(const Certificate& leaf, const Chain& authorities) {
  Chain chain{leaf};
  while (chain.size() < kMaxChain) {
    const auto next = std::ranges::find_if(authorities, [&](const Certificate& authority) {
      return issued_by(chain.back(), authority) && !authority.is_self_issued();
    });
    if (next == authorities.end()) break;
    chain.push_back(*next);
  }
  return chain;
}

}  // namespace

struct Card::State {
  std::unique_ptr<CardService> service;
  OpenedCard opened;
  Certificate certificate;
  crypto::PublicKey key;
  Chain chain;
  std::optional<Certificate> root;
  mutable std::mutex lock;  // of service, and of opened.token
};

Card::Card(std::unique_ptr<State> state) : state_(std::move(state)) {}
Card::Card(Card&&) noexcept = default;
Card& Card::operator=(Card&&) noexcept = default;
Card::~Card() = default;

Result<Card> Card::open(CardOptions options) {
  const CardQuery query = query_of(options);
  USHER_CHECK(check(query));
  std::unique_ptr<CardService> service;
  if (options.in_process) {
    service = local_card();
  } else {
    USHER_TRY(service, remote_card({options.agent, options.deadline, options.login_deadline}));
  }
  USHER_TRY(OpenedCard opened, service->open(query));
  const auto certificate = Certificate::from_der(opened.certificate);
  if (!certificate) return fail(Fault::card_unsuitable, "card: certificate", "its certificate cannot be read");
  USHER_TRY(crypto::PublicKey key, certificate->public_key());

  Chain authorities;
  for (const Bytes& der : opened.authorities) {
    if (auto authority = Certificate::from_der(der)) authorities.push_back(*std::move(authority));
  }
  const auto root = std::ranges::find_if(authorities, &Certificate::is_self_issued);
  std::optional<Certificate> found_root;
  if (root != authorities.end()) found_root = *root;
  authorities.insert(authorities.end(), options.intermediates.begin(), options.intermediates.end());
  Chain chain = chain_of(*certificate, authorities);

  return Card(std::make_unique<State>(std::move(service), std::move(opened), *certificate, std::move(key),
                                      std::move(chain), std::move(found_root)));
}

const Certificate& Card::certificate() const noexcept { return state_->certificate; }
const Chain& Card::chain() const noexcept { return state_->chain; }
const std::optional<Certificate>& Card::root() const noexcept { return state_->root; }
const p11::TokenInfo& Card::token() const noexcept { return state_->opened.token; }
const std::string& Card::module() const noexcept { return state_->opened.module; }
const crypto::PublicKey& Card::public_key() const noexcept { return state_->key; }

crypto::SignatureScheme Card::scheme() const noexcept {
  return state_->key.kind() == crypto::KeyKind::rsa ? crypto::SignatureScheme::rsa_pkcs1_sha256
                                                    : crypto::SignatureScheme::ecdsa_p256_sha256;
}

bool Card::needs_pin() const noexcept { return token().login_required && !token().protected_path; }

Result<PinState> Card::pin_state() const {
  const std::scoped_lock guard(state_->lock);
  USHER_TRY(const p11::TokenInfo now, state_->service->token());
  return now.pin;
}

Result<> Card::login(const crypto::Secret& pin, LastTry last) {
  if (pin.empty() || pin.size() > kMaxPin) return fail(Fault::pin_invalid, "card: PIN");
  return log_in(&pin, last);
}

Result<> Card::login() {
  if (!token().login_required) return {};
  return log_in(nullptr, LastTry::accept);
}

Result<> Card::log_in(const crypto::Secret* pin, LastTry last) {
  const std::scoped_lock guard(state_->lock);
  // A removed card, and a PIN that must not be tried, are told before anything is spent (§9.4).
  USHER_TRY(state_->opened.token, state_->service->token());
  const PinState before = state_->opened.token.pin;
  if (before == PinState::locked) return fail(Fault::pin_locked, "card: PIN");
  if (before == PinState::last_try && last == LastTry::refuse) return fail(Fault::pin_last_try, "card: PIN");

  auto result = state_->service->login(pin);
  if (result || result.error().fault != Fault::wrong_pin) return result;
  const auto now = state_->service->token();
  if (!now) return result;
  state_->opened.token = *now;
  if (now->pin == PinState::locked) return fail(Fault::pin_locked, "card: PIN", "that was the last try");
  if (now->pin == PinState::last_try) result.error().about = "one try is left before the card locks its PIN";
  if (now->pin == PinState::low) result.error().about = "few tries are left before the card locks its PIN";
  return result;
}

Result<Bytes> Card::sign(View message) const {
  if (message.size() > kMaxSignedByCard) return fail(Fault::too_long, "card: sign");
  const std::scoped_lock guard(state_->lock);
  USHER_TRY(p11::CardSignature signature, state_->service->sign(message));
  if (signature.scheme != scheme()) return fail(Fault::card_unsuitable, "card: signature");
  USHER_CHECK(state_->key.verify(signature.scheme, message, signature.bytes));
  return std::move(signature.bytes);
}

}  // namespace usher::identity

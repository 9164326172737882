// The CardService in this process: finds module, token, certificate and key by CardQuery (identity.md §9.2, §9.3).
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/encoding.h"
#include "card/card_service.h"
#include "crypto/digest.h"

namespace usher::card {
namespace {

using p11::Module;
using p11::Object;
using p11::ObjectClass;
using p11::TokenInfo;
using p11::TokenSession;

std::optional<std::string> label_or_any(const std::string& label) {
  return label.empty() ? std::nullopt : std::optional(label);
}

struct Fit {
  Module module;
  TokenInfo token;
  std::shared_ptr<TokenSession> session;
  Object certificate;
  Bytes der;
  std::string obstacle;  // empty: it can be used, as far as is known before the login
};

/// Whether keys are visible, but not the certificate's. False if no key is visible, or the certificate has no id.
bool is_keyless(const Bytes& id, const std::vector<Bytes>& keys) {
  return !id.empty() && !keys.empty() && std::ranges::find(keys, id) == keys.end();
}

/// The ids of the keys that are visible before a login. Most cards show their public keys.
Result<std::vector<Bytes>> visible_keys(const TokenSession& session) {
  std::vector<Bytes> ids;
  for (const ObjectClass kind : {ObjectClass::public_key, ObjectClass::private_key}) {
    USHER_TRY(const auto objects, session.find({kind, {}, {}}));
    for (const Object& object : objects) ids.push_back(object.id);
  }
  return ids;
}

/// Adds the token's certificates that can be the person's: those with the profile's label or, if the profile has no
/// label, all that are not an authority's.
Result<> look_at(const Module& module, const TokenInfo& token, const CardQuery& query, std::vector<Fit>& fits) {
  USHER_TRY(TokenSession opened, module.open(token.slot));
  const auto session = std::make_shared<TokenSession>(std::move(opened));
  USHER_TRY(const auto objects, session->find({ObjectClass::certificate, label_or_any(query.labels.certificate), {}}));
  USHER_TRY(const auto keys, visible_keys(*session));
  USHER_TRY(const auto schemes, module.schemes(token.slot));
  for (const Object& object : objects) {
    USHER_TRY(Bytes der, session->value_of(object.handle));
    const auto parsed = pki::Certificate::from_der(der);
    if (!can_be_meant(query.labels, object.label, parsed ? &*parsed : nullptr)) continue;
    std::string obstacle = unusable(parsed ? &*parsed : nullptr, schemes, is_keyless(object.id, keys), query.now);
    fits.push_back({module, token, session, object, std::move(der), std::move(obstacle)});
  }
  return {};
}

std::string described(const Fit& fit) {
  return fmt::format("\"{}\" in slot {}: {}", fit.token.label, fit.token.slot, fit.obstacle);
}

/// Returns the certificate to use, or several to choose from.
Result<std::vector<Fit>> choose(std::vector<Fit> fits, const CardQuery& query) {
  if (fits.empty()) {
    return fail(Fault::card_unsuitable, "card: certificates",
                query.labels.certificate.empty()
                    ? std::string("it holds no certificate of a person")
                    : fmt::format("it holds no certificate labelled \"{}\"", query.labels.certificate));
  }
  if (!query.certificate.empty()) {
    std::erase_if(fits,
                  [&](const Fit& fit) { return !to_hex(crypto::sha256(fit.der)).starts_with(query.certificate); });
    if (fits.empty()) return fail(Fault::card_unsuitable, "card: certificates", "no certificate has that fingerprint");
    // A named certificate is taken as it is. If something is wrong with it, its use fails.
    if (query.certificate.size() == 64) fits.erase(fits.begin() + 1, fits.end());
    return fits;
  }
  // A single certificate is taken as it is. If something is wrong with it, its use fails.
  if (fits.size() == 1) return fits;
  std::vector<std::string> obstacles;
  obstacles.reserve(fits.size());
  for (const Fit& fit : fits) obstacles.push_back(described(fit));
  std::erase_if(fits, [](const Fit& fit) { return !fit.obstacle.empty(); });
  if (fits.empty()) {
    return fail(Fault::card_unsuitable, "card: certificates",
                fmt::format("none of its certificates can be used: {}", fmt::join(obstacles, ", ")));
  }
  return fits;
}

/// Why the module has no card that fits the query: the text of the error.
std::string why_none(const Module& module, const std::vector<TokenInfo>& tokens, const CardQuery& query) {
  if (query.slot && !query.token_label.empty()) {
    return fmt::format("no card in slot {} is labelled \"{}\"", *query.slot, query.token_label);
  }
  if (query.slot) return fmt::format("no card is in slot {}", *query.slot);
  if (!query.token_label.empty()) return fmt::format("no card is labelled \"{}\"", query.token_label);
  if (const auto slots = module.slots(); slots && slots->empty()) return "no reader was found";
  return tokens.empty() ? "" : "what is in the reader has not been initialised";
}

Result<std::vector<Fit>> find_card(const CardQuery& query) {
  USHER_TRY(const Module module, Module::load(query.module));
  USHER_TRY(const std::vector<TokenInfo> tokens, module.tokens());
  std::vector<Fit> fits;
  bool any = false;
  std::optional<Error> trouble;
  for (const TokenInfo& token : tokens) {
    if (!token.initialised || (query.slot && *query.slot != token.slot)) continue;
    if (!query.token_label.empty() && query.token_label != token.label) continue;
    any = true;
    if (auto looked = look_at(module, token, query, fits); !looked) trouble = std::move(looked).error();
  }
  // A token that cannot be read does not block a token that can.
  if (fits.empty() && trouble) return std::unexpected(*std::move(trouble));
  if (!any) {
    const bool named = !query.token_label.empty() || query.slot.has_value();
    return fail(Fault::no_card, "card: tokens", why_none(module, tokens, query),
                named ? "Put that card into the reader, or name another: `usher card` shows what there is." : "");
  }
  return choose(std::move(fits), query);
}

constexpr std::string_view kNoScheme = "its key has no signature method with SHA-256 that this program supports";

class LocalCard final : public CardService {
 public:
  Result<OpenedCard> open(const CardQuery& query) override {
    USHER_TRY(std::vector<Fit> fits, find_card(query));
    if (fits.size() == 1) return finish(std::move(fits.front()), query);
    OpenedCard offer{.module = fits.front().module.path()};
    for (const Fit& fit : fits) {
      if (offer.choices.size() == kMaxCardChoices) break;
      offer.choices.push_back({fit.token.slot, fit.token.label, fit.certificate.label, fit.der});
    }
    return offer;
  }
  Result<SeenModule> survey(const std::string& module) override { return survey_module(module); }

  Result<TokenInfo> token() override {
    if (!fit_) return not_open();
    return fit_->module.token(fit_->token.slot);
  }

  Result<p11::KeyUse> login(const crypto::Secret* pin) override {
    if (!fit_) return not_open();
    again_.reset();
    if (std::exchange(logged_in_, false)) {
      // A token that is still logged in would not check the PIN. Also, a signature may have been started.
      USHER_CHECK(fit_->session->logout());
      USHER_TRY(*fit_->session, fit_->module.open(fit_->token.slot));
    }
    USHER_CHECK(fit_->session->login(p11::User::user, pin));
    logged_in_ = true;
    USHER_TRY(const p11::ObjectId key, key_of_certificate());
    USHER_TRY(use_, fit_->session->use_of(key));
    if (use_ == p11::KeyUse::each_signature && pin != nullptr) again_ = crypto::Secret::copy_of(pin->expose());
    return use_;
  }

  Result<p11::CardSignature> sign(View message) override {
    if (!fit_) return not_open();
    // Private objects are invisible before the login.
    if (fit_->token.login_required && !logged_in_) return fail(Fault::not_authenticated, "card: sign before login");
    USHER_TRY(const p11::ObjectId key, key_of_certificate());
    const std::optional<crypto::Secret> pin = std::exchange(again_, std::nullopt);
    if (use_ == p11::KeyUse::each_signature && !pin && !fit_->token.protected_path) {
      return fail(Fault::not_authenticated, "card: sign again", "it asks for its PIN for each signature");
    }
    return fit_->session->sign(key, scheme_, message, use_, pin ? &*pin : nullptr);
  }

  Result<> logout() override {
    if (!fit_) return not_open();
    again_.reset();
    if (std::exchange(logged_in_, false)) return fit_->session->logout();
    return {};
  }

  /// Modules differ in where they notice a removed card: each of these checks is needed for some module.
  Result<> present() override {
    if (!fit_) return not_open();
    USHER_TRY(const p11::SlotInfo slot, fit_->module.slot(fit_->token.slot));
    USHER_CHECK(fit_->session->alive());
    USHER_TRY(const TokenInfo now, fit_->module.token(fit_->token.slot));
    if (!slot.token_present || now.serial != fit_->token.serial) return fail(Fault::card_removed, "card: present");
    return {};
  }

 private:
  static std::unexpected<Error> not_open() { return fail(Fault::local, "card: not open"); }

  Result<OpenedCard> finish(Fit fit, const CardQuery& query) {
    labels_ = query.labels;
    const auto certificate = pki::Certificate::from_der(fit.der);
    if (!certificate) return fail(Fault::card_unsuitable, "card: certificate", "its certificate cannot be read");
    const auto key = certificate->public_key();
    if (!key) return fail(Fault::card_unsuitable, "card: key", "its key is neither RSA of 2048 to 4096 bits nor P-256");
    USHER_TRY(const auto schemes, fit.module.schemes(fit.token.slot));
    const auto scheme = std::ranges::find_if(schemes, [&](auto one) { return key->fits(one); });
    if (scheme == schemes.end()) return fail(Fault::card_unsuitable, "card: mechanisms", std::string(kNoScheme));
    scheme_ = *scheme;
    USHER_TRY(std::vector<Bytes> authorities, authorities_of(fit));
    OpenedCard out{fit.module.path(), fit.token, scheme_, fit.der, std::move(authorities), {}};
    fit_ = std::move(fit);
    return out;
  }

  Result<std::vector<Bytes>> authorities_of(const Fit& fit) const {
    std::vector<Bytes> out;
    USHER_TRY(const auto objects, fit.session->find({ObjectClass::certificate, {}, {}}));
    for (const Object& object : objects) {
      const bool named = !labels_.sub_ca.empty() || !labels_.root.empty();
      if (named && object.label != labels_.sub_ca && object.label != labels_.root) continue;
      if (object.handle == fit.certificate.handle) continue;
      USHER_TRY(Bytes der, fit.session->value_of(object.handle));
      const auto parsed = pki::Certificate::from_der(der);
      if (!parsed || !parsed->may_certify()) continue;
      out.push_back(std::move(der));
      if (out.size() == kMaxCardAuthorities) break;
    }
    return out;
  }

  /// The key and its certificate have the same id. If a card gives no ids, the label decides.
  Result<p11::ObjectId> key_of_certificate() const {
    p11::Search search{ObjectClass::private_key, label_or_any(labels_.key), {}};
    if (!fit_->certificate.id.empty()) search.id = fit_->certificate.id;
    USHER_TRY(auto keys, fit_->session->find(search));
    if (keys.empty() && search.id && search.label) {
      search.label.reset();
      USHER_TRY(keys, fit_->session->find(search));
    }
    if (keys.empty()) {
      if (auto now = fit_->module.token(fit_->token.slot); !now) return std::unexpected(std::move(now).error());
      return fail(Fault::card_unsuitable, "card: key", "no private key can be seen that belongs to its certificate");
    }
    return keys.front().handle;
  }

  person::CardLabels labels_;
  crypto::SignatureScheme scheme_{};
  p11::KeyUse use_ = p11::KeyUse::after_login;
  bool logged_in_ = false;
  std::optional<crypto::Secret> again_;  // the PIN, until the next signature
  std::optional<Fit> fit_;
};

}  // namespace

std::unique_ptr<CardService> local_card() { return std::make_unique<LocalCard>(); }

}  // namespace usher::card

// The card of this process: finds module, token, certificate and key by CardQuery (identity.md §9.2, §9.3).
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "identity/card_service.h"

namespace usher::identity {
namespace {

using p11::Module;
using p11::Object;
using p11::ObjectClass;
using p11::Session;
using p11::TokenInfo;

std::optional<std::string> label_or_any(const std::string& label) {
  return label.empty() ? std::nullopt : std::optional(label);
}

struct Fit {
  Module module;
  TokenInfo token;
  Session session;
  Object certificate;
  Bytes der;
};

/// The end entity's certificate of a token: the one with the profile's label, or, where the profile names none, the
/// only one that is not an authority's.
Result<std::optional<std::pair<Object, Bytes>>> own_certificate(const Session& session, const CardLabels& labels) {
  USHER_TRY(const auto objects, session.find({ObjectClass::certificate, label_or_any(labels.certificate), {}}));
  std::optional<std::pair<Object, Bytes>> found;
  for (const Object& object : objects) {
    USHER_TRY(Bytes der, session.value_of(object.handle));
    const auto parsed = Certificate::from_der(der);
    if (!can_be_meant(labels, object.label, parsed ? &*parsed : nullptr)) continue;
    if (found) {
      return fail(Fault::card_unsuitable, "card: certificates",
                  "it holds more than one certificate that could be meant");
    }
    found.emplace(object, std::move(der));
  }
  return found;
}

Result<Fit> choose(std::vector<Fit> fits, const CardQuery& query) {
  if (fits.empty()) {
    return fail(Fault::card_unsuitable, "card: certificates",
                query.labels.certificate.empty()
                    ? std::string("it holds no certificate of a person")
                    : fmt::format("it holds no certificate labelled \"{}\"", query.labels.certificate));
  }
  if (fits.size() > 1) {
    std::vector<std::string> names;
    names.reserve(fits.size());
    for (const Fit& fit : fits) names.push_back(fmt::format("\"{}\" in slot {}", fit.token.label, fit.token.slot));
    return fail(Fault::card_unsuitable, "card: tokens",
                fmt::format("more than one card fits, choose one with --token or --slot: {}", fmt::join(names, ", ")));
  }
  return std::move(fits.front());
}

Result<std::optional<Fit>> look_at(const Module& module, const TokenInfo& token, const CardQuery& query) {
  USHER_TRY(Session session, module.open(token.slot));
  USHER_TRY(auto certificate, own_certificate(session, query.labels));
  if (!certificate) return std::nullopt;
  return Fit{module, token, std::move(session), certificate->first, std::move(certificate->second)};
}

/// What is said of a module without a card that is meant.
std::string why_none(const Module& module, const std::vector<TokenInfo>& tokens, const CardQuery& query) {
  if (!query.token_label.empty()) return fmt::format("none is labelled \"{}\"", query.token_label);
  if (query.slot) return fmt::format("none is in slot {}", *query.slot);
  if (const auto slots = module.slots(); slots && slots->empty()) return "no reader was found";
  return tokens.empty() ? "" : "what is in the reader has not been initialised";
}

Result<Fit> find_card(const CardQuery& query) {
  USHER_TRY(const Module module, Module::load(query.module));
  USHER_TRY(const std::vector<TokenInfo> tokens, module.tokens());
  std::vector<Fit> fits;
  bool any = false;
  std::optional<Error> trouble;
  for (const TokenInfo& token : tokens) {
    if (!token.initialised || (query.slot && *query.slot != token.slot)) continue;
    if (!query.token_label.empty() && query.token_label != token.label) continue;
    any = true;
    auto fit = look_at(module, token, query);
    if (!fit) {
      trouble = std::move(fit).error();
    } else if (*fit) {
      fits.push_back(**std::move(fit));
    }
  }
  // A token that cannot be read does not stand in the way of one that can.
  if (fits.empty() && trouble) return std::unexpected(*std::move(trouble));
  if (!any) {
    return fail(Fault::no_card, "card: tokens", why_none(module, tokens, query));
  }
  return choose(std::move(fits), query);
}

constexpr std::string_view kNoScheme = "its key cannot sign with SHA-256 in any way that is known here";

class LocalCard final : public CardService {
 public:
  Result<OpenedCard> open(const CardQuery& query) override {
    USHER_TRY(Fit fit, find_card(query));
    return finish(std::move(fit), query);
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
      // Somebody who is logged in already would be taken at their word; and a signature may have been begun.
      USHER_CHECK(fit_->session.logout());
      USHER_TRY(fit_->session, fit_->module.open(fit_->token.slot));
    }
    USHER_CHECK(fit_->session.login(p11::User::user, pin));
    logged_in_ = true;
    USHER_TRY(const p11::ObjectId key, key_of_certificate());
    USHER_TRY(use_, fit_->session.use_of(key));
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
    return fit_->session.sign(key, scheme_, message, use_, pin ? &*pin : nullptr);
  }

  Result<> logout() override {
    if (!fit_) return not_open();
    again_.reset();
    if (std::exchange(logged_in_, false)) return fit_->session.logout();
    return {};
  }

  /// Each of them is where some module notices it.
  Result<> present() override {
    if (!fit_) return not_open();
    USHER_TRY(const p11::SlotInfo slot, fit_->module.slot(fit_->token.slot));
    USHER_CHECK(fit_->session.alive());
    USHER_TRY(const TokenInfo now, fit_->module.token(fit_->token.slot));
    if (!slot.token_present || now.serial != fit_->token.serial) return fail(Fault::card_removed, "card: present");
    return {};
  }

 private:
  static std::unexpected<Error> not_open() { return fail(Fault::local, "card: not open"); }

  Result<OpenedCard> finish(Fit fit, const CardQuery& query) {
    labels_ = query.labels;
    const auto certificate = Certificate::from_der(fit.der);
    if (!certificate) return fail(Fault::card_unsuitable, "card: certificate", "its certificate cannot be read");
    const auto key = certificate->public_key();
    if (!key) return fail(Fault::card_unsuitable, "card: key", "its key is neither RSA of 2048 to 4096 bits nor P-256");
    USHER_TRY(const auto schemes, fit.module.schemes(fit.token.slot));
    const auto scheme = std::ranges::find_if(schemes, [&](auto one) { return key->fits(one); });
    if (scheme == schemes.end()) return fail(Fault::card_unsuitable, "card: mechanisms", std::string(kNoScheme));
    scheme_ = *scheme;
    USHER_TRY(std::vector<Bytes> authorities, authorities_of(fit));
    OpenedCard out{fit.module.path(), fit.token, scheme_, fit.der, std::move(authorities)};
    fit_ = std::move(fit);
    return out;
  }

  Result<std::vector<Bytes>> authorities_of(const Fit& fit) const {
    std::vector<Bytes> out;
    USHER_TRY(const auto objects, fit.session.find({ObjectClass::certificate, {}, {}}));
    for (const Object& object : objects) {
      const bool named = !labels_.sub_ca.empty() || !labels_.root.empty();
      if (named && object.label != labels_.sub_ca && object.label != labels_.root) continue;
      if (object.handle == fit.certificate.handle) continue;
      USHER_TRY(Bytes der, fit.session.value_of(object.handle));
      const auto parsed = Certificate::from_der(der);
      if (!parsed || !parsed->is_ca()) continue;
      out.push_back(std::move(der));
      if (out.size() == kMaxCardAuthorities) break;
    }
    return out;
  }

  /// Key and certificate share their id; the label decides where a card gives no ids.
  Result<p11::ObjectId> key_of_certificate() const {
    p11::Search search{ObjectClass::private_key, label_or_any(labels_.key), {}};
    if (!fit_->certificate.id.empty()) search.id = fit_->certificate.id;
    USHER_TRY(auto keys, fit_->session.find(search));
    if (keys.empty() && search.id && search.label) {
      search.label.reset();
      USHER_TRY(keys, fit_->session.find(search));
    }
    if (keys.empty()) {
      if (auto now = fit_->module.token(fit_->token.slot); !now) return std::unexpected(std::move(now).error());
      return fail(Fault::card_unsuitable, "card: key", "no private key can be seen that belongs to its certificate");
    }
    return keys.front().handle;
  }

  CardLabels labels_;
  crypto::SignatureScheme scheme_{};
  p11::KeyUse use_ = p11::KeyUse::after_login;
  bool logged_in_ = false;
  std::optional<crypto::Secret> again_;  // the PIN, until the next signature
  std::optional<Fit> fit_;
};

}  // namespace

std::unique_ptr<CardService> local_card() { return std::make_unique<LocalCard>(); }

}  // namespace usher::identity

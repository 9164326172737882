#include "card/card_survey.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "card/card_service.h"

namespace usher::card {
namespace {

struct Row {
  std::string_view code;
  std::string_view sentence;
  std::string_view advice;
};
constexpr std::array kRows{
#define REMARK(name, code, sentence, advice) Row{code, sentence, advice},
#include "card/card_remarks.def"
#undef REMARK
};

const Row& row_of(CardRemark remark) noexcept { return kRows[static_cast<std::size_t>(remark)]; }

void judge_pin(SeenSlot& seen) {
  if (!seen.token->login_required) return;
  switch (seen.token->pin) {
    case PinState::ok:
      return;
    case PinState::low:
      return seen.remarks.push_back({CardRemark::pin_low});
    case PinState::last_try:
      return seen.remarks.push_back({CardRemark::pin_last_try});
    case PinState::locked:
      return seen.remarks.push_back({CardRemark::pin_locked});
    case PinState::not_set:
      return seen.remarks.push_back({CardRemark::pin_not_set});
  }
}

/// Whether the leaf's issuer is on the card or among the configured ones (§9.3). A root on the card counts too.
bool has_issuer(const pki::Certificate& leaf, const SeenSlot& seen, const CardOptions& options) {
  pki::Chain authorities = options.intermediates;
  for (const SeenCertificate& other : seen.certificates) {
    if (other.certificate && other.certificate->may_certify()) authorities.push_back(*other.certificate);
  }
  return chain_of(leaf, authorities).size() > 1 ||
         std::ranges::any_of(authorities,
                             [&](const pki::Certificate& authority) { return issued_by(leaf, authority); });
}

void judge_certificate(const pki::Certificate& certificate, SeenSlot& seen, const CardOptions& options, Time now) {
  if (now > certificate.not_after()) seen.remarks.push_back({CardRemark::certificate_expired});
  if (now < certificate.not_before()) seen.remarks.push_back({CardRemark::certificate_not_yet_valid});
  const auto key = certificate.public_key();
  if (!key) {
    seen.remarks.push_back({CardRemark::key_unsupported});
  } else if (std::ranges::none_of(seen.schemes, [&](auto scheme) { return key->fits(scheme); })) {
    seen.remarks.push_back({CardRemark::no_signatures});
  }
  if (!has_issuer(certificate, seen, options)) seen.remarks.push_back({CardRemark::sub_ca_missing});
}

void judge_certificates(SeenSlot& seen, const CardOptions& options, Time now) {
  const person::CardLabels& labels = options.profile.labels;
  for (SeenCertificate& own : seen.certificates) {
    own.meant = can_be_meant(labels, own.label, own.certificate ? &*own.certificate : nullptr);
  }
  // If there are several, unusable certificates do not count (§9.3).
  const auto unfit = [&](const SeenCertificate& one) {
    return one.meant &&
           !unusable(one.certificate ? &*one.certificate : nullptr, seen.schemes, one.keyless, now).empty();
  };
  const auto all = std::ranges::count(seen.certificates, true, &SeenCertificate::meant);
  const auto unfit_ones = std::ranges::count_if(seen.certificates, unfit);
  if (all > 1 && unfit_ones < all) {
    for (SeenCertificate& own : seen.certificates) own.meant = own.meant && !unfit(own);
  }
  const auto meant = std::ranges::find(seen.certificates, true, &SeenCertificate::meant);
  if (meant == seen.certificates.end()) {
    const std::string about =
        labels.certificate.empty() ? "" : fmt::format("no certificate is labelled \"{}\"", labels.certificate);
    seen.remarks.push_back(seen.bare_key ? Remark{CardRemark::key_without_certificate}
                                         : Remark{CardRemark::no_certificate, about});
  } else if (std::ranges::count(seen.certificates, true, &SeenCertificate::meant) > 1) {
    seen.remarks.push_back({CardRemark::many_certificates});
  } else if (!meant->certificate) {
    seen.remarks.push_back({CardRemark::certificate_unreadable});
  } else {
    judge_certificate(*meant->certificate, seen, options, now);
  }
}

void judge(SeenSlot& seen, const CardOptions& options, Time now) {
  if (seen.trouble) {
    seen.remarks.push_back({CardRemark::card_failed, seen.trouble->about});
  } else if (!seen.token) {
    seen.remarks.push_back({CardRemark::no_card});
  } else if (!seen.token->initialised) {
    seen.remarks.push_back({CardRemark::not_initialised});
  } else {
    judge_certificates(seen, options, now);
    judge_pin(seen);
    const bool asked_for = (options.token_label.empty() || options.token_label == seen.token->label) &&
                           (!options.slot || *options.slot == seen.slot.slot);
    if (!asked_for) seen.remarks.push_back({CardRemark::not_asked_for});
  }
}

SeenModule see(const CardOptions& options, const std::string& path, Time now) {
  SeenModule seen{.path = path};
  auto service = card_service(options);
  auto answer = service ? (*service)->survey(path) : std::unexpected(std::move(service).error());
  if (answer) {
    seen = *std::move(answer);
    seen.path = path;
    for (SeenSlot& slot : seen.slots) judge(slot, options, now);
    if (seen.slots.empty()) seen.remarks.push_back({CardRemark::no_reader});
    return seen;
  }
  seen.trouble = std::move(answer).error();
  const bool missing = seen.trouble->fault == Fault::module_missing;
  seen.remarks.push_back(missing ? Remark{CardRemark::module_missing}
                                 : Remark{CardRemark::module_failed, seen.trouble->about});
  return seen;
}

/// The error with which a login with this card would end, at the latest at the server.
Result<> check_usable(const Card& card, Time now) {
  const p11::TokenInfo& token = card.token();
  if (token.login_required && token.pin == PinState::locked) return fail(Fault::pin_locked, "card: PIN");
  if (token.login_required && !token.protected_path && token.pin == PinState::not_set) {
    return fail(Fault::card_unsuitable, "card: PIN", "its PIN has not been set");
  }
  const pki::Certificate& certificate = card.certificate();
  if (now > certificate.not_after()) return fail(Fault::certificate_expired, "card: certificate", "the card's");
  if (now < certificate.not_before()) return fail(Fault::certificate_not_yet_valid, "card: certificate", "the card's");
  return {};
}

/// Marks the cards if several fit: a login would not choose for the listener.
void mark_rivals(SeenModule& module) {
  const auto fits = [](const SeenSlot& slot) {
    return std::ranges::count(slot.certificates, true, &SeenCertificate::meant) == 1 &&
           std::ranges::find(slot.remarks, CardRemark::not_asked_for, &Remark::what) == slot.remarks.end();
  };
  if (std::ranges::count_if(module.slots, fits) < 2) return;
  for (SeenSlot& slot : module.slots) {
    if (fits(slot)) slot.remarks.push_back({CardRemark::ambiguous});
  }
}

/// Does what a login would do with this module, and marks the card that it opens.
Result<Card> try_module(SeenModule& module, CardOptions options, Time now) {
  if (module.trouble) return std::unexpected(*module.trouble);
  options.modules = {module.path};
  options.now = now;
  Result<Card> card = Card::open(options);
  if (!card) {
    mark_rivals(module);
    return card;
  }
  const auto slot = std::ranges::find(module.slots, card->token().slot, [](const SeenSlot& s) { return s.slot.slot; });
  if (slot != module.slots.end()) slot->taken = true;
  return card;
}

}  // namespace

std::string_view code_of(CardRemark remark) noexcept { return row_of(remark).code; }

std::string explain(const Remark& remark) {
  const Row& row = row_of(remark.what);
  std::string text(row.sentence);
  if (!remark.about.empty()) {
    text.pop_back();  // the full stop
    text.append(" (").append(remark.about).append(").");
  }
  return text.append(" ").append(row.advice);
}

Result<CardSurvey> survey_cards(const CardOptions& options, Time now) {
  USHER_TRY(const std::vector<std::string> modules, modules_of(options));
  CardSurvey survey;
  std::vector<Error> errors;
  bool taken = false;
  for (const std::string& path : modules) {
    SeenModule& module = survey.modules.emplace_back(see(options, path, now));
    if (taken) continue;
    if (const Result<Card> card = try_module(module, options, now)) {
      taken = true;
      survey.usable = check_usable(*card, now);
    } else {
      errors.push_back(card.error());
    }
  }
  if (!taken) survey.usable = std::unexpected(farthest(std::move(errors), modules));
  return survey;
}

}  // namespace usher::card

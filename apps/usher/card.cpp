#include "card.h"

#include <algorithm>
#include <cstdio>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/display.h"
#include "base/encoding.h"
#include "common/output.h"
#include "json.h"
#include "login.h"

namespace usher::cli {
namespace {

using card::Remark;
using card::SeenCertificate;
using card::SeenModule;
using card::SeenSlot;
using pki::Certificate;

std::string day_of(Time time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string or_unnamed(const std::string& name) { return name.empty() ? "(no name)" : printable(name); }

void add_remarks(std::string& out, const std::vector<Remark>& remarks, std::string_view indent) {
  for (const Remark& remark : remarks) out += fmt::format("{}! {}\n", indent, printable(explain(remark)));
}

std::string certificate_text(const SeenCertificate& seen) {
  std::string out = fmt::format("      {}: ", or_unnamed(seen.label));
  if (!seen.certificate) return out + "cannot be read\n";
  const Certificate& certificate = *seen.certificate;
  out += fmt::format("of {}, from {}, {} to {}", or_unnamed(certificate.common_name()),
                     or_unnamed(certificate.issuer_field("CN").value_or("")), day_of(certificate.not_before()),
                     day_of(certificate.not_after()));
  if (certificate.is_ca()) out += " (an authority)";
  if (seen.meant) out += " (the person's, " + to_hex(View(certificate.fingerprint()).first(8)) + ")";
  return out + "\n";
}

std::string pin_text(const card::p11::TokenInfo& token) {
  if (!token.login_required) return "not asked for";
  const std::string_view words = card::p11::words(token.pin);
  return fmt::format("{}{}", words.empty() ? "in order" : words.substr(0, words.size() - 1),
                     token.protected_path ? "; it is entered at the reader" : "");
}

std::string slot_text(const SeenSlot& seen) {
  std::string out = fmt::format("  Slot {}: {}\n", seen.slot.slot, or_unnamed(seen.slot.description));
  if (seen.token && seen.token->initialised) {
    const card::p11::TokenInfo& token = *seen.token;
    out += fmt::format("    Card \"{}\" of {}, {}, serial number {}{}\n", printable(token.label),
                       or_unnamed(token.manufacturer), or_unnamed(token.model), or_unnamed(token.serial),
                       seen.taken ? "   <- a login takes this one" : "");
    out += fmt::format("    PIN: {}.\n", pin_text(token));
    if (!seen.certificates.empty()) out += "    Certificates:\n";
    for (const SeenCertificate& certificate : seen.certificates) out += certificate_text(certificate);
  }
  add_remarks(out, seen.remarks, "    ");
  return out;
}

std::string module_text(const SeenModule& seen) {
  std::string out = fmt::format("Module {}{}\n", printable(seen.path),
                                seen.description.empty() ? "" : fmt::format(" ({})", printable(seen.description)));
  for (const SeenSlot& slot : seen.slots) out += slot_text(slot);
  add_remarks(out, seen.remarks, "  ");
  return out;
}

}  // namespace

std::string survey_text(const card::CardSurvey& survey, std::size_t columns) {
  std::string out;
  for (const SeenModule& module : survey.modules) out += module_text(module);
  for (const SeenModule& module : survey.modules) {
    const auto taken = std::ranges::find(module.slots, true, &SeenSlot::taken);
    if (taken == module.slots.end() || !survey.usable) continue;
    out += fmt::format("A login can use the card \"{}\" in slot {}, through {}.\n", printable(taken->token->label),
                       taken->slot.slot, printable(module.path));
  }
  std::string fitted;
  for (std::string_view rest = out; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    // Continuation lines are indented deeper than the line's beginning.
    fitted += wrapped(line, columns, line.find_first_not_of(' ') + 4) + "\n";
  }
  return fitted;
}

Result<> do_card(Context& context) {
  USHER_TRY(const Config config, load_config(context.options, context.environment));
  USHER_TRY(const card::CardOptions options, card_options(config));
  USHER_TRY(card::CardSurvey survey, card::survey_cards(options, context.clock.now()));
  const std::string text =
      context.options.json ? survey_json(survey) + "\n" : survey_text(survey, app::terminal_columns(STDOUT_FILENO));
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  return std::move(survey.usable);
}

}  // namespace usher::cli

#include "json.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/encoding.h"
#include "common/json.h"

namespace usher::cli {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }

json::object who_object(const client::PersonInfo& who) {
  return {{"server", text(who.server)},
          {"server_id", text(who.server_id)},
          {"person", text(who.name)},
          {"pseudonym", text(who.pseudonym)},
          {"suite", text(who.suite)}};
}

json::object item_object(const client::CatalogueItem& item) {
  json::object out{{"number", item.number}, {"medium", text(to_hex(item.id))}};
  if (!item.medium) {
    out["error"] = app::json_of(item.medium.error());
    return out;
  }
  const media::Manifest& manifest = item.medium->manifest();
  out["title"] = text(manifest.title);
  out["artist"] = text(manifest.artist);
  out["album"] = text(manifest.album);
  out["description"] = text(manifest.description);
  out["media_type"] = text(manifest.media_type);
  out["kind"] = manifest.kind == media::MediaKind::video ? "video" : "audio";
  out["duration_ms"] = manifest.duration_ms;
  out["size"] = manifest.size;
  out["distributor"] = text(manifest.distributor);
  out["signer"] = text(item.medium->signer());
  out["manifest_sha256"] = text(to_hex(item.medium->hash()));
  return out;
}

/// Null if the catalogue does not have the medium, or the medium cannot be trusted.
json::value title_of(const std::vector<client::CatalogueItem>& catalogue, const Id128& medium) {
  const auto item = std::ranges::find(catalogue, medium, &client::CatalogueItem::id);
  if (item == catalogue.end() || !item->medium) return nullptr;
  return text(item->medium->manifest().title);
}

void add_licences(json::object& out, const client::Overview& overview) {
  json::array licences;
  for (const client::HeldLicence& held : overview.licences) {
    json::object licence = app::json_of(held.terms, held.entry);
    licence["title"] = title_of(overview.catalogue, held.terms.medium);
    licences.push_back(std::move(licence));
  }
  json::array differences;
  for (const client::Difference& difference : overview.differences) {
    differences.push_back(json::object{{"kind", text(client::name_of(difference.kind))},
                                       {"licence", text(difference.licence)},
                                       {"message", text(difference.sentence)}});
  }
  out["licences"] = std::move(licences);
  out["differences"] = std::move(differences);
}

std::string_view name_of(card::p11::PinState state) noexcept {
  using enum card::p11::PinState;
  switch (state) {
    case ok:
      return "ok";
    case low:
      return "low";
    case last_try:
      return "last-try";
    case locked:
      return "locked";
    case not_set:
      return "not-set";
  }
  return "";
}

json::array remark_array(const std::vector<card::Remark>& remarks) {
  json::array out;
  for (const card::Remark& remark : remarks) {
    out.push_back(json::object{{"code", text(code_of(remark.what))}, {"message", text(printable(explain(remark)))}});
  }
  return out;
}

json::object certificate_object(const card::SeenCertificate& seen) {
  json::object out{{"label", text(seen.label)}, {"readable", seen.certificate.has_value()}, {"meant", seen.meant}};
  if (!seen.certificate) return out;
  const pki::Certificate& certificate = *seen.certificate;
  out["name"] = text(certificate.common_name());
  out["issuer"] = text(certificate.issuer_field("CN").value_or(""));
  out["not_before"] = app::iso_time(certificate.not_before());
  out["not_after"] = app::iso_time(certificate.not_after());
  out["authority"] = certificate.is_ca();
  out["sha256"] = text(to_hex(certificate.fingerprint()));
  return out;
}

json::object card_object(const card::SeenSlot& seen) {
  const card::p11::TokenInfo& token = *seen.token;
  json::array certificates;
  for (const card::SeenCertificate& certificate : seen.certificates)
    certificates.push_back(certificate_object(certificate));
  return {{"label", text(token.label)},
          {"manufacturer", text(token.manufacturer)},
          {"model", text(token.model)},
          {"serial", text(token.serial)},
          {"initialised", token.initialised},
          {"pin", text(name_of(token.pin))},
          {"pin_asked_for", token.login_required},
          {"pin_at_reader", token.protected_path},
          {"certificates", std::move(certificates)}};
}

json::object slot_object(const card::SeenSlot& seen) {
  return {{"slot", seen.slot.slot},
          {"reader", text(seen.slot.description)},
          {"card", seen.token ? json::value(card_object(seen)) : json::value(nullptr)},
          {"taken", seen.taken},
          {"remarks", remark_array(seen.remarks)}};
}

json::object module_object(const card::SeenModule& seen) {
  json::array slots;
  for (const card::SeenSlot& slot : seen.slots) slots.push_back(slot_object(slot));
  return {{"module", text(printable(seen.path))},
          {"description", text(seen.description)},
          {"slots", std::move(slots)},
          {"remarks", remark_array(seen.remarks)}};
}

}  // namespace

std::string overview_json(const client::PersonInfo& who, const client::Overview& overview) {
  json::object out = who_object(who);
  json::array catalogue;
  for (const client::CatalogueItem& item : overview.catalogue) catalogue.push_back(item_object(item));
  out["catalogue"] = std::move(catalogue);
  add_licences(out, overview);
  return json::serialize(out);
}

std::string licences_json(const client::PersonInfo& who, const client::Overview& overview) {
  json::object out = who_object(who);
  add_licences(out, overview);
  return json::serialize(out);
}

std::string licence_json(const std::vector<client::CatalogueItem>& catalogue, const client::HeldLicence& held) {
  json::object out = app::json_of(held.terms, held.entry);
  out["title"] = title_of(catalogue, held.terms.medium);
  return json::serialize(out);
}

std::string login_json(const client::PersonInfo& who, Time not_after) {
  json::object out = who_object(who);
  out["expires"] = app::iso_time(not_after);
  return json::serialize(out);
}

std::string report_json(const client::PlayReport& report) {
  const bool counted = report.plays_left != wire::kNoLimit;
  return json::serialize(json::object{{"finished", report.finished},
                                      {"resumed", report.resumed},
                                      {"committed", report.committed},
                                      {"refunded", report.refunded},
                                      {"elapsed_ms", report.elapsed_ms},
                                      {"plays_left", counted ? json::value(report.plays_left) : json::value(nullptr)},
                                      {"licence", text(to_hex(report.licence))}});
}

std::string fetched_json(const client::FetchedFile& file, double seconds) {
  return json::serialize(json::object{{"name", text(file.name)},
                                      {"file", text(file.target.string())},
                                      {"size", file.bytes},
                                      {"received", file.received},
                                      {"sha256", text(to_hex(file.sha256))},
                                      {"sealed", file.sealed},
                                      {"seconds", seconds},
                                      {"verified", file.verified}});
}

std::string listed_json(const client::ListedFile& file) {
  return json::serialize(json::object{{"name", text(file.name)}, {"size", file.size}, {"changed_at", text(file.time)}});
}

std::string opened_json(const media::OpenedFile& file, std::string_view name) {
  return json::serialize(json::object{{"file", text(name)},
                                      {"size", file.bytes},
                                      {"sha256", text(to_hex(file.digest))},
                                      {"suite", file.suite == media::Suite::aes256_gcm ? "gcm" : "ctr"}});
}

std::string survey_json(const card::CardSurvey& survey) {
  json::array modules;
  for (const card::SeenModule& module : survey.modules) modules.push_back(module_object(module));
  return json::serialize(json::object{{"usable", survey.usable.has_value()}, {"modules", std::move(modules)}});
}

}  // namespace usher::cli

// Surveys one module in this process (identity.md §9.9).
#include <algorithm>

#include "card/card_service.h"

namespace usher::card {
namespace {

using p11::Module;
using p11::Object;
using p11::ObjectClass;
using p11::TokenSession;

/// Finds keys without a certificate and certificates without a key. Most cards show their public keys only.
Result<> match_keys(const TokenSession& session, SeenSlot& seen) {
  std::vector<Object> keys;
  for (const ObjectClass kind : {ObjectClass::public_key, ObjectClass::private_key}) {
    USHER_TRY(const std::vector<Object> some, session.find({kind, {}, {}}));
    keys.insert(keys.end(), some.begin(), some.end());
  }
  seen.bare_key = std::ranges::any_of(keys, [&](const Object& key) {
    return std::ranges::find(seen.certificates, key.id, &SeenCertificate::id) == seen.certificates.end();
  });
  for (SeenCertificate& one : seen.certificates) {
    one.keyless = !keys.empty() && !one.id.empty() && std::ranges::find(keys, one.id, &Object::id) == keys.end();
  }
  return {};
}

/// `room`: bytes left for the answer. The list ends before the first certificate that does not fit.
Result<> look_into(const Module& module, SeenSlot& seen, std::size_t& room) {
  USHER_TRY(const TokenSession session, module.open(seen.slot.slot));
  USHER_TRY(const std::vector<Object> objects, session.find({ObjectClass::certificate, {}, {}}));
  for (const Object& object : objects) {
    const auto der = session.value_of(object.handle);
    if (!der && der.error().fault != Fault::too_long) return std::unexpected(der.error());
    SeenCertificate certificate{.label = object.label, .id = object.id};
    if (auto parsed = der ? pki::Certificate::from_der(*der) : fail(Fault::too_long, "card: certificate")) {
      certificate.certificate = *std::move(parsed);
    }
    const std::size_t size = (der ? der->size() : 0) + object.label.size() + object.id.size();
    if (size > room) break;
    room -= size;
    seen.certificates.push_back(std::move(certificate));
  }
  USHER_TRY(seen.schemes, module.schemes(seen.slot.slot));
  return match_keys(session, seen);
}

SeenSlot look_at(const Module& module, const p11::SlotInfo& slot, std::size_t& room) {
  SeenSlot seen{.slot = slot};
  if (!slot.token_present) return seen;
  auto token = module.token(slot.slot);
  if (!token) {
    seen.trouble = std::move(token).error();
    return seen;
  }
  seen.token = *std::move(token);
  if (!seen.token->initialised) return seen;
  if (auto looked = look_into(module, seen, room); !looked) seen.trouble = std::move(looked).error();
  return seen;
}

}  // namespace

Result<SeenModule> survey_module(const std::string& path) {
  USHER_TRY(const Module module, Module::load(path));
  USHER_TRY(const std::vector<p11::SlotInfo> slots, module.slots());
  SeenModule seen{.path = path, .description = module.description()};
  std::size_t room = kMaxSeen;
  for (const p11::SlotInfo& slot : slots) seen.slots.push_back(look_at(module, slot, room));
  return seen;
}

}  // namespace usher::card

// licence/payload: the JSON of a licence document.  Spec: licence.md §2.3.
#include <array>
#include <boost/json.hpp>

#include "base/encoding.h"
#include "licence/licence.h"

namespace usher::licence {
namespace {

namespace json = boost::json;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMembers = 12;

void add(std::string& out, std::string_view name, std::string_view value) {
  out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
}
void add_text(std::string& out, std::string_view name, std::string_view value) {
  add(out, name, std::string{"\""}.append(value).append("\""));
}
void add_number(std::string& out, std::string_view name, std::optional<std::int64_t> value) {
  add(out, name, value ? std::to_string(*value) : "null");
}

/// Reads members one by one. After a member that is missing or has another type, ok() is false.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  template <std::size_t N>
  std::array<std::uint8_t, N> hex(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr || !value->is_string() || value->get_string().size() != N * 2)
      return refuse(), std::array<std::uint8_t, N>{};
    const auto bytes = from_hex(std::string_view{value->get_string()});
    if (!bytes) return refuse(), std::array<std::uint8_t, N>{};
    return array_of<N>(*bytes);
  }
  std::optional<Hash256> hash_or_null(std::string_view name) {
    if (is_null(name)) return std::nullopt;
    return hex<32>(name);
  }
  std::string text(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr || !value->is_string()) return refuse(), std::string{};
    return std::string{std::string_view{value->get_string()}};
  }
  std::int64_t number(std::string_view name) {
    const json::value* value = find(name);
    if (value == nullptr || !value->is_int64()) return refuse(), 0;
    return value->get_int64();
  }
  std::optional<std::int64_t> number_or_null(std::string_view name) {
    if (is_null(name)) return std::nullopt;
    return number(name);
  }

  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  const json::value* find(std::string_view name) const {
    return object_.if_contains(json::string_view{name.data(), name.size()});
  }
  bool is_null(std::string_view name) const {
    const json::value* value = find(name);
    return value != nullptr && value->is_null();
  }
  void refuse() noexcept { ok_ = false; }

  const json::object& object_;
  bool ok_ = true;
};

Result<json::value> parse(std::string_view payload) {
  json::parse_options options;
  options.max_depth = 1;
  json::error_code error;
  json::value value = json::parse(json::string_view{payload.data(), payload.size()}, error, {}, options);
  if (error) return fail(Fault::malformed, "licence: payload");
  if (!value.is_object()) return fail(Fault::malformed, "licence: payload");
  return value;
}

}  // namespace

std::string encode_terms(const LicenceTerms& terms) {
  std::string out;
  add_number(out, "version", kVersion);
  add_text(out, "id", to_hex(terms.id));
  add_text(out, "server", terms.server);
  add_text(out, "pseudonym", to_hex(terms.pseudonym));
  if (terms.installation) {
    add_text(out, "installation", to_hex(*terms.installation));
  } else {
    add(out, "installation", "null");
  }
  add_text(out, "manifest", to_hex(terms.manifest));
  add_text(out, "medium", to_hex(terms.medium));
  add_number(out, "plays", terms.plays ? std::optional<std::int64_t>{*terms.plays} : std::nullopt);
  add_number(out, "not_before", terms.not_before);
  add_number(out, "expires", terms.expires);
  add_number(out, "window_after_first_play", terms.window_after_first_play);
  add_number(out, "issued_at", terms.issued_at);
  out.append("}");
  return out;
}

Result<LicenceTerms> decode_terms(std::string_view payload) {
  if (payload.size() > kMaxDocument) return fail(Fault::too_long, "licence: payload");
  USHER_TRY(const json::value value, parse(payload));
  Members members(value.get_object());
  const std::int64_t version = members.number("version");
  if (members.ok() && version != kVersion) return fail(Fault::unsupported, "licence: version");
  if (value.get_object().size() != kMembers) return fail(Fault::malformed, "licence: members");

  LicenceTerms terms;
  terms.id = members.hex<16>("id");
  terms.server = members.text("server");
  terms.pseudonym = members.hex<32>("pseudonym");
  terms.installation = members.hash_or_null("installation");
  terms.manifest = members.hex<32>("manifest");
  terms.medium = members.hex<16>("medium");
  const auto plays = members.number_or_null("plays");
  terms.not_before = members.number("not_before");
  terms.expires = members.number_or_null("expires");
  terms.window_after_first_play = members.number_or_null("window_after_first_play");
  terms.issued_at = members.number("issued_at");
  if (!members.ok()) return fail(Fault::malformed, "licence: member");

  if (plays && (*plays < 1 || *plays > kMaxPlays)) return fail(Fault::malformed, "licence: plays");
  if (plays) terms.plays = static_cast<std::uint32_t>(*plays);
  USHER_CHECK(check_terms(terms));
  // Each value has one text. So another order, spaces, escapes, upper case and a repeated member are all refused here.
  if (encode_terms(terms) != payload) return fail(Fault::malformed, "licence: not the exact serialisation");
  return terms;
}

}  // namespace usher::licence

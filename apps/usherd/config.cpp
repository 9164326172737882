#include "config.h"

#include <algorithm>
#include <charconv>

#include <toml++/toml.h>

#include "base/os_error.h"
#include "channel/suite.h"
#include "licence/terms.h"
#include "net/http_server.h"

namespace usher::usherd {
namespace {

template <class... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

std::unexpected<Error> refuse(std::string_view where, std::string_view key, std::string_view what) {
  std::string about(where);
  about += ": ";
  about += key;
  about += ' ';
  about += what;
  return fail(Fault::bad_config, "config", std::move(about));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

bool is_choice(std::string_view choices, const std::string& value) {
  if (choices.empty()) return true;
  const auto allowed = split(choices, '|');
  return std::ranges::find(allowed, value) != allowed.end();
}

std::string at_line(const std::filesystem::path& file, const toml::source_region& source) {
  return file.string() + ":" + std::to_string(source.begin.line);
}

std::optional<Value> value_from(const toml::node& node) {
  if (const auto* text = node.as_string()) return Value(text->get());
  if (const auto* number = node.as_integer()) return Value(number->get());
  if (const auto* flag = node.as_boolean()) return Value(flag->get());
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    texts.push_back(text->get());
  }
  return Value(std::move(texts));
}

Result<> read_table(Config& config, const toml::table& table, const std::string& prefix,
                    const std::filesystem::path& file) {
  for (const auto& [name, node] : table) {
    std::string path = prefix;
    if (!path.empty()) path += '.';
    path += name.str();
    const std::string where = at_line(file, node.source());
    const bool section = std::ranges::any_of(keys(), [&](const Key& key) { return key.name.starts_with(path + "."); });
    if (const auto* inner = node.as_table(); inner != nullptr && section) {
      USHER_CHECK(read_table(config, *inner, path, file));
      continue;
    }
    const Key* key = key_of(path);
    if (key == nullptr)
      return refuse(where, path, section ? "is a section, not a value" : "is not a key that usherd knows");
    const auto value = value_from(node);
    if (!value) return refuse(where, path, "is neither text, a number, true, false nor a list of texts");
    USHER_CHECK(set_value(config, *key, *value, where));
  }
  return {};
}

template <class T>
Result<> all_ok(std::string_view key, const Result<T>& result) {
  if (result) return {};
  return refuse(key, "", result.error().about);
}

}  // namespace

std::filesystem::path Config::path_of(const std::string& value) const {
  return value.empty() ? std::filesystem::path() : (file.parent_path() / value).lexically_normal();
}

Result<> set_value(Config& config, const Key& key, const Value& value, std::string_view where) {
  return std::visit(
      Overload{[&](bool* (*slot)(Config&)) -> Result<> {
                 const bool* flag = std::get_if<bool>(&value);
                 if (flag == nullptr) return refuse(where, key.name, "must be true or false");
                 *slot(config) = *flag;
                 return {};
               },
               [&](std::int64_t* (*slot)(Config&)) -> Result<> {
                 const auto* number = std::get_if<std::int64_t>(&value);
                 if (number == nullptr || *number < key.min || *number > key.max) {
                   return refuse(where, key.name,
                                 "must be a number from " + std::to_string(key.min) + " to " + std::to_string(key.max));
                 }
                 *slot(config) = *number;
                 return {};
               },
               [&](std::string* (*slot)(Config&)) -> Result<> {
                 const auto* text = std::get_if<std::string>(&value);
                 if (text == nullptr) return refuse(where, key.name, "must be text");
                 if (!is_choice(key.choices, *text)) {
                   return refuse(where, key.name, "must be one of " + std::string(key.choices));
                 }
                 *slot(config) = *text;
                 return {};
               },
               [&](std::vector<std::string>* (*slot)(Config&)) -> Result<> {
                 const auto* texts = std::get_if<std::vector<std::string>>(&value);
                 if (texts == nullptr) return refuse(where, key.name, "must be a list of texts");
                 *slot(config) = *texts;
                 return {};
               }},
      key.slot);
}

Result<> set_text(Config& config, const Key& key, std::string_view text, std::string_view where) {
  Value value = std::string(text);
  if (std::holds_alternative<bool* (*)(Config&)>(key.slot)) {
    if (text == "true" || text == "false") value = text == "true";
  } else if (std::holds_alternative<std::int64_t* (*)(Config&)>(key.slot)) {
    std::int64_t number = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (bad == std::errc{} && end == text.data() + text.size()) value = number;
  } else if (std::holds_alternative<std::vector<std::string>* (*)(Config&)>(key.slot)) {
    value = split(text, ',');
  }
  return set_value(config, key, value, where);
}

Value value_of(const Config& config, const Key& key) {
  Config copy = config;
  return std::visit([&](auto slot) { return Value(*slot(copy)); }, key.slot);
}

Result<> read_toml(Config& config, const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return fail(Fault::not_found, "config", file.string());
  config.file = std::filesystem::absolute(file, ignored);
  try {
    const toml::table table = toml::parse_file(file.string());
    return read_table(config, table, "", file);
  } catch (const toml::parse_error& error) {
    return fail(Fault::bad_config, "config: syntax",
                at_line(file, error.source()) + ": " + std::string(error.description()));
  }
}

Result<> read_environment(Config& config, char** environment) {
  static constexpr std::string_view kPrefix = "USHER_";
  // Of usher's other programs and of its scripts; a misspelt key is told from them.
  static constexpr std::array<std::string_view, 8> kOthers{"USHER_HOME",        "USHER_CA_HOME",      "USHER_JOBS",
                                                           "USHER_CONFORMANCE", "USHER_TEST_TIMEOUT", "USHER_MODULE",
                                                           "USHER_PROFILE",     "USHER_PLAYER"};
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with(kPrefix) || name.size() == text.size()) continue;
    const auto key = std::ranges::find_if(keys(), [&](const Key& candidate) { return variable_of(candidate) == name; });
    if (key != keys().end()) {
      USHER_CHECK(set_text(config, *key, text.substr(name.size() + 1), name));
      continue;
    }
    const bool section = std::ranges::any_of(keys(), [&](const Key& candidate) {
      const std::string variable = variable_of(candidate);
      return name.starts_with(variable.substr(0, variable.find('_', kPrefix.size()) + 1));
    });
    if (section && std::ranges::find(kOthers, name) == kOthers.end()) {
      return refuse("environment", name, "is not a key that usherd knows");
    }
  }
  return {};
}

Result<> apply_settings(Config& config, std::span<const Setting> settings) {
  for (const auto& [name, value] : settings) {
    const Key* key = key_of(name);
    if (key == nullptr) return refuse("command line", name, "is not a key that usherd knows");
    USHER_CHECK(set_text(config, *key, value, "command line"));
  }
  return {};
}

Result<> check(const Config& config) {
  if (!licence::is_server_id(config.id)) {
    return refuse("server.id", "", "must be 1 to 255 printable ASCII characters without space, \" and \\");
  }
  for (const auto* list : {&config.listen, &config.operator_listen}) {
    for (const std::string& text : *list) USHER_CHECK(net::Endpoint::from_text(text));
  }
  if (config.listen.empty()) return refuse("server.listen", "", "must name an address");
  if (!config.suites.empty()) USHER_CHECK(all_ok("channel.suites", channel::suite_order(config.suites)));
  if (!config.groups.empty()) USHER_CHECK(all_ok("channel.groups", channel::group_order(config.groups)));
  if (config.licence_retired.size() > 7) return refuse("keys.licence_retired", "", "must be 7 keys at most");
  if (config.client.anchors.empty()) return refuse("trust.client.anchors", "", "must name a file");
  if (config.citizen.trust.anchors.empty() && config.generic.trust.anchors.empty()) {
    return refuse("person", "", "needs anchors for cartao-de-cidadao or generic");
  }
  return {};
}

}  // namespace usher::usherd

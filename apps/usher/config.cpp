#include "config.h"

#include <algorithm>
#include <charconv>

#include <toml++/toml.h>
#include <boost/json.hpp>

namespace usher::listening {
namespace {

using Texts = std::vector<std::string>;

std::unexpected<Error> refuse(std::string_view where, std::string_view key, std::string_view what) {
  std::string about(where);
  about.append(": ").append(key).append(" ").append(what);
  return fail(Fault::bad_config, "config", std::move(about));
}

Texts split(std::string_view text, char separator) {
  Texts parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

std::optional<Value> value_from(const toml::node& node) {
  if (const auto* text = node.as_string()) return Value(text->get());
  if (const auto* number = node.as_integer()) return Value(number->get());
  if (const auto* flag = node.as_boolean()) return Value(flag->get());
  const auto* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  Texts texts;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    texts.push_back(text->get());
  }
  return Value(std::move(texts));
}

std::string at_line(const std::filesystem::path& file, const toml::source_region& source) {
  return file.string() + ":" + std::to_string(source.begin.line);
}

Result<> read_table(Config& config, const toml::table& table, const std::string& prefix,
                    const std::filesystem::path& file) {
  for (const auto& [name, node] : table) {
    const std::string path = (prefix.empty() ? "" : prefix + ".") + std::string(name.str());
    const std::string where = at_line(file, node.source());
    const bool section = std::ranges::any_of(keys(), [&](const Key& key) { return key.name.starts_with(path + "."); });
    if (const auto* inner = node.as_table(); inner != nullptr && section) {
      USHER_CHECK(read_table(config, *inner, path, file));
      continue;
    }
    const Key* key = key_of(path);
    if (key == nullptr)
      return refuse(where, path, section ? "is a section, not a value" : "is not a key that usher knows");
    auto value = value_from(node);
    if (!value) return refuse(where, path, "is neither text, a number, true, false nor a list of texts");
    USHER_CHECK(set_value(config, *key, *std::move(value), where));
  }
  return {};
}

/// What a key's value has to be, where `value` is not of its kind.
template <class T>
std::string_view kind_name() {
  if constexpr (std::is_same_v<T, bool>) return "must be true or false";
  if constexpr (std::is_same_v<T, std::int64_t>) return "must be a number";
  if constexpr (std::is_same_v<T, std::string>) return "must be text";
  return "must be a list of texts";
}

std::string toml_of(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  const auto quoted = [](const std::string& text) { return boost::json::serialize(boost::json::string(text)); };
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string out = "[";
  for (const std::string& text : std::get<Texts>(value)) out += (out.size() > 1 ? ", " : "") + quoted(text);
  return out + "]";
}

boost::json::value json_of(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return boost::json::string(*text);
  boost::json::array out;
  for (const std::string& text : std::get<Texts>(value)) out.emplace_back(text);
  return out;
}

}  // namespace

std::filesystem::path Config::path_of(const std::string& value) const {
  return value.empty() ? std::filesystem::path() : (folder / value).lexically_normal();
}

Result<> set_value(Config& config, const Key& key, Value value, std::string_view where) {
  if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && key.max > 0) {
    if (*number < key.min || *number > key.max) {
      return refuse(where, key.name,
                    "must be a number from " + std::to_string(key.min) + " to " + std::to_string(key.max));
    }
  }
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !key.choices.empty()) {
    if (std::ranges::count(split(key.choices, '|'), *text) == 0) {
      return refuse(where, key.name, "must be one of " + std::string(key.choices));
    }
  }
  return std::visit(
      [&](auto slot) -> Result<> {
        using T = std::remove_pointer_t<decltype(slot(config))>;
        T* right = std::get_if<T>(&value);
        if (right == nullptr) return refuse(where, key.name, kind_name<T>());
        *slot(config) = std::move(*right);
        return {};
      },
      key.slot);
}

Result<> set_text(Config& config, const Key& key, std::string_view text, std::string_view where) {
  const auto absolute = [&](const std::string& path) {
    return key.path && !path.empty() ? std::filesystem::absolute(path).string() : path;
  };
  Value value = absolute(std::string(text));
  if (std::holds_alternative<bool* (*)(Config&)>(key.slot)) {
    if (text == "true" || text == "false") value = text == "true";
  } else if (std::holds_alternative<std::int64_t* (*)(Config&)>(key.slot)) {
    std::int64_t number = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (bad == std::errc{} && end == text.data() + text.size()) value = number;
  } else if (std::holds_alternative<Texts* (*)(Config&)>(key.slot)) {
    Texts parts = split(text, ',');
    std::ranges::transform(parts, parts.begin(), absolute);
    value = std::move(parts);
  }
  return set_value(config, key, std::move(value), where);
}

Value value_of(const Config& config, const Key& key) {
  Config copy = config;
  return std::visit([&](auto slot) { return Value(*slot(copy)); }, key.slot);
}

Result<> read_toml(Config& config, const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return fail(Fault::not_found, "config", file.string());
  try {
    return read_table(config, toml::parse_file(file.string()), "", file);
  } catch (const toml::parse_error& error) {
    return fail(Fault::bad_config, "config: syntax",
                at_line(file, error.source()) + ": " + std::string(error.description()));
  }
}

Result<> read_environment(Config& config, char** environment) {
  // The short ones stand for what is changed most often. Sections that usherd has too are not searched for mistakes.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kShort{
      {{"USHER_MODULE", "card.modules"}, {"USHER_PROFILE", "card.profile"}, {"USHER_PLAYER", "player.command"}}};
  constexpr std::array<std::string_view, 4> kOwn{"USHER_CONNECTION_", "USHER_INSTALLATION_", "USHER_CARD_",
                                                 "USHER_PLAYER_"};
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with("USHER_") || name.size() == text.size()) continue;
    const std::string_view value = text.substr(name.size() + 1);
    const auto alias = std::ranges::find(kShort, name, &std::pair<std::string_view, std::string_view>::first);
    const auto key = std::ranges::find_if(keys(), [&](const Key& candidate) {
      return variable_of(candidate) == name || (alias != kShort.end() && candidate.name == alias->second);
    });
    if (key != keys().end()) {
      USHER_CHECK(set_text(config, *key, value, name));
    } else if (std::ranges::any_of(kOwn, [&](std::string_view own) { return name.starts_with(own); })) {
      return refuse("environment", name, "is not a key that usher knows");
    }
  }
  return {};
}

std::string to_toml(const Config& config) {
  std::string out;
  std::string_view section;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.rfind('.');
    if (key.name.substr(0, dot) != section) {
      section = key.name.substr(0, dot);
      out += (out.empty() ? "[" : "\n[") + std::string(section) + "]\n";
    }
    out += "# " + std::string(key.help) + (key.choices.empty() ? "" : " (" + std::string(key.choices) + ")") + "\n";
    out += std::string(key.name.substr(dot + 1)) + " = " + toml_of(value_of(config, key)) + "\n";
  }
  return out;
}

std::string to_json(const Config& config) {
  boost::json::object out;
  for (const Key& key : keys()) out[{key.name.data(), key.name.size()}] = json_of(value_of(config, key));
  return boost::json::serialize(out);
}

}  // namespace usher::listening

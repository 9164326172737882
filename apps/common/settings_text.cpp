#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/settings.h"

namespace usher::app {
namespace {

/// All escapes of JSON are also valid in TOML.
std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

std::string toml_of(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string out = "[";
  for (const std::string& text : std::get<Texts>(value)) {
    if (out.size() > 1) out += ", ";
    out += quoted(text);
  }
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

std::string markdown_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->empty() ? "none" : *text;
  const auto* texts = std::get_if<Texts>(&value);
  if (texts == nullptr) return toml_of(value);
  return texts->empty() ? "none" : fmt::format("{}", fmt::join(*texts, ", "));
}

std::string allowed_of(const Key& key) {
  if (key.max == std::numeric_limits<std::int64_t>::max()) return fmt::format("{} or more", key.min);
  if (key.max > key.min) return fmt::format("{} to {}", key.min, key.max);
  std::string out;
  for (const char c : key.choices) c == '|' ? out += ", " : out += c;
  return out;
}

}  // namespace

std::string Settings::table_json() const {
  boost::json::array out;
  for (const Key& key : keys_) {
    out.push_back(boost::json::object{{"key", key.name},
                                      {"default", json_of(key.value())},
                                      {"allowed", allowed_of(key)},
                                      {"reloaded", reloads_ && key.reloaded},
                                      {"meaning", key.help}});
  }
  return boost::json::serialize(out);
}

std::string Settings::table_markdown() const {
  std::string out;
  for (const Key& key : keys_) {
    const std::string_view reload = !reloads_ ? "" : key.reloaded ? "yes | " : "no | ";
    out += fmt::format("| `{}` | {} | {} | {}{} |\n", key.name, markdown_of(key.value()), allowed_of(key), reload,
                       key.help);
  }
  return out;
}

std::string Settings::to_toml(const Settings* defaults) const {
  std::string out;
  std::string_view section;
  for (const Key& key : keys_) {
    const std::string_view name = key.name;
    const std::size_t dot = name.rfind('.');
    if (name.substr(0, dot) != section) {
      section = name.substr(0, dot);
      out += (out.empty() ? "[" : "\n[") + std::string(section) + "]\n";
    }
    out += "# " + std::string(key.help);
    if (!key.choices.empty()) out += " (" + std::string(key.choices) + ")";
    out += '\n';
    const Key* normal = defaults == nullptr ? nullptr : defaults->find(key.name);
    if (normal != nullptr && !key.decided && normal->value() == key.value()) out += '#';
    out += std::string(name.substr(dot + 1)) + " = " + toml_of(key.value()) + '\n';
  }
  return out;
}

std::string Settings::to_json() const {
  boost::json::object out;
  for (const Key& key : keys_) out[key.name] = json_of(key.value());
  return boost::json::serialize(out);
}

}  // namespace usher::app

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "config.h"

namespace usher::usherd {
namespace {

std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::string(text)); }

std::string toml_of(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string out = "[";
  for (const std::string& text : std::get<std::vector<std::string>>(value)) {
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
  for (const std::string& text : std::get<std::vector<std::string>>(value)) out.emplace_back(text);
  return out;
}

}  // namespace

std::string to_toml(const Config& config, bool commented_defaults) {
  const Config defaults;
  std::string out;
  std::string_view section;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.rfind('.');
    if (key.name.substr(0, dot) != section) {
      section = key.name.substr(0, dot);
      out += (out.empty() ? "[" : "\n[") + std::string(section) + "]\n";
    }
    const Value value = value_of(config, key);
    const bool as_default = value == value_of(defaults, key);
    out += "# " + std::string(key.help);
    if (!key.choices.empty()) out += " (" + std::string(key.choices) + ")";
    out += '\n';
    if (commented_defaults && as_default) out += '#';
    out += std::string(key.name.substr(dot + 1)) + " = " + toml_of(value) + '\n';
  }
  return out;
}

std::string to_json(const Config& config) {
  boost::json::object out;
  for (const Key& key : keys()) out[key.name] = json_of(value_of(config, key));
  return boost::json::serialize(out);
}

}  // namespace usher::usherd

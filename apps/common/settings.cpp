#include "common/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <toml++/toml.h>

#include "base/file.h"

namespace usher::app {
namespace {

std::unexpected<Error> refuse(std::string_view where, std::string_view key, std::string_view what) {
  std::string about(where);
  about.append(": ").append(key).append(" ").append(what);
  return fail(Fault::bad_config, "config", std::move(about));
}

Texts split(std::string_view text, char separator) {
  Texts parts;
  if (text.empty()) return parts;
  for (std::size_t end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.emplace_back(text);
  return parts;
}

/// The message about a value of the wrong kind.
std::string kind_of(const Key& key) {
  if (std::holds_alternative<bool*>(key.place)) return "must be true or false";
  if (std::holds_alternative<std::int64_t*>(key.place)) {
    return "must be a number from " + std::to_string(key.min) + " to " + std::to_string(key.max);
  }
  if (!key.choices.empty()) return "must be one of " + std::string(key.choices);
  return std::holds_alternative<Texts*>(key.place) ? "must be a list of texts" : "must be text";
}

bool fits(const Key& key, const Value& value) {
  if (value.index() != key.place.index()) return false;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number >= key.min && *number <= key.max;
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !key.choices.empty()) {
    return std::ranges::count(split(key.choices, '|'), *text) > 0;
  }
  return true;
}

static_assert(std::variant_size_v<Value> == std::variant_size_v<Key::Place>, "fits() compares their indexes");

Result<> set_value(const Key& key, Value value, std::string_view where) {
  if (!fits(key, value)) return refuse(where, key.name, kind_of(key));
  if (const auto* texts = std::get_if<Texts>(&value); texts != nullptr && std::ranges::count(*texts, "") > 0) {
    return refuse(where, key.name, "has an empty text in its list");
  }
  std::visit(
      [&]<class T>(T* place) {
        if (T* right = std::get_if<T>(&value)) *place = std::move(*right);
      },
      key.place);
  return {};
}

Result<> set_text(const Key& key, std::string_view text, std::string_view where) {
  const auto absolute = [&](const std::string& path) {
    const bool is_uri = path.starts_with("pkcs11:");
    return key.path && !path.empty() && !is_uri ? std::filesystem::absolute(path).string() : path;
  };
  Value value = absolute(std::string(text));
  if (std::holds_alternative<bool*>(key.place)) {
    if (text == "true" || text == "false") value = text == "true";
  } else if (std::holds_alternative<std::int64_t*>(key.place)) {
    std::int64_t number = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (bad == std::errc{} && end == text.data() + text.size()) value = number;
  } else if (std::holds_alternative<Texts*>(key.place)) {
    Texts parts = split(text, ',');
    std::ranges::transform(parts, parts.begin(), absolute);
    value = std::move(parts);
  }
  return set_value(key, std::move(value), where);
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
  Texts texts;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return std::nullopt;
    texts.push_back(text->get());
  }
  return Value(std::move(texts));
}

void note(Problems& problems, Result<> result) {
  if (!result) problems.push_back(std::move(result).error());
}

Result<> read_value(const Settings& settings, const toml::node& node, const std::string& path, bool section,
                    std::string_view where) {
  const Key* key = settings.find(path);
  if (key == nullptr) return refuse(where, path, section ? "is a section, not a value" : settings.why_unknown(path));
  auto value = value_from(node);
  if (!value) return refuse(where, path, "is neither text, a number, true, false nor a list of texts");
  return set_value(*key, *std::move(value), where);
}

/// `prefix`: the table's own name; empty for the top table.
void read_table(const Settings& settings, const toml::table& table, const std::string& prefix,
                const std::filesystem::path& file, Problems& problems) {
  for (const auto& [name, node] : table) {
    std::string path = prefix;
    if (!path.empty()) path += '.';
    path += name.str();
    const std::string where = at_line(file, node.source());
    const bool section =
        std::ranges::any_of(settings.keys(), [&](const Key& key) { return key.name.starts_with(path + "."); });
    if (const auto* inner = node.as_table(); inner != nullptr && section) {
      read_table(settings, *inner, path, file, problems);
    } else {
      note(problems, read_value(settings, node, path, section, where));
    }
  }
}

}  // namespace

Value Key::value() const {
  return std::visit([](const auto* at) { return Value(*at); }, place);
}

std::string variable_of(std::string_view name) {
  std::string result = "USHER_";
  for (const char c : name) {
    if (c == '.' || c == '-') {
      result += '_';
    } else {
      result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return result;
}

const Key* Settings::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(keys_, name, &Key::name);
  return found == keys_.end() ? nullptr : &*found;
}

std::string Settings::why_unknown(std::string_view name) const {
  const auto retired = std::ranges::find(retired_, name, &Retired::first);
  if (retired != retired_.end()) return std::string(retired->second);
  return "is not a key that " + std::string(program_) + " knows";
}

Result<> first_of(Problems problems) {
  if (problems.empty()) return {};
  return std::unexpected(std::move(problems.front()));
}

void Settings::read_toml(const std::filesystem::path& file, Problems& problems) const {
  constexpr std::size_t kMaxFile = 1 << 20;
  const auto text = read_file(file, kMaxFile);
  if (!text) {
    problems.push_back(text.error());
    problems.back().where = kUnreadable;
    return;
  }
  try {
    read_table(*this, toml::parse(*text, file.string()), "", file, problems);
  } catch (const toml::parse_error& error) {
    problems.push_back(
        {Fault::bad_config, kSyntax, at_line(file, error.source()) + ": " + std::string(error.description())});
  }
}

Result<> Settings::read_toml(const std::filesystem::path& file) const {
  Problems problems;
  read_toml(file, problems);
  return first_of(std::move(problems));
}

Result<> Settings::read_environment(char** environment, std::span<const std::string_view> own,
                                    std::span<const Alias> aliases) const {
  Problems problems;
  read_environment(environment, own, aliases, problems);
  return first_of(std::move(problems));
}

void Settings::read_environment(char** environment, std::span<const std::string_view> own,
                                std::span<const Alias> aliases, Problems& problems) const {
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with("USHER_") || name.size() == text.size()) continue;
    const auto alias = std::ranges::find(aliases, name, &Alias::first);
    const auto key = std::ranges::find_if(keys_, [&](const Key& candidate) {
      return candidate.variable() == name || (alias != aliases.end() && candidate.name == alias->second);
    });
    if (key != keys_.end()) {
      note(problems, set_text(*key, text.substr(name.size() + 1), name));
    } else if (std::ranges::any_of(own, [&](std::string_view prefix) { return name.starts_with(prefix); })) {
      const auto gone =
          std::ranges::find_if(retired_, [&](const Retired& old) { return variable_of(old.first) == name; });
      note(problems, refuse("environment", name, why_unknown(gone == retired_.end() ? name : gone->first)));
    }
  }
}

Result<> Settings::apply(std::span<const Setting> settings) const {
  for (const auto& [name, value] : settings) {
    const Key* key = find(name);
    if (key == nullptr) return refuse("command line", name, why_unknown(name));
    USHER_CHECK(set_text(*key, value, "command line"));
  }
  return {};
}

Result<Setting> setting_from_text(std::string_view text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos) {
    return fail(Fault::bad_usage, "--set", "--set needs KEY=VALUE, not \"" + std::string(text) + "\"");
  }
  return Setting(text.substr(0, sign), text.substr(sign + 1));
}

}  // namespace usher::app

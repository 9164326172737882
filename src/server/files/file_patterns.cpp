#include "server/files/file_patterns.h"

#include <algorithm>

#include "base/encoding.h"

namespace usher::server {
namespace {

/// Where to continue when the part after a star does not match: the star then takes one byte more.
struct Retry {
  std::size_t pattern = std::string_view::npos;  // after the star
  std::size_t text = 0;
};

}  // namespace

bool matches(std::string_view pattern, std::string_view text) noexcept {
  // On a mismatch, retry the last `*`, which never takes a `/`; if that is impossible, retry the last `**`. That is
  // enough, because the part before a star has matched at the earliest possible place.
  Retry star;
  Retry stars;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size()) {
    if (pattern.substr(p).starts_with("**")) {
      p += 2;
      stars = {p, t};
      star = {};
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = {++p, t};
    } else if (p < pattern.size() && (pattern[p] == '?' ? text[t] != '/' : pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star.pattern != std::string_view::npos && text[star.text] != '/') {
      t = ++star.text;
      p = star.pattern;
    } else if (stars.pattern != std::string_view::npos) {
      star = {};
      t = ++stars.text;
      p = stars.pattern;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

Result<FileRule> FileRule::from_texts(const std::vector<std::string>& clients, std::vector<std::string> names) {
  FileRule rule;
  rule.names = std::move(names);
  for (const std::string& text : clients) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (name == "key") {
      const auto bytes = from_hex(value);
      if (!bytes || bytes->size() != 32 || clients.size() != 1) {
        return fail(Fault::bad_config, "file rule", "\"" + text + "\" is not a key's 64 hexadecimal digits, alone");
      }
      rule.key = array_of<32>(*bytes);
      continue;
    }
    if (value.empty() || !pki::is_attribute(name)) {
      return fail(Fault::bad_config, "file rule", "\"" + text + "\" is not ATTRIBUTE=PATTERN");
    }
    rule.subject.push_back({.name = name, .pattern = value});
  }
  return rule;
}

bool FileRule::is_for(const pki::Certificate& client) const {
  if (key && *key != client.key_fingerprint()) return false;
  return std::ranges::all_of(subject, [&](const Attribute& attribute) {
    return std::ranges::any_of(client.subject_fields(attribute.name),
                               [&](const std::string& value) { return matches(attribute.pattern, value); });
  });
}

bool FileRule::allows(std::string_view name) const {
  return names.empty() ||
         std::ranges::any_of(names, [&](const std::string& pattern) { return matches(pattern, name); });
}

}  // namespace usher::server

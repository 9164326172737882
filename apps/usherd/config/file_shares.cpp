#include "usherd/config/file_shares.h"

#include <algorithm>

#include "base/encoding.h"
#include "server/runtime/endpoint.h"

namespace usher::usherd {
namespace {

constexpr Milliseconds kSecond{1'000};

std::unexpected<Error> refuse(std::string_view key, const std::string& text, std::string_view form) {
  return fail(Fault::bad_config, "files",
              std::string(key) + ": \"" + printable(text) + "\" is not " + std::string(form));
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

/// The parts between separators, without surrounding spaces; empty parts are kept.
std::vector<std::string> parts_of(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> list = parts_of(text, ';');
  std::erase(list, "");
  return list;
}

server::FileShare* find(std::vector<server::FileShare>& shares, std::string_view name) {
  const auto at = std::ranges::find(shares, name, &server::FileShare::name);
  return at == shares.end() ? nullptr : &*at;
}

Result<> add_published(std::vector<server::FileShare>& shares, const std::string& text) {
  static constexpr std::string_view kForm = "SHARE/NAME=MEDIUM, the medium's id with 32 hexadecimal digits";
  const std::size_t slash = text.find('/');
  const std::size_t equals = text.rfind('=');
  if (slash == std::string::npos || equals == std::string::npos || equals < slash) {
    return refuse("files.publish", text, kForm);
  }
  const auto id = from_hex(std::string_view(text).substr(equals + 1));
  if (!id || id->size() != std::tuple_size_v<Id128>) return refuse("files.publish", text, kForm);
  const std::string share = text.substr(0, slash);
  if (find(shares, share) == nullptr) shares.push_back({.name = share});
  find(shares, share)->media.emplace_back(text.substr(slash + 1, equals - slash - 1), array_of<16>(*id));
  return {};
}

Result<> add_rule(std::vector<server::FileShare>& shares, const std::string& text) {
  const std::vector<std::string> parts = parts_of(text, '|');
  if (parts.size() != 3) return refuse("files.rules", text, "SHARE | ATTRIBUTE=PATTERN; … | NAME PATTERN; …");
  server::FileShare* share = find(shares, parts[0]);
  if (share == nullptr) return refuse("files.rules", text, "a rule of a share that is configured");
  auto rule = server::FileRule::from_texts(list_of(parts[1]), list_of(parts[2]));
  if (!rule) return fail(rule.error().fault, rule.error().where, "files.rules: " + rule.error().about);
  share->rules.push_back(*std::move(rule));
  return {};
}

}  // namespace

std::vector<server::FileShare> shares_of(const Config& config, Problems& problems) {
  const auto note = [&](Result<> result) {
    if (!result) problems.push_back(std::move(result).error());
  };
  const std::size_t before = problems.size();
  std::vector<server::FileShare> shares;
  for (const std::string& text : config.files_shares) {
    const std::size_t equals = text.find('=');
    const std::string directory = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (directory.empty()) note(refuse("files.shares", text, "NAME=DIRECTORY"));
    // Added even with an error: otherwise its rules and media would be reported as errors too.
    shares.push_back({.name = text.substr(0, equals), .directory = config.path_of(directory)});
  }
  for (const std::string& text : config.files_publish) note(add_published(shares, text));
  for (const std::string& text : config.files_rules) note(add_rule(shares, text));
  if (problems.size() == before) note(server::FileShares::check(shares));
  return shares;
}

Result<std::vector<server::FileShare>> shares_of(const Config& config) {
  Problems problems;
  std::vector<server::FileShare> shares = shares_of(config, problems);
  USHER_CHECK(app::first_of(std::move(problems)));
  return shares;
}

Result<server::FileStreamOptions> file_options_of(const Config& config) {
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  server::FileStreamOptions options;
  for (const std::string& text : config.files_listen) {
    USHER_TRY(Endpoint endpoint, server::endpoint_from_text(text));
    options.listen.push_back(std::move(endpoint));
  }
  options.threads = static_cast<unsigned>(config.files_threads);
  options.kernel_tls = config.files_kernel_tls;
  options.limits = {.connections = size(config.files_connections),
                    .connections_per_address = size(config.files_connections_per_address),
                    .handshake_time = config.files_handshake_seconds * kSecond,
                    .line_time = config.files_line_seconds * kSecond,
                    .stall_time = config.files_stall_seconds * kSecond,
                    .sessions = size(config.files_sessions),
                    .session_life = Seconds(config.files_session_seconds)};
  return options;
}

}  // namespace usher::usherd

#include "usherd/config/config.h"

#include <algorithm>
#include <utility>

#include <fmt/ranges.h>

#include "base/encoding.h"
#include "card/token_key.h"
#include "channel/suite.h"
#include "licence/terms.h"
#include "server/runtime/endpoint.h"
#include "usherd/config/file_shares.h"
#include "usherd/config/revocation.h"

namespace usher::usherd {
namespace {

std::unexpected<Error> refuse(std::string what) { return fail(Fault::bad_config, "config", std::move(what)); }

template <class T>
Result<> all_ok(std::string_view key, const Result<T>& result) {
  if (result) return {};
  return refuse(std::string(key) + ": " + result.error().about);
}

}  // namespace

std::string key_of(Config config, std::string_view about) {
  std::vector<std::string> found;  // several, if the same file has several purposes
  std::size_t longest = 0;         // a directory's path also begins the paths of its files
  const auto look_at = [&](const app::Key& key, const std::string& value) {
    if (value.empty()) return;
    for (const std::string& name : {config.path_of(value).string(), value, printable(value)}) {
      const bool ends = about.size() == name.size() || (about.size() > name.size() && about[name.size()] != '/');
      if (!about.starts_with(name) || !ends || name.size() < longest) continue;
      if (name.size() > longest) found.clear();
      longest = name.size();
      if (std::ranges::find(found, key.name) == found.end()) found.emplace_back(key.name);
    }
  };
  const app::Settings settings = settings_of(config);
  for (const app::Key& key : settings.keys()) {
    if (!key.path) continue;
    const app::Value value = key.value();
    if (const auto* one = std::get_if<std::string>(&value)) look_at(key, *one);
    if (const auto* several = std::get_if<app::Texts>(&value)) {
      for (const std::string& each : *several) look_at(key, each);
    }
  }
  return fmt::format("{}", fmt::join(found, " or "));
}

std::filesystem::path Config::path_of(const std::string& value) const {
  return value.empty() ? std::filesystem::path() : (file.parent_path() / value).lexically_normal();
}

Result<> read_toml(Config& config, const std::filesystem::path& file) {
  Problems problems;
  read_toml(config, file, problems);
  return app::first_of(std::move(problems));
}

void read_toml(Config& config, const std::filesystem::path& file, Problems& problems) {
  settings_of(config).read_toml(file, problems);
  std::error_code ignored;
  config.file = std::filesystem::absolute(file, ignored);
}

Result<> read_environment(Config& config, char** environment) {
  Problems problems;
  read_environment(config, environment, problems);
  return app::first_of(std::move(problems));
}

void read_environment(Config& config, char** environment, Problems& problems) {
  // Sections that usher has too (trust) are left out: unknown variables there are no errors.
  static constexpr std::array<std::string_view, 9> kOwn{"USHER_SERVER_",  "USHER_KEYS_",   "USHER_PERSON_",
                                                        "USHER_CHANNEL_", "USHER_LIMITS_", "USHER_POLICY_",
                                                        "USHER_LOG_",     "USHER_FILES_",  "USHER_REVOCATION_"};
  settings_of(config).read_environment(environment, kOwn, {}, problems);
}

Result<> apply_settings(Config& config, std::span<const app::Setting> settings) {
  return settings_of(config).apply(settings);
}

std::string to_toml(const Config& config, bool commented_defaults) {
  Config copy = config;
  Config normal;
  const app::Settings defaults = settings_of(normal);
  return settings_of(copy).to_toml(commented_defaults ? &defaults : nullptr);
}

std::string to_json(const Config& config) {
  Config copy = config;
  return settings_of(copy).to_json();
}

Result<> check(const Config& config) {
  Problems problems;
  check(config, problems);
  return app::first_of(std::move(problems));
}

void check(const Config& config, Problems& problems) {
  const auto note = [&](const auto& result) {
    if (!result) problems.push_back(result.error());
  };
  const auto demand = [&](bool met, const char* what) {
    if (!met) note(Result<>(refuse(what)));
  };
  demand(licence::is_server_id(config.id),
         "server.id must be 1 to 255 printable ASCII characters without space, \" and \\");
  const std::pair<const char*, const app::Texts*> addresses[] = {{"server.listen", &config.listen},
                                                                 {"server.operator_listen", &config.operator_listen},
                                                                 {"files.listen", &config.files_listen}};
  for (const auto& [key, list] : addresses) {
    for (const std::string& text : *list) note(all_ok(key, server::endpoint_from_text(text)));
  }
  demand(!config.listen.empty(), "server.listen must name an address");
  if (!config.suites.empty()) note(all_ok("channel.suites", channel::suite_order(config.suites)));
  if (!config.groups.empty()) note(all_ok("channel.groups", channel::group_order(config.groups)));
  demand(config.licence_retired.size() <= 7, "keys.licence_retired must be 7 keys at most");
  demand(!card::is_token_key(config.files_key_transport_key),
         "files.key_transport_key cannot be on a token: OpenSSL takes no such key for RSA key transport");
  demand(config.vault_token.empty() || card::is_token_key(config.vault_token),
         "keys.vault_token must be the URI of a key on a token: pkcs11:…");
  static_cast<void>(shares_of(config, problems));
  static_cast<void>(revocation_options_of(config, problems));
  demand(config.files_certificates.size() == config.files_keys.size(),
         "files.certificates and files.keys must be of one length");
  demand(!config.client.anchors.empty(), "trust.client.anchors must name a file");
  // The file stream uses no cards: a server for files only needs no anchors for persons.
  const bool files = !config.files_shares.empty() || !config.files_publish.empty();
  demand(!config.citizen.trust.anchors.empty() || !config.generic.trust.anchors.empty() || files,
         "person needs anchors for cartao-de-cidadao or generic, unless there are files.shares or files.publish");
}

}  // namespace usher::usherd

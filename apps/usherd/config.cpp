#include "config.h"

#include "identity/token_key.h"

#include "channel/suite.h"
#include "file_shares.h"
#include "licence/terms.h"
#include "net/http_server.h"
#include "revocation.h"

namespace usher::usherd {
namespace {

std::unexpected<Error> refuse(std::string what) { return fail(Fault::bad_config, "config", std::move(what)); }

template <class T>
Result<> all_ok(std::string_view key, const Result<T>& result) {
  if (result) return {};
  return refuse(std::string(key) + ": " + result.error().about);
}

}  // namespace

std::filesystem::path Config::path_of(const std::string& value) const {
  return value.empty() ? std::filesystem::path() : (file.parent_path() / value).lexically_normal();
}

Result<> read_toml(Config& config, const std::filesystem::path& file) {
  USHER_CHECK(settings_of(config).read_toml(file));
  std::error_code ignored;
  config.file = std::filesystem::absolute(file, ignored);
  return {};
}

Result<> read_environment(Config& config, char** environment) {
  // Sections that the listener's program has too (trust) are not searched for mistakes.
  static constexpr std::array<std::string_view, 9> kOwn{"USHER_SERVER_",  "USHER_KEYS_",   "USHER_PERSON_",
                                                        "USHER_CHANNEL_", "USHER_LIMITS_", "USHER_POLICY_",
                                                        "USHER_LOG_",     "USHER_FILES_",  "USHER_REVOCATION_"};
  return settings_of(config).read_environment(environment, kOwn);
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

namespace {

Result<> check_token_keys(const Config& config) {
  if (identity::is_token_key(config.files_key_transport_key)) {
    return refuse("files.key_transport_key cannot be on a token: OpenSSL takes no such key for RSA key transport");
  }
  if (!config.vault_token.empty() && !identity::is_token_key(config.vault_token)) {
    return refuse("keys.vault_token must be the URI of a key on a token: pkcs11:…");
  }
  return {};
}

}  // namespace

Result<> check(const Config& config) {
  if (!licence::is_server_id(config.id)) {
    return refuse("server.id must be 1 to 255 printable ASCII characters without space, \" and \\");
  }
  for (const auto* list : {&config.listen, &config.operator_listen, &config.files_listen}) {
    for (const std::string& text : *list) USHER_CHECK(net::Endpoint::from_text(text));
  }
  if (config.listen.empty()) return refuse("server.listen must name an address");
  if (!config.suites.empty()) USHER_CHECK(all_ok("channel.suites", channel::suite_order(config.suites)));
  if (!config.groups.empty()) USHER_CHECK(all_ok("channel.groups", channel::group_order(config.groups)));
  if (config.licence_retired.size() > 7) return refuse("keys.licence_retired must be 7 keys at most");
  USHER_CHECK(check_token_keys(config));
  USHER_CHECK(shares_of(config));
  USHER_CHECK(revocation_options_of(config));
  if (config.files_certificates.size() != config.files_keys.size()) {
    return refuse("files.certificates and files.keys must be of one length");
  }
  if (config.client.anchors.empty()) return refuse("trust.client.anchors must name a file");
  // The file stream asks for no card: a server for files alone needs no trust in any.
  const bool files = !config.files_shares.empty() || !config.files_publish.empty();
  if (config.citizen.trust.anchors.empty() && config.generic.trust.anchors.empty() && !files) {
    return refuse(
        "person needs anchors for cartao-de-cidadao or generic, unless there are files.shares or files.publish");
  }
  return {};
}

}  // namespace usher::usherd

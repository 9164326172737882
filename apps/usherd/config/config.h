// usherd/config/config: the operator's settings. Sources, later ones override: a TOML file, the environment, the
// command line.  Keys: docs/reference/configuration.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "common/trust.h"

namespace usher::usherd {

/// Sources that are fetched to verify a role's certificates, in addition to lists (identity.md §11.6, §11.7).
struct SourceKeys {
  bool ocsp = false;
  std::vector<std::string> issuers_from{};
};

struct PersonKeys {
  app::TrustKeys trust{};
  SourceKeys sources{};
  std::string subject_field = "serialNumber";
  std::vector<std::string> organisations{};
  std::vector<std::string> issuer_organisations{};
};

struct Config {
  // server
  std::string id = "localhost";
  std::string data = "data";
  std::vector<std::string> names{};
  std::vector<std::string> listen{"0.0.0.0:8080", "[::]:8080"};
  std::vector<std::string> operator_listen{"127.0.0.1:9480"};
  std::int64_t threads = 0;
  std::int64_t drain_seconds = 20;
  // keys
  std::string passphrase_file{};
  std::string pin_file{};
  std::string module{};
  std::string server_certificate = "keys/server.pem";
  std::string server_key = "keys/server.key";
  std::string recipient_certificate = "keys/recipient.pem";
  std::string recipient_key = "keys/recipient.key";
  std::string licence_key = "keys/licence.key";
  std::vector<std::string> licence_retired{};
  std::string vault_key = "keys/vault.key";
  std::string vault_token{};
  std::string pseudonym_key = "keys/pseudonym.key";
  // trust, person
  app::TrustKeys client{};
  SourceKeys client_sources{};
  app::TrustKeys distributor{};
  PersonKeys citizen{};
  PersonKeys generic{};
  // revocation
  bool revocation_fetch = true;
  std::vector<std::string> revocation_urls{};
  std::vector<std::string> revocation_addresses{};
  std::string revocation_proxy{};
  std::int64_t revocation_refresh_seconds = 3'600;
  std::int64_t revocation_retry_seconds = 30;
  std::int64_t revocation_deadline_seconds = 30;
  std::int64_t revocation_max_bytes = 64 << 20;
  // channel
  std::vector<std::string> suites{};
  std::vector<std::string> groups{};
  std::int64_t session_seconds = 43'200;
  std::int64_t handshake_seconds = 10;
  std::int64_t half_open_sessions = 1'024;
  std::int64_t sessions = 10'000;
  std::int64_t sessions_per_installation = 64;
  // limits
  std::int64_t header_bytes = 16 << 10;
  std::int64_t connections = 1'000;
  std::int64_t connections_per_address = 128;
  std::int64_t header_seconds = 10;
  std::int64_t body_seconds = 30;
  std::int64_t idle_seconds = 60;
  std::int64_t write_stall_seconds = 20;
  std::int64_t write_seconds = 300;
  // files
  std::vector<std::string> files_listen{"0.0.0.0:8443", "[::]:8443"};
  std::vector<std::string> files_shares{};
  std::vector<std::string> files_publish{};
  std::vector<std::string> files_rules{};
  std::vector<std::string> files_certificates{};
  std::vector<std::string> files_keys{};
  std::string files_key_transport_certificate{};
  std::string files_key_transport_key{};
  std::int64_t files_threads = 0;
  std::int64_t files_connections = 10'000;
  std::int64_t files_connections_per_address = 1'024;
  std::int64_t files_handshake_seconds = 10;
  std::int64_t files_line_seconds = 10;
  std::int64_t files_stall_seconds = 60;
  std::int64_t files_sessions = 10'000;
  std::int64_t files_session_seconds = 3'600;
  bool files_kernel_tls = true;
  // policy
  std::string acquisition = "operator";
  std::int64_t quota_plays = 5;
  std::int64_t open_licences = 1'000;
  bool bind_installation = true;
  std::int64_t commit_after_seconds = 30;
  std::int64_t play_seconds = 604'800;
  std::int64_t play_durations = 3;
  std::int64_t open_plays = 8;
  std::int64_t play_moves = 4;
  std::int64_t keep_operations_days = 30;
  // log
  std::string log_level = "info";
  std::string log_format = "auto";

  std::filesystem::path file{};  // the file that was read; paths are relative to its directory
  [[nodiscard]] std::filesystem::path path_of(const std::string& value) const;
};

/// Every key, with a pointer into `config`.
[[nodiscard]] app::Settings settings_of(Config& config);
/// The key whose file, directory or token URI `about` begins with, as Error::about names it. Several keys with the same
/// value: all, with " or " between them. Empty: no key has it.
[[nodiscard]] std::string key_of(Config config, std::string_view about);

using app::Problems;

// The sources; later ones override earlier ones. Errors: app::Settings'.
[[nodiscard]] Result<> read_toml(Config& config, const std::filesystem::path& file);
[[nodiscard]] Result<> read_environment(Config& config, char** environment);
[[nodiscard]] Result<> apply_settings(Config& config, std::span<const app::Setting> settings);
/// The same for the first two, but they collect all errors.
void read_toml(Config& config, const std::filesystem::path& file, Problems& problems);
void read_environment(Config& config, char** environment, Problems& problems);
/// Checks more than each single key: addresses, suites, groups, sizes that must fit each other. Errors: bad_config.
[[nodiscard]] Result<> check(const Config& config);
void check(const Config& config, Problems& problems);

/// `commented_defaults`: keys with their default value are commented out.
[[nodiscard]] std::string to_toml(const Config& config, bool commented_defaults);
[[nodiscard]] std::string to_json(const Config& config);

}  // namespace usher::usherd

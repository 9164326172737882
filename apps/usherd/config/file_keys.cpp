#include "usherd/config/file_keys.h"

#include "usherd/config/file_shares.h"
#include "usherd/home/key_files.h"

namespace usher::usherd {
namespace {

Result<server::FileServerIdentity> load_identity(const Config& config, const std::string& certificate,
                                                 const std::string& key, Keyring& keys, server::Expiries& expiries) {
  USHER_TRY(KeyPair pair, load_pair(config, certificate, key, keys));
  expiries.push_back({.what = "file stream certificate " + certificate, .when = pair.chain.front().not_after()});
  return server::FileServerIdentity{
      .chain = std::move(pair.chain), .key = std::move(pair.key), .on_token = card::is_token_key(key)};
}

}  // namespace

Result<server::FileSnapshot> load_files(const Config& config, Keyring& keyring,
                                        std::shared_ptr<const pki::TrustStore> clients, const media::Vault* vault,
                                        server::Expiries& expiries) {
  const bool own = !config.files_certificates.empty();
  const std::vector<std::string> certificates =
      own ? config.files_certificates : std::vector{config.server_certificate};
  const std::vector<std::string> keys = own ? config.files_keys : std::vector{config.server_key};
  server::FileTlsSettings settings{.session_life = Seconds(config.files_session_seconds)};
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    USHER_TRY(auto one, load_identity(config, certificates[i], keys.at(i), keyring, expiries));
    settings.identities.push_back(std::move(one));
  }
  if (!config.files_key_transport_certificate.empty()) {
    USHER_TRY(settings.key_transport, load_identity(config, config.files_key_transport_certificate,
                                                    config.files_key_transport_key, keyring, expiries));
  }
  for (const auto* authorities : {&clients->config().anchors, &clients->config().intermediates}) {
    settings.authorities.insert(settings.authorities.end(), authorities->begin(), authorities->end());
  }
  server::FileSnapshot snapshot{.clients = std::move(clients), .contexts = nullptr, .shares = nullptr};
  USHER_TRY(snapshot.contexts, server::FileContexts::make(settings));
  USHER_TRY(std::vector<server::FileShare> shares, shares_of(config));
  USHER_TRY(snapshot.shares, server::FileShares::open(std::move(shares), vault));
  return snapshot;
}

}  // namespace usher::usherd

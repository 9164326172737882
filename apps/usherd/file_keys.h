// usherd/file_keys: certificates and keys of the file stream, and what else a reload of it reads.
#pragma once

#include "config.h"
#include "keyring.h"
#include "net/file_stream.h"
#include "net/readiness.h"

namespace usher::usherd {

/// Everything of the file stream that SIGHUP reads again; into `expiries` goes what ends when. `vault`: nullptr where
/// only the configuration is checked. Errors: those of the files, of FileContexts::make and FileShares::open.
[[nodiscard]] Result<net::FileSnapshot> load_files(const Config& config, Keyring& keyring,
                                                   std::shared_ptr<const identity::TrustStore> clients,
                                                   const media::Vault* vault, net::Expiries& expiries);

}  // namespace usher::usherd

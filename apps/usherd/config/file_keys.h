// usherd/config/file_keys: the file stream's certificates and keys, and the other data that a reload reads.
#pragma once

#include "server/files/file_stream.h"
#include "server/trust/readiness.h"
#include "usherd/config/config.h"
#include "usherd/home/keyring.h"

namespace usher::usherd {

/// Everything of the file stream that SIGHUP reads again. Appends the end of each certificate to `expiries`. `vault`:
/// nullptr if only the configuration is checked. Errors: those of the files, of FileContexts::make and
/// FileShares::open.
[[nodiscard]] Result<server::FileSnapshot> load_files(const Config& config, Keyring& keyring,
                                                      std::shared_ptr<const pki::TrustStore> clients,
                                                      const media::Vault* vault, server::Expiries& expiries);

}  // namespace usher::usherd

// usherd/home/owner: the user that owns the home.  docs/reference/home.md, "Owner".
#pragma once

#include "usherd/config/config.h"

namespace usher::usherd {

/// All files in a home must belong to the user that the server runs as. Root becomes the owner of the home (user, group
/// and groups) permanently, so files that only root can read must be opened before. Any other user must be the owner.
/// The home is the data directory, or, if that does not exist yet, the configuration's directory. If neither exists,
/// every user is accepted.
/// Errors: not_permitted, with the owner's name.
[[nodiscard]] Result<> work_as_owner(const Config& config);

}  // namespace usher::usherd

// usherd/owner: whose home it is.  docs/operating.md, "Whose home it is".
#pragma once

#include "config.h"

namespace usher::usherd {

/// What is written in a home has to belong to the user that the server runs as. Root becomes the owner of the home (user,
/// group and groups), for good: what only root can read is opened before. Any other user has to be the owner.
/// The home: the data directory, or, before there is one, the configuration's. One that is not there yet is anybody's.
/// Errors: not_permitted, with the owner's name.
[[nodiscard]] Result<> work_as_owner(const Config& config);

}  // namespace usher::usherd

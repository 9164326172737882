// client/player_process: a player as a subprocess.
#pragma once

#include "client/player.h"

namespace usher::client {

/// Errors: player_missing.
[[nodiscard]] Result<std::unique_ptr<Player>> start_process(const PlayerSpec& spec);

/// Writes all of it to a pipe, however slowly it is taken. Raises no SIGPIPE. The descriptor may block or not.
/// Errors: player_failed (nobody reads), cancelled, io.
[[nodiscard]] Result<> write_pipe(int descriptor, View bytes, const std::atomic<bool>& stop);

}  // namespace usher::client

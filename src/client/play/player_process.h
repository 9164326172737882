// client/play/player_process: runs a player as a subprocess.
#pragma once

#include "client/play/player.h"

namespace usher::client {

/// Starts the player's program. Errors: player_missing.
[[nodiscard]] Result<std::unique_ptr<Player>> start_process(const PlayerSpec& spec);

/// Writes all bytes to a pipe, however slowly the reader takes them. Raises no SIGPIPE. The descriptor may be blocking
/// or not. Errors: player_failed (the pipe has no reader), cancelled, io.
[[nodiscard]] Result<> write_pipe(int descriptor, View bytes, const std::atomic<bool>& stop);

}  // namespace usher::client

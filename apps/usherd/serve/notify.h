// usherd/serve/notify: reports the server's state to the service manager (sd_notify(3)), if there is one.
#pragma once

#include <string_view>

namespace usher::usherd {

/// Does nothing without NOTIFY_SOCKET.
void notify(std::string_view state) noexcept;

}  // namespace usher::usherd

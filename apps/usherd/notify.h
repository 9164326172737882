// usherd/notify: tells the service manager how far we are (sd_notify(3)), where there is one.
#pragma once

#include <string_view>

namespace usher::usherd {

/// Nothing happens without NOTIFY_SOCKET.
void notify(std::string_view state) noexcept;

}  // namespace usher::usherd

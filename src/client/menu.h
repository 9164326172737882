// client/menu: the interactive menu of `usher` on a terminal.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>

#include "client/listener.h"

namespace usher::client {

struct MenuOptions {
  PlayRequest play{};
  /// Makes the view of each play: keys and progress line.
  std::function<std::unique_ptr<PlayView>()> view;
  /// Whether the menu must end; called before each step. Empty: never.
  std::function<bool()> over{};
  /// The terminal's current width in columns. Empty: any width.
  std::function<std::size_t()> columns{};
};

/// Greets, shows licences and catalogue, and carries out the user's choices until "q" or the end of `in`. Prints errors
/// and continues.  Errors: those of the first list; cancelled, when options.over is true.
[[nodiscard]] Result<> run_menu(Listener& listener, const MenuOptions& options, std::istream& in, std::ostream& out);

}  // namespace usher::client

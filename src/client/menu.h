// client/menu: what `usher` shows on a terminal.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>

#include "client/listener.h"

namespace usher::client {

struct MenuOptions {
  PlayRequest play{};
  /// Made for each play: keys and progress line.
  std::function<std::unique_ptr<PlayView>()> view;
  /// Whether nothing may begin any more; asked before each step. Empty: never.
  std::function<bool()> over{};
  /// The terminal's width at the moment. Empty: any.
  std::function<std::size_t()> columns{};
};

/// Greets, shows licences and catalogue, and does what is chosen until "q" or the end of `in`. A refusal is told and
/// the menu goes on.  Errors: of the first list; cancelled, when it is over.
[[nodiscard]] Result<> run_menu(Listener& listener, const MenuOptions& options, std::istream& in, std::ostream& out);

}  // namespace usher::client

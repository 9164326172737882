// usher-ca/rotation: the state of a root's change, and its next steps.  docs/guide/renew.md.
#pragma once

#include <string>
#include <vector>

#include "commands.h"

namespace usher::ca {

enum class Stage : std::uint8_t {
  none,      // one root
  prepared,  // a new root exists, and has issued nothing
  switched,  // the new root issues; some certificates of the old one are still in use
};

struct RootInfo {
  std::string name;  // "media/root-2"
  std::string subject;
  std::string part;            // "issuing", "next" or "old"
  std::size_t in_force = 0;    // number of its certificates that are neither revoked nor expired
  std::int64_t last_ends = 0;  // when the last of those ends, Unix seconds; 0: none
};

/// A certificate that replaces another one.
struct Successor {
  std::string kind;
  std::string name;
  std::string replaces;  // serial number
  std::string file;      // empty: the old certificate is not stored here, so the successor has to be issued by hand
};

struct Rotation {
  Stage stage = Stage::none;
  std::vector<RootInfo> roots;
  std::vector<Successor> successors;  // of this command
};

/// Errors: those of opening the authorities.
[[nodiscard]] Result<Rotation> rotation_of(const Context& context);

/// The whole state and the next steps, as text or as one JSON object.
[[nodiscard]] std::string words_of(const Rotation& rotation);
[[nodiscard]] std::string json_of(const Rotation& rotation);

}  // namespace usher::ca

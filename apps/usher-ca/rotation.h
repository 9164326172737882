// usher-ca/rotation: how far the change of a root has come, and what is to be done next.  docs/operating.md, "Rotation".
#pragma once

#include <string>
#include <vector>

#include "commands.h"

namespace usher::ca {

enum class Stage : std::uint8_t {
  none,      // one root
  prepared,  // a new root is beside it, and has issued nothing
  switched,  // the new root issues; certificates of the old one are still about
};

struct RootInfo {
  std::string name;  // "media/root-2"
  std::string subject;
  std::string part;            // "issuing", "next" or "old"
  std::size_t in_force = 0;    // its certificates that are neither revoked nor expired
  std::int64_t last_ends = 0;  // when the last of them ends, Unix seconds; 0: none
};

/// A certificate that was issued in place of another.
struct Successor {
  std::string kind;
  std::string name;
  std::string replaces;  // serial number
  std::string file;      // empty: the old certificate is not kept here, so it has to be issued by hand
};

struct Rotation {
  Stage stage = Stage::none;
  std::vector<RootInfo> roots;
  std::vector<Successor> successors;  // of this call
};

/// Errors: those of opening the authorities.
[[nodiscard]] Result<Rotation> rotation_of(const Context& context);

/// Everything, and the next steps, in words or as one JSON object.
[[nodiscard]] std::string words_of(const Rotation& rotation);
[[nodiscard]] std::string json_of(const Rotation& rotation);

}  // namespace usher::ca

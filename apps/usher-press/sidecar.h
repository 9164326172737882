// usher-press/sidecar: the distributor's own copy of a signed manifest, in the clear.  Spec: release.md §5.
#pragma once

#include <filesystem>
#include <optional>

#include "media/manifest.h"

namespace usher::press {

/// Errors: already_exists, disk_full, io.
[[nodiscard]] Result<> write_sidecar(const std::filesystem::path& path, const media::SignedManifest& manifest);
/// Nothing, if the source is not a sidecar at all. Errors: malformed, unsupported, too_long.
[[nodiscard]] Result<std::optional<media::SignedManifest>> read_sidecar(const media::Source& source);

}  // namespace usher::press

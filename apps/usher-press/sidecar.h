// usher-press/sidecar: the distributor's own unencrypted copy of a signed manifest.  Spec: release.md §5.
#pragma once

#include <filesystem>
#include <optional>

#include "media/manifest.h"

namespace usher::press {

/// Errors: already_exists, disk_full, io.
[[nodiscard]] Result<> write_sidecar(const std::filesystem::path& path, const media::SignedManifest& manifest);
/// No value: the source is not a sidecar. Errors: malformed, unsupported, too_long.
[[nodiscard]] Result<std::optional<media::SignedManifest>> read_sidecar(const media::Source& source);

}  // namespace usher::press

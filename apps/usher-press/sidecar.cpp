#include "sidecar.h"

#include "base/file.h"

namespace usher::press {
namespace {

constexpr std::string_view kMagic = "USHERSM1";

}  // namespace

Result<> write_sidecar(const std::filesystem::path& path, const media::SignedManifest& manifest) {
  return create_file(path, text_of(concat({view_of(kMagic), manifest.encode()})));
}

Result<std::optional<media::SignedManifest>> read_sidecar(const media::Source& source) {
  Bytes magic(kMagic.size());
  USHER_TRY(const std::size_t got, source.read_at(0, magic));
  if (got != magic.size() || !same(magic, view_of(kMagic))) return std::nullopt;
  if (source.size() > kMagic.size() + media::kMaxSignedManifest) return fail(Fault::too_long, "sidecar");
  Bytes bytes(static_cast<std::size_t>(source.size()) - kMagic.size());
  USHER_TRY(const std::size_t read, source.read_at(kMagic.size(), bytes));
  if (read != bytes.size()) return fail(Fault::truncated, "sidecar");
  USHER_TRY(media::SignedManifest manifest, media::SignedManifest::decode(bytes));
  return manifest;
}

}  // namespace usher::press

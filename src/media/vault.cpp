#include "media/vault.h"

#include <cerrno>

#include <sys/stat.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/os_error.h"
#include "media/vault_file.h"

namespace usher::media {
namespace {

namespace fs = std::filesystem;
using crypto::Secret;

constexpr std::string_view kExtension = ".medium";
constexpr std::size_t kIdDigits = 32;

Id128 vault_key_id() { return companion_id("vault key", Id128{}); }

Result<Bytes> sealed_vault_key(const Secret& key, const Wrapper& sealed_for, Random& random) {
  return seal_small(key.expose(), vault_key_id(), sealed_for, random);
}

Result<Secret> unsealed_vault_key(SourcePtr source, const Unwrapper& unwrapper) {
  return open_small(std::move(source), vault_key_id(), unwrapper, kKekSize);
}

Result<SourcePtr> open_stored(const fs::path& path, const Id128& medium) {
  auto file = open_file(path);
  if (!file && file.error().fault == Fault::not_found) {
    return fail(Fault::unknown_medium, "vault: medium", "medium " + to_hex(medium),
                "`usherd media list` shows those that there are.");
  }
  return file;
}

}  // namespace

Result<> create_vault_key(const fs::path& file, const Wrapper& sealed_for, Random& random) {
  Secret key(kKekSize);
  random.fill(key.expose_for_writing());
  USHER_TRY(const Bytes sealed, sealed_vault_key(key, sealed_for, random));
  return create_file(file, text_of(sealed));
}

Result<bool> vault_key_wants_passphrase(const fs::path& file) {
  USHER_TRY(const SourcePtr source, open_file(file));
  auto header = Header::read(*source);
  if (!header) {
    header.error().about = file.string();
    return std::unexpected(std::move(header).error());
  }
  return header->recipients.front().type == static_cast<std::uint8_t>(WrapType::passphrase);
}

Result<> reseal_vault_key(const fs::path& file, const Unwrapper& current, const Wrapper& sealed_for,
                          const Unwrapper& next, Random& random) {
  USHER_TRY(const Secret key, open_vault_key(file, current));
  USHER_TRY(const Bytes sealed, sealed_vault_key(key, sealed_for, random));
  // Opened before the old file is replaced: a key that cannot be opened is worse than one that too many can open.
  USHER_TRY(const Secret again, unsealed_vault_key(memory_source(sealed), next));
  if (!crypto::equal_constant_time(again.expose(), key.expose())) {
    return fail(Fault::header_damaged, "vault key: read back", file.string());
  }
  return replace_file(file, text_of(sealed));
}

Result<Secret> open_vault_key(const fs::path& file, const Unwrapper& unwrapper) {
  USHER_TRY(SourcePtr source, open_file(file));
  auto key = unsealed_vault_key(std::move(source), unwrapper);
  if (!key) {
    key.error().about = file.string();
    return key;
  }
  if (key->size() != kKekSize)
    return fail(Fault::bad_key, "vault key: size", file.string(),
                "Restore it from a backup: with another key no medium can be read.");
  return key;
}

Result<Vault> Vault::open(fs::path directory, Secret vault_key, Random& random) {
  if (vault_key.size() != kKekSize) return fail(Fault::bad_key, "vault key: size");
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("vault", directory.string());
  USHER_CHECK(remove_leftovers(directory));
  return Vault(std::move(directory), std::make_shared<const Kek>(std::move(vault_key)), random);
}

fs::path Vault::path_of(const Id128& medium) const { return directory_ / (to_hex(medium) + std::string(kExtension)); }

Result<SignedManifest> Vault::import(const SourcePtr& source, const Unwrapper& key, const CheckOrigin& check_origin,
                                     const Progress& progress, Replace replace) const {
  USHER_TRY(const Release release, Release::open(source, key));
  USHER_CHECK(check_origin(release.signed_manifest()));
  const Id128& medium = release.manifest().medium;
  const fs::path path = path_of(medium);
  // Reported now, not after the copy. publish() checks again.
  if (std::error_code ignored; replace == Replace::no && fs::exists(fs::symlink_status(path, ignored))) {
    return fail(Fault::already_exists, "vault: import", "medium " + to_hex(medium),
                "Nothing has to be done; `usherd media list` shows it.");
  }
  USHER_TRY(NewFile file, NewFile::create(path));
  USHER_CHECK(detail::write_vault_file(release, *kek_, file, *random_, progress));
  USHER_CHECK(file.publish(replace));
  return release.signed_manifest();
}

Result<std::vector<Id128>> Vault::list() const {
  std::vector<Id128> media;
  std::error_code error;
  fs::directory_iterator entries(directory_, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (entries->path().extension() != kExtension) continue;
    const std::string stem = entries->path().stem().string();
    const auto id = from_hex(stem);
    // Each medium has one file name: path_of() never makes upper case.
    if (id && stem.size() == kIdDigits && to_hex(*id) == stem) media.push_back(array_of<16>(*id));
  }
  if (error) return fail(fault_of_errno(error.value()), "vault: list", directory_.string());
  std::ranges::sort(media);
  return media;
}

Result<std::shared_ptr<const MediumReader>> Vault::open_medium(const Id128& medium) const {
  USHER_TRY(const SourcePtr file, open_stored(path_of(medium), medium));
  auto opened = detail::MediumFile::open(file, medium, *kek_);
  if (!opened) return detail::of_medium(std::move(opened).error(), medium);
  return *std::move(opened);
}

Result<> Vault::check_readable(const Id128& medium) const {
  USHER_TRY([[maybe_unused]] const SourcePtr file, open_stored(path_of(medium), medium));
  return {};
}

Result<SignedManifest> Vault::manifest(const Id128& medium) const {
  USHER_TRY(const SourcePtr file, open_stored(path_of(medium), medium));
  const auto areas = detail::vault_areas(file, medium);
  if (!areas) return detail::of_medium(areas.error(), medium);
  auto manifest = detail::read_manifest(*areas, medium, *kek_);
  if (!manifest) return detail::of_medium(std::move(manifest).error(), medium);
  return manifest;
}

Result<> Vault::verify(const Id128& medium, const Progress& progress) const {
  USHER_TRY(const SourcePtr file, open_stored(path_of(medium), medium));
  const auto opened = detail::MediumFile::open(file, medium, *kek_);
  if (!opened) return detail::of_medium(opened.error(), medium);
  auto verified = (*opened)->verify(progress);
  if (!verified) return detail::of_medium(std::move(verified).error(), medium);
  return {};
}

Result<> Vault::remove(const Id128& medium) const {
  auto removed = remove_file(path_of(medium));
  if (!removed && removed.error().fault == Fault::not_found) {
    return fail(Fault::unknown_medium, "vault: remove", "medium " + to_hex(medium),
                "`usherd media list` shows those that there are.");
  }
  return removed;
}

}  // namespace usher::media

// usher-press press: media files become releases.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/encoding.h"
#include "commands.h"
#include "keys.h"
#include "progress.h"
#include "sidecar.h"
#include "tags.h"

namespace usher::press {
namespace {

namespace fs = std::filesystem;

struct PressOptions {
  std::vector<fs::path> files;
  KeyOptions key;
  fs::path certificate;
  fs::path recipient;
  fs::path out = ".";
  TrustOptions trust;
  std::optional<std::string> title;
  std::optional<std::string> artist;
  std::optional<std::string> album;
  std::optional<std::string> description;
  std::string media_type;
  std::string distributor;
  std::string medium;
  std::uint64_t chunk_size = media::kDefaultChunkSize;
  bool manifest_out = false;
  bool anonymous = false;
};

/// Everything that is the same for all files of one run.
struct Shop {
  crypto::PrivateKey key;
  std::vector<Bytes> chain;
  std::string distributor;
  media::PublicKeyWrapper recipient;
};

Result<> check_options(const PressOptions& options) {
  if (options.files.size() > 1 && (options.title || !options.medium.empty())) {
    return fail(Fault::bad_usage, "press", "--title and --medium are for one file at a time");
  }
  if (!media::is_chunk_size(options.chunk_size)) {
    return fail(Fault::bad_usage, "press", "the chunk size must be a multiple of 4 KiB, from 4 KiB to 1 MiB");
  }
  return {};
}

Result<Shop> open_shop(const PressOptions& options, Time now) {
  USHER_TRY(const identity::Chain own, load_chain(options.certificate));
  USHER_TRY(const identity::Chain recipient, load_chain(options.recipient));
  USHER_CHECK(check_chain(own, identity::Role::distributor, options.trust, now));
  USHER_CHECK(check_chain(recipient, identity::Role::release_recipient, options.trust, now));
  USHER_TRY(crypto::PublicKey recipient_key, recipient.front().public_key());
  USHER_TRY(crypto::PrivateKey key, load_key(options.key));
  if (key.public_key().fingerprint() != own.front().key_fingerprint()) {
    return fail(Fault::bad_usage, "press", options.key.name + " is not the key of " + options.certificate.string());
  }
  Shop shop{.key = std::move(key),
            .chain = {},
            .distributor = options.distributor,
            .recipient = media::PublicKeyWrapper(std::move(recipient_key))};
  for (const identity::Certificate& certificate : own) shop.chain.push_back(certificate.der());
  if (shop.distributor.empty()) shop.distributor = own.front().organisation();
  if (shop.distributor.empty()) shop.distributor = own.front().common_name();
  shop.distributor = clean(shop.distributor, media::kMaxName);
  return shop;
}

Result<media::Manifest> draft_of(const PressOptions& options, const fs::path& file, const media::Source& source,
                                 const Shop& shop, Context& context) {
  const Tags tags = read_tags(file);
  media::Manifest draft;
  draft.medium = context.random.id();
  if (!options.medium.empty()) {
    const auto id = from_hex(options.medium);
    if (!id || id->size() != draft.medium.size())
      return fail(Fault::bad_usage, "press", "--medium takes 32 hexadecimal digits");
    draft.medium = array_of<16>(*id);
  }
  draft.title = options.title.value_or(tags.title);
  draft.artist = options.artist.value_or(tags.artist);
  draft.album = options.album.value_or(tags.album);
  draft.description = options.description.value_or(tags.description);
  draft.duration_ms = tags.duration_ms;
  USHER_TRY(const std::string sniffed, media_type_of(source));
  draft.media_type = options.media_type.empty() ? sniffed : options.media_type;
  if (draft.media_type.empty()) {
    return fail(Fault::unsupported, "press: type",
                file.string() + " is of a kind that usher does not know; name it with --media-type");
  }
  draft.size = source.size();
  draft.chunk_size = static_cast<std::uint32_t>(options.chunk_size);
  draft.object = context.random.id();
  draft.pressed_at = unix_seconds(context.clock.now());
  draft.distributor = shop.distributor;
  return draft;
}

Result<> write_release_file(const fs::path& path, const media::SignedManifest& manifest, const media::Source& source,
                            const Shop& shop, Context& context, const media::Progress& progress) {
  USHER_TRY(media::NewFile out, media::NewFile::create(path));
  media::FileSink sink(out);
  USHER_CHECK(media::write_release(manifest, source, shop.recipient, sink, context.random, progress));
  return out.publish();
}

Result<> press_one(const PressOptions& options, const fs::path& file, const Shop& shop, Context& context) {
  USHER_TRY(const media::SourcePtr source, media::open_file(file));
  USHER_TRY(media::Manifest manifest, draft_of(options, file, *source, shop, context));
  const std::string stem = options.anonymous ? to_hex(manifest.medium) : file.stem().string();
  const fs::path release = options.out / (stem + ".usher");
  const fs::path sidecar = options.out / (stem + ".manifest");
  for (const fs::path& path : {release, sidecar}) {
    if ((path == release || options.manifest_out) && fs::exists(path))
      return fail(Fault::already_exists, "press", path.string());
  }
  const std::string name = file.filename().string();
  USHER_TRY(manifest.root, media::root_of(*source, manifest.chunk_size, progress_line(name + "  reading")));
  manifest.chunks = static_cast<std::uint32_t>(media::chunks_of(manifest.size, manifest.chunk_size));
  USHER_TRY(const auto signed_manifest, media::SignedManifest::sign(manifest, shop.key, shop.chain));
  USHER_CHECK(write_release_file(release, signed_manifest, *source, shop, context, progress_line(name + "  sealing")));
  if (options.manifest_out) USHER_CHECK(write_sidecar(sidecar, signed_manifest));
  std::printf("%s  medium %s  %u chunks\n", printable(release.string()).c_str(), to_hex(manifest.medium).c_str(),
              manifest.chunks);
  std::fflush(stdout);
  return {};
}

Result<> press_all(const PressOptions& options, Context& context) {
  USHER_CHECK(check_options(options));
  USHER_TRY(const Shop shop, open_shop(options, context.clock.now()));
  std::error_code error;
  fs::create_directories(options.out, error);
  for (const fs::path& file : options.files) {
    auto pressed = press_one(options, file, shop, context);
    if (!pressed && pressed.error().about.empty()) pressed.error().about = file.string();
    USHER_CHECK(pressed);
  }
  return {};
}

}  // namespace

void add_press_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<PressOptions>();
  CLI::App* verb = app.add_subcommand("press", "Turn media files into releases for one operator");
  verb->add_option("files", options->files, "Media files")->required()->option_text("FILE...");
  add_key_options(*verb, options->key, "Your private key")->required();
  verb->add_option("--cert", options->certificate, "Your certificate and its chain (PEM)")
      ->required()
      ->option_text("FILE");
  verb->add_option("--for", options->recipient, "The operator's release-recipient certificate (PEM)")
      ->required()
      ->option_text("FILE");
  verb->add_option("--out", options->out, "Where the releases go: <file's name>.usher")
      ->capture_default_str()
      ->option_text("DIR");
  verb->add_option("--title", options->title, "In place of the file's own title");
  verb->add_option("--artist", options->artist, "In place of the file's own artist");
  verb->add_option("--album", options->album, "In place of the file's own album");
  verb->add_option("--description", options->description, "In place of the file's own description or comment");
  verb->add_option("--media-type", options->media_type, "In place of the type that the content shows, as audio/ogg");
  verb->add_option("--distributor", options->distributor, "Your name, in place of the certificate's");
  verb->add_option("--medium", options->medium, "Keep a medium's id when it is pressed again (32 hexadecimal digits)");
  verb->add_option("--chunk-size", options->chunk_size, "4KiB to 1MiB")
      ->capture_default_str()
      ->transform(CLI::AsSizeValue(false));
  verb->add_flag("--manifest-out", options->manifest_out,
                 "Write <name>.manifest too, in the clear, for your own records");
  verb->add_flag("--anonymous", options->anonymous, "Name the files by the medium's id: a file's name is not sealed");
  add_trust_options(*verb, options->trust);
  verb->callback(
      [options, &context] { context.action = [options, &context] { return press_all(*options, context); }; });
}

}  // namespace usher::press

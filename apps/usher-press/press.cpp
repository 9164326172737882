// usher-press press: makes releases from media files.
#include <boost/json.hpp>
#include <cstdio>
#include <map>

#include "base/encoding.h"
#include "commands.h"
#include "common/report.h"
#include "crypto/digest.h"
#include "keys.h"
#include "prepare.h"
#include "progress.h"
#include "sidecar.h"
#include "tags.h"

namespace usher::press {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReleaseSuffix = ".usher";
constexpr std::string_view kManifestSuffix = ".manifest";

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
  std::uint64_t chunk_size = 0;  // 0: chosen from the medium's rate
  PrepareOptions prepare;
  double duration = 0;  // seconds
  bool no_cover = false;
  bool manifest_out = false;
  bool anonymous = false;
};

/// The same for all files of one run.
struct Shop {
  crypto::PrivateKey key;
  std::vector<Bytes> chain;
  std::string distributor;
  media::PublicKeyWrapper recipient;
};

/// Refuses a batch in which two releases would have the same name, before anything is pressed.
Result<> check_names(const PressOptions& options) {
  std::map<std::string, fs::path> taken;
  for (const fs::path& file : options.files) {
    const std::string name = file.stem().string() + std::string(kReleaseSuffix);
    const auto [at, is_new] = taken.emplace(name, file);
    if (is_new) continue;
    return fail(Fault::bad_usage, "press",
                at->second.string() + " and " + file.string() + " would both become " + name +
                    "; press them into different directories, or with --anonymous");
  }
  return {};
}

/// Refuses a name that the file system would not accept, before the medium is read.
Result<> check_length(const PressOptions& options, const fs::path& file) {
  constexpr std::size_t kMaxName = 255;  // bytes
  const std::size_t suffix = options.manifest_out ? kManifestSuffix.size() : kReleaseSuffix.size();
  if (options.anonymous || file.stem().string().size() + suffix <= kMaxName) return {};
  return fail(Fault::bad_usage, "press",
              file.string() + ": the release's name would be longer than 255 bytes; --anonymous names it by its id");
}

/// Refuses a text that a manifest cannot hold; the error names the option. `least`, `most`: bytes.
Result<> check_text(std::string_view option, const std::optional<std::string>& text, std::size_t least,
                    std::size_t most) {
  if (!text || (text->size() >= least && text->size() <= most && is_clean_utf8(*text))) return {};
  return fail(Fault::bad_usage, "press",
              std::string(option) + " takes text of " + std::to_string(least) + " to " + std::to_string(most) +
                  " bytes, in UTF-8, without control characters");
}

Result<> check_options(const PressOptions& options) {
  USHER_CHECK(check_text("--title", options.title, 1, media::kMaxName));
  USHER_CHECK(check_text("--artist", options.artist, 0, media::kMaxName));
  USHER_CHECK(check_text("--album", options.album, 0, media::kMaxName));
  USHER_CHECK(check_text("--description", options.description, 0, media::kMaxDescription));
  if (!options.anonymous) USHER_CHECK(check_names(options));
  if (options.files.size() > 1 && (options.title || !options.medium.empty() || options.duration != 0)) {
    return fail(Fault::bad_usage, "press", "--title, --medium and --duration are for one file at a time");
  }
  if (options.chunk_size != 0 && !media::is_chunk_size(options.chunk_size)) {
    return fail(Fault::bad_usage, "press", "the chunk size must be a multiple of 4 KiB, from 4 KiB to 1 MiB");
  }
  return {};
}

Result<Shop> open_shop(const PressOptions& options, Time now) {
  USHER_TRY(const pki::Chain own, load_chain(options.certificate));
  USHER_TRY(const pki::Chain recipient, load_chain(options.recipient));
  USHER_CHECK(check_chain(own, pki::Role::distributor, options.trust, now));
  USHER_CHECK(check_chain(recipient, pki::Role::release_recipient, options.trust, now));
  USHER_TRY(crypto::PublicKey recipient_key, recipient.front().public_key());
  USHER_TRY(crypto::PrivateKey key, load_key(options.key));
  if (key.public_key().fingerprint() != own.front().key_fingerprint()) {
    return fail(Fault::bad_usage, "press", options.key.name + " is not the key of " + options.certificate.string(),
                "Name the key and the certificate that were made together.");
  }
  Shop shop{.key = std::move(key),
            .chain = {},
            .distributor = options.distributor,
            .recipient = media::PublicKeyWrapper(std::move(recipient_key))};
  for (const pki::Certificate& certificate : own) shop.chain.push_back(certificate.der());
  if (shop.distributor.empty()) shop.distributor = own.front().organisation();
  if (shop.distributor.empty()) shop.distributor = own.front().common_name();
  shop.distributor = clean(shop.distributor, media::kMaxName);
  return shop;
}

Result<Id128> medium_of(const PressOptions& options, Random& random) {
  if (options.medium.empty()) return random.id();
  const auto id = from_hex(options.medium);
  if (!id || id->size() != std::tuple_size_v<Id128>) {
    return fail(Fault::bad_usage, "press", "--medium takes 32 hexadecimal digits");
  }
  return array_of<16>(*id);
}

Result<media::Manifest> draft_of(const PressOptions& options, const fs::path& file, const Prepared& prepared,
                                 const Shop& shop, Context& context) {
  const Tags tags = read_tags(file);
  media::Manifest draft;
  USHER_TRY(draft.medium, medium_of(options, context.random));
  draft.title = options.title.value_or(tags.title);
  draft.artist = options.artist.value_or(tags.artist);
  draft.album = options.album.value_or(tags.album);
  draft.description = options.description.value_or(tags.description);
  draft.media_type = options.media_type.empty() ? prepared.media_type : options.media_type;
  draft.kind = prepared.kind;
  draft.size = prepared.media->size();
  draft.chunk_size = options.chunk_size != 0 ? static_cast<std::uint32_t>(options.chunk_size)
                                             : chunk_size_for(draft.size, prepared.measured.duration_ms);
  describe(draft, prepared.measured);
  draft.object = context.random.id();
  if (prepared.cover) {
    draft.parts.push_back({.kind = media::PartKind::cover,
                           .size = static_cast<std::uint32_t>(prepared.cover->size()),
                           .hash = crypto::sha256(*prepared.cover),
                           .object = context.random.id()});
  }
  draft.pressed_at = unix_seconds(context.clock.now());
  draft.distributor = shop.distributor;
  return draft;
}

Result<> write_release_file(const fs::path& path, const media::SignedManifest& manifest, const Prepared& prepared,
                            const Shop& shop, Context& context, const media::Progress& progress) {
  USHER_TRY(NewFile out, NewFile::create(path));
  media::FileSink sink(out);
  std::vector<Bytes> parts;
  if (prepared.cover) parts.push_back(*prepared.cover);
  USHER_CHECK(media::write_release(manifest, *prepared.media, shop.recipient, sink, context.random, progress,
                                   media::Suite::aes256_gcm, parts));
  return out.publish();
}

Result<> refuse_existing(const PressOptions& options, const fs::path& release, const fs::path& sidecar) {
  std::error_code ignored;  // a name that is too long is refused when the file is created
  for (const fs::path& path : {release, sidecar}) {
    if ((path == release || options.manifest_out) && fs::exists(path, ignored)) {
      return fail(Fault::already_exists, "press", path.string());
    }
  }
  return {};
}

struct Pressed {
  fs::path file;
  fs::path release;
  Id128 medium{};
  std::uint32_t chunks = 0;
};

void tell(bool json, const Pressed& pressed, const std::vector<std::string>& notes) {
  if (json) {
    const boost::json::object line{{"file", printable(pressed.file.string())},
                                   {"release", printable(pressed.release.string())},
                                   {"medium", to_hex(pressed.medium)},
                                   {"chunks", pressed.chunks},
                                   {"notes", boost::json::array(notes.begin(), notes.end())}};
    std::printf("%s\n", boost::json::serialize(line).c_str());
  } else {
    const std::string name = printable(pressed.file.filename().string());
    for (const std::string& note : notes) std::printf("%s: %s\n", name.c_str(), note.c_str());
    std::printf("%s  medium %s  %u chunks\n", printable(pressed.release.string()).c_str(),
                to_hex(pressed.medium).c_str(), pressed.chunks);
  }
  std::fflush(stdout);
}

Result<> press_one(const PressOptions& options, const fs::path& file, const Shop& shop, Context& context) {
  USHER_CHECK(check_length(options, file));
  USHER_TRY(const Prepared prepared, prepare(file, options.prepare));
  USHER_TRY(media::Manifest manifest, draft_of(options, file, prepared, shop, context));
  const std::string stem = options.anonymous ? to_hex(manifest.medium) : file.stem().string();
  const fs::path release = options.out / (stem + std::string(kReleaseSuffix));
  const fs::path sidecar = options.out / (stem + std::string(kManifestSuffix));
  USHER_CHECK(refuse_existing(options, release, sidecar));
  const std::string name = file.filename().string();
  const media::Source& media = *prepared.media;
  USHER_TRY(manifest.root, media::root_of(media, manifest.chunk_size, progress_line(name + "  reading")));
  USHER_TRY(const auto signed_manifest, media::SignedManifest::sign(manifest, shop.key, shop.chain));
  USHER_CHECK(write_release_file(release, signed_manifest, prepared, shop, context, progress_line(name + "  sealing")));
  if (options.manifest_out) USHER_CHECK(write_sidecar(sidecar, signed_manifest));
  tell(context.json, {.file = file, .release = release, .medium = manifest.medium, .chunks = manifest.chunks},
       prepared.notes);
  return {};
}

Result<> press_all(const PressOptions& options, Context& context) {
  USHER_CHECK(check_options(options));
  USHER_TRY(const Shop shop, open_shop(options, context.clock.now()));
  std::error_code error;
  fs::create_directories(options.out, error);
  app::Batch batch("usher-press", context.json);
  for (const fs::path& file : options.files) {
    auto pressed = press_one(options, file, shop, context);
    if (pressed) continue;
    if (pressed.error().about.empty()) pressed.error().about = file.string();
    if (pressed.error().fault == Fault::cancelled) return pressed;
    batch.refused(pressed.error());
  }
  context.status = batch.status();
  return {};
}

}  // namespace

/// Options that describe the medium, instead of the file's own tags.
void add_text_options(const app::Command& verb, PressOptions& options) {
  verb.option("--title", options.title, "In place of the file's own title");
  verb.option("--artist", options.artist, "In place of the file's own artist");
  verb.option("--album", options.album, "In place of the file's own album");
  verb.option("--description", options.description, "In place of the file's own description or comment");
  verb.option("--media-type", options.media_type, "In place of the type that the content shows, as audio/ogg");
  verb.option("--distributor", options.distributor, "Your name, in place of the certificate's");
  verb.option("--medium", options.medium, "Keep a medium's id when it is pressed again (32 hexadecimal digits)");
}

/// Options that change the medium before it is pressed.
void add_media_options(const app::Command& verb, PressOptions& options) {
  verb.flag("--remux", options.prepare.remux,
            "Pack a file anew that cannot be played as a stream; nothing is encoded again");
  const app::Option cover =
      verb.option("--cover", options.prepare.cover_file, "A picture, in place of the file's own").value_name("FILE");
  verb.flag("--no-cover", options.no_cover, "No picture, though the file has one").excludes(cover);
  verb.option("--duration", options.duration, "How long it plays, where that cannot be found out")
      .between(0.001, 1e9)
      .value_name("SECONDS");
  verb.size("--chunk-size", options.chunk_size, "4KiB to 1MiB, in place of about two seconds of the medium");
  verb.footer(
      "Examples:\n"
      "  usher-press press Song.flac --key label.key --cert label.pem --for operator.pem --out releases\n"
      "  usher-press press Talk.m4a  … --remux             its index is at its end: it is packed anew\n"
      "  usher-press press Song.ogg  … --cover Front.png   a cover of your own\n"
      "  usher-press press Song.mp3  … --no-cover          the picture in the file is taken out, and not used");
}

void add_press_command(const app::Command& program, Context& context) {
  auto options = std::make_shared<PressOptions>();
  const app::Command verb = program.command("press", "Turn media files into releases for one operator");
  verb.option("files", options->files, "Media files").required().value_name("FILE...");
  add_key_options(verb, options->key, "Your private key").required();
  verb.option("--cert", options->certificate, "Your certificate and its chain (PEM)").required().value_name("FILE");
  verb.option("--for", options->recipient, "The operator's release-recipient certificate (PEM)")
      .required()
      .value_name("FILE");
  verb.option("--out", options->out, "Where the releases go: <file's name>.usher").with_default().value_name("DIR");
  add_text_options(verb, *options);
  add_media_options(verb, *options);
  verb.flag("--manifest-out", options->manifest_out, "Write <name>.manifest too, in the clear, for your own records");
  verb.flag("--anonymous", options->anonymous, "Name the files by the medium's id: a file's name is not sealed");
  add_trust_options(verb, options->trust);
  verb.action([options, &context] {
    options->prepare.cover = !options->no_cover;
    options->prepare.duration_ms = static_cast<std::uint64_t>(options->duration * 1000);
    return press_all(*options, context);
  });
}

}  // namespace usher::press

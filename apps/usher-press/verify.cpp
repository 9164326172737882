// usher-press verify: whether a release or a sidecar is what its distributor signed.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/encoding.h"
#include "commands.h"
#include "keys.h"
#include "progress.h"
#include "sidecar.h"

namespace usher::press {
namespace {

struct VerifyOptions {
  std::filesystem::path file;
  KeyOptions key;
  TrustOptions trust;
};

void say(const std::string& line) { std::printf("%s\n", printable(line).c_str()); }

Result<> verify_manifest(const media::SignedManifest& signed_manifest, const TrustOptions& trust, Time now) {
  USHER_TRY(const media::Manifest manifest, signed_manifest.contents());
  const std::vector<View> ders(signed_manifest.chain.begin(), signed_manifest.chain.end());
  USHER_TRY(const identity::Chain chain, identity::chain_from_der(ders));
  USHER_TRY(const crypto::PublicKey key, chain.front().public_key());
  USHER_CHECK(signed_manifest.verify(key));
  say("signature     good, by " + chain.front().subject_text());
  const Time pressed = from_unix_seconds(manifest.pressed_at);
  USHER_CHECK(check_chain(chain, identity::Role::distributor, trust, now, &pressed));
  say(trust.anchors.empty() ? "distributor   the certificate's role and dates fit; give --trust to follow it to a root"
                            : "distributor   the certificate leads to the root in " + trust.anchors.string());
  return {};
}

/// Without the recipient's key: whether the file is whole, as far as its headers tell.
Result<> verify_outline(const media::SourcePtr& source) {
  USHER_TRY(const media::ReleaseOutline outline, media::ReleaseOutline::read(source));
  const std::uint64_t wanted = outline.media_offset + outline.media.object_size();
  if (source->size() < wanted) return fail(Fault::truncated, "verify: length");
  if (source->size() > wanted) return fail(Fault::malformed, "verify: length");
  say("length        fits the headers");
  return fail(Fault::not_verified, "verify", {});
}

Result<> verify_file(const VerifyOptions& options, Time now) {
  USHER_TRY(const media::SourcePtr source, media::open_file(options.file));
  USHER_TRY(const auto sidecar, read_sidecar(*source));
  if (sidecar) return verify_manifest(*sidecar, options.trust, now);
  if (options.key.name.empty()) return verify_outline(source);
  USHER_TRY(crypto::PrivateKey key, load_key(options.key));
  USHER_TRY(const media::Release release, media::Release::open(source, media::PrivateKeyUnwrapper(std::move(key))));
  USHER_CHECK(verify_manifest(release.signed_manifest(), options.trust, now));
  USHER_CHECK(release.verify_media(progress_line(options.file.filename().string() + "  verifying")));
  const media::Manifest& manifest = release.manifest();
  say("media         " + std::to_string(manifest.chunks) + " chunks, all as the manifest says");
  say("kind          " + std::string(manifest.kind == media::MediaKind::video ? "video" : "audio") + ", " +
      std::to_string(wire::count_of(manifest.structure)) + " chunks of structure, " +
      std::to_string(manifest.seek.size()) + " places to begin at");
  // Opening the release has checked them.
  if (!manifest.parts.empty()) say("parts         " + std::to_string(manifest.parts.size()) + ", as the manifest says");
  return {};
}

Result<> verify(const VerifyOptions& options, Time now) {
  auto verified = verify_file(options, now);
  if (verified) return {};
  std::string& about = verified.error().about;
  const std::string file = options.file.string();
  // A chunk's number says nothing without the file.
  if (!about.contains(file)) about = about.empty() ? file : file + ", " + about;
  return verified;
}

}  // namespace

void add_verify_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verb = app.add_subcommand("verify", "Check a release (.usher) or a sidecar (.manifest)");
  verb->add_option("file", options->file, "Release or sidecar")->required()->option_text("FILE");
  add_key_options(*verb, options->key, "The recipient's private key, which opens manifest and media");
  add_trust_options(*verb, options->trust);
  verb->callback(
      [options, &context] { context.action = [options, &context] { return verify(*options, context.clock.now()); }; });
}

}  // namespace usher::press

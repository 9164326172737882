// usher-press verify: checks whether a release or a sidecar is as its distributor signed it.
#include <cstdio>

#include "base/encoding.h"
#include "commands.h"
#include "common/json.h"
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

/// The successful checks: printed line by line as they happen, or as one object at the end.
class Findings {
 public:
  explicit Findings(bool json) : json_(json) {}
  void say(const std::string& line) const {
    if (!json_) std::printf("%s\n", printable(line).c_str());
  }
  boost::json::object object;

 private:
  bool json_;
};

Result<> verify_manifest(const media::SignedManifest& signed_manifest, const TrustOptions& trust, Time now,
                         Findings& findings) {
  USHER_TRY(const media::Manifest manifest, signed_manifest.contents());
  const std::vector<View> ders(signed_manifest.chain.begin(), signed_manifest.chain.end());
  USHER_TRY(const pki::Chain chain, pki::chain_from_der(ders));
  USHER_TRY(const crypto::PublicKey key, chain.front().public_key());
  USHER_CHECK(signed_manifest.verify(key));
  findings.say("signature     good, by " + chain.front().subject_text());
  const Time pressed = from_unix_seconds(manifest.pressed_at);
  USHER_CHECK(check_chain(chain, pki::Role::distributor, trust, now, &pressed));
  findings.say(trust.anchors.empty()
                   ? "distributor   the certificate's role and dates fit; give --trust to follow it to a root"
                   : "distributor   the certificate leads to the root in " + trust.anchors.string());
  findings.object["medium"] = to_hex(manifest.medium);
  findings.object["title"] = manifest.title;
  findings.object["manifest_sha256"] = to_hex(signed_manifest.hash());
  findings.object["pressed_at"] = app::iso_time(manifest.pressed_at);
  findings.object["signer"] = chain.front().subject_text();
  findings.object["trusted"] = !trust.anchors.empty();
  findings.object["chunks"] = nullptr;  // no chunk was read
  return {};
}

/// Without the recipient's key: checks only the file's length against its headers.
Result<> verify_outline(const media::SourcePtr& source, const Findings& findings) {
  USHER_TRY(const media::ReleaseOutline outline, media::ReleaseOutline::read(source));
  const std::uint64_t wanted = outline.media_offset + outline.media.object_size();
  if (source->size() < wanted) return fail(Fault::truncated, "verify: length");
  if (source->size() > wanted) return fail(Fault::malformed, "verify: length");
  findings.say("length        fits the headers");
  return fail(Fault::not_verified, "verify", {});
}

Result<> verify_file(const VerifyOptions& options, Time now, Findings& findings) {
  USHER_TRY(const media::SourcePtr source, media::open_file(options.file));
  USHER_TRY(const auto sidecar, read_sidecar(*source));
  if (sidecar) return verify_manifest(*sidecar, options.trust, now, findings);
  if (options.key.name.empty()) return verify_outline(source, findings);
  USHER_TRY(crypto::PrivateKey key, load_key(options.key));
  USHER_TRY(const media::Release release, media::Release::open(source, media::PrivateKeyUnwrapper(std::move(key))));
  USHER_CHECK(verify_manifest(release.signed_manifest(), options.trust, now, findings));
  USHER_CHECK(release.verify_media(progress_line(options.file.filename().string() + "  verifying")));
  const media::Manifest& manifest = release.manifest();
  findings.object["chunks"] = manifest.chunks;
  findings.say("media         " + std::to_string(manifest.chunks) + " chunks, all as the manifest says");
  findings.say("kind          " + std::string(manifest.kind == media::MediaKind::video ? "video" : "audio") + ", " +
               std::to_string(wire::count_of(manifest.structure)) + " chunks of structure, " +
               std::to_string(manifest.seek.size()) + " places to begin at");
  // Release::open has checked the parts.
  if (!manifest.parts.empty())
    findings.say("parts         " + std::to_string(manifest.parts.size()) + ", as the manifest says");
  return {};
}

Result<> verify(const VerifyOptions& options, const Context& context) {
  Findings findings(context.json);
  findings.object["file"] = printable(options.file.string());
  auto verified = verify_file(options, context.clock.now(), findings);
  if (verified && context.json) app::print_json(findings.object);
  if (verified) return {};
  std::string& about = verified.error().about;
  const std::string file = options.file.string();
  // A chunk's number means nothing without the file's name.
  if (!about.contains(file)) about = about.empty() ? file : file + ", " + about;
  return verified;
}

}  // namespace

void add_verify_command(const app::Command& program, Context& context) {
  auto options = std::make_shared<VerifyOptions>();
  const app::Command verb = program.command("verify", "Check a release (.usher) or a sidecar (.manifest)");
  verb.option("file", options->file, "Release or sidecar").required().value_name("FILE");
  add_key_options(verb, options->key, "The recipient's private key, which opens manifest and media");
  add_trust_options(verb, options->trust);
  verb.action([options, &context] { return verify(*options, context); });
}

}  // namespace usher::press

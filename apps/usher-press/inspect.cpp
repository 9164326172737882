// usher-press inspect: shows the contents of a release or a sidecar.
#include <unistd.h>
#include <boost/json.hpp>
#include <cstdio>

#include "base/display.h"
#include "base/encoding.h"
#include "commands.h"
#include "common/json.h"
#include "common/output.h"
#include "keys.h"
#include "media/release.h"
#include "sidecar.h"

namespace usher::press {
namespace {

namespace json = boost::json;

struct InspectOptions {
  std::filesystem::path file;
  KeyOptions key;
};

std::string_view suite_name(media::Suite suite) {
  return suite == media::Suite::aes256_gcm ? "AES-256-GCM" : "AES-256-CTR with HMAC-SHA-256";
}

std::string_view wrap_name(std::uint8_t type) {
  switch (static_cast<media::WrapType>(type)) {
    case media::WrapType::passphrase:
      return "passphrase";
    case media::WrapType::rsa_oaep:
      return "rsa-oaep";
    case media::WrapType::ecdh_p256:
      return "ecdh-p256";
    case media::WrapType::kek:
      return "kek";
  }
  return "unknown";
}

json::object json_of(const media::ReleaseOutline& outline) {
  const media::Layout& layout = outline.media.layout;
  json::array recipients;
  for (const media::Recipient& recipient : outline.media.recipients) {
    json::object entry{{"wrap", wrap_name(recipient.type)}};
    // Both public-key wraps begin with the SHA-256 of the recipient's public key (sealed.md §4).
    if (recipient.params.size() >= 32) entry["key_sha256"] = to_hex(View(recipient.params).first(32));
    recipients.push_back(std::move(entry));
  }
  return {{"medium", to_hex(outline.medium)},   {"object", to_hex(layout.object)}, {"size", layout.total},
          {"chunk_size", layout.chunk_size},    {"chunks", layout.chunks()},       {"suite", suite_name(layout.suite)},
          {"recipients", std::move(recipients)}};
}

json::object json_of(const media::Part& part) {
  return {{"kind", "cover"}, {"size", part.size}, {"sha256", to_hex(part.hash)}, {"object", to_hex(part.object)}};
}

/// The chunks' timing; the whole tables only for --json.
json::object timing_of(const media::Manifest& m, bool as_json) {
  const wire::Extent extent = m.extent();
  json::array structure;
  for (const wire::ChunkRange& range : m.structure) {
    structure.push_back(json::object{{"first", range.first}, {"count", range.count}});
  }
  json::object out{{"structure_chunks", wire::count_of(m.structure)}, {"head", m.head}, {"seek_places", m.seek.size()}};
  if (!as_json) {
    out["first_seconds"] = "30 s need " + std::to_string(extent.chunks_for(30)) + " of " +
                           std::to_string(extent.media_chunks()) + " chunks";
    return out;
  }
  json::array seconds(m.seconds.begin(), m.seconds.end());
  json::array seek;
  for (const media::SeekPoint& point : m.seek) seek.push_back(json::array{point.time_ms, point.offset});
  out["structure"] = std::move(structure);
  out["seconds"] = std::move(seconds);
  out["seek"] = std::move(seek);
  return out;
}

Result<json::object> json_of(const media::SignedManifest& signed_manifest, bool as_json) {
  USHER_TRY(const media::Manifest m, signed_manifest.contents());
  std::vector<View> ders(signed_manifest.chain.begin(), signed_manifest.chain.end());
  USHER_TRY(const pki::Chain chain, pki::chain_from_der(ders));
  json::array subjects;
  for (const pki::Certificate& certificate : chain) subjects.push_back(json::value(certificate.subject_text()));
  json::array parts;
  for (const media::Part& part : m.parts) parts.push_back(json_of(part));
  return json::object{{"medium", to_hex(m.medium)},
                      {"title", m.title},
                      {"artist", m.artist},
                      {"album", m.album},
                      {"description", m.description},
                      {"media_type", m.media_type},
                      {"kind", m.kind == media::MediaKind::video ? "video" : "audio"},
                      {"duration_ms", m.duration_ms},
                      {"size", m.size},
                      {"chunk_size", m.chunk_size},
                      {"chunks", m.chunks},
                      {"root", to_hex(m.root)},
                      {"object", to_hex(m.object)},
                      {"timing", timing_of(m, as_json)},
                      {"parts", std::move(parts)},
                      {"pressed_at", app::iso_time(m.pressed_at)},
                      {"distributor", m.distributor},
                      {"manifest_sha256", to_hex(signed_manifest.hash())},
                      {"chain", std::move(subjects)}};
}

std::string text_of(const json::value& value) {
  return printable(value.is_string() ? std::string(value.get_string()) : json::serialize(value));
}

std::string line_of(const json::value& entry) {
  if (!entry.is_object()) return text_of(entry);
  std::string text;
  for (const auto& field : entry.get_object()) text += (text.empty() ? "" : " ") + text_of(field.value());
  return text;
}

constexpr std::size_t kNames = 22;       // columns for the longest name and its indent
constexpr std::size_t kLeastValue = 32;  // columns; with less room next to its name, a value goes below it

/// One field: its name on the left; its values on the right, or below if the terminal is narrow.
void print_field(const std::string& name, const std::vector<std::string>& values, std::size_t columns,
                 std::size_t indent) {
  const bool beside = columns >= kNames + 1 + kLeastValue;
  const std::size_t at = beside ? kNames + 1 : indent + 2;
  std::string out(indent, ' ');
  out += beside ? cell(name, kNames - indent) : cut(name, columns - std::min(indent, columns));
  bool first = beside;
  for (const std::string& value : values) {
    const std::string line = wrapped(std::string(at, ' ') + value, columns, at);
    out += first ? " " + line.substr(std::min(at, line.size())) : "\n" + line;
    first = false;
  }
  std::printf("%s\n", out.c_str());
}

void print(const json::object& object, std::size_t columns, std::size_t indent = 0) {
  for (const auto& [key, value] : object) {
    const std::string name(key);
    if (value.is_object()) {
      print_field(name, {}, columns, indent);
      print(value.get_object(), columns, indent + 2);
    } else if (value.is_array()) {
      std::vector<std::string> lines;
      for (const json::value& entry : value.get_array()) lines.push_back(line_of(entry));
      print_field(name, lines, columns, indent);
    } else {
      const bool title = name == "title";
      print_field(name, {title ? titled(text_of(value)) : text_of(value)}, columns, indent);
    }
  }
}

Result<json::object> look_at(const InspectOptions& options, bool as_json) {
  USHER_TRY(const media::SourcePtr source, media::open_file(options.file));
  USHER_TRY(const auto sidecar, read_sidecar(*source));
  if (sidecar) {
    USHER_TRY(json::object manifest, json_of(*sidecar, as_json));
    return json::object{{"manifest", std::move(manifest)}};
  }
  USHER_TRY(const media::ReleaseOutline outline, media::ReleaseOutline::read(source));
  json::object out = json_of(outline);
  if (options.key.name.empty()) {
    out["manifest"] = nullptr;
    return out;
  }
  USHER_TRY(crypto::PrivateKey key, load_key(options.key));
  USHER_TRY(const media::Release release, media::Release::open(source, media::PrivateKeyUnwrapper(std::move(key))));
  USHER_TRY(out["manifest"], json_of(release.signed_manifest(), as_json));
  return out;
}

Result<> inspect(const InspectOptions& options, bool as_json) {
  auto found = look_at(options, as_json);
  if (!found) {
    if (found.error().about.empty()) found.error().about = options.file.string();
    return std::unexpected(std::move(found).error());
  }
  if (as_json) {
    std::printf("%s\n", json::serialize(*found).c_str());
    return {};
  }
  const bool sealed = found->at("manifest").is_null();
  if (sealed) (*found)["manifest"] = "sealed: the recipient reads it with --key";
  print(*found, app::terminal_columns(STDOUT_FILENO));
  return {};
}

}  // namespace

void add_inspect_command(const app::Command& program, Context& context) {
  auto options = std::make_shared<InspectOptions>();
  const app::Command verb =
      program.command("inspect", "Show what a release (.usher) or a sidecar (.manifest) says; nothing is verified");
  verb.option("file", options->file, "Release or sidecar").required().value_name("FILE");
  add_key_options(verb, options->key, "The recipient's private key, which shows the manifest too");
  verb.action([options, &context] { return inspect(*options, context.json); });
}

}  // namespace usher::press

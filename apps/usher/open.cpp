#include <cerrno>
#include <cstdio>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "base/encoding.h"
#include "console.h"
#include "get.h"
#include "installation.h"
#include "json.h"
#include "progress.h"

namespace usher::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSealedSuffix = ".sealed";

class NoSink final : public media::Sink {
 public:
  [[nodiscard]] Result<> write(View /*bytes*/) override { return {}; }
};

class StandardOutput final : public media::Sink {
 public:
  [[nodiscard]] Result<> write(View bytes) override {
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR && !Interrupts::interrupted()) continue;
      if (wrote < 0)
        return fail(Fault::output_failed, "open", "standard output: " + std::generic_category().message(errno));
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
  }
};

Result<fs::path> target_of(const OpenWish& wish) {
  if (!wish.output.empty()) return fs::path(wish.output);
  const std::string file = wish.file.string();
  if (!file.ends_with(kSealedSuffix) || wish.file.filename() == kSealedSuffix) {
    return fail(Fault::bad_usage, "open", printable(file) + " does not end with .sealed: name the output with -o");
  }
  return fs::path(file.substr(0, file.size() - kSealedSuffix.size()));
}

Result<std::optional<Hash256>> digest_of(const OpenWish& wish) {
  if (wish.digest.empty()) return std::nullopt;
  const auto digest = from_hex(wish.digest);
  if (!digest || digest->size() != 32) {
    return fail(Fault::bad_usage, "open", "--digest takes a SHA-256: 64 hexadecimal digits");
  }
  return array_of<32>(*digest);
}

struct Opening {
  const Context& context;
  media::SourcePtr source;
  media::PrivateKeyUnwrapper key;
  std::optional<Hash256> digest;

  [[nodiscard]] Result<media::OpenedFile> into(media::Sink& sink, const std::string& name) const {
    ProgressLine line(context.options, name);
    return media::open_file_object(source, key, sink, digest, [&](std::uint64_t done, std::uint64_t total) {
      line.show(done, total);
      return !Interrupts::interrupted();
    });
  }
};

/// Opens the object twice: nothing may be written before all of it was verified.
Result<media::OpenedFile> to_standard_output(const Opening& opening, const std::string& name) {
  NoSink nowhere;
  USHER_CHECK(opening.into(nowhere, name));
  StandardOutput out;
  return opening.into(out, name);
}

Result<media::OpenedFile> to_file(const Opening& opening, const fs::path& target, bool force) {
  std::error_code ignored;
  if (!force && fs::exists(fs::symlink_status(target, ignored))) {
    return fail(Fault::already_exists, "open: target", target.string(),
                "Choose another name with -o; --force replaces what is there.");
  }
  USHER_TRY(NewFile out, NewFile::create(target));
  media::FileSink sink(out);
  USHER_TRY(media::OpenedFile opened, opening.into(sink, target.filename().string()));
  USHER_CHECK(out.publish(force ? Replace::yes : Replace::no));
  return opened;
}

/// A chunk's number or a kind of damage means nothing without the file's name.
Error with_file(Error error, const fs::path& file) {
  if (!error.about.contains(file.string())) {
    error.about = file.string() + (error.about.empty() ? "" : ", " + error.about);
  }
  return error;
}

}  // namespace

Result<> do_open(Context& context, const OpenWish& wish) {
  const bool standard_output = wish.output == "-";
  if (standard_output && ::isatty(STDOUT_FILENO) == 1) {
    return fail(Fault::bad_usage, "open", "-o - is for a pipe or a file: what is sealed is not for a terminal");
  }
  if (standard_output && context.options.json) {
    return fail(Fault::bad_usage, "open", "--json and -o - both want standard output");
  }
  USHER_TRY(const fs::path target, target_of(wish));
  USHER_TRY(const std::optional<Hash256> digest, digest_of(wish));
  USHER_TRY(media::SourcePtr source, media::open_file(wish.file));
  // Runs before the prompt for a passphrase.
  if (auto header = media::Header::read(*source); !header) {
    return std::unexpected(with_file(std::move(header).error(), wish.file));
  }
  USHER_TRY(const Config config, load_config(context.options, context.environment));
  USHER_TRY(crypto::PrivateKey key, load_key(context.options, config, Kept::use));
  const Interrupts interrupts;
  const Opening opening{context, std::move(source), media::PrivateKeyUnwrapper(std::move(key)), digest};
  auto opened = standard_output ? to_standard_output(opening, wish.file.filename().string())
                                : to_file(opening, target, wish.force);
  if (!opened) return std::unexpected(with_file(std::move(opened).error(), wish.file));
  if (context.options.json) {
    std::puts(opened_json(*opened, target.string()).c_str());
  } else if (!standard_output && !context.options.quiet) {
    std::puts(printable(fmt::format("{}: {} bytes, SHA-256 {}", target.string(), opened->bytes, to_hex(opened->digest)))
                  .c_str());
  }
  return {};
}

}  // namespace usher::cli

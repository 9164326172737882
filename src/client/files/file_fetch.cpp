#include "client/files/file_fetch.h"

#include <charconv>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace usher::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxListLine = 20 + 1 + 20 + 1 + wire::kMaxFileName;  // bytes: size, time, name
constexpr std::size_t kPiece = 256 << 10;                                   // bytes read at once

/// Splits the response into lines, and passes each to `take` without its LF. An error from `take` ends the transfer.
class LineSink final : public media::Sink {
 public:
  explicit LineSink(std::function<Result<>(std::string_view)> take) : take_(std::move(take)) {}
  [[nodiscard]] Result<> write(View bytes) override {
    std::string_view text = text_of(bytes);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      line_.append(text.substr(0, end));
      if (line_.size() > kMaxListLine) return fail(Fault::too_long, "file list: line");
      if (end == std::string_view::npos) return {};
      text.remove_prefix(end + 1);
      USHER_CHECK(take_(line_));
      line_.clear();
    }
    return {};
  }
  [[nodiscard]] bool ended_with_a_line() const noexcept { return line_.empty(); }

 private:
  std::function<Result<>(std::string_view)> take_;
  std::string line_;
};

/// Writes bytes to a file; hashes and counts them.
class FileWriter final : public media::Sink {
 public:
  FileWriter(const NewFile& file, const Meter& meter) : sink_(file), meter_(&meter) {}
  /// Hashes and counts what the file contains already.
  [[nodiscard]] Result<> take_in(const media::Source& part, const Stop& stop) {
    Bytes piece(kPiece);
    while (bytes < part.size()) {
      if (stop && stop()) return fail(Fault::cancelled, "file fetch");
      USHER_TRY(const std::size_t got, part.read_at(bytes, piece));
      if (got == 0)
        return fail(Fault::io, "file fetch: part", "it has become shorter",
                    "Another program changes it; fetch again without --continue.");
      hasher.update(View(piece).first(got));
      bytes += got;
    }
    return {};
  }
  [[nodiscard]] Result<> write(View more) override {
    if (sink_.offset() != bytes) return fail(Fault::local, "file fetch: offset");
    USHER_CHECK(sink_.write(more));
    hasher.update(more);
    bytes += more.size();
    if (*meter_) (*meter_)(bytes, total);
    return {};
  }
  void start_at(const NewFile& file) { sink_ = media::FileSink(file, bytes); }

  crypto::Hasher hasher{crypto::Digest::sha256};
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;

 private:
  media::FileSink sink_;
  const Meter* meter_;
};

class NoSink final : public media::Sink {
 public:
  [[nodiscard]] Result<> write(View /*bytes*/) override { return {}; }
};

wire::FileRequest request_of(const FileWish& wish, std::uint64_t from) {
  if (wish.sealed) return wire::GetSealedFile{.name = wish.name, .ctr = *wish.sealed != media::Suite::aes256_gcm};
  if (from > 0) return wire::GetFileFrom{.offset = from, .name = wish.name};
  return wire::GetFile{.name = wish.name};
}

/// Opens or creates the file to write to. Errors: see FileFetcher::fetch.
Result<NewFile> part_for(const FileWish& wish, const fs::path& part) {
  std::error_code ignored;
  if (!wish.force && fs::exists(fs::symlink_status(wish.target, ignored))) {
    return fail(Fault::already_exists, "file fetch: target", wish.target.string(),
                "Choose another name with -o; --force replaces what is there.");
  }
  if (wish.go_on) {
    auto known = NewFile::take_up(wish.target, part);
    if (known || known.error().fault != Fault::not_found) return known;
  } else if (wish.force) {
    // Take it up first, so that another process's running transfer is not deleted. The destructor of `old` then deletes
    // the part.
    auto old = NewFile::take_up(wish.target, part);
    if (!old && old.error().fault != Fault::not_found) return old;
  }
  auto made = NewFile::create_as(wish.target, part);
  if (!made && made.error().fault == Fault::already_exists) {
    made.error().about += ", of an earlier transfer; --continue goes on with it, --force throws it away";
  }
  return made;
}

/// §4.3: a transfer that was interrupted or cancelled can be continued, a sealed object never. A part that was kept
/// once is deleted only when it turns out to belong to another file.
bool can_be_continued(const FileWish& wish, Fault fault, std::uint64_t bytes) {
  if (wish.sealed || bytes == 0) return false;
  if (wish.go_on) return fault != Fault::digest_mismatch;
  return fault == Fault::interrupted || fault == Fault::cancelled || fault == Fault::already_exists;
}

}  // namespace

fs::path part_of(const fs::path& target) {
  constexpr std::size_t kMaxName = 255;  // bytes, the usual limit of file systems
  const std::string name = target.filename().string();
  if (name.size() + kPartSuffix.size() <= kMaxName) return target.string() + std::string(kPartSuffix);
  const std::string digest = to_hex(crypto::sha256(view_of(name))).substr(0, 32);
  return target.parent_path() / ("." + digest + std::string(kPartSuffix));
}

Result<ListedFile> listed_file(std::string_view line) {
  constexpr std::size_t kTime = 20;
  ListedFile file;
  const auto [end, wrong] = std::from_chars(line.data(), line.data() + line.size(), file.size);
  const auto digits = static_cast<std::size_t>(end - line.data());
  if (wrong != std::errc{} || line.size() <= digits + kTime + 2 || line[digits] != ' ' ||
      line[digits + 1 + kTime] != ' ' || !is_clean_utf8(line)) {
    return fail(Fault::malformed, "file list", "the server's list has a malformed line");
  }
  file.time.assign(line.substr(digits + 1, kTime));
  file.name.assign(line.substr(digits + kTime + 2));
  return file;
}

Result<std::string> local_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? name : name.substr(slash + 1);
  if (!wire::is_file_name(last)) {
    return fail(Fault::bad_usage, "file fetch: name",
                "the last part of '" + printable(name) + "' cannot be a file's name here; give one with -o");
  }
  return std::string(last);
}

Result<> FileFetcher::list(const std::string& prefix, const std::function<void(const ListedFile&)>& each) {
  std::size_t lines = 0;
  LineSink sink([&](std::string_view line) -> Result<> {
    if (++lines > wire::kMaxFileListLines) return fail(Fault::too_long, "file list");
    USHER_TRY(const ListedFile file, listed_file(line));
    each(file);
    return {};
  });
  USHER_CHECK(stream_->ask(wire::ListFiles{.prefix = prefix}, sink, stop_));
  if (!sink.ended_with_a_line()) return fail(Fault::malformed, "file list: end");
  return {};
}

Result<Hash256> FileFetcher::digest(const std::string& name) {
  Bytes found;
  LineSink sink([&](std::string_view line) -> Result<> {
    constexpr std::size_t kHex = 64;
    auto hex = from_hex(line.substr(0, kHex));
    const bool right = hex && hex->size() == 32 && line.substr(kHex) == "  " + name;
    if (!right || !found.empty()) return fail(Fault::malformed, "file digest", "the server's digest is malformed");
    found = *std::move(hex);
    return {};
  });
  USHER_CHECK(stream_->ask(wire::GetFileDigest{.name = name}, sink, stop_));
  if (found.empty() || !sink.ended_with_a_line()) return fail(Fault::malformed, "file digest");
  return array_of<32>(found);
}

/// Takes the size from a list: there, a name comes before all others that begin with it. 0: not listed.
Result<std::uint64_t> FileFetcher::size_of(const std::string& name) {
  std::optional<ListedFile> first;
  LineSink sink([&](std::string_view line) -> Result<> {
    USHER_TRY(first, listed_file(line));
    return fail(Fault::cancelled, "file list: first line");  // the rest is not needed
  });
  const auto asked = stream_->ask(wire::ListFiles{.prefix = name}, sink, stop_);
  if (!asked && !first) return std::unexpected(asked.error());
  return first && first->name == name ? first->size : 0;
}

/// Compares the written file with the server's digest, if `wish` requests that. False: not requested. Errors:
/// digest_mismatch; see FileFetcher::fetch.
Result<bool> FileFetcher::verify(const FileWish& wish, FetchedFile& file) {
  if (!wish.verify && !wish.go_on) return false;
  USHER_TRY(const Hash256 digest, this->digest(wish.name));
  if (wish.sealed) {
    const fs::path part = part_of(wish.target);
    USHER_TRY(media::SourcePtr source, media::open_file(part));
    NoSink nowhere;
    const media::PrivateKeyUnwrapper key(*stream_->options().key);
    const auto going = [&](std::uint64_t, std::uint64_t) { return !stop_ || !stop_(); };
    USHER_TRY(const media::OpenedFile opened, media::open_file_object(std::move(source), key, nowhere, digest, going));
    file.sha256 = opened.digest;
    return true;
  }
  if (file.sha256 != digest) {
    return fail(Fault::digest_mismatch, "file fetch: digest",
                wish.go_on ? wish.name + "; it was replaced since the first part came" : wish.name);
  }
  return true;
}

Result<FetchedFile> FileFetcher::fetch(const FileWish& wish, const Meter& meter) {
  if (wish.sealed && wish.go_on) {
    return fail(Fault::bad_usage, "file fetch", "a sealed file cannot be continued: each has a key of its own");
  }
  const fs::path part = part_of(wish.target);
  USHER_TRY(NewFile out, part_for(wish, part));
  FileWriter writer(out, meter);
  FetchedFile file{.name = wish.name, .target = wish.target, .sealed = wish.sealed.has_value()};
  std::uint64_t before = 0;
  const auto transfer = [&]() -> Result<> {
    if (wish.go_on) {
      USHER_TRY(const media::SourcePtr known, media::open_file(part));
      USHER_CHECK(writer.take_in(*known, stop_));
      before = writer.bytes;
      writer.start_at(out);
    }
    if (wish.measure) {
      USHER_TRY(writer.total, size_of(wish.name));
      // Not exact: the size of the header depends on the recipient's key.
      if (wish.sealed) writer.total = media::file_layout(*wish.sealed, writer.total).body_size();
    }
    if (meter) meter(writer.bytes, writer.total);
    USHER_CHECK(stream_->ask(request_of(wish, before), writer, stop_));
    file.bytes = writer.bytes;
    file.received = writer.bytes - before;
    file.sha256 = array_of<32>(writer.hasher.value());
    USHER_TRY(file.verified, verify(wish, file));
    return {};
  };
  auto done = transfer();
  if (done) done = out.publish(wish.force ? Replace::yes : Replace::no);
  if (done) return file;
  Error& error = done.error();
  if (error.about.empty()) error.about = wish.name;
  if (can_be_continued(wish, error.fault, std::max(writer.bytes, before))) {
    out.keep();
    error.about +=
        "; " + part.string() + " holds " + std::to_string(writer.bytes) + " bytes, and --continue goes on with it";
  }
  return std::unexpected(std::move(error));
}

}  // namespace usher::client

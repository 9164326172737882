// client/file_fetch: files by the file stream, whole on the disk or not at all.  Spec: filestream.md §3-§5.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "client/file_stream.h"
#include "media/file_object.h"

namespace usher::client {

inline constexpr std::string_view kPartSuffix = ".usher-part";

/// Where a file is written until it is whole: beside it, under its name and kPartSuffix; where that is longer than a name
/// can be, under "." and 32 hex digits of the name's SHA-256 and kPartSuffix.
[[nodiscard]] std::filesystem::path part_of(const std::filesystem::path& target);

struct ListedFile {
  std::uint64_t size = 0;  // bytes
  std::string time{};      // of the last change, "2026-11-22T09:30:00Z"
  std::string name{};
};
/// One line of a list, without its LF (§3.1). Errors: malformed.
[[nodiscard]] Result<ListedFile> listed_file(std::string_view line);

/// The local name for a file of the server's: the last component, a plain one. Errors: bad_usage.
[[nodiscard]] Result<std::string> local_name(std::string_view name);

struct FileWish {
  std::string name{};                    // the server's
  std::filesystem::path target{};        // where it goes
  std::optional<media::Suite> sealed{};  // as a sealed object of this suite
  bool verify = false;                   // asks for the digest and compares it
  bool go_on = false;                    // with what an earlier transfer left; then it is always verified
  bool force = false;                    // replaces the target, and throws away what an earlier transfer left
  bool measure = false;                  // asks for the size first, so that progress knows the total
};

struct FetchedFile {
  std::string name{};
  std::filesystem::path target{};
  std::uint64_t bytes = 0;     // of the file that was written
  std::uint64_t received = 0;  // of these, in this call
  Hash256 sha256{};            // of the file that was written; of a sealed one that was verified, the plaintext's
  bool sealed = false;
  bool verified = false;
};

/// `total` is 0 where nobody knows it. Called from the thread that fetches, a few times a second at most if data is
/// slow.
using Meter = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Several files from one server, one after the other.
class FileFetcher {
 public:
  /// `stream` and `stop` are borrowed.
  FileFetcher(FileStream& stream, Stop stop) : stream_(&stream), stop_(std::move(stop)) {}

  /// Writes beside the target under its name and kPartSuffix, and renames once the answer was complete and, where that
  /// is wanted, its digest is the server's. A transfer that was cut or cancelled leaves the part, if there is something
  /// in it that can be continued; every other failure removes it.
  /// Errors: as FileStream::ask; already_exists (target, or a part and neither go_on nor force); busy, another process
  /// fetches it; digest_mismatch; disk_full, not_permitted, io; as
  /// media::open_file_object, for a sealed file that is verified.
  [[nodiscard]] Result<FetchedFile> fetch(const FileWish& wish, const Meter& meter);

  /// `each` is given one file after the other, in the server's order. Errors: as ask; malformed, too_long (§1).
  [[nodiscard]] Result<> list(const std::string& prefix, const std::function<void(const ListedFile&)>& each);

  /// The server's digest of a file. Errors: as ask; malformed.
  [[nodiscard]] Result<Hash256> digest(const std::string& name);

 private:
  [[nodiscard]] Result<std::uint64_t> size_of(const std::string& name);
  [[nodiscard]] Result<bool> verify(const FileWish& wish, FetchedFile& file);
  FileStream* stream_;
  Stop stop_;
};

}  // namespace usher::client

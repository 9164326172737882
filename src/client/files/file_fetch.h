// client/files/file_fetch: fetches files over the file stream; a target is complete or absent.
// Spec: filestream.md §3-§5.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "client/files/file_stream.h"
#include "media/file_object.h"

namespace usher::client {

inline constexpr std::string_view kPartSuffix = ".usher-part";

/// The path to which a file is written until it is complete: in the target's folder, under the target's name and
/// kPartSuffix. If that name is too long, under "." and 32 hex digits of the name's SHA-256 and kPartSuffix.
[[nodiscard]] std::filesystem::path part_of(const std::filesystem::path& target);

struct ListedFile {
  std::uint64_t size = 0;  // bytes
  std::string time{};      // of the last change, "2026-11-22T09:30:00Z"
  std::string name{};
};
/// One line of a list, without its LF (§3.1). Errors: malformed.
[[nodiscard]] Result<ListedFile> listed_file(std::string_view line);

/// The local name for a file of the server: the last component of its name. Errors: bad_usage, if that is not a
/// valid file name.
[[nodiscard]] Result<std::string> local_name(std::string_view name);

struct FileWish {
  std::string name{};                    // on the server
  std::filesystem::path target{};        // where to write it
  std::optional<media::Suite> sealed{};  // fetch it as a sealed object of this suite
  bool verify = false;                   // request the digest and compare it
  bool go_on = false;                    // continue an earlier transfer's part; the file is then always verified
  bool force = false;                    // replace the target, and delete an earlier transfer's part
  bool measure = false;                  // request the size first, so that the total is known for progress
};

struct FetchedFile {
  std::string name{};
  std::filesystem::path target{};
  std::uint64_t bytes = 0;     // of the file that was written
  std::uint64_t received = 0;  // how many of these bytes this call received
  Hash256 sha256{};            // of the file that was written; of the plaintext, if a sealed file was verified
  bool sealed = false;
  bool verified = false;
};

/// Reports progress in bytes. `total` is 0 if it is unknown. Called from the thread that fetches; if data arrives
/// slowly, a few times a second at most.
using Meter = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Fetches files from one server, one after the other.
class FileFetcher {
 public:
  /// `stream` and `stop` are borrowed.
  FileFetcher(FileStream& stream, Stop stop) : stream_(&stream), stop_(std::move(stop)) {}

  /// Writes to part_of(target). Renames that file to the target when the response is complete and, if verification is
  /// requested, the digest matches the server's. A transfer that was interrupted or cancelled leaves the part file if
  /// it can be continued; every other failure removes the part file.
  /// Errors: as FileStream::ask; already_exists (the target exists; or a part exists, and neither go_on nor force is
  /// set); busy, another process fetches it; digest_mismatch; disk_full, not_permitted, io; as
  /// media::open_file_object, for a sealed file that is verified.
  [[nodiscard]] Result<FetchedFile> fetch(const FileWish& wish, const Meter& meter);

  /// Calls `each` for one file after the other, in the server's order. Errors: as ask; malformed, too_long (§1).
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

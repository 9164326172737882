// wire/file_request: the request line that a client of the file stream sends.  Spec: filestream.md §3.
//
//   line = verb [SP argument] [CR] LF
#pragma once

#include <string>
#include <variant>

#include "base/result.h"

namespace usher::wire {

inline constexpr std::size_t kMaxFileLine = 4096;          // bytes with the end, §3.1
inline constexpr std::size_t kMaxFileName = 1024;          // bytes, §3.2
inline constexpr std::size_t kMaxFileComponent = 255;      // bytes
inline constexpr std::size_t kMaxFileComponents = 16;      // of a name
inline constexpr std::size_t kMaxFileListLines = 100'000;  // of an answer to LIST, §1

struct GetFile {
  std::string name;
  bool operator==(const GetFile&) const = default;
};
struct GetFileFrom {
  std::uint64_t offset = 0;  // bytes
  std::string name;
  bool operator==(const GetFileFrom&) const = default;
};
struct GetSealedFile {
  std::string name;
  bool ctr = false;  // suite 2 of sealed.md, else suite 1
  bool operator==(const GetSealedFile&) const = default;
};
struct GetFileDigest {
  std::string name;
  bool operator==(const GetFileDigest&) const = default;
};
struct ListFiles {
  std::string prefix;  // of the whole name; empty: all files
  bool operator==(const ListFiles&) const = default;
};
using FileRequest = std::variant<GetFile, GetFileFrom, GetSealedFile, GetFileDigest, ListFiles>;

/// Whether a name has the form of §3.2. Such a file need not exist.
[[nodiscard]] bool is_file_name(std::string_view name) noexcept;

/// `line`: the bytes before LF. Errors, with the broken rule in `where`: too_long; malformed.
[[nodiscard]] Result<FileRequest> decode_file_request(std::string_view line);
/// The line with CR and LF. Errors: malformed (a malformed name); too_long.
[[nodiscard]] Result<std::string> encode_file_request(const FileRequest& request);

/// "GET", "FROM", "SEALED", "SEALED-CTR", "SHA256", "LIST".
[[nodiscard]] std::string_view verb_of(const FileRequest& request) noexcept;
/// The name, or the prefix of LIST.
[[nodiscard]] const std::string& argument_of(const FileRequest& request) noexcept;

}  // namespace usher::wire

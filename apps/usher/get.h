// usher/get: fetches files from the file stream, and opens sealed ones.  Spec: filestream.md.
#pragma once

#include "verbs.h"

namespace usher::cli {

struct GetWish {
  std::string server{};              // HOST:PORT
  std::vector<std::string> names{};  // or prefixes, with `list`
  std::string output{};              // file or directory; empty: the current directory, under the last part of the name
  std::string sealed{};              // "gcm" or "ctr"; empty: plain
  bool list = false;
  bool verify = false;
  bool go_on = false;
  bool force = false;
};
/// Fetches all names, one after the other. Returns the worst error; the others have been reported. Errors: bad_usage;
/// those of the installation's files; as FileFetcher::fetch.
[[nodiscard]] Result<> do_get(Context& context, const GetWish& wish);

struct OpenWish {
  std::filesystem::path file{};
  std::string output{};  // empty: the file's name without .sealed; -: standard output
  std::string digest{};  // hexadecimal; empty: only the digest in the object's id is checked
  bool force = false;
};
/// Errors: bad_usage, unsafe_output (a terminal); those of the key; as media::open_file_object; already_exists,
/// disk_full, io.
[[nodiscard]] Result<> do_open(Context& context, const OpenWish& wish);

}  // namespace usher::cli

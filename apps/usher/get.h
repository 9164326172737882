// usher/get: files from the file stream, and sealed ones opened.  Spec: filestream.md.
#pragma once

#include "verbs.h"

namespace usher::listening {

struct GetWish {
  std::string server{};              // HOST:PORT
  std::vector<std::string> names{};  // or prefixes, for a list
  std::string output{};              // file or directory; empty: here, under the name's last part
  std::string sealed{};              // "gcm" or "ctr"; empty: plain
  bool list = false;
  bool verify = false;
  bool go_on = false;
  bool force = false;
};
/// All names, one after the other; the error is the worst one, the others have been told. Errors: bad_usage; those of
/// the installation's files; as FileFetcher::fetch.
[[nodiscard]] Result<> do_get(Context& context, const GetWish& wish);

struct OpenWish {
  std::filesystem::path file{};
  std::string output{};  // empty: the file's name without .sealed; -: standard output
  std::string digest{};  // hexadecimal; empty: the one in the object's id alone
  bool force = false;
};
/// Errors: bad_usage, unsafe_output (a terminal); the key's; as media::open_file_object; already_exists, disk_full, io.
[[nodiscard]] Result<> do_open(Context& context, const OpenWish& wish);

}  // namespace usher::listening

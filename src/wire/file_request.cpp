#include "wire/file_request.h"

#include <charconv>

#include "base/encoding.h"

namespace usher::wire {
namespace {

constexpr std::size_t kMaxOffsetDigits = 19;

template <class... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

/// §3.1: whether the line comes from a browser or another HTTP client.
bool is_http(std::string_view line) {
  const std::size_t space = line.rfind(' ');
  return space != std::string_view::npos && line.substr(space + 1).starts_with("HTTP/");
}

Result<std::uint64_t> decode_offset(std::string_view text) {
  std::uint64_t offset = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (text.empty() || text.size() > kMaxOffsetDigits || bad != std::errc{} || end != text.data() + text.size() ||
      (text.size() > 1 && text.front() == '0')) {
    return fail(Fault::malformed, "file request: offset");
  }
  return offset;
}

Result<FileRequest> decode_from(std::string_view argument) {
  const std::size_t space = argument.find(' ');
  if (space == std::string_view::npos) return fail(Fault::malformed, "file request: offset");
  USHER_TRY(const std::uint64_t offset, decode_offset(argument.substr(0, space)));
  const std::string_view name = argument.substr(space + 1);
  if (!is_file_name(name)) return fail(Fault::malformed, "file request: name");
  return GetFileFrom{.offset = offset, .name = std::string(name)};
}

}  // namespace

bool is_file_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kMaxFileName || !is_clean_utf8(name)) return false;
  std::size_t components = 0;
  while (true) {
    const std::size_t end = name.find('/');
    const std::string_view component = name.substr(0, end);
    if (component.empty() || component.front() == '.' || component.size() > kMaxFileComponent) return false;
    if (++components > kMaxFileComponents) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

Result<FileRequest> decode_file_request(std::string_view line) {
  if (line.size() >= kMaxFileLine) return fail(Fault::too_long, "file request");
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!is_clean_utf8(line)) return fail(Fault::malformed, "file request: text");
  if (is_http(line)) return fail(Fault::malformed, "file request: http");
  const std::size_t space = line.find(' ');
  const std::string_view verb = line.substr(0, space);
  const std::string_view argument = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  if (verb == "LIST") {
    if (argument.size() > kMaxFileName) return fail(Fault::too_long, "file request: prefix");
    return ListFiles{.prefix = std::string(argument)};
  }
  if (verb == "FROM") return decode_from(argument);
  const bool sealed = verb == "SEALED" || verb == "SEALED-CTR";
  if (!sealed && verb != "GET" && verb != "SHA256") return fail(Fault::malformed, "file request: verb");
  if (!is_file_name(argument)) return fail(Fault::malformed, "file request: name");
  std::string name(argument);
  if (sealed) return GetSealedFile{.name = std::move(name), .ctr = verb == "SEALED-CTR"};
  if (verb == "SHA256") return GetFileDigest{.name = std::move(name)};
  return GetFile{.name = std::move(name)};
}

Result<std::string> encode_file_request(const FileRequest& request) {
  std::string line(verb_of(request));
  if (const auto* from = std::get_if<GetFileFrom>(&request)) line.append(" ").append(std::to_string(from->offset));
  if (const std::string& argument = argument_of(request); !argument.empty()) line.append(" ").append(argument);
  // Only decode_file_request() decides whether a line is valid. A line that it cannot read is not written.
  USHER_TRY(const FileRequest again, decode_file_request(line));
  if (again != request) return fail(Fault::malformed, "file request");
  return line.append("\r\n");
}

std::string_view verb_of(const FileRequest& request) noexcept {
  return std::visit(Overload{[](const GetFile&) -> std::string_view { return "GET"; },
                             [](const GetFileFrom&) -> std::string_view { return "FROM"; },
                             [](const GetSealedFile& r) -> std::string_view { return r.ctr ? "SEALED-CTR" : "SEALED"; },
                             [](const GetFileDigest&) -> std::string_view { return "SHA256"; },
                             [](const ListFiles&) -> std::string_view { return "LIST"; }},
                    request);
}

const std::string& argument_of(const FileRequest& request) noexcept {
  return std::visit(Overload{[](const ListFiles& r) -> const std::string& { return r.prefix; },
                             [](const auto& r) -> const std::string& { return r.name; }},
                    request);
}

}  // namespace usher::wire

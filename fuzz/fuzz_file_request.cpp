// The request line of the file stream.
// Links: wire
#include "base/encoding.h"
#include "round_trip.h"
#include "wire/file_request.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = text_of(View(data, size));
  const auto request = wire::decode_file_request(line);
  if (!request) return 0;
  const std::string& argument = wire::argument_of(*request);
  fuzz::must(is_clean_utf8(argument));
  fuzz::must(std::holds_alternative<wire::ListFiles>(*request) || wire::is_file_name(argument));
  // A request that was read is written as a line that is read as the same request.
  const auto again = wire::encode_file_request(*request);
  fuzz::must(again.has_value() && again->ends_with("\r\n"));
  fuzz::must(wire::decode_file_request(std::string_view(*again).substr(0, again->size() - 1)).value() == *request);
  return 0;
}

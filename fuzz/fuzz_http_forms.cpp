// HTTP input before it is decoded as a message: JSON, queries, Host fields. The first byte chooses which.
// Links: server
#include "base/encoding.h"
#include "round_trip.h"
#include "server/http/body_encoding.h"
#include "server/http/host_names.h"

using namespace usher;

namespace {

/// Bytes that were accepted are read again from our own answer with them.
void json(std::string_view text) {
  const auto bytes = server::bytes_from_json(text);
  if (!bytes) return;
  const auto answer = server::answer_with(Bytes(*bytes), server::Form::text, server::kTypeRecord);
  fuzz::must(server::bytes_from_json(text_of(answer.body)).value() == *bytes);
}

void query(std::string_view text) {
  server::HttpRequest request;
  request.query = text;
  const auto bytes = server::record_from_query(request);
  if (!bytes) return;
  fuzz::must(bytes->size() <= server::kMaxRecordInQuery);
  fuzz::must("data=" + to_base64url(*bytes) == text);
}

/// A name that was found in a Host field is found again in the name itself.
void host(std::string_view text) {
  const std::string name = server::host_of(text);
  if (name.empty()) return;
  const bool address = name.find(':') != std::string::npos;
  fuzz::must(server::host_of(address ? "[" + name + "]" : name) == name);
  fuzz::must(server::HostNames({name}).contains(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = text_of(View(data + 1, size - 1));
  if (data[0] % 3 == 0) json(text);
  if (data[0] % 3 == 1) query(text);
  if (data[0] % 3 == 2) host(text);
  return 0;
}

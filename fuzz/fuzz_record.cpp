// Records, requests and responses, channel.md §6: one encoding for each value. A record that was not sealed is not
// opened, and leaves the session unchanged. The first byte chooses what reads the rest.
// Links: channel
#include "round_trip.h"
#include "unit/channel/world.h"

using namespace usher;
using namespace usher::channel::test;

namespace {

void header(View input) {
  const auto decoded = wire::RecordHeader::decode(input);
  if (decoded) fuzz::must(same(decoded->encode(), input.first(wire::kHeaderSize)));
}

void response_head(View input) {
  const auto decoded = wire::ResponseHead::decode(input);
  if (decoded) fuzz::must(same(decoded->encode(), input.first(wire::kResponseHead)));
}

void padding(View input) {
  for (const auto rule : {wire::Padding::request, wire::Padding::any_request, wire::Padding::response,
                          wire::Padding::chunk, wire::Padding::auth_response}) {
    const auto content = wire::unpad(input, rule);
    if (content) fuzz::must(content->size() + wire::kLengthSize <= input.size());
  }
}

/// One session for each suite. The input follows a header that fits the session, and is never accepted.
void forged(View input) {
  static const auto kSessions = [] {
    std::vector<Sessions> all;
    for (const auto& suite : channel::suites()) all.push_back(connect(World::with(suite)));
    return all;
  }();
  for (const Sessions& open : kSessions) {
    const std::uint64_t before = open.server->opened_records();
    fuzz::must(!open.server->open_request(to_bytes(input)).has_value());
    fuzz::must(!open.client->open_response(to_bytes(input)).has_value());
    const std::size_t tag = open.server->suite().tag_size();
    if (input.size() > tag) {
      const wire::RecordHeader fitting{.suite = open.server->suite().number,
                                       .session = open.server->id(),
                                       .sequence = 5,
                                       .request = 5,
                                       .length = static_cast<std::uint32_t>(input.size() - tag)};
      fuzz::must(!open.server->open_request(concat({fitting.encode(), input})).has_value());
    }
    fuzz::must(open.server->opened_records() == before && !open.server->closed());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*kReaders[])(View) = {header, fuzz::one_encoding<wire::Request>, response_head, padding, forged};
  kReaders[data[0] % std::size(kReaders)](View(data + 1, size - 1));
  return 0;
}

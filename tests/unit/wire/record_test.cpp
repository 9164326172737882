// The form of records, requests and responses.  Spec: channel.md §6.1, §6.4, §7.
#include "wire/record.h"

#include <gtest/gtest.h>

#include "wire/codec.h"

namespace usher::wire {
namespace {

template <class T>
std::optional<Fault> fault(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().fault;
}

RecordHeader header() {
  return {.suite = 0x0101,
          .session = {1, 2},
          .direction = Direction::to_client,
          .sequence = 0x0102030405060708,
          .request = 9,
          .iv = {7},
          .length = 5};
}

Bytes record(const RecordHeader& of, std::size_t after = 5 + 16) {
  Bytes bytes = to_bytes(of.encode());
  bytes.resize(bytes.size() + after);
  return bytes;
}

TEST(RecordHeader, IsWhatWasEncodedAndAtTheOffsetsOfTheSpecification) {
  const Bytes bytes = record(header());
  EXPECT_EQ(*RecordHeader::decode(bytes), header());
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[2], 0x01);
  EXPECT_EQ(bytes[3], 1);
  EXPECT_EQ(bytes[19], 1);
  EXPECT_EQ(bytes[20], 0x01);
  EXPECT_EQ(bytes[27], 0x08);
  EXPECT_EQ(bytes[35], 9);
  EXPECT_EQ(bytes[36], 7);
  EXPECT_EQ(bytes[55], 5);
  EXPECT_EQ(*session_of_record(bytes), header().session);
}

TEST(RecordHeader, OfAnotherVersionIsUnsupported) {
  Bytes bytes = record(header());
  bytes[0] = 2;
  EXPECT_EQ(fault(RecordHeader::decode(bytes)), Fault::unsupported);
}

TEST(RecordHeader, EveryShorterBeginningIsMalformed) {
  const Bytes bytes = record(header(), 5);
  EXPECT_TRUE(RecordHeader::decode(bytes).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(fault(RecordHeader::decode(View{bytes}.first(size))), Fault::malformed);
  }
}

TEST(RecordHeader, AnUnknownDirectionIsMalformed) {
  Bytes bytes = record(header());
  bytes[19] = 3;
  EXPECT_EQ(fault(RecordHeader::decode(bytes)), Fault::malformed);
}

TEST(RecordHeader, ALengthAboveTheLimitIsTooLongBeforeAnythingIsAllocated) {
  RecordHeader large = header();
  large.length = kMaxPlaintext + 17;
  EXPECT_EQ(fault(RecordHeader::decode(record(large))), Fault::too_long);
  large.length = 0xffffffff;
  EXPECT_EQ(fault(RecordHeader::decode(record(large))), Fault::too_long);
  large.direction = Direction::to_server;
  large.length = kMaxRequestPlaintext + 17;
  EXPECT_EQ(fault(RecordHeader::decode(record(large))), Fault::too_long);
}

Request request() { return {"api/play/open", {{"a", {1}}, {"b", {}}}, {1, 2, 3}}; }

TEST(RequestContent, IsWhatWasEncoded) {
  const auto decoded = Request::decode(request().encode());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, request());
  EXPECT_EQ(*decoded->parameter("a"), Bytes{1});
  EXPECT_EQ(decoded->parameter("c"), nullptr);
}

TEST(RequestContent, EveryShorterBeginningAndEveryMoreIsMalformed) {
  Bytes bytes = request().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(fault(Request::decode(View{bytes}.first(size))), Fault::malformed);
  }
  bytes.push_back(0);
  EXPECT_EQ(fault(Request::decode(bytes)), Fault::malformed);
}

TEST(RequestContent, APathWithOtherCharactersOrAnotherLengthIsMalformed) {
  for (const std::string path : {"", "API/list", "api list", "api/\xc3\xa9", "api_list", "../x"}) {
    const Bytes bytes = Writer().u8(1).vec8(view_of(path)).vec16({}).vec32({}).bytes();
    EXPECT_EQ(fault(Request::decode(bytes)), Fault::malformed) << path;
  }
  EXPECT_EQ(fault(Request::decode(Writer().u8(1).vec8(Bytes(65, 'a')).vec16({}).vec32({}).bytes())), Fault::malformed);
}

TEST(RequestContent, ParametersOutOfOrderOrTwiceAreMalformed) {
  Request wrong = request();
  wrong.parameters = {{"b", {}}, {"a", {}}};
  EXPECT_EQ(fault(Request::decode(wrong.encode())), Fault::malformed);
  wrong.parameters = {{"a", {}}, {"a", {}}};
  EXPECT_EQ(fault(Request::decode(wrong.encode())), Fault::malformed);
  wrong.parameters = {{"a", {}}, {"\xff", {}}};  // bytes compare unsigned
  EXPECT_TRUE(Request::decode(wrong.encode()).has_value());
}

TEST(RequestContent, AResponseIsNotARequest) {
  Bytes bytes = request().encode();
  bytes[0] = 2;
  EXPECT_EQ(fault(Request::decode(bytes)), Fault::malformed);
}

Bytes response(std::uint16_t status, std::uint8_t type, const Bytes& body) {
  return Writer().u8(2).u16(status).u8(type).vec32(body).bytes();
}

TEST(ResponseContent, IsWhatWasEncoded) {
  const ResponseHead head{0, ResponseType::structure, 3};
  Bytes bytes = to_bytes(head.encode());
  append(bytes, Bytes{1, 2, 3});
  EXPECT_EQ(bytes, response(0, 1, {1, 2, 3}));
  EXPECT_EQ(*ResponseHead::decode(bytes), head);
}

TEST(ResponseContent, ARefusalWithABodyIsMalformed) {
  EXPECT_TRUE(ResponseHead::decode(response(5, 0, {})).has_value());
  EXPECT_EQ(fault(ResponseHead::decode(response(5, 1, {}))), Fault::malformed);
  EXPECT_EQ(fault(ResponseHead::decode(response(5, 0, {1}))), Fault::malformed);
}

TEST(ResponseContent, AnUnknownTypeOrABodyOfAnotherSizeIsMalformed) {
  EXPECT_EQ(fault(ResponseHead::decode(response(0, 3, {1}))), Fault::malformed);
  EXPECT_EQ(fault(ResponseHead::decode(response(0, 0, {1}))), Fault::malformed);
  Bytes longer = response(0, 1, {1});
  longer.push_back(0);
  EXPECT_EQ(fault(ResponseHead::decode(longer)), Fault::malformed);
  longer.resize(longer.size() - 2);
  EXPECT_EQ(fault(ResponseHead::decode(longer)), Fault::malformed);
}

TEST(PaddedSizes, AreThoseOfTheSpecification) {
  EXPECT_EQ(padded_request(0), 256U);
  EXPECT_EQ(padded_request(252), 256U);
  EXPECT_EQ(padded_request(253), 512U);
  EXPECT_EQ(padded_response(0), 512U);
  EXPECT_EQ(padded_response(508), 512U);
  EXPECT_EQ(padded_response(509), 1024U);
  EXPECT_EQ(padded_chunk(65'536), 66'560U);
  EXPECT_EQ(padded_chunk(1 << 20), 1'049'600U);
  EXPECT_LE(padded_chunk(1 << 20), kMaxPlaintext);
}

Bytes padded(std::uint32_t n, std::size_t total, std::uint8_t fill = 0) {
  Bytes bytes = Writer().u32(n).bytes();
  bytes.resize(std::min<std::size_t>(total, 4 + std::size_t{n}), 0xaa);
  bytes.resize(total, fill);
  return bytes;
}

TEST(Unpad, GivesTheContent) {
  EXPECT_EQ(unpad(padded(10, 256), Padding::request)->size(), 10U);
  EXPECT_EQ(unpad(padded(10, 512), Padding::response)->size(), 10U);
  EXPECT_EQ(unpad(padded(10, 2560), Padding::chunk)->size(), 10U);
  EXPECT_EQ(unpad(padded(10, 24'576), Padding::any_request)->size(), 10U);
  EXPECT_EQ(unpad(padded(10, 256), Padding::any_request)->size(), 10U);
  EXPECT_EQ(unpad(padded(10, 1024), Padding::auth_response)->size(), 10U);
  EXPECT_EQ(unpad(padded(2'000, 2048), Padding::auth_response)->size(), 2'000U);
}

TEST(Unpad, PaddingThatIsNotZeroIsMalformed) {
  EXPECT_EQ(fault(unpad(padded(10, 256, 1), Padding::request)), Fault::malformed);
  Bytes last = padded(10, 256);
  last.back() = 1;
  EXPECT_EQ(fault(unpad(last, Padding::request)), Fault::malformed);
}

TEST(Unpad, AnotherTotalThanTheRulesIsMalformed) {
  EXPECT_EQ(fault(unpad(padded(10, 512), Padding::request)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(10, 255), Padding::request)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(10, 256), Padding::response)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(10, 1024), Padding::response)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(10, 300), Padding::chunk)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(10, 24'576), Padding::request)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(10, 512), Padding::any_request)), Fault::malformed);
  for (const std::uint32_t total : {256U, 512U, 1'536U, 32'768U}) {
    EXPECT_EQ(fault(unpad(padded(10, total), Padding::auth_response)), Fault::malformed) << total;
  }
}

TEST(Unpad, ALengthBeyondTheEndIsMalformed) {
  EXPECT_EQ(fault(unpad(padded(253, 256), Padding::request)), Fault::malformed);
  EXPECT_EQ(fault(unpad(padded(0xffffffff, 256), Padding::request)), Fault::malformed);
  EXPECT_EQ(fault(unpad(Bytes(3), Padding::request)), Fault::malformed);
}

}  // namespace
}  // namespace usher::wire

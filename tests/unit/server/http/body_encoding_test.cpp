// The two encodings in HTTP (channel.md §8.1), and each error outside of records (§8.2).
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "unit/server/service_world.h"

namespace usher::server::test {
namespace {

TEST(JsonForm, TakesOneMember) {
  EXPECT_EQ(must(bytes_from_json(R"({"data":"AQID"})")), (Bytes{1, 2, 3}));
  EXPECT_EQ(must(bytes_from_json(" {\n\"data\" : \"AQID\" } ")), (Bytes{1, 2, 3}));
  EXPECT_EQ(must(bytes_from_json(R"({"\u0064ata":"\u0041QID"})")), (Bytes{1, 2, 3}));
  EXPECT_EQ(must(bytes_from_json(R"({"data":""})")), Bytes{});
}

TEST(JsonForm, RefusesEverythingElse) {
  for (const char* text : {"",
                           "{}",
                           "[]",
                           "null",
                           "\"AQID\"",
                           "{\"data\":1}",
                           "{\"data\":null}",
                           "{\"data\":[\"AQID\"]}",
                           "{\"data\":{\"data\":\"AQID\"}}",
                           "{\"Data\":\"AQID\"}",
                           "{\"error\":\"AQID\"}",
                           "{\"data\":\"AQID\",\"data\":\"AQID\"}",
                           "{\"data\":\"AQID\",\"x\":1}",
                           "{\"x\":1,\"data\":\"AQID\"}",
                           "{\"data\":\"AQID\"",
                           "{\"data\":\"AQID\"}}",
                           "{\"data\":\"AQID\"} x",
                           "{data:\"AQID\"}",
                           "{\"data\":\"AQID\",}",
                           "{\"data\":\"AQI=\"}",
                           "{\"data\":\"AQ+/\"}",
                           "{\"data\":\"A\"}",
                           "{\"data\":\"AQ ID\"}",
                           "\xff\xfe"}) {
    const auto bytes = bytes_from_json(text);
    ASSERT_FALSE(bytes) << text;
    EXPECT_EQ(bytes.error().fault, Fault::malformed) << text;
  }
}

TEST(QueryForm, TakesExactlyData) {
  HttpRequest request;
  request.query = "data=AQID";
  EXPECT_EQ(must(record_from_query(request)), (Bytes{1, 2, 3}));
  for (const char* query : {"", "data", "Data=AQID", "data=AQID&x=1", "x=1&data=AQID", "data=AQ%49D", "data=AQI="}) {
    request.query = query;
    EXPECT_FALSE(record_from_query(request)) << query;
  }
}

TEST(QueryForm, ALongRecordIsRefused) {
  HttpRequest request;
  request.query = "data=" + std::string(8'000, 'A');
  EXPECT_TRUE(record_from_query(request));
  request.query += "A";
  const auto longer = record_from_query(request);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().fault, Fault::too_long);
}

TEST(AnswersForm, FollowsTheRequestsUnlessAcceptNamesOne) {
  HttpRequest request = post("/", kTypeRecord, {});
  EXPECT_EQ(form_of_answer(request, kTypeRecord), Form::binary);
  request.accept = "*/*";
  EXPECT_EQ(form_of_answer(request, kTypeRecord), Form::binary);
  request.accept = "text/html, Application/JSON;q=0.5";
  EXPECT_EQ(form_of_answer(request, kTypeRecord), Form::text);
  request.accept = "application/json, application/vnd.usher.record";
  EXPECT_EQ(form_of_answer(request, kTypeRecord), Form::binary);
  request = post("/", kTypeJson, {});
  EXPECT_EQ(form_of_answer(request, kTypeRecord), Form::text);
  request.accept = kTypeRecord;
  EXPECT_EQ(form_of_answer(request, kTypeRecord), Form::binary);
}

class MediaChannelErrors : public ::testing::Test {
 protected:
  void expect(HttpRequest request, unsigned status, std::string_view code) {
    const HttpResponse response = send(world, std::move(request));
    EXPECT_EQ(response.status, status) << code;
    const bool text = response.content_type == kTypeJson;
    EXPECT_EQ(text_of(response.body), text ? "{\"error\":\"" + std::string(code) + "\"}" : std::string(code));
  }
  static HttpRequest with(Method method, std::string path, std::string query = {}) {
    HttpRequest request;
    request.method = method;
    request.path = std::move(path);
    request.has_query = !query.empty();
    request.query = std::move(query);
    return request;
  }
  World world;
};

TEST_F(MediaChannelErrors, UnknownPathsMethodsAndTypes) {
  expect(with(Method::get, "/nothing"), 404, "unknown-path");
  expect(with(Method::get, "/api/protocols"), 405, "unexpected-message");
  expect(with(Method::get, "/api/keys"), 405, "unexpected-message");
  expect(with(Method::other, "/"), 405, "unexpected-message");
  expect(post("/", "", {}), 415, "unsupported");
  expect(post("/", "text/plain", {}), 415, "unsupported");
  expect(post("/", kTypeHandshake, {}), 415, "unsupported");
  expect(post("/api/protocols", kTypeRecord, {}), 415, "unsupported");
  expect(post("/", "application/json; charset=utf-8", {}), 415, "unsupported");
}

TEST_F(MediaChannelErrors, OversizeBodies) {
  expect(post("/api/protocols", kTypeHandshake, Bytes(4'097)), 413, "too-long");
  expect(post("/api/keys", kTypeHandshake, Bytes(24'577)), 413, "too-long");
  expect(post("/", kTypeRecord, Bytes(wire::kMaxRequestRecord + 1)), 413, "too-long");
}

TEST_F(MediaChannelErrors, MalformedMessages) {
  expect(post("/api/protocols", kTypeHandshake, {}), 400, "malformed");
  expect(post("/api/protocols", kTypeJson, to_bytes(view_of("{"))), 400, "malformed");
  expect(post("/api/protocols", kTypeHandshake, Bytes{4, 0, 0, 0}), 400, "unexpected-message");
  expect(post("/api/keys", kTypeHandshake, Bytes{1, 0, 0, 0}), 400, "unexpected-message");
  expect(post("/", kTypeRecord, Bytes(55, 1)), 400, "malformed");
  expect(post("/", kTypeRecord, Bytes(56)), 400, "unsupported");
  expect(with(Method::get, "/"), 400, "malformed");
  expect(with(Method::get, "/", "data=A"), 400, "malformed");
}

TEST_F(MediaChannelErrors, NothingInCommon) {
  const auto hello = [](std::uint16_t suite, std::uint16_t group) {
    return wire::ClientHello{.client_random = {}, .suites = {suite}, .groups = {group}, .extensions = {}}.encode();
  };
  expect(post("/api/protocols", kTypeHandshake, hello(0x7777, 0x001d)), 400, "no-common-suite");
  expect(post("/api/protocols", kTypeHandshake, hello(0x0101, 0x7777)), 400, "no-common-group");
  expect(post("/api/protocols", kTypeHandshake, hello(0x0101, 0x0100)), 400, "no-common-group");
  Bytes version = hello(0x0101, 0x001d);
  version.at(5) = 9;
  expect(post("/api/protocols", kTypeHandshake, version), 400, "unsupported");
}

TEST_F(MediaChannelErrors, UnknownSessions) {
  Listener listener(world);
  auto sealed = must(listener.session->seal_request("api/plays", {}, {}));
  sealed.record.at(3) ^= 1;
  expect(post("/", kTypeRecord, std::move(sealed.record)), 404, "unknown-session");
}

TEST_F(MediaChannelErrors, AnswersInTextWhereTextWasAsked) {
  Listener listener(world);
  auto sealed = must(listener.session->seal_request("api/none", {}, {}));
  const HttpResponse response = send(world, with(Method::get, "/", "data=" + to_base64url(sealed.record)));
  ASSERT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, kTypeJson);
  const auto record = must(bytes_from_json(text_of(response.body)));
  EXPECT_EQ(must(listener.session->open_response(record)).status(), wire::Status::unknown_path);
}

TEST(HttpErrors, ChainsAreNotTold) {
  for (const Fault fault : {Fault::untrusted, Fault::wrong_role, Fault::certificate_expired, Fault::revoked,
                            Fault::revocation_unknown, Fault::crl_expired, Fault::bad_key, Fault::bad_certificate}) {
    EXPECT_EQ(http_error_of(fault).status, 400U);
    EXPECT_EQ(http_error_of(fault).code, "bad-certificate");
  }
  EXPECT_EQ(http_error_of(Fault::local).code, "server-busy");
}

}  // namespace
}  // namespace usher::server::test

#include "base/endpoint.h"

#include <gtest/gtest.h>

namespace usher {
namespace {

TEST(Endpoint, IsReadAndWrittenInEveryForm) {
  for (const auto& [text, endpoint] : {std::pair{"localhost:8443", Endpoint{"localhost", 8443}},
                                       {"192.0.2.1:0", Endpoint{"192.0.2.1", 0}},
                                       {"[2001:db8::1]:65535", Endpoint{"2001:db8::1", 65535}}}) {
    EXPECT_EQ(Endpoint::from_text(text), endpoint) << text;
    EXPECT_EQ(endpoint.text(), text);
  }
}

TEST(Endpoint, AnyOtherFormIsRefused) {
  for (const char* text : {"", ":", "host", "host:", ":1", "host:65536", "host:-1", "host:+1", "host: 1", "host:1 ",
                           "host:http", "::1:80", "[::1]", "[::1]80", "[]:80", "[host]:80", "[[::1]]:80", "a:b:1"}) {
    EXPECT_FALSE(Endpoint::from_text(text)) << text;
  }
}

}  // namespace
}  // namespace usher

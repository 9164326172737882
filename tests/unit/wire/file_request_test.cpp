// The request line of the file stream (filestream.md §3.1, §3.2).
#include "wire/file_request.h"

#include <gtest/gtest.h>

namespace usher::wire {
namespace {

FileRequest read(std::string_view line) {
  const auto request = decode_file_request(line);
  EXPECT_TRUE(request) << line << ": " << (request ? "" : request.error().where);
  return request.value_or(ListFiles{"not read"});
}

void refused(std::string_view line, std::string_view rule, Fault fault = Fault::malformed) {
  const auto request = decode_file_request(line);
  ASSERT_FALSE(request) << line.substr(0, 100);
  EXPECT_EQ(request.error().fault, fault) << line.substr(0, 100);
  EXPECT_EQ(request.error().where, rule) << line.substr(0, 100);
}

TEST(FileRequestLine, EveryVerbIsRead) {
  EXPECT_EQ(read("GET song.flac"), FileRequest(GetFile{"song.flac"}));
  EXPECT_EQ(read("FROM 17 song.flac"), FileRequest(GetFileFrom{17, "song.flac"}));
  EXPECT_EQ(read("SEALED song.flac"), FileRequest(GetSealedFile{"song.flac", false}));
  EXPECT_EQ(read("SEALED-CTR song.flac"), FileRequest(GetSealedFile{"song.flac", true}));
  EXPECT_EQ(read("SHA256 song.flac"), FileRequest(GetFileDigest{"song.flac"}));
  EXPECT_EQ(read("LIST albums/"), FileRequest(ListFiles{"albums/"}));
}

TEST(FileRequestLine, ListAloneMeansAll) {
  EXPECT_EQ(read("LIST"), FileRequest(ListFiles{}));
  EXPECT_EQ(read("LIST "), FileRequest(ListFiles{}));
}

TEST(FileRequestLine, EndsWithOrWithoutCarriageReturn) {
  EXPECT_EQ(read("GET a\r"), FileRequest(GetFile{"a"}));
  refused("GET a\r\r", "file request: text");
  refused("\rGET a", "file request: text");
}

TEST(FileRequestLine, ANameGoesToTheEndOfTheLine) {
  EXPECT_EQ(read("GET two  words .flac"), FileRequest(GetFile{"two  words .flac"}));
  EXPECT_EQ(read("GET  first"), FileRequest(GetFile{" first"}));
  EXPECT_EQ(read("FROM 0 5 songs"), FileRequest(GetFileFrom{0, "5 songs"}));
}

TEST(FileRequestLine, VerbsAreExact) {
  for (const char* line :
       {"", "get a", "Get a", "GETa", "GET\ta", " GET a", "PUT a", "HEAD a", "SEALED-GCM a", "list"}) {
    refused(line,
            std::string_view(line).find('\t') == std::string_view::npos ? "file request: verb" : "file request: text");
  }
}

TEST(FileRequestLine, AnArgumentIsNeeded) {
  for (const char* line : {"GET", "GET ", "SEALED", "SHA256 ", "FROM 5 "}) refused(line, "file request: name");
  for (const char* line : {"FROM", "FROM ", "FROM 5"}) refused(line, "file request: offset");
}

TEST(FileRequestLine, WhatABrowserSendsIsRefused) {
  for (const char* line :
       {"GET / HTTP/1.1\r", "GET /a HTTP/1.0", "LIST HTTP/2", "GET a HTTP/", "GET x.flac HTTP/9.9\r"}) {
    refused(line, "file request: http");
  }
  EXPECT_EQ(read("GET a HTTP/1.1 b"), FileRequest(GetFile{"a HTTP/1.1 b"}));
  EXPECT_EQ(read("GET aHTTP/1.1"), FileRequest(GetFile{"aHTTP/1.1"}));
}

TEST(FileRequestLine, ControlCharactersAndOtherTextAreRefused) {
  using namespace std::literals;
  for (const std::string_view line : {"GET a\0b"sv, "GET a\x1b[2J"sv, "GET a\x7f"sv, "GET \xc2\x85"sv, "GET \xff"sv,
                                      "GET \xc0\xaf"sv, "GET \xed\xa0\x80"sv, "LIST \x01"sv, "\x16\x03\x01"sv}) {
    refused(line, "file request: text");
  }
}

TEST(FileRequestLine, AnOffsetIsPlainDecimal) {
  EXPECT_EQ(read("FROM 9223372036854775807 a"), FileRequest(GetFileFrom{9223372036854775807, "a"}));
  for (const char* offset :
       {"-1", "+1", "00", "01", "0x1", "1.0", "", "99999999999999999999", "10000000000000000000"}) {
    refused("FROM " + std::string(offset) + " a", "file request: offset");
  }
}

TEST(FileRequestLine, HasAtMost4096BytesWithItsEnd) {
  refused("GET " + std::string(kMaxFileLine - 4, 'a'), "file request", Fault::too_long);
  refused("GET " + std::string(kMaxFileLine - 5, 'a'), "file request: name");
  refused("LIST " + std::string(kMaxFileName + 1, 'a'), "file request: prefix", Fault::too_long);
}

TEST(FileName, ComponentsAreBoundedAndVisible) {
  EXPECT_TRUE(is_file_name("a"));
  EXPECT_TRUE(is_file_name("a/b/c"));
  EXPECT_TRUE(is_file_name("\xc3\xa1lbum/\xe6\x9b\xb2.flac"));
  EXPECT_TRUE(is_file_name(std::string(255, 'a')));
  EXPECT_TRUE(is_file_name("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"));
  for (const std::string& name :
       {std::string(), std::string("/etc/passwd"), std::string("a/"), std::string("a//b"), std::string(".."),
        std::string("a/../b"), std::string("."), std::string("./a"), std::string(".hidden"), std::string("a/.git/b"),
        std::string(256, 'a'), std::string("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), std::string("/")}) {
    EXPECT_FALSE(is_file_name(name)) << name;
  }
}

TEST(FileName, HasAtMost1024Bytes) {
  std::string name;
  for (const std::size_t size : {255, 255, 255, 254}) name.append(size, 'a').push_back('/');
  name.push_back('a');
  EXPECT_TRUE(is_file_name(name));
  name.push_back('a');
  EXPECT_FALSE(is_file_name(name));
}

TEST(FileRequestLine, WhatIsWrittenIsReadAsTheSame) {
  for (const FileRequest& request :
       {FileRequest(GetFile{"a b"}), FileRequest(GetFileFrom{12, "a"}), FileRequest(GetSealedFile{"a", true}),
        FileRequest(GetSealedFile{"a", false}), FileRequest(GetFileDigest{"a"}), FileRequest(ListFiles{"a/"}),
        FileRequest(ListFiles{})}) {
    const auto line = encode_file_request(request);
    ASSERT_TRUE(line);
    ASSERT_TRUE(line->ends_with("\r\n"));
    EXPECT_EQ(read(std::string_view(*line).substr(0, line->size() - 1)), request);
  }
}

TEST(FileRequestLine, WhatCouldNotBeReadIsNotWritten) {
  for (const FileRequest& request :
       {FileRequest(GetFile{"../a"}), FileRequest(GetFile{"a\nGET b"}), FileRequest(GetFile{}),
        FileRequest(GetFile{"a HTTP/1.1"}), FileRequest(ListFiles{"\n"})}) {
    EXPECT_FALSE(encode_file_request(request));
  }
}

}  // namespace
}  // namespace usher::wire

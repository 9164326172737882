// support/conformance: cases that others wrote, from outside the repository.
//
// They lie in ../shared/conformance beside the checkout, or where USHER_CONFORMANCE_DIR points. Where they are absent,
// the tests that need them are skipped and say so.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace usher::test {

inline std::filesystem::path conformance_folder() {
  const char* named = std::getenv("USHER_CONFORMANCE_DIR");
  return named != nullptr && *named != '\0' ? named : USHER_CONFORMANCE_DEFAULT;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace usher::test

// For the first line of a test that reads `name` of the conformance data.
#define USHER_NEEDS_CONFORMANCE(name)                                                                  \
  if (!std::filesystem::exists(usher::test::conformance_folder() / (name)))                            \
  GTEST_SKIP() << "the conformance data is not here: " << (usher::test::conformance_folder() / (name)) \
               << "; USHER_CONFORMANCE_DIR may say where it is"

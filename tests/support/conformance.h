// support/conformance: cases that others wrote, from outside the repository.
//
// They are in ../shared/conformance next to the checkout, or in the folder USHER_CONFORMANCE_DIR. NIST's PKITS and some
// hundred odd certificates are also in the folder of Debian's python3-cryptography-vectors. If they are absent, the
// tests that need them are skipped and report it.
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

/// The X.509 vectors of Debian's python3-cryptography-vectors.
inline std::filesystem::path debian_x509_folder() { return "/usr/lib/python3/dist-packages/cryptography_vectors/x509"; }

/// The folder with certs/ and crls/ of PKITS: Debian's first, because it is complete.
inline std::filesystem::path pkits_folder() {
  const std::filesystem::path whole = debian_x509_folder() / "PKITS_data";
  return std::filesystem::exists(whole / "certs") ? whole : conformance_folder() / "pkits";
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace usher::test

// For the first line of a test that reads `name` of the conformance data.
#define USHER_NEEDS_CONFORMANCE(name)                                       \
  if (!std::filesystem::exists(usher::test::conformance_folder() / (name))) \
  GTEST_SKIP() << (name) << " is not here: USHER_CONFORMANCE_DIR names its place"

// For the first line of a test that reads `path`, which Debian's package has.
#define USHER_NEEDS_DEBIAN_VECTORS(what, path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << (what) << " is not here: python3-cryptography-vectors has it"

// usher-press as its users run it, on a second of silence with tags.
#include <algorithm>
#include <regex>

#include "press_fixture.h"

namespace usher::media {
namespace {

using namespace test;

/// A WAV file: one second of silence, 8 kHz, 8 bits, mono.
Bytes silence() {
  Bytes out = to_bytes(view_of("RIFF"));
  const auto u32 = [&](std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  u32(36 + 8000);
  append(out, view_of("WAVEfmt "));
  u32(16);
  append(out, Bytes{1, 0, 1, 0});
  u32(8000);
  u32(8000);
  append(out, Bytes{1, 0, 8, 0});
  append(out, view_of("data"));
  u32(8000);
  out.insert(out.end(), 8000, 0x80);
  return out;
}

class Press : public PressFixture {
 protected:
  Press() { write_file(path("My Song.wav"), silence()); }
  [[nodiscard]] Ran press(const Arguments& more = {}) const { return press_file("My Song.wav", more); }
};

TEST_F(Press, ReleaseIsMadeInspectedAndVerified) {
  const Ran pressed = press();
  ASSERT_EQ(pressed.status, 0) << pressed.err;
  EXPECT_TRUE(std::regex_search(pressed.out, std::regex("My Song\\.usher  medium [0-9a-f]{32}  1 chunks")))
      << pressed.out;

  const Ran outline = run({"inspect", "rel/My Song.usher"});
  EXPECT_EQ(outline.status, 0);
  EXPECT_EQ(outline.out.find("Test Records"), std::string::npos);
  const Ran whole =
      run({"inspect", "rel/My Song.usher", "--json", "--key", "operator.key", "--passphrase-file", "pass"});
  EXPECT_EQ(whole.status, 0) << whole.err;
  for (const char* part : {"\"title\":\"My Song\"", "\"media_type\":\"audio/wav\"", "\"duration_ms\":1000",
                           "\"distributor\":\"Test Records\"", "\"chunk_size\":16384", "\"kind\":\"audio\"",
                           "\"head\":44", "\"parts\":[]"}) {
    EXPECT_NE(whole.out.find(part), std::string::npos) << part << " in " << whole.out;
  }
  const Ran verified = run({"verify", "rel/My Song.usher", "--key", "operator.key", "--passphrase-file", "pass",
                            "--trust", "root.pem", "--no-revocation"});
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_NE(verified.out.find("1 chunks, all as the manifest says"), std::string::npos);
  EXPECT_NE(verified.out.find("audio, 0 chunks of structure, 0 places to begin at"), std::string::npos) << verified.out;
}

TEST_F(Press, OverridesAndSidecarAreTaken) {
  const Ran pressed =
      press({"--title", "Ein anderer Titel", "--artist", "", "--medium", "000102030405060708090a0b0c0d0e0f",
             "--anonymous", "--manifest-out", "--chunk-size", "4KiB", "--distributor", "Another name"});
  ASSERT_EQ(pressed.status, 0) << pressed.err;
  const Ran sidecar = run({"inspect", "rel/000102030405060708090a0b0c0d0e0f.manifest", "--json"});
  EXPECT_EQ(sidecar.status, 0) << sidecar.err;
  for (const char* part : {"\"title\":\"Ein anderer Titel\"", "\"chunks\":2", "\"distributor\":\"Another name\""}) {
    EXPECT_NE(sidecar.out.find(part), std::string::npos) << part << " in " << sidecar.out;
  }
  EXPECT_EQ(
      run({"verify", "rel/000102030405060708090a0b0c0d0e0f.manifest", "--trust", "root.pem", "--no-revocation"}).status,
      0);
  expect_refused(run({"verify", "rel/000102030405060708090a0b0c0d0e0f.manifest", "--trust", "root.pem"}),
                 Fault::revocation_unknown);
}

TEST_F(Press, CertificatesOfOtherRolesAreRefused) {
  expect_refused(press_as("label", "label.pem", "My Song.wav"), Fault::wrong_role);
  expect_refused(press_as("operator", "operator.pem", "My Song.wav"), Fault::wrong_role);
  EXPECT_FALSE(std::filesystem::exists(path("My Song.usher")));
}

TEST_F(Press, StrangersCertificateIsRefusedWhereARootIsGiven) {
  const Authority other = Authority::root("another root", usher::test::around(SystemClock().now()));
  write("other.pem", other.certificate.to_pem());
  expect_refused(press({"--trust", "other.pem", "--no-revocation"}), Fault::untrusted);
}

TEST_F(Press, KeyOfAnotherCertificateIsRefused) {
  expect_refused(run({"press", "My Song.wav", "--key", "operator.key", "--cert", "label.pem", "--for", "operator.pem",
                      "--passphrase-file", "pass"}),
                 Fault::bad_usage);
}

TEST_F(Press, WrongPassphraseIsRefused) {
  write("pass", "wrong\n");
  expect_refused(press(), Fault::bad_passphrase);
}

TEST_F(Press, ExistingReleaseIsKept) {
  ASSERT_EQ(press().status, 0);
  const Bytes before = read_file(path("rel/My Song.usher"));
  expect_refused(press(), Fault::already_exists);
  EXPECT_EQ(read_file(path("rel/My Song.usher")), before);
}

TEST_F(Press, WhatIsSealedIsNotVerifiedWithoutItsKey) {
  ASSERT_EQ(press().status, 0);
  const Ran verified = run({"verify", "rel/My Song.usher"});
  expect_refused(verified, Fault::not_verified);
  EXPECT_NE(verified.out.find("fits the headers"), std::string::npos) << verified.out;
}

TEST_F(Press, ABatchGoesOnAfterARefusalTellsEachAndEndsWithTheFirst) {
  write_file(path("b.wav"), silence());
  write("text.wav", "no sound");
  const Arguments batch = {"press",        "nowhere.wav", "My Song.wav", "text.wav",          "b.wav",
                           "--key",        "label.key",   "--cert",      "label.pem",         "--for",
                           "operator.pem", "--out",       "rel",         "--passphrase-file", "pass"};
  const Ran ran = run(batch);
  expect_refused(ran, Fault::not_found);
  EXPECT_NE(ran.err.find("text.wav"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("[unreadable-media]"), std::string::npos) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(path("rel/My Song.usher")));
  EXPECT_TRUE(std::filesystem::exists(path("rel/b.usher")));

  std::filesystem::remove_all(path("rel"));
  Arguments as_json = batch;
  as_json.emplace_back("--json");
  const Ran json = run(as_json);
  EXPECT_EQ(json.status, ran.status);
  EXPECT_EQ(std::ranges::count(json.out, '\n'), 2) << json.out;
  EXPECT_EQ(json.out.find("{\"file\":\"My Song.wav\",\"release\":\"rel/My Song.usher\",\"medium\":\""), 0U) << json.out;
  EXPECT_EQ(json.err.find("{\"error\":{\"code\":\"not-found\""), 0U) << json.err;
  EXPECT_NE(json.err.find("\"code\":\"unreadable-media\""), std::string::npos) << json.err;
}

TEST_F(Press, TwoFilesThatWouldBecomeOneAreRefusedBeforeAnythingIsPressed) {
  write_file(path("v.webm"), silence());
  write_file(path("v.mp4"), silence());
  Arguments both = {"press",     "My Song.wav", "v.webm",       "v.mp4", "--key", "label.key",         "--cert",
                    "label.pem", "--for",       "operator.pem", "--out", "rel",   "--passphrase-file", "pass"};
  const Ran ran = run(both);
  expect_refused(ran, Fault::bad_usage);
  EXPECT_NE(ran.err.find("v.webm and v.mp4 would both become v.usher"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(path("rel")));
  both.emplace_back("--anonymous");
  EXPECT_EQ(run(both).status, 0);
}

TEST_F(Press, ANameThatWouldBeTooLongIsToldAndCanBeLeftOut) {
  const std::string name = std::string(250, 'n') + ".wav";
  write_file(path(name), silence());
  expect_refused(press_file(name), Fault::bad_usage);
  EXPECT_EQ(press_file(name, {"--anonymous"}).status, 0);
  const std::string fits = std::string(249, 'n') + ".wav";
  write_file(path(fits), silence());
  EXPECT_EQ(press_file(fits).status, 0);
}

TEST_F(Press, UnknownKindsAndBadSizesAreRefused) {
  expect_refused(run({"press", "pass", "--key", "label.key", "--cert", "label.pem", "--for", "operator.pem",
                      "--passphrase-file", "pass"}),
                 Fault::unreadable_media);
  expect_refused(press({"--chunk-size", "5000"}), Fault::bad_usage);
  expect_refused(press({"--media-type", "nonsense"}), Fault::malformed);
  expect_refused(press({"--medium", "00"}), Fault::bad_usage);
  EXPECT_EQ(run({"press"}).status, static_cast<int>(ExitClass::usage));
}

TEST_F(Press, DamagedReleaseIsRefusedByItsChunk) {
  ASSERT_EQ(press({"--chunk-size", "4KiB"}).status, 0);
  Bytes release = read_file(path("rel/My Song.usher"));
  release[release.size() - 1] ^= 1;
  write_file(path("bad.usher"), release);
  const Ran verified = run({"verify", "bad.usher", "--key", "operator.key", "--passphrase-file", "pass"});
  expect_refused(verified, Fault::chunk_damaged);
  EXPECT_NE(verified.err.find("chunk 1"), std::string::npos) << verified.err;
  release.resize(release.size() - 5000);
  write_file(path("cut.usher"), release);
  expect_refused(run({"verify", "cut.usher", "--key", "operator.key", "--passphrase-file", "pass"}), Fault::truncated);
  expect_refused(run({"verify", "cut.usher"}), Fault::truncated);
  expect_refused(run({"inspect", "My Song.wav"}), Fault::malformed);
}

}  // namespace
}  // namespace usher::media

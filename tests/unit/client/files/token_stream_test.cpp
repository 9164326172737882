// The file stream with the installation's key on a SoftHSM token, made by OpenSC's pkcs11-tool.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "card/token_key.h"
#include "tls_server.h"
#include "unit/media/fixtures.h"

namespace usher::client {
namespace {

constexpr const char* kSoftHsm = "/usr/lib/softhsm/libsofthsm2.so";

int run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

class TokenStream : public testing::TestWithParam<std::tuple<int, std::string>> {
 protected:
  static void SetUpTestSuite() {
    if (run("command -v pkcs11-tool") != 0) return;
    directory_ = new media::test::Directory;
    const auto tokens = directory_->path / "tokens";
    std::filesystem::create_directory(tokens);
    std::ofstream(directory_->path / "softhsm.conf")
        << "directories.tokendir = " << tokens.string() << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", (directory_->path / "softhsm.conf").c_str(), 1);
    ASSERT_EQ(run("softhsm2-util --init-token --free --label studio --so-pin 87654321 --pin 1234"), 0);
    const std::string tool = "pkcs11-tool --module " + std::string(kSoftHsm) +
                             " --token-label studio --login --pin 1234 --keypairgen --usage-sign ";
    ASSERT_EQ(run(tool + "--key-type rsa:2048 --label rsa --id 01"), 0);
    ASSERT_EQ(run(tool + "--key-type EC:prime256v1 --label ec --id 02"), 0);
  }
  static void TearDownTestSuite() {
    delete directory_;
    directory_ = nullptr;
  }
  void SetUp() override {
    if (directory_ == nullptr) GTEST_SKIP() << "needs pkcs11-tool";
  }
  static Result<crypto::PrivateKey> key(const std::string& label) {
    const auto pins = std::make_shared<card::TokenPins>([](const std::string& /*token*/) -> Result<crypto::Secret> {
      return crypto::Secret::copy_of(view_of("1234"));
    });
    return card::open_token_key({.uri = "pkcs11:token=studio;object=" + label, .module = kSoftHsm, .pins = pins});
  }

  inline static media::test::Directory* directory_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(VersionsAndKeys, TokenStream,
                         testing::Combine(testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                                          testing::Values("rsa", "ec")));

TEST_P(TokenStream, KeyOnATokenIsTakenByTheServer) {
  const test::FileWorld world;
  const auto own = key(std::get<1>(GetParam()));
  ASSERT_TRUE(own) << explain(own.error());
  const auto certificate = world.root.certify(
      {.role = pki::Role::client, .name = {.common_name = "studio"}, .validity = test::around(test::kNow)},
      own->public_key());
  bool judged = false;
  const test::TlsServer server(world.server,
                               [](test::TlsPeer& peer, const std::string&) {
                                 peer.send("all of it");
                                 peer.finish();
                               },
                               {.version = std::get<0>(GetParam()), .verdict = [&]() -> Result<> {
                                  judged = true;
                                  return {};
                                }});
  FileStreamOptions options = world.options(server.endpoint());
  options.chain = {certificate};
  options.key = std::make_shared<crypto::PrivateKey>(*own);
  FileStream stream = world.stream(std::move(options));
  media::MemorySink sink;
  const auto got = stream.ask(wire::GetFile{.name = "song.flac"}, sink, {});
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_EQ(text_of(sink.bytes), "all of it");
  EXPECT_TRUE(judged);
}

}  // namespace
}  // namespace usher::client

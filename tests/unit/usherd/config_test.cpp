// usherd's configuration: file, environment and flags in rising order; errors name file and line.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/manual.h"
#include "unit/media/fixtures.h"
#include "usherd/config/config.h"

namespace usher::usherd {
namespace {

class ConfigFile : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path write(std::string_view text) const {
    const auto file = directory_.path / "usherd.toml";
    std::ofstream(file) << text;
    return file;
  }
  [[nodiscard]] Result<Config> read(std::string_view text) const {
    Config config;
    USHER_CHECK(read_toml(config, write(text)));
    return config;
  }
  [[nodiscard]] std::string refusal(std::string_view text) const {
    const auto config = read(text);
    EXPECT_FALSE(config);
    if (config) return {};
    EXPECT_EQ(config.error().fault, Fault::bad_config);
    return config.error().about;
  }

  media::test::Directory directory_;
};

TEST_F(ConfigFile, LaterSourcesWin) {
  auto config = read("[limits]\nconnections = 10\nidle_seconds = 11\nbody_seconds = 12\n");
  ASSERT_TRUE(config);
  std::string first = "USHER_LIMITS_CONNECTIONS=20";
  std::string second = "USHER_LIMITS_IDLE_SECONDS=21";
  std::array<char*, 3> environment{first.data(), second.data(), nullptr};
  ASSERT_TRUE(read_environment(*config, environment.data()));
  const std::vector<app::Setting> flags{{"limits.connections", "30"}};
  ASSERT_TRUE(apply_settings(*config, flags));
  EXPECT_EQ(config->connections, 30);
  EXPECT_EQ(config->idle_seconds, 21);
  EXPECT_EQ(config->body_seconds, 12);
  EXPECT_EQ(config->header_seconds, Config{}.header_seconds);
}

TEST_F(ConfigFile, AnUnknownKeyIsRefusedWithItsLine) {
  const std::string about = refusal("[limits]\nconnections = 1\nconections = 2\n");
  EXPECT_NE(about.find("usherd.toml:3: limits.conections"), std::string::npos) << about;
}

TEST_F(ConfigFile, AnUnknownSectionIsRefusedWithItsLine) {
  const std::string about = refusal("[limits]\nconnections = 1\n\n[limit]\nconnections = 2\n");
  EXPECT_NE(about.find("usherd.toml:4: limit "), std::string::npos) << about;
}

TEST_F(ConfigFile, BadSyntaxIsRefusedWithItsLine) {
  const std::string about = refusal("[limits]\nconnections = = 1\n");
  EXPECT_NE(about.find("usherd.toml:2"), std::string::npos) << about;
}

TEST_F(ConfigFile, AValueOfAnotherKindIsRefused) {
  EXPECT_NE(refusal("[limits]\nconnections = \"many\"\n").find("must be a number"), std::string::npos);
  EXPECT_NE(refusal("[server]\nid = 3\n").find("must be text"), std::string::npos);
  EXPECT_NE(refusal("[server]\nlisten = \"0.0.0.0:1\"\n").find("must be a list"), std::string::npos);
  EXPECT_NE(refusal("[policy]\nbind_installation = 1\n").find("must be true or false"), std::string::npos);
  EXPECT_NE(refusal("server = 1\n").find("is a section"), std::string::npos);
}

TEST_F(ConfigFile, NumbersAndChoicesOutOfBoundsAreRefused) {
  EXPECT_NE(refusal("[limits]\nconnections = 0\n").find("from 1 to"), std::string::npos);
  EXPECT_NE(refusal("[policy]\nacquisition = \"closed\"\n").find("one of operator|quota|open"), std::string::npos);
}

TEST_F(ConfigFile, KeysOfBeforeAreRefusedByNameWithWhatToDo) {
  EXPECT_NE(refusal("[policy]\nbudget_percent = 150\n").find("policy.budget_percent is not there any more"),
            std::string::npos);
  EXPECT_NE(refusal("[policy]\ngrants_per_chunk = 3\n").find("take the line out"), std::string::npos);
  EXPECT_NE(refusal("[policy]\nopen_plays_per_licence = 3\n").find("policy.open_plays"), std::string::npos);
}

TEST_F(ConfigFile, AcquisitionIsWrittenEvenWhereItIsTheDefault) {
  EXPECT_NE(to_toml(Config(), true).find("\nacquisition = \"operator\"\n"), std::string::npos);
  EXPECT_NE(to_toml(Config(), true).find("\n#quota_plays = 5\n"), std::string::npos);
}

TEST_F(ConfigFile, AMissingFileIsNotAnEmptyOne) {
  Config config;
  const auto read_result = read_toml(config, directory_.path / "nothing.toml");
  ASSERT_FALSE(read_result);
  EXPECT_EQ(read_result.error().fault, Fault::not_found);
}

TEST_F(ConfigFile, WhatIsShownReadsBackTheSame) {
  auto config =
      read("[server]\nid = \"a\"\nlisten = [\"127.0.0.1:1\", \"[::1]:2\"]\n[person.generic]\nanchors = [\"x\"]\n");
  ASSERT_TRUE(config);
  for (const bool commented : {false, true}) {
    const auto again = read(to_toml(*config, commented));
    ASSERT_TRUE(again) << again.error().about;
    EXPECT_EQ(to_json(*config), to_json(*again));
  }
}

TEST_F(ConfigFile, PathsAreRelativeToTheFile) {
  const auto config = read("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->path_of("keys/a"), directory_.path / "keys/a");
  EXPECT_EQ(config->path_of("/keys/a"), "/keys/a");
}

TEST(ConfigEnvironment, AMisspeltVariableIsRefused) {
  Config config;
  std::string variable = "USHER_LIMITS_CONECTIONS=1";
  std::array<char*, 2> environment{variable.data(), nullptr};
  const auto read = read_environment(config, environment.data());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().fault, Fault::bad_config);
  EXPECT_NE(read.error().about.find("USHER_LIMITS_CONECTIONS"), std::string::npos);
}

TEST(ConfigEnvironment, OtherProgramsVariablesAreLeftAlone) {
  Config config;
  std::string a = "USHER_HOME=/x";
  std::string b = "USHER_CA_HOME=/y";
  std::string c = "PATH=/bin";
  std::array<char*, 4> environment{a.data(), b.data(), c.data(), nullptr};
  EXPECT_TRUE(read_environment(config, environment.data()));
}

TEST(ConfigEnvironment, TheListenersSectionsAreLeftAlone) {
  Config config;
  std::string a = "USHER_TRUST_SERVER_ANCHORS=root.pem";
  std::string b = "USHER_CARD_PROFILE=generic";
  std::array<char*, 3> environment{a.data(), b.data(), nullptr};
  EXPECT_TRUE(read_environment(config, environment.data()));
}

TEST(ConfigFlags, PathsAreRelativeToTheWorkingDirectory) {
  Config config;
  const std::vector<app::Setting> flags{{"server.data", "d"}, {"trust.client.crls", "a.pem,/b.pem"}};
  ASSERT_TRUE(apply_settings(config, flags));
  const std::filesystem::path here = std::filesystem::current_path();
  EXPECT_EQ(config.data, here / "d");
  EXPECT_EQ(config.client.crls, (app::Texts{here / "a.pem", "/b.pem"}));
}

TEST(ConfigFlags, AnUnknownKeyIsRefused) {
  Config config;
  const std::vector<app::Setting> flags{{"limits.conections", "1"}};
  const auto applied = apply_settings(config, flags);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().fault, Fault::bad_config);
}

TEST(ConfigFlags, ListsHaveCommas) {
  Config config;
  const std::vector<app::Setting> flags{{"server.listen", "127.0.0.1:0,[::1]:0"}, {"server.operator_listen", ""}};
  ASSERT_TRUE(apply_settings(config, flags));
  EXPECT_EQ(config.listen, (std::vector<std::string>{"127.0.0.1:0", "[::1]:0"}));
  EXPECT_TRUE(config.operator_listen.empty());
}

class ConfigCheck : public ::testing::Test {
 protected:
  ConfigCheck() {
    config_.client.anchors = {"root.pem"};
    config_.generic.trust.anchors = {"card.pem"};
  }
  void refused(std::string_view word) const {
    const auto checked = check(config_);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().fault, Fault::bad_config);
    EXPECT_NE(checked.error().about.find(word), std::string::npos) << checked.error().about;
  }
  Config config_;
};

TEST_F(ConfigCheck, TheDefaultsWithAnchorsAreGood) { EXPECT_TRUE(check(config_)); }
TEST_F(ConfigCheck, AnAddressWithoutPortIsRefused) {
  config_.listen = {"0.0.0.0"};
  refused("0.0.0.0");
}
TEST_F(ConfigCheck, AnIpv6AddressNeedsBrackets) {
  config_.operator_listen = {"::1:80"};
  refused("::1:80");
}
TEST_F(ConfigCheck, AnUnknownSuiteIsRefused) {
  config_.suites = {"ROT13"};
  refused("channel.suites");
}
TEST_F(ConfigCheck, AnUnknownGroupIsRefused) {
  config_.groups = {"ffdhe1024"};
  refused("channel.groups");
}
TEST_F(ConfigCheck, AServerIdWithASpaceIsRefused) {
  config_.id = "a b";
  refused("server.id");
}
TEST_F(ConfigCheck, WithoutTrustInClientsNothingStarts) {
  config_.client.anchors.clear();
  refused("trust.client.anchors");
}
TEST_F(ConfigCheck, WithoutTrustInAnyCardNothingStarts) {
  config_.generic.trust.anchors.clear();
  refused("person");
}

TEST_F(ConfigCheck, AServerForFilesAloneNeedsNoTrustInACard) {
  config_.generic.trust.anchors.clear();
  config_.files_shares = {"shared=files"};
  EXPECT_TRUE(check(config_));
}

TEST(Manual, HasTheRowOfEveryKeyAndNoOther) {
  Config defaults;
  const app::Settings settings = settings_of(defaults);
  test::expect_rows_of(settings, "configuration.md");
}

TEST(Manual, HasEveryCodeWithItsExitStatus) {
  const std::string text = test::manual_page("errors.md");
#define FAULT(name, code, exit_class, sentence, advice)                                                    \
  EXPECT_NE(text.find("| `" code "` | " + std::to_string(static_cast<int>(ExitClass::exit_class)) + " |"), \
            std::string::npos)                                                                             \
      << code;
#include "base/faults.def"
#undef FAULT
}

}  // namespace
}  // namespace usher::usherd

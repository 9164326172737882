// The command line of a program: what is chosen, what is filled in, and what is reported.
#include "common/command_line.h"

#include <gtest/gtest.h>

namespace usher::app {
namespace {

/// A program with the commands `copy` and `key make`.
class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    const Command program = line_.program();
    program.needs_command();
    program.takes_outer_options();
    program.option("--home", home_, "A directory");
    const Command copy = program.command("copy", "Copies files");
    copy.option("files", files_, "Files").required();
    copy.option("--days", days_, "Days").between(1, 365).with_default();
    copy.size("--limit", limit_, "A size");
    const Option force = copy.flag("--force", force_, "Replace");
    copy.flag("--sealed", "gcm", sealed_, "Seal").one_of({"gcm", "ctr"}).excludes(force);
    copy.option("--label", labels_, "A label").one_at_a_time();
    copy.action([this]() -> Result<> {
      done_ = "copy";
      return {};
    });
    const Command key = program.command("key", "Keys");
    key.needs_command();
    key.command("make", "Makes a key").action([this]() -> Result<> {
      done_ = "key make";
      return {};
    });
  }

  static constexpr int kRan = -1;
  /// Parses, and runs what was chosen: kRan; or returns the exit status of a command line with which nothing runs.
  int run(std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const auto action = line_.parse(static_cast<int>(argv.size()), argv.data(), json_);
    out_ = testing::internal::GetCapturedStdout();
    error_ = testing::internal::GetCapturedStderr();
    if (!action) return action.error();
    EXPECT_TRUE(*action && (*action)());
    return kRan;
  }

  CommandLine line_{"program", "program: does things.", "1.2.3"};
  std::filesystem::path home_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::string> labels_;
  std::string sealed_;
  int days_ = 7;
  std::uint64_t limit_ = 0;
  bool force_ = false;
  bool json_ = false;
  std::string done_;
  std::string out_;
  std::string error_;
};

TEST_F(CommandLineTest, FillsInValuesAndRunsTheChosenCommand) {
  EXPECT_EQ(run({"copy", "a", "b", "--days", "30", "--limit", "256KiB", "--sealed", "--home", "h"}), kRan) << error_;
  EXPECT_EQ(done_, "copy");
  EXPECT_EQ(files_, (std::vector<std::filesystem::path>{"a", "b"}));
  EXPECT_EQ(days_, 30);
  EXPECT_EQ(limit_, 256U * 1024);
  EXPECT_EQ(sealed_, "gcm");
  EXPECT_EQ(home_, "h");
  EXPECT_FALSE(json_);
}

TEST_F(CommandLineTest, FindsACommandBelowACommand) {
  EXPECT_EQ(run({"key", "make", "--json"}), kRan);
  EXPECT_EQ(done_, "key make");
  EXPECT_TRUE(json_);
}

TEST_F(CommandLineTest, ReportsWhatItDoesNotUnderstand) {
  EXPECT_EQ(run({"cpoy", "a"}), 2);
  EXPECT_EQ(error_,
            "program: The command cannot be understood: there is no \"cpoy\". `program --help` shows how it is used. "
            "[bad-usage]\n");
  EXPECT_EQ(out_, "");
  EXPECT_EQ(done_, "");
}

TEST_F(CommandLineTest, NamesTheCommandWhoseHelpIsMeant) {
  EXPECT_EQ(run({"key"}), 2);
  EXPECT_NE(error_.find("`program key --help`"), std::string::npos) << error_;
}

TEST_F(CommandLineTest, ReportsInJsonWhereJsonIsAskedFor) {
  EXPECT_EQ(run({"copy", "a", "--json", "--days", "366"}), 2);
  EXPECT_TRUE(error_.starts_with("{\"error\":{\"code\":\"bad-usage\"")) << error_;
}

TEST_F(CommandLineTest, ShowsTheVersion) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out_, "1.2.3\n");
  EXPECT_EQ(error_, "");
}

TEST_F(CommandLineTest, ShowsTheHelpOfACommand) {
  EXPECT_EQ(run({"copy", "--help"}), 0);
  EXPECT_NE(out_.find("--days"), std::string::npos) << out_;
  EXPECT_EQ(done_, "");
}

class BadCommandLine : public CommandLineTest, public testing::WithParamInterface<std::vector<std::string>> {};
TEST_P(BadCommandLine, IsRefused) {
  EXPECT_EQ(run(GetParam()), 2);
  EXPECT_NE(error_.find("[bad-usage]"), std::string::npos) << error_;
  EXPECT_EQ(done_, "");
}
INSTANTIATE_TEST_SUITE_P(Each, BadCommandLine,
                         testing::Values(std::vector<std::string>{}, std::vector<std::string>{"copy"},
                                         std::vector<std::string>{"copy", "a", "--days", "0"},
                                         std::vector<std::string>{"copy", "a", "--days", "x"},
                                         std::vector<std::string>{"copy", "a", "--limit", "5XB"},
                                         std::vector<std::string>{"copy", "a", "--sealed=cbc"},
                                         std::vector<std::string>{"copy", "a", "--sealed", "--force"},
                                         std::vector<std::string>{"copy", "a", "--frob"},
                                         std::vector<std::string>{"key", "make", "x"},
                                         std::vector<std::string>{"key", "make", "--days", "1"}));

}  // namespace
}  // namespace usher::app

// Which clients may fetch which files (filestream.md §3.2, §3.3), and where a name may lead.
#include "server/files/file_shares.h"

#include <algorithm>
#include <fstream>
#include <future>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/encoding.h"
#include "server/files/file_digests.h"
#include "server/files/file_listing.h"
#include "support/eventually.h"
#include "support/pki.h"
#include "unit/media/fixtures.h"

namespace usher::server {
namespace {

using namespace usher::test;
namespace fs = std::filesystem;

TEST(FilePattern, StarsStopAtFoldersAndDoubleStarsDoNot) {
  const struct {
    const char* pattern;
    const char* text;
    bool fits;
  } kCases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "a.b", true},
      {"*", "a/b", false},
      {"**", "a/b/c", true},
      {"**", "", true},
      {"a", "a", true},
      {"a", "A", false},
      {"?", "a", true},
      {"?", "/", false},
      {"?", "", false},
      {"*.flac", "a.flac", true},
      {"*.flac", "a/b.flac", false},
      {"**.flac", "a/b.flac", true},
      {"**/*.flac", "a/b.flac", true},
      {"**/*.flac", "b.flac", false},
      {"a/*/c", "a/b/c", true},
      {"a/*/c", "a/b/d/c", false},
      {"a/**/c", "a/b/d/c", true},
      {"*a*b*c", "xaxbxc", true},
      {"*a*b*c", "xaxcxb", false},
      {"**a*b", "a/a/axb", true},
      {"**a*b", "axb/b", false},
      {"*/**x", "a/b/x", true},
      {"a*", "a", true},
      {"a***", "a/b", true},
      {"[ab]", "a", false},
      {"[ab]", "[ab]", true},
      {"\\*", "\\x", true},
  };
  for (const auto& one : kCases) EXPECT_EQ(matches(one.pattern, one.text), one.fits) << one.pattern << " " << one.text;
}

TEST(FilePattern, TakesNoTimeThatGrowsWithoutBounds) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a**";
  EXPECT_FALSE(matches(pattern + "b", std::string(1024, 'a')));
}

class FileRules : public ::testing::Test {
 protected:
  static pki::Certificate named(const std::string& cn) {
    pki::LeafRequest request{.role = pki::Role::client};
    request.name.common_name = cn;
    return Authority::root().leaf(request).certificate;
  }
  static FileRule rule(const std::vector<std::string>& clients, std::vector<std::string> names = {}) {
    return must(FileRule::from_texts(clients, std::move(names)));
  }
  pki::Certificate client = named("reviewer-7");
};

TEST_F(FileRules, EveryAttributeMustMatchWhole) {
  EXPECT_TRUE(rule({}).is_for(client));
  EXPECT_TRUE(rule({"CN=reviewer-*"}).is_for(client));
  EXPECT_TRUE(rule({"2.5.4.3=reviewer-?"}).is_for(client));
  EXPECT_FALSE(rule({"CN=reviewer"}).is_for(client));
  EXPECT_FALSE(rule({"CN=eviewer-7"}).is_for(client));
  EXPECT_FALSE(rule({"CN=reviewer-*", "OU=Press"}).is_for(client));
}

TEST_F(FileRules, AKeyStandsForItself) {
  EXPECT_TRUE(rule({"key=" + to_hex(client.key_fingerprint())}).is_for(client));
  EXPECT_FALSE(rule({"key=" + std::string(64, '0')}).is_for(client));
}

TEST_F(FileRules, AMisspeltRuleIsRefusedAndNeverOpen) {
  for (const std::vector<std::string>& clients : {std::vector<std::string>{"CN"},
                                                  {"CN="},
                                                  {"=x"},
                                                  {"Not known=x"},
                                                  {"key=12"},
                                                  {"key=" + std::string(64, '0'), "CN=x"}}) {
    const auto made = FileRule::from_texts(clients, {});
    ASSERT_FALSE(made) << clients.front();
    EXPECT_EQ(made.error().fault, Fault::bad_config);
  }
}

class Shares : public ::testing::Test {
 protected:
  Shares() {
    fs::create_directories(inside / "album");
    write(inside / "song.flac", "song");
    write(inside / "album/one.flac", "one");
    write(directory.path / "outside", "outside");
  }
  static void write(const fs::path& file, std::string_view text) { std::ofstream(file) << text; }
  void open(std::vector<FileShare> what) { shares = must(FileShares::open(std::move(what), nullptr)); }
  void open(std::vector<FileRule> rules = {}) {
    open({{.name = "music", .directory = inside, .rules = std::move(rules)}});
  }
  void refused(std::string_view name, Fault fault = Fault::not_found) {
    const auto file = shares->open_file(name, client);
    ASSERT_FALSE(file) << name;
    EXPECT_EQ(file.error().fault, fault) << name;
  }
  [[nodiscard]] FileListing listed(std::string_view prefix = {}) const { return {shares, std::string(prefix), client}; }
  [[nodiscard]] std::string list(std::string_view prefix = {}) const {
    std::string names;
    FileListing listing = listed(prefix);
    while (must(listing.step())) {}
    const std::string text = listing.text();
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      const std::size_t name = text.find(' ', text.find(' ', at) + 1) + 1;
      names += text.substr(name, text.find('\n', name) - name) + "\n";
    }
    return names;
  }

  media::test::Directory directory;
  fs::path inside = directory.path / "share";
  pki::Certificate client = Authority::root().leaf(pki::Role::client).certificate;
  std::shared_ptr<const FileShares> shares;
};

TEST_F(Shares, AFileIsFoundAndOthersAreNot) {
  open();
  EXPECT_EQ(must(shares->open_file("album/one.flac", client))->size(), 3U);
  refused("album/two.flac");
  refused("music/song.flac");
  refused("album", Fault::malformed);
}

TEST_F(Shares, NothingLeadsOut) {
  fs::create_symlink(directory.path / "outside", inside / "absolute");
  fs::create_symlink("../outside", inside / "relative");
  fs::create_directory_symlink("..", inside / "up");
  fs::create_symlink("/proc/self/exe", inside / "magic");
  fs::create_symlink("loop", inside / "loop");
  open();
  for (const char* name : {"absolute", "relative", "up/outside", "magic", "loop", "../outside", "/etc/passwd"})
    refused(name);
}

TEST_F(Shares, ALinkWithinIsFollowedAndListed) {
  fs::create_symlink("album/one.flac", inside / "newest");
  open();
  EXPECT_EQ(must(shares->open_file("newest", client))->size(), 3U);
  EXPECT_EQ(list(), "album/one.flac\nnewest\nsong.flac\n");
}

TEST_F(Shares, OnlyRegularFilesAreServedAndNobodyWaitsForAFifo) {
  ASSERT_EQ(::mkfifo((inside / "fifo").c_str(), 0600), 0);
  open();
  refused("fifo", Fault::malformed);
  EXPECT_EQ(list(), "album/one.flac\nsong.flac\n");
}

TEST_F(Shares, RulesAllowAndEverythingElseIsForbidden) {
  open({must(FileRule::from_texts({"CN=test leaf"}, {"album/*"})), must(FileRule::from_texts({"CN=other"}, {"**"}))});
  EXPECT_TRUE(shares->open_file("album/one.flac", client));
  refused("song.flac", Fault::not_permitted);
  refused("no such file", Fault::not_permitted);
  refused("album/none", Fault::not_found);
  EXPECT_EQ(list(), "album/one.flac\n");
}

TEST_F(Shares, SeveralAreToldApartByTheFirstComponent) {
  fs::create_directory(directory.path / "second");
  write(directory.path / "second/x", "x");
  open({{.name = "music", .directory = inside}, {.name = "b", .directory = directory.path / "second"}});
  EXPECT_TRUE(shares->open_file("music/song.flac", client));
  EXPECT_TRUE(shares->open_file("b/x", client));
  refused("song.flac");
  refused("b");
  refused("c/x");
  EXPECT_EQ(list(), "b/x\nmusic/album/one.flac\nmusic/song.flac\n");
  EXPECT_EQ(list("music/a"), "music/album/one.flac\n");
  EXPECT_EQ(list("mu"), "music/album/one.flac\nmusic/song.flac\n");
}

TEST_F(Shares, NamesThatBreakTheRulesAreNotListed) {
  write(inside / ".hidden", "");
  write(inside / "bad\nname", "");
  write(inside / "latin\xe9", "");
  open();
  EXPECT_EQ(list(), "album/one.flac\nsong.flac\n");
}

TEST_F(Shares, AListIsMadeInSteps) {
  fs::create_directory(inside / "many");
  for (std::size_t i = 0; i < FileListing::kTurn; ++i) write(inside / "many" / std::to_string(i), "");
  open();
  FileListing listing = listed();
  EXPECT_TRUE(must(listing.step())) << "there are more entries than a step looks at";
  EXPECT_LT(std::ranges::count(listing.text(), '\n'), static_cast<std::ptrdiff_t>(FileListing::kTurn));
  EXPECT_FALSE(must(listing.step()));
  EXPECT_EQ(std::ranges::count(list(), '\n'), static_cast<std::ptrdiff_t>(FileListing::kTurn) + 2);
}

TEST_F(Shares, FoldersNestedTooDeepAreNotListed) {
  fs::path folder = inside;
  for (int depth = 1; depth < 18; ++depth) {
    folder /= "d";
    fs::create_directory(folder);
    write(folder / "f", "");
  }
  open();
  const std::string names = list("d/");
  EXPECT_EQ(std::ranges::count(names, '\n'), 15) << names;
}

/// Lists on one worker, which the test holds until all clients have sent their requests.
class Lists : public Shares {
 protected:
  Lists() {
    fs::create_directory(directory.path / "huge");
    for (std::size_t i = 0; i < 2 * FileListing::kTurn; ++i) write(directory.path / "huge" / std::to_string(i), "");
    huge = must(FileShares::open({{.name = "huge", .directory = directory.path / "huge"}}, nullptr));
    open();
    std::promise<void> began;
    EXPECT_TRUE(workers.run("gate", [&began, gate = go.get_future().share()] {
      began.set_value();
      gate.wait();
      return false;
    }));
    began.get_future().wait();
  }
  void ask(const std::string& who, const std::shared_ptr<const FileShares>& of, const std::shared_ptr<int>& alive) {
    EXPECT_TRUE(make_list(workers, std::make_shared<FileListing>(of, "", client),
                          {.client = who, .alive = alive, .done = [this, who](const Result<std::string>& text) {
                             EXPECT_TRUE(text);
                             const std::scoped_lock lock(mutex);
                             told += who;
                           }}));
  }
  [[nodiscard]] std::string all_told() {
    go.set_value();
    EXPECT_TRUE(usher::test::eventually([this] { return workers.jobs() == 0; }));
    const std::scoped_lock lock(mutex);
    return told;
  }

  std::shared_ptr<const FileShares> huge;
  std::shared_ptr<int> asker = std::make_shared<int>();
  std::promise<void> go;
  std::mutex mutex;
  std::string told;
  Workers workers{{.threads = 1, .at_once = 1}};
};

TEST_F(Lists, OfHugeFoldersHoldNobodyUp) {
  ask("a", huge, asker);
  ask("b", huge, asker);
  ask("c", shares, asker);
  EXPECT_EQ(all_told(), "cab") << "the short one does not wait for the long ones' ends";
}

TEST_F(Lists, EndWithWhoeverAskedForThem) {
  auto impatient = std::make_shared<int>();
  ask("a", huge, impatient);
  const auto leaves = workers.run("b", [&impatient] {
    impatient.reset();  // after the first step
    return false;
  });
  EXPECT_TRUE(leaves);
  ask("c", shares, asker);
  EXPECT_EQ(all_told(), "c");
}

TEST_F(Shares, ADigestDoesNotWaitInTheLineOfAnotherWhoAskedForItFirst) {
  write(inside / "huge", "");
  fs::resize_file(inside / "huge", std::uintmax_t{100} << 30);
  open();
  SystemClock clock;
  Workers workers({.threads = 2, .at_once = 1});
  FileDigests digests(workers, clock, 10);
  auto first = std::make_shared<int>();
  for (const char* const name : {"huge", "song.flac"}) {
    digests.ask(must(shares->open_file(name, client)),
                {.client = "first", .alive = first, .done = [](const auto&) { ADD_FAILURE() << "no answer due"; }});
  }
  const auto second = std::make_shared<int>();
  std::promise<Result<Hash256>> told;
  digests.ask(must(shares->open_file("song.flac", client)),
              {.client = "second", .alive = second, .done = [&](const auto& digest) { told.set_value(digest); }});
  auto answer = told.get_future();
  ASSERT_EQ(answer.wait_for(usher::test::kPatience), std::future_status::ready);
  EXPECT_EQ(must(answer.get()), crypto::sha256(view_of("song")));
  EXPECT_TRUE(usher::test::eventually([&] { return workers.jobs() == 2; })) << "those of the first are under way";
  first.reset();
  EXPECT_TRUE(usher::test::eventually([&] { return workers.jobs() == 0; }));
}

TEST_F(Shares, ConfigurationsThatMakeNoSenseAreRefused) {
  const auto refuse = [](std::vector<FileShare> what) {
    const auto made = FileShares::open(std::move(what), nullptr);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::bad_config);
  };
  refuse({{.name = "a/b", .directory = inside}});
  refuse({{.name = ".a", .directory = inside}});
  refuse({{.name = "", .directory = inside}});
  refuse({{.name = "a"}});
  refuse({{.name = "a", .directory = inside, .media = {{"x", Id128{}}}}});
  refuse({{.name = "a", .directory = inside}, {.name = "a", .directory = inside}});
  refuse({{.name = "a", .media = {{"../x", Id128{}}}}});
}

Result<Hash256> digest_of(FileDigests& digests, const OpenedFilePtr& file) {
  std::promise<Result<Hash256>> promise;
  const auto asker = std::make_shared<int>();
  digests.ask(file, {.client = "ana", .alive = asker, .done = [&](const auto& digest) { promise.set_value(digest); }});
  auto answer = promise.get_future();
  if (answer.wait_for(usher::test::kPatience) != std::future_status::ready) return fail(Fault::local, "no answer");
  return answer.get();
}

TEST_F(Shares, ADigestIsComputedOnceForAllWhoAskWhenTheFileHasRested) {
  open();
  Workers workers({.threads = 1});
  ManualClock clock(SystemClock().now() + std::chrono::hours(1));
  FileDigests digests(workers, clock, 10);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(must(digest_of(digests, must(shares->open_file("song.flac", client)))), crypto::sha256(view_of("song")));
  }
  EXPECT_EQ(digests.computed(), 1U);
  write(inside / "song.flac", "other");
  EXPECT_EQ(must(digest_of(digests, must(shares->open_file("song.flac", client)))), crypto::sha256(view_of("other")));
  EXPECT_EQ(digests.computed(), 2U);
}

TEST_F(Shares, ADigestOfAFileThatChangedSinceItWasOpenedIsRefused) {
  open();
  SystemClock clock;
  Workers workers({.threads = 1});
  FileDigests digests(workers, clock, 10);
  const timespec old[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
  ::utimensat(AT_FDCWD, (inside / "song.flac").c_str(), old, 0);
  const auto file = must(shares->open_file("song.flac", client));
  EXPECT_EQ(must(digest_of(digests, file)), crypto::sha256(view_of("song")));
  write(inside / "song.flac", "other");
  const auto changed = digest_of(digests, file);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().fault, Fault::interrupted);
  EXPECT_EQ(must(digest_of(digests, must(shares->open_file("song.flac", client)))), crypto::sha256(view_of("other")));
}

TEST_F(Shares, DigestsOfHugeFilesHoldNobodyUpAndEndWithWhoAskedForThem) {
  for (const char* const name : {"huge-1", "huge-2"}) {
    write(inside / name, "");
    fs::resize_file(inside / name, std::uintmax_t{100} << 30);  // sparse: minutes to read, no room on the disk
  }
  open();
  SystemClock clock;
  Workers workers({.threads = 2, .at_once = 1});
  FileDigests digests(workers, clock, 10);
  auto impatient = std::make_shared<int>();
  for (const char* const name : {"huge-1", "huge-2"}) {
    digests.ask(must(shares->open_file(name, client)),
                {.client = name, .alive = impatient, .done = [](const auto&) { ADD_FAILURE() << "no answer due"; }});
  }
  const auto asker = std::make_shared<int>();
  std::promise<Result<Hash256>> small;
  digests.ask(must(shares->open_file("song.flac", client)),
              {.client = "ana", .alive = asker, .done = [&](const auto& digest) { small.set_value(digest); }});
  auto answer = small.get_future();
  ASSERT_EQ(answer.wait_for(usher::test::kPatience), std::future_status::ready);
  EXPECT_EQ(must(answer.get()), crypto::sha256(view_of("song")));
  EXPECT_TRUE(usher::test::eventually([&] { return workers.jobs() == 2; })) << "both huge ones are still under way";
  impatient.reset();
  EXPECT_TRUE(usher::test::eventually([&] { return workers.jobs() == 0; }));
}

}  // namespace
}  // namespace usher::server

// usher-ca as it is run: its exit statuses, and whether what it writes verifies.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pki/certificate_urls.h"
#include "support/pki.h"

namespace usher::pki {
namespace {

namespace fs = std::filesystem;
using test::must;

class UsherCa : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "usher ca XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::ofstream(directory_ / "pass") << "the authority's\n";
    std::ofstream(directory_ / "wrong") << "another\n";
    std::ofstream(directory_ / "key pass") << "the subject's\n";
  }
  void TearDown() override { fs::remove_all(directory_); }

  /// The exit status; the program's output goes to the file "said".
  int run(std::vector<std::string> words, const std::string& pass = "pass") const {
    words.insert(words.begin(), {USHER_CA_PROGRAM, "--home", "ca", "--passphrase-file", pass});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory_.c_str());
    posix_spawn_file_actions_addopen(&actions, 1, "said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = 0;
    int status = -1;
    EXPECT_EQ(posix_spawn(&child, USHER_CA_PROGRAM, &actions, nullptr, arguments.data(), environ), 0);
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int issue(std::vector<std::string> words, const std::string& out) const {
    words.insert(words.begin(), "issue");
    words.insert(words.end(), {"--out", out, "--key-passphrase-file", "key pass"});
    return run(std::move(words));
  }
  [[nodiscard]] std::string read(const fs::path& file) const {
    std::ifstream in(directory_ / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::vector<Crl> lists(const std::vector<std::string>& files) const {
    std::string all;
    for (const std::string& file : files) all += read(file);
    return must(crls_from_file_content(view_of(all)));
  }
  /// "" when the chain in `file` is accepted by the media root, else the fault's code.
  [[nodiscard]] std::string verdict(Role role, const std::string& file,
                                    const std::vector<std::string>& list_files) const {
    const auto store = must(TrustStore::make(
        {.role = role, .anchors = must(bundle_from_pem(read("ca/media/root/ca.pem"))), .crls = lists(list_files)}));
    const auto name = must(ServerName::from_host("localhost"));
    const auto peer = store->verify(must(chain_from_pem(read(file))), SystemClock().now(), &name);
    return peer ? "" : std::string(code_of(peer.error().fault));
  }

  fs::path directory_;
};

TEST_F(UsherCa, WhatItIssuesIsAcceptedInItsRole) {
  ASSERT_EQ(run({"init", "--organisation", "Example Records"}), 0) << read("said");
  ASSERT_EQ(issue({"server", "--name", "localhost", "--ip", "::1"}, "server"), 0) << read("said");
  ASSERT_EQ(issue({"client", "--cn", "Kitchen radio"}, "client"), 0) << read("said");
  ASSERT_EQ(issue({"distributor", "--key", "rsa2048"}, "distributor"), 0) << read("said");
  ASSERT_EQ(issue({"release"}, "recipient"), 0) << read("said");
  const std::vector<std::string> crl{"ca/media/root/crl.pem"};
  EXPECT_EQ(verdict(Role::server, "server.pem", crl), "");
  EXPECT_EQ(verdict(Role::client, "client.pem", crl), "");
  EXPECT_EQ(verdict(Role::distributor, "distributor.pem", crl), "");
  EXPECT_EQ(verdict(Role::release_recipient, "recipient.pem", crl), "");
  EXPECT_EQ(verdict(Role::client, "server.pem", crl), "wrong-role");

  const auto key = crypto::PrivateKey::from_pem(read("server.key"), crypto::Secret::copy_of(view_of("the subject's")));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key().fingerprint(), must(Certificate::from_pem(read("server.pem"))).key_fingerprint());
  EXPECT_EQ(fs::status(directory_ / "server.key").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  for (const char* file : {"server.key", "ca/media/root/ca.key"}) {
    EXPECT_TRUE(read(file).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")) << file;
  }
}

TEST_F(UsherCa, ARevocationIsSeenThroughADeltaAndThroughACompleteList) {
  ASSERT_EQ(run({"init"}), 0);
  ASSERT_EQ(issue({"client"}, "client"), 0);
  ASSERT_EQ(run({"crl", "--out", "old"}), 0);
  ASSERT_EQ(run({"revoke", "--certificate", "client.pem", "--reason", "key-compromise"}), 0) << read("said");
  ASSERT_EQ(run({"crl", "--delta", "--out", "new"}), 0) << read("said");
  EXPECT_EQ(verdict(Role::client, "client.pem", {"old/media-root.crl.pem"}), "");
  EXPECT_EQ(verdict(Role::client, "client.pem", {"old/media-root.crl.pem", "new/media-root.delta.crl.pem"}), "revoked");
  ASSERT_EQ(run({"crl", "--out", "new"}), 0);
  EXPECT_EQ(verdict(Role::client, "client.pem", {"new/media-root.crl.pem"}), "revoked");
  EXPECT_FALSE(fs::exists(directory_ / "new/media-root.delta.crl.pem"));
  EXPECT_EQ(run({"revoke", "--certificate", "client.pem"}), 8);
  EXPECT_NE(read("said").find("[already-exists]"), std::string::npos);
}

TEST_F(UsherCa, ACertificateIsReissuedForTheSameKey) {
  ASSERT_EQ(run({"init"}), 0);
  ASSERT_EQ(issue({"client"}, "first"), 0);
  ASSERT_EQ(run({"issue", "client", "--public-key", "first.pem", "--out", "second"}), 0) << read("said");
  const auto first = must(Certificate::from_pem(read("first.pem")));
  const auto second = must(Certificate::from_pem(read("second.pem")));
  EXPECT_EQ(first.key_fingerprint(), second.key_fingerprint());
  EXPECT_NE(first.serial_hex(), second.serial_hex());
  EXPECT_FALSE(fs::exists(directory_ / "second.key"));
}

TEST_F(UsherCa, TheCardHierarchyHasListsAtBothLevels) {
  ASSERT_EQ(run({"init", "--card", "--url", "http://pki.example.org/"}), 0) << read("said");
  ASSERT_EQ(issue({"user", "--cn", "Ana Silva", "--civil-number", "BI123456789"}, "ana"), 0) << read("said");
  const Chain chain = must(chain_from_pem(read("ana.pem")));
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].subject_field("serialNumber"), "BI123456789");
  TrustConfig config{.role = Role::person,
                     .anchors = must(bundle_from_pem(read("ca/card/root/ca.pem"))),
                     .crls = lists({"ca/card/root/crl.pem", "ca/card/sub/crl.pem"}),
                     .mapping = RoleMapping{.any_eku = {std::string(kOidClientAuth)}}};
  EXPECT_TRUE(must(TrustStore::make(config))->verify(chain, SystemClock().now()));
  EXPECT_EQ(list_urls(chain[0]), std::vector<std::string>{"http://pki.example.org/card-sub.crl"});
  const std::string sub_serial = chain[1].serial_hex();
  ASSERT_EQ(run({"revoke", sub_serial}), 0) << read("said");
  ASSERT_EQ(run({"crl", "--card"}), 0) << read("said");
  config.crls = lists({"ca/card/root/crl.pem", "ca/card/sub/crl.pem"});
  EXPECT_EQ(must(TrustStore::make(config))->verify(chain, SystemClock().now()).error().fault, Fault::revoked);
}

TEST_F(UsherCa, MistakesAreRefusedAndChangeNothing) {
  EXPECT_EQ(issue({"client"}, "client"), 2);  // no authority yet
  EXPECT_NE(read("said").find("[not-set-up]"), std::string::npos);
  ASSERT_EQ(run({"init"}), 0);
  const std::string root = read("ca/media/root/ca.pem");
  EXPECT_EQ(run({"init"}), 8);
  EXPECT_EQ(read("ca/media/root/ca.pem"), root);
  EXPECT_EQ(issue({"server"}, "server"), 2);  // no name
  EXPECT_EQ(issue({"server", "--name", "not a name"}, "server"), 8);
  EXPECT_FALSE(fs::exists(directory_ / "server.key"));
  EXPECT_EQ(issue({"client", "--key", "rsa512"}, "client"), 2);
  EXPECT_EQ(run({"issue", "client", "--out", "client", "--key-passphrase-file", "key pass"}, "wrong"), 8);
  EXPECT_NE(read("said").find("[bad-passphrase]"), std::string::npos);
  EXPECT_EQ(run({"revoke", "1234"}), 9);
  EXPECT_EQ(run({"revoke", "1234", "--reason", "because"}), 2);
  EXPECT_EQ(run({"no such verb"}), 2);
  EXPECT_FALSE(fs::exists(directory_ / "client.pem"));
  ASSERT_EQ(issue({"client"}, "client"), 0);
  EXPECT_EQ(issue({"client"}, "client"), 8);  // the files are there
}

TEST_F(UsherCa, TwoAtOnceAreRefused) {
  ASSERT_EQ(run({"init"}), 0);
  const int lock = ::open((directory_ / "ca/media/root/lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  EXPECT_EQ(run({"crl"}), 9);
  EXPECT_NE(read("said").find("[busy]"), std::string::npos);
  ::close(lock);
  EXPECT_EQ(run({"crl"}), 0);
}

}  // namespace
}  // namespace usher::pki

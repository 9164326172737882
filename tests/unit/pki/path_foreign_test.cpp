// Certificates that the openssl command line made: usher takes them by an explicit mapping only (identity.md §1.3).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/pki.h"

namespace usher::pki {
namespace {

using test::must;

/// A directory with a foreign authority (ca.pem, crl.pem) and its leaves.
class ForeignAuthority : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "usher foreign XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    std::ofstream(directory_ / "ca.cnf") << R"([ca]
default_ca = here
[here]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
[req]
distinguished_name = dn
[dn]
[v3_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[v3_client_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = clientAuth
[v3_server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:media.example.org, IP:::1
[v3_plain]
basicConstraints = CA:FALSE
)";
    std::ofstream(directory_ / "index.txt").flush();
    std::ofstream(directory_ / "crlnumber") << "01\n";
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj "
        "/CN=Foreign -config ca.cnf -extensions v3_ca");
    run("ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  /// Runs openssl in the directory; `command`: arguments between single spaces.
  void run(const std::string& command) const {
    std::vector<std::string> words{"openssl"};
    for (std::size_t from = 0; from <= command.size();) {
      const std::size_t to = std::min(command.find(' ', from), command.size());
      words.push_back(command.substr(from, to - from));
      from = to + 1;
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory_.c_str());
    for (const int stream : {1, 2}) posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    int status = -1;
    ASSERT_EQ(posix_spawnp(&child, "openssl", &actions, nullptr, arguments.data(), environ), 0);
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    posix_spawn_file_actions_destroy(&actions);
    ASSERT_EQ(status, 0) << command;
  }
  [[nodiscard]] std::string read(const std::string& file) const {
    std::ifstream in(directory_ / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void issue(const std::string& leaf, const std::string& section, const std::string& digest = "sha256",
             const std::string& key = "ec -pkeyopt ec_paramgen_curve:P-256",
             const std::string& authority = "ca") const {
    run("req -newkey " + key + " -nodes -keyout " + leaf + ".key -out " + leaf + ".csr -subj /CN=" + leaf +
        " -config ca.cnf");
    run("x509 -req -in " + leaf + ".csr -CA " + authority + ".pem -CAkey " + authority +
        ".key -CAcreateserial -days 20 -" + digest + " -extfile ca.cnf -extensions " + section + " -out " + leaf +
        ".pem");
  }
  [[nodiscard]] TrustConfig config(Role role) const {
    return {.role = role,
            .anchors = must(bundle_from_pem(read("ca.pem"))),
            .crls = must(crls_from_file_content(view_of(read("crl.pem"))))};
  }
  [[nodiscard]] Certificate certificate(const std::string& leaf) const {
    return must(Certificate::from_pem(read(leaf + ".pem")));
  }
  [[nodiscard]] static Time now() { return SystemClock().now(); }

  std::filesystem::path directory_;
};

Fault fault_of(const Result<VerifiedPeer>& result) { return result ? Fault::local : result.error().fault; }

TEST_F(ForeignAuthority, ItsServerIsTakenByMappingAndNotWithout) {
  issue("server", "v3_server");
  const auto name = must(ServerName::from_host("media.example.org"));
  const auto address = must(ServerName::from_host("::1"));
  TrustConfig mapped = config(Role::server);
  EXPECT_EQ(fault_of(must(TrustStore::make(mapped))->verify({{certificate("server")}}, now(), &name)),
            Fault::wrong_role);
  mapped.mapping = RoleMapping{.any_eku = {std::string(kOidServerAuth)}};
  const auto store = must(TrustStore::make(mapped));
  const auto peer = store->verify({{certificate("server")}}, now(), &name);
  ASSERT_TRUE(peer) << explain(peer.error());
  EXPECT_TRUE(store->verify({{certificate("server")}}, now(), &address));
  mapped.role = Role::client;
  mapped.mapping = RoleMapping{.any_eku = {std::string(kOidClientAuth)}};
  EXPECT_EQ(fault_of(must(TrustStore::make(mapped))->verify({{certificate("server")}}, now())), Fault::wrong_role);
}

TEST_F(ForeignAuthority, OneWithoutUsagesNeedsItsOwnWord) {
  issue("plain", "v3_plain");
  TrustConfig mapped = config(Role::client);
  mapped.mapping = RoleMapping{.any_eku = {std::string(kOidClientAuth)}};
  EXPECT_EQ(fault_of(must(TrustStore::make(mapped))->verify({{certificate("plain")}}, now())), Fault::wrong_role);
  mapped.mapping->accept_without_eku = true;
  EXPECT_TRUE(must(TrustStore::make(mapped))->verify({{certificate("plain")}}, now()));
}

TEST_F(ForeignAuthority, WeakKeysAndDigestsAreRefused) {
  issue("sha1", "v3_server", "sha1");
  issue("small", "v3_server", "sha256", "rsa:1024");
  TrustConfig mapped = config(Role::server);
  mapped.mapping = RoleMapping{.any_eku = {std::string(kOidServerAuth)}};
  const auto store = must(TrustStore::make(mapped));
  const auto name = must(ServerName::from_host("media.example.org"));
  EXPECT_EQ(fault_of(store->verify({{certificate("sha1")}}, now(), &name)), Fault::bad_certificate);
  EXPECT_EQ(fault_of(store->verify({{certificate("small")}}, now(), &name)), Fault::bad_certificate);
}

TEST_F(ForeignAuthority, AnAuthorityForClientsMakesNoServers) {
  issue("clients", "v3_client_ca");
  issue("server", "v3_server", "sha256", "ec -pkeyopt ec_paramgen_curve:P-256", "clients");
  TrustConfig mapped = config(Role::server);
  mapped.revocation = RevocationMode::none;
  mapped.mapping = RoleMapping{.any_eku = {std::string(kOidServerAuth)}};
  const auto name = must(ServerName::from_host("media.example.org"));
  const Chain chain{certificate("server"), certificate("clients")};
  EXPECT_EQ(fault_of(must(TrustStore::make(mapped))->verify(chain, now(), &name)), Fault::wrong_role);
}

TEST_F(ForeignAuthority, AListSignedWithSha1IsNone) {
  issue("server", "v3_server");
  run("ca -config ca.cnf -gencrl -md sha1 -keyfile ca.key -cert ca.pem -out crl.pem");
  TrustConfig mapped = config(Role::server);
  mapped.mapping = RoleMapping{.any_eku = {std::string(kOidServerAuth)}};
  const auto name = must(ServerName::from_host("media.example.org"));
  EXPECT_EQ(fault_of(must(TrustStore::make(mapped))->verify({{certificate("server")}}, now(), &name)),
            Fault::revocation_unknown);
}

}  // namespace
}  // namespace usher::pki

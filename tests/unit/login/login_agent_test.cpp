// The agent that keeps a login, its clients, and peers that are not its clients.
#include "login/login_agent.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "crypto/group.h"
#include "login/login_client.h"
#include "login/login_wire.h"
#include "shim/soft_card.h"
#include "support/eventually.h"
#include "support/temporary_folder.h"

namespace usher::login {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::CardHierarchy;
using test::must;

constexpr Time kNow{std::chrono::seconds(1'900'000'000)};

Hash256 hash_of(std::uint8_t byte) {
  Hash256 out{};
  out.fill(byte);
  return out;
}

/// An agent that serves, on a thread of its own.
class Served {
 public:
  Served(const fs::path& socket, KeptLogin login, const Clock& clock)
      : agent_(must(LoginAgent::create(socket))), login_(std::move(login)) {
    must(agent_.publish());
    thread_ = std::jthread([this, &clock] {
      why_ = agent_.serve(login_, clock);
      over_ = true;
    });
  }
  ~Served() { end({Fault::cancelled, "test"}); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  void end(const Error& why) { agent_.end(why); }
  /// Why it ended.
  Fault ended() {
    EXPECT_TRUE(test::eventually([this] { return over_.load(); }));
    return why_.fault;
  }

 private:
  LoginAgent agent_;
  KeptLogin login_;
  Error why_{};
  std::atomic<bool> over_ = false;
  std::jthread thread_;
};

class LoginAgentTest : public testing::Test {
 protected:
  explicit LoginAgentTest(crypto::NewKey kind = crypto::NewKey::p256)
      : key(std::make_shared<crypto::PrivateKey>(must(crypto::PrivateKey::generate(kind)))) {
    chain.pop_back();
  }
  KeptLogin login() {
    return {.installation = key,
            .person = must(person::make_login(card, chain, {hash_of(1), hash_of(2), clock.now(), 1h}, random))};
  }

  ManualClock clock{kNow};
  crypto::SystemRandom random;
  CardHierarchy hierarchy{kNow};
  person::Profile profile = person::citizen_card_profile();
  crypto::PrivateKey card = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  pki::Chain chain = hierarchy.certify(card.public_key(), hierarchy.citizen());
  std::shared_ptr<const crypto::PrivateKey> key;
  test::TemporaryFolder folder;
  fs::path socket = folder / "login/0123456789abcdef";
};

class KeptKey : public LoginAgentTest, public testing::WithParamInterface<crypto::NewKey> {
 protected:
  KeptKey() : LoginAgentTest(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(Kinds, KeptKey, testing::Values(crypto::NewKey::p256, crypto::NewKey::rsa2048));

TEST_P(KeptKey, SignsDecryptsAndAgreesThroughTheAgent) {
  const Served agent(socket, login(), clock);
  const crypto::PrivateKey remote = must(must(LoginClient::connect(socket)).installation());
  const Bytes message(1000, 7);
  EXPECT_TRUE(key->public_key().verify(remote.scheme(), message, must(remote.sign(message))));
  if (GetParam() == crypto::NewKey::p256) {
    const auto other = must(crypto::EphemeralKey::generate(crypto::Group::p256, random));
    EXPECT_TRUE(
        same(must(remote.agree(other.public_value())).expose(), must(key->agree(other.public_value())).expose()));
    EXPECT_FALSE(remote.agree(Bytes(65, 4)));
  } else {
    const auto secret = crypto::Secret::copy_of(Bytes(32, 5));
    const Bytes wrapped = must(crypto::oaep_encrypt(key->public_key(), view_of("label"), secret));
    EXPECT_TRUE(same(must(remote.oaep_decrypt(view_of("label"), wrapped)).expose(), secret.expose()));
    EXPECT_FALSE(remote.oaep_decrypt(view_of("another"), wrapped));
  }
}

TEST_F(LoginAgentTest, BindsAChannelAsTheCardsOwnSessionDoes) {
  const Served agent(socket, login(), clock);
  const LoginClient client = must(LoginClient::connect(socket));
  EXPECT_EQ(client.person()->not_after(), kNow + 1h);
  EXPECT_TRUE(client.person()->usable(hash_of(1), hash_of(2), kNow));
  EXPECT_FALSE(client.person()->usable(hash_of(3), hash_of(2), kNow));
  const Bytes exporter(person::kExporterSize, 9);
  const person::AuthRequest request = must(client.person()->bind(exporter));
  const auto person =
      person::verify_auth(request, {hash_of(1), hash_of(2), exporter, kNow}, *hierarchy.trust(profile), profile);
  ASSERT_TRUE(person) << explain(person.error());
  EXPECT_EQ(person->display_name(), "Ana Maria Silva");
  EXPECT_FALSE(client.person()->bind(Bytes(31, 9)));
}

TEST_F(LoginAgentTest, IsFoundByNobodyBeforeItIsPublishedNorAfterItsEnd) {
  EXPECT_EQ(LoginClient::connect(socket).error().fault, Fault::not_found);
  {
    LoginAgent agent = must(LoginAgent::create(socket));
    EXPECT_EQ(LoginClient::connect(socket).error().fault, Fault::not_found);
  }
  EXPECT_FALSE(fs::exists(socket));
  Served agent(socket, login(), clock);
  const LoginClient client = must(LoginClient::connect(socket));
  must(end_login(socket));
  EXPECT_EQ(LoginClient::connect(socket).error().fault, Fault::not_found);
  EXPECT_EQ(agent.ended(), Fault::cancelled);
  EXPECT_FALSE(fs::exists(socket));
  EXPECT_FALSE(client.person()->bind(Bytes(person::kExporterSize, 9)));
}

TEST_F(LoginAgentTest, OneThatTakesNoConnectionIsNotEndedAndSaidSo) {
  const Descriptor full(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket.string(), std::begin(address.sun_path));
  fs::create_directories(socket.parent_path());
  ASSERT_EQ(::bind(full.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  std::vector<Descriptor> waiting;  // until the kernel's line of them is full
  for (;;) {
    Descriptor one(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) break;
    waiting.push_back(std::move(one));
  }
  EXPECT_EQ(end_login(socket).error().fault, Fault::busy);
  EXPECT_TRUE(fs::exists(socket));
}

TEST_F(LoginAgentTest, EndsWithTheStatementAndTellsWhoIsConnected) {
  Served agent(socket, login(), clock);
  const LoginClient client = must(LoginClient::connect(socket));
  LoginWatch watch;
  std::atomic<int> told = -1;
  must(watch.begin(socket, [&](const Error& why) { told = static_cast<int>(why.fault); }));
  clock.set(kNow + 1h);
  // A client's request wakes it.
  EXPECT_TRUE(test::eventually([&] { return !client.person()->bind(Bytes(person::kExporterSize, 9)); }));
  EXPECT_EQ(agent.ended(), Fault::bad_statement);
  EXPECT_TRUE(test::eventually([&] { return told == static_cast<int>(Fault::bad_statement); }));
}

TEST_F(LoginAgentTest, TellsWhyItEnds) {
  Served agent(socket, login(), clock);
  LoginWatch watch;
  std::atomic<int> told = -1;
  must(watch.begin(socket, [&](const Error& why) { told = static_cast<int>(why.fault); }));
  // So that the agent has accepted the watch.
  must(LoginClient::connect(socket));
  agent.end({Fault::card_removed, "test"});
  EXPECT_TRUE(test::eventually([&] { return told == static_cast<int>(Fault::card_removed); }));
}

TEST_F(LoginAgentTest, GivesItsPlaceToTheNextOne) {
  Served first(socket, login(), clock);
  const KeptLogin next = login();
  const Served second(socket, next, clock);
  EXPECT_EQ(first.ended(), Fault::cancelled);
  EXPECT_EQ(must(LoginClient::connect(socket)).person()->statement(), next.person->statement());
}

TEST_F(LoginAgentTest, IsForItsUserAlone) {
  struct stat found{};
  const Served agent(socket, login(), clock);
  ASSERT_EQ(::stat(socket.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0700U);
  ASSERT_EQ(::stat(socket.parent_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0700U);
  fs::permissions(socket.parent_path(), fs::perms::owner_all | fs::perms::group_exec);
  EXPECT_EQ(LoginAgent::create(socket).error().fault, Fault::not_permitted);
}

TEST_F(LoginAgentTest, IsNotDisturbedByClientsThatAreNone) {
  const Served agent(socket, login(), clock);
  const LoginClient client = must(LoginClient::connect(socket));
  for (const Bytes& message : {Bytes{}, Bytes{0}, Bytes{99}, Bytes(login_wire::kMaxMessage + 1, 1), Bytes{2, 1, 2},
                               Bytes(257, 3), Bytes{5}, Bytes(33, 6), Bytes{6}}) {
    const Descriptor odd = must(login_wire::socket_at(socket, ::connect));
    EXPECT_EQ(::send(odd.get(), message.data(), message.size(), MSG_NOSIGNAL), static_cast<ssize_t>(message.size()));
    EXPECT_TRUE(client.person()->bind(Bytes(person::kExporterSize, 9))) << message.size();
  }
  // A client that sends requests and never reads.
  const Descriptor deaf = must(login_wire::socket_at(socket, ::connect));
  const std::uint8_t look = 1;
  while (::send(deaf.get(), &look, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {}
  EXPECT_TRUE(client.person()->bind(Bytes(person::kExporterSize, 9)));
  // More than it accepts at once.
  std::vector<Descriptor> many;
  for (std::size_t i = 0; i < 2 * kMaxLoginClients; ++i) many.push_back(must(login_wire::socket_at(socket, ::connect)));
  EXPECT_TRUE(client.person()->bind(Bytes(person::kExporterSize, 9)));
  many.clear();
  EXPECT_TRUE(test::eventually([&] { return LoginClient::connect(socket).has_value(); }));
}

/// KiB of this process that are not swapped out.
long locked() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmLck:")) return std::stol(line.substr(6));
  }
  return 0;
}

TEST(LoginMemory, IsLockedWhereKeysAre) {
  if (const auto first = lock_memory(); !first) GTEST_SKIP() << "needs locked memory: " << explain(first.error());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their runtimes do not lock memory
  EXPECT_GT(locked(), 64) << "heap and stack too";
#endif
  ASSERT_TRUE(lock_memory()) << "a second time";
  const auto before = CRYPTO_secure_used();
  const auto key = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  EXPECT_GT(CRYPTO_secure_used(), before);
  const auto passphrase = crypto::Secret::copy_of(view_of("a passphrase"));
  const auto with_one = CRYPTO_secure_used();
  const auto read = must(crypto::PrivateKey::from_pem(must(key.to_pem(passphrase)), passphrase));
  EXPECT_GT(CRYPTO_secure_used(), with_one);
}

}  // namespace
}  // namespace usher::login

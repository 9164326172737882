// The agent's own duties, and the messages between Card and it.
#include "card/card_agent.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "card/card_wire.h"
#include "shim/soft_card.h"

namespace usher::card {
namespace {

using namespace std::chrono_literals;

card_wire::Deadline soon() { return std::chrono::steady_clock::now() + 30s; }

/// This program as an agent, with our end of its socket.
struct Agent {
  Agent() {
    int pair[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    socket = pair[0];
    child = ::fork();
    if (child == 0) {
      if (pair[1] == kCardAgentDescriptor) {
        ::fcntl(pair[1], F_SETFD, 0);
      } else {
        ::dup2(pair[1], kCardAgentDescriptor);
      }
      ::execl("/proc/self/exe", "agent", kCardAgentVerb, nullptr);
      ::_exit(127);
    }
    ::close(pair[1]);
  }
  void ask(card_wire::Operation operation, View body) const {
    const auto code = static_cast<std::uint8_t>(operation);
    ASSERT_TRUE(card_wire::send(socket, {&code, 1}, body, soon()));
  }
  /// Its exit status, once it has gone by itself.
  int after_hanging_up() const {
    ::close(socket);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }
  int socket = -1;
  pid_t child = 0;
};

TEST(CardAgent, EndsWhenTheOtherSideIsGone) {
  const Agent agent;
  EXPECT_EQ(agent.after_hanging_up(), 0);
}

TEST(CardAgent, EndsThoughItsModuleHangs) {
  const test::SoftCards cards;
  cards.set_mode("hang C_Initialize");
  const Agent agent;
  agent.ask(card_wire::Operation::open, card_wire::encode(CardQuery{.module = USHER_PKCS11_SHIM}));
  EXPECT_EQ(agent.after_hanging_up(), 1);
}

TEST(CardAgent, AnswersNonsenseWithAnError) {
  const Agent agent;
  agent.ask(static_cast<card_wire::Operation>(99), {});
  const auto answer = card_wire::receive(agent.socket, soon());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->expose()[0], 1);
  EXPECT_EQ(card_wire::decode_error(answer->expose().subspan(1)).fault, Fault::malformed);
  EXPECT_EQ(agent.after_hanging_up(), 0);
}

TEST(CardAgent, IsNotRunWhenSomebodyTypesItsVerb) {
  const char* const typed[] = {"usher", kCardAgentVerb};
  const char* const more[] = {"usher", kCardAgentVerb, "x"};
  // The parent of this test may have left descriptor 3 open.
  const int kept = ::dup(kCardAgentDescriptor);
  ::close(kCardAgentDescriptor);
  EXPECT_FALSE(card_agent_requested(2, typed));
  if (kept >= 0) {
    ::dup2(kept, kCardAgentDescriptor);
    ::close(kept);
  }
  EXPECT_FALSE(card_agent_requested(3, more));
  EXPECT_FALSE(card_agent_requested(1, typed));
}

TEST(CardWire, MessagesAreReadAsTheyWereWritten) {
  const CardQuery query{.module = "/b/c.so",
                        .token_label = "t",
                        .slot = 7,
                        .labels = {"c", "k", "s", "r"},
                        .certificate = "0123abcd",
                        .now = from_unix_seconds(1'800'000'000)};
  const CardQuery read = test::must(card_wire::decode_query(card_wire::encode(query)));
  EXPECT_EQ(read.module, query.module);
  EXPECT_EQ(read.slot, query.slot);
  EXPECT_EQ(read.labels.root, "r");
  EXPECT_EQ(read.certificate, query.certificate);
  EXPECT_EQ(read.now, query.now);

  const OpenedCard card{.module = "m",
                        .token = {.slot = 3, .label = "l", .protected_path = true, .pin = PinState::last_try},
                        .certificate = Bytes(10, 1),
                        .authorities = {Bytes(20, 2), Bytes(30, 3)}};
  const OpenedCard opened = test::must(card_wire::decode_opened(card_wire::encode(card)));
  EXPECT_EQ(opened.token.pin, PinState::last_try);
  EXPECT_TRUE(opened.token.protected_path);
  EXPECT_EQ(opened.authorities, card.authorities);

  const OpenedCard offer{.module = "m", .choices = {{3, "t", "l", Bytes(10, 1)}, {4, "u", "m", Bytes(20, 2)}}};
  const OpenedCard offered = test::must(card_wire::decode_opened(card_wire::encode(offer)));
  ASSERT_EQ(offered.choices.size(), 2U);
  EXPECT_EQ(offered.choices[1].token_label, "u");
  EXPECT_EQ(offered.choices[1].certificate, Bytes(20, 2));

  const Error error =
      card_wire::decode_error(card_wire::encode(Error{Fault::card_removed, "x", "about", "Put it in."}));
  EXPECT_EQ(error.fault, Fault::card_removed);
  EXPECT_EQ(error.about, "about");
  EXPECT_EQ(error.advice, "Put it in.");
}

TEST(CardWire, CutMessagesAreMalformed) {
  const OpenedCard card{.module = "m", .token = {}, .certificate = Bytes(10, 1), .authorities = {Bytes(20, 2)}};
  const Bytes bytes = card_wire::encode(card);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(card_wire::decode_opened(View(bytes).first(size))) << size;
  }
  const Bytes offer = card_wire::encode(OpenedCard{.module = "m", .choices = {{3, "t", "l", Bytes(10, 1)}}});
  for (std::size_t size = 0; size < offer.size(); ++size) {
    EXPECT_FALSE(card_wire::decode_opened(View(offer).first(size))) << size;
  }
  EXPECT_EQ(card_wire::decode_error({}).fault, Fault::module_failed);
}

}  // namespace
}  // namespace usher::card

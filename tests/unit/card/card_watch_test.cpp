// A card that is taken out, put in again, or whose module fails, while it is watched.
#include "card/card_watch.h"

#include <future>

#include <gtest/gtest.h>

#include "shim/soft_card.h"

namespace usher::card {
namespace {

using test::SoftCards;
using namespace std::chrono_literals;

class CardWatchTest : public testing::Test {
 protected:
  CardWatchTest() { cards.provision(hierarchy, "ana", crypto::NewKey::p256); }
  [[nodiscard]] Card card(Milliseconds deadline = 30s) const {
    return test::must(
        Card::open({.modules = {USHER_PKCS11_SHIM}, .profile = person::citizen_card_profile(), .deadline = deadline}));
  }
  /// The fault that the watch reports, within a time limit.
  Fault told() {
    auto answer = gone.get_future();
    return answer.wait_for(60s) == std::future_status::ready ? answer.get() : Fault::local;
  }
  CardWatch::Gone teller() {
    return [this](const Error& why) { gone.set_value(why.fault); };
  }

  SoftCards cards;
  test::CardHierarchy hierarchy{SystemClock{}.now()};
  std::promise<Fault> gone;
  CardWatch watch;
};

TEST_F(CardWatchTest, ACardThatIsTakenOutIsTold) {
  watch.begin(card(), teller(), 5ms);
  cards.set_mode("removed");
  EXPECT_EQ(told(), Fault::card_removed);
}

TEST_F(CardWatchTest, AReaderThatIsPulledOutIsTold) {
  watch.begin(card(), teller(), 5ms);
  cards.set_mode("vanish C_GetSlotInfo");
  EXPECT_EQ(told(), Fault::card_removed);
}

TEST_F(CardWatchTest, ACardThatIsBackBeforeTheNextLookIsNotTheSameSession) {
  watch.begin(card(), teller(), 5ms);
  cards.set_mode("stale");
  EXPECT_EQ(told(), Fault::card_removed);
}

TEST_F(CardWatchTest, AnotherCardInItsPlaceIsTold) {
  watch.begin(card(), teller(), 5ms);
  cards.set_mode("another");
  EXPECT_EQ(told(), Fault::card_removed);
}

TEST_F(CardWatchTest, AModuleThatCrashesOrHangsCanTellNoLonger) {
  watch.begin(card(), teller(), 5ms);
  cards.set_mode("crash C_GetTokenInfo");
  EXPECT_EQ(told(), Fault::module_failed);
  gone = {};
  cards.set_mode("");
  watch.begin(card(3s), teller(), 5ms);
  cards.set_mode("hang C_GetTokenInfo");
  EXPECT_EQ(told(), Fault::module_failed);
}

TEST_F(CardWatchTest, TheCardIsLoggedOut) {
  auto logged_in = card();
  ASSERT_TRUE(logged_in.login(SoftCards::pin()));
  ASSERT_TRUE(logged_in.logout());
  EXPECT_EQ(logged_in.sign(view_of("x")).error().fault, Fault::not_authenticated);
  EXPECT_TRUE(logged_in.present());
}

TEST_F(CardWatchTest, AWatchThatWasEndedSaysNothing) {
  std::atomic<bool> called = false;
  CardWatch ended;
  ended.begin(card(), [&](const Error&) { called = true; }, 5ms);
  ended.end();
  // A watch that continues, and checks less often, reports at a time when the ended one would have reported too.
  watch.begin(card(), teller(), 200ms);
  cards.set_mode("removed");
  EXPECT_EQ(told(), Fault::card_removed);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace usher::card

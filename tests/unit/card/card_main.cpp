// main() of this test program: it is also the card agent that the tests start.
#include <gtest/gtest.h>

#include "card/card_agent.h"

int main(int argc, char** argv) {
  if (const auto agent = usher::card::card_agent_requested(argc, argv)) {
    return usher::card::run_card_agent(*agent);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

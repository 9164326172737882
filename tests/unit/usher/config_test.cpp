// The listener's configuration.
#include "usher/config.h"

#include "support/manual.h"

namespace usher::cli {
namespace {

TEST(ListenersManual, HasTheRowOfEveryKeyAndNoOther) {
  Config defaults;
  const app::Settings settings = settings_of(defaults);
  test::expect_rows_of(settings, "listener-configuration.md");
}

}  // namespace
}  // namespace usher::cli

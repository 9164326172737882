// The numbers that people type stay with their media.
#include "client/wallet/medium_numbers.h"

#include "base/file.h"
#include "support/temporary_folder.h"

namespace usher::client {
namespace {

class Numbers : public ::testing::Test {
 protected:
  /// The numbers that these media have, in this order, as a new run of the program gives them.
  std::vector<std::size_t> of(const std::vector<std::uint8_t>& media) const {
    std::vector<CatalogueItem> catalogue;
    for (const std::uint8_t medium : media) {
      catalogue.push_back({.id = {medium}, .medium = fail(Fault::untrusted, "test"), .number = catalogue.size() + 1});
    }
    number_catalogue(catalogue, folder_ / "");
    std::vector<std::size_t> numbers;
    numbers.reserve(catalogue.size());
    for (const CatalogueItem& item : catalogue) numbers.push_back(item.number);
    return numbers;
  }
  test::TemporaryFolder folder_;
};

using List = std::vector<std::size_t>;

TEST_F(Numbers, BeginAtOneInTheOrderOfTheCatalogue) { EXPECT_EQ(of({7, 5, 9}), (List{1, 2, 3})); }

TEST_F(Numbers, DoNotShiftWhenAMediumIsTakenOutAndItComesBackUnderItsOwn) {
  ASSERT_EQ(of({7, 5, 9}), (List{1, 2, 3}));
  EXPECT_EQ(of({7, 9}), (List{1, 3}));
  EXPECT_EQ(of({7, 9, 4}), (List{1, 3, 4}));
  EXPECT_EQ(of({7, 5, 9, 4}), (List{1, 2, 3, 4}));
}

TEST_F(Numbers, OfAFileThatIsDamagedBeginAnew) {
  ASSERT_EQ(of({7, 5}), (List{1, 2}));
  ASSERT_TRUE(replace_file(folder_ / "numbers", "not a number\n"));
  EXPECT_EQ(of({5}), List{1});
  EXPECT_EQ(of({7, 5}), (List{2, 1}));
}

TEST_F(Numbers, HoldForOneRunWhereTheyCannotBeKept) {
  std::vector<CatalogueItem> catalogue;
  catalogue.push_back({.id = {1}, .medium = fail(Fault::untrusted, "test")});
  number_catalogue(catalogue, folder_ / "nowhere");
  EXPECT_EQ(catalogue.front().number, 1U);
}

}  // namespace
}  // namespace usher::client

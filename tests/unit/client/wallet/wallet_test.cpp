#include "client/wallet/wallet.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "base/encoding.h"
#include "crypto/random.h"

namespace usher::client {
namespace {

namespace fs = std::filesystem;

class WalletTest : public ::testing::Test {
 protected:
  WalletTest()
      : clock(from_unix_seconds(1'800'000'000)), key(crypto::PrivateKey::generate(crypto::NewKey::p256).value()) {
    std::string name = (fs::temp_directory_path() / "usher wallet XXXXXX").string();
    home = ::mkdtemp(name.data());
    person.pseudonym = {1, 2, 3};
    person.name = "Ana";
    person.server_id = "test server";
    person.server_id[4] = '-';
    person.licence_keys = {key.public_key().spki()};
  }
  ~WalletTest() override { fs::remove_all(home); }

  Wallet open() {
    auto wallet = Wallet::open(home, person, installation, clock);
    EXPECT_TRUE(wallet.has_value()) << explain(wallet.error());
    return *std::move(wallet);
  }
  licence::LicenceTerms terms(std::uint8_t number, std::uint32_t plays = 5) const {
    licence::LicenceTerms out;
    out.id = {number};
    out.server = person.server_id;
    out.pseudonym = person.pseudonym;
    out.medium = {7};
    out.plays = plays;
    out.not_before = 1'790'000'000;
    out.issued_at = 1'790'000'000;
    return out;
  }
  /// For this installation alone, as a listener acquires it.
  licence::LicenceTerms bound(std::uint8_t number, std::uint32_t plays = 5) const {
    licence::LicenceTerms out = terms(number, plays);
    out.installation = installation;
    return out;
  }
  wire::LicenceEntry entry(const licence::LicenceTerms& of, std::uint32_t left, const crypto::PrivateKey& by) const {
    auto document = licence::sign(of, by);
    EXPECT_TRUE(document.has_value());
    return {.licence = document.value_or(""), .plays_left = left};
  }
  /// One difference, of this kind; its sentence.
  static std::string only(const Reconciled& result, DifferenceKind kind) {
    EXPECT_EQ(result.differences.size(), 1U);
    if (result.differences.empty()) return {};
    EXPECT_EQ(result.differences[0].kind, kind) << result.differences[0].sentence;
    return result.differences[0].sentence;
  }
  fs::path folder() const {
    for (const auto& found : fs::recursive_directory_iterator(home)) {
      if (found.path().filename() == "licences") return found.path().parent_path();
    }
    return {};
  }

  fs::path home;
  ManualClock clock;
  crypto::PrivateKey key;
  wire::Authenticated person;
  Hash256 installation{4, 4};
};

TEST_F(WalletTest, AnAcquiredLicenceIsKeptAndFoundAgain) {
  const auto bought = entry(terms(1), 5, key);
  {
    Wallet wallet = open();
    ASSERT_TRUE(wallet.add(bought).has_value());
  }
  Wallet wallet = open();
  EXPECT_TRUE(wallet.take_findings().empty());
  ASSERT_EQ(wallet.kept().size(), 1U);
  EXPECT_EQ(wallet.kept().begin()->second.document(), bought.licence);
  const auto result = wallet.reconcile({bought});
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->differences.empty());
  EXPECT_EQ(result->licences.size(), 1U);
}

TEST_F(WalletTest, NobodyElseMayReadTheDirectories) {
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(entry(terms(1), 5, key)).has_value());
  for (const auto& found : fs::recursive_directory_iterator(home)) {
    struct stat info{};
    ASSERT_EQ(::stat(found.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077U, 0U) << found.path();
  }
}

TEST_F(WalletTest, ALicenceOfAnotherKeyIsNotTaken) {
  const auto other = crypto::PrivateKey::generate(crypto::NewKey::p256).value();
  Wallet wallet = open();
  EXPECT_EQ(wallet.add(entry(terms(1), 5, other)).error().fault, Fault::bad_signature);
  const auto result = wallet.reconcile({entry(terms(1), 5, other)});
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->licences.empty());
  EXPECT_TRUE(result->differences.empty());  // an operator's new key is named after the next reload
  EXPECT_EQ(result->news.size(), 1U);
  EXPECT_TRUE(wallet.kept().empty());
}

TEST_F(WalletTest, ALicenceWhoseSignatureDoesNotHoldIsTold) {
  auto forged = entry(terms(1), 5, key);
  forged.licence.back() = forged.licence.back() == 'A' ? 'Q' : 'A';
  forged.licence[forged.licence.size() - 10] = forged.licence[forged.licence.size() - 10] == 'A' ? 'B' : 'A';
  Wallet wallet = open();
  const auto result = wallet.reconcile({forged});
  ASSERT_TRUE(result.has_value());
  only(*result, DifferenceKind::bad_signature);
  EXPECT_TRUE(wallet.kept().empty());
}

TEST_F(WalletTest, AnotherPersonsLicenceIsNotTaken) {
  licence::LicenceTerms theirs = terms(1);
  theirs.pseudonym = {9};
  Wallet wallet = open();
  EXPECT_EQ(wallet.add(entry(theirs, 5, key)).error().fault, Fault::unknown_licence);
  const auto result = wallet.reconcile({entry(theirs, 5, key)});
  only(*result, DifferenceKind::foreign);
  EXPECT_TRUE(result->licences.empty());
}

TEST_F(WalletTest, ATamperedFileIsToldAndKeptAside) {
  const auto bought = entry(terms(1), 5, key);
  ASSERT_TRUE(open().add(bought).has_value());
  const fs::path file = folder() / "licences" / (to_hex(terms(1).id) + ".jws");
  {
    std::fstream change(file, std::ios::in | std::ios::out);
    change.seekp(static_cast<std::streamoff>(bought.licence.find('.') + 5));
    change.put('X');
  }
  Wallet wallet = open();
  const auto findings = wallet.take_findings();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, DifferenceKind::damaged);
  EXPECT_NE(findings[0].sentence.find(file.string()), std::string::npos);
  const auto result = wallet.reconcile({bought});
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->differences.empty());
  EXPECT_TRUE(fs::exists(file.string() + ".damaged"));
  EXPECT_TRUE(fs::exists(file));
  EXPECT_TRUE(open().take_findings().empty());
}

TEST_F(WalletTest, ALicenceThatTheServerForgotIsToldEachTime) {
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(entry(terms(1), 4, key)).has_value());
  for (int i = 0; i < 2; ++i) {
    const auto result = wallet.reconcile({});
    const std::string sentence = only(*result, DifferenceKind::missing);
    EXPECT_NE(sentence.find(to_hex(terms(1).id)), std::string::npos);
    EXPECT_NE(sentence.find("4 plays"), std::string::npos);
  }
}

TEST_F(WalletTest, ALicenceThatTheOperatorIssuedIsNewsOnceAndNoAlarm) {
  Wallet wallet = open();
  const auto bought = entry(bound(1), 5, key);
  ASSERT_TRUE(wallet.add(bought).has_value());
  const std::vector listed{bought, entry(terms(2), 5, key)};
  const auto first = wallet.reconcile(listed);
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->differences.empty());
  ASSERT_EQ(first->news.size(), 1U);
  EXPECT_NE(first->news[0].find(to_hex(terms(2).id)), std::string::npos) << first->news[0];
  const auto second = wallet.reconcile(listed);
  EXPECT_TRUE(second->differences.empty());
  EXPECT_TRUE(second->news.empty());
  EXPECT_EQ(wallet.kept().size(), 2U);
}

TEST_F(WalletTest, APurchaseInAnotherTerminalIsNoAlarmInEitherOne) {
  Wallet here = open();
  Wallet there = open();
  const auto mine = entry(bound(1), 5, key);
  const auto theirs = entry(bound(2), 5, key);
  ASSERT_TRUE(here.add(mine).has_value());
  ASSERT_TRUE(there.add(theirs).has_value());
  for (Wallet* wallet : {&here, &there}) {
    const auto result = wallet->reconcile({mine, theirs});
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->differences.empty());
    EXPECT_TRUE(wallet->take_findings().empty());
    EXPECT_EQ(wallet->kept().size(), 2U);
  }
  for (const auto& file : fs::directory_iterator(folder() / "licences")) {
    EXPECT_EQ(file.path().extension(), ".jws") << file.path();  // no file was moved away as damaged
  }
}

TEST_F(WalletTest, APurchaseAfterTheListWasAskedForIsNotMissing) {
  Wallet here = open();
  const auto mine = entry(bound(1), 5, key);
  ASSERT_TRUE(here.add(mine).has_value());
  Wallet there = open();
  ASSERT_TRUE(there.add(entry(bound(2), 5, key)).has_value());
  EXPECT_TRUE(here.reconcile({mine})->differences.empty());
}

TEST_F(WalletTest, TheFirstListOfAFreshWalletIsNoDifference) {
  Wallet wallet = open();
  EXPECT_TRUE(wallet.reconcile({entry(terms(1), 5, key)})->differences.empty());
}

TEST_F(WalletTest, PlaysThatWentUpAreToldWithBothNumbers) {
  auto listed = entry(bound(1, 10), 3, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  listed.plays_left = 6;
  const std::string sentence = only(wallet.reconcile({listed}).value(), DifferenceKind::more_plays);
  EXPECT_NE(sentence.find("3 plays left by what is kept here, 6 plays by the server"), std::string::npos) << sentence;
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
}

TEST_F(WalletTest, APlayThatWasNotMadeHereIsTold) {
  auto listed = entry(bound(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  listed.plays_left = 3;
  const std::string sentence = only(wallet.reconcile({listed}).value(), DifferenceKind::fewer_plays);
  EXPECT_NE(sentence.find("2 not made here"), std::string::npos) << sentence;
}

TEST_F(WalletTest, APlayThatIsSaidToBeOpenExplainsOneThatIsGoneOnce) {
  auto listed = entry(bound(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  listed.plays_left = 4;
  listed.open_plays = 1;
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
  listed.plays_left = 3;
  only(wallet.reconcile({listed}).value(), DifferenceKind::fewer_plays);
}

TEST_F(WalletTest, PlaysOnAnotherInstallationAreNoAlarm) {
  licence::LicenceTerms elsewhere = terms(2);
  elsewhere.installation = Hash256{9};
  for (const licence::LicenceTerms& of : {terms(1), elsewhere}) {
    auto listed = entry(of, 5, key);
    Wallet wallet = open();
    ASSERT_TRUE(wallet.add(listed).has_value());
    for (const std::uint32_t left : {3U, 4U, 0U}) {
      listed.plays_left = left;
      const auto result = wallet.reconcile({listed});
      // The other licence is not listed here: that is a difference of another kind (missing).
      for (const auto& found : result->differences) EXPECT_EQ(found.kind, DifferenceKind::missing) << found.sentence;
    }
  }
}

TEST_F(WalletTest, APlayMadeHereIsNoDifference) {
  auto listed = entry(bound(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  const auto mark = wallet.begin({.play = {5}, .medium = {7}, .licence = {1}, .deadline = 1'800'001'000}, 4);
  ASSERT_TRUE(mark.has_value());
  listed.plays_left = 4;
  listed.open_plays = 1;
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
  wallet.closed(**mark, 5);
  listed.plays_left = 5;
  listed.open_plays = 0;
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
}

TEST_F(WalletTest, APlayThatAnotherTerminalJustBeganOrClosedIsNoAlarm) {
  auto listed = entry(bound(1), 5, key);
  Wallet here = open();
  ASSERT_TRUE(here.add(listed).has_value());
  Wallet there = open();
  // The server has opened it, and the other terminal has not noted it yet.
  listed.plays_left = 4;
  listed.open_plays = 1;
  EXPECT_TRUE(here.reconcile({listed})->differences.empty());
  // Noted, but this list is older.
  const auto mark = there.begin({.play = {5}, .medium = {7}, .licence = {1}, .deadline = 1'800'001'000}, 4);
  ASSERT_TRUE(mark.has_value());
  listed.plays_left = 5;
  listed.open_plays = 0;
  EXPECT_TRUE(here.reconcile({listed})->differences.empty());
  // Given back and noted, but this list is older.
  there.closed(**mark, 5);
  listed.plays_left = 4;
  listed.open_plays = 1;
  EXPECT_TRUE(here.reconcile({listed})->differences.empty());
}

TEST_F(WalletTest, APlayOfAUsherThatDiedBeforeItCouldNoteItComesBackWithoutAnAlarm) {
  auto listed = entry(bound(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  listed.plays_left = 4;
  listed.open_plays = 1;
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
  listed.plays_left = 5;
  listed.open_plays = 0;
  EXPECT_TRUE(open().reconcile({listed})->differences.empty());
}

TEST_F(WalletTest, APlayThatIsOpenAndNotedExplainsNoFurtherOne) {
  auto listed = entry(bound(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  const auto mark = wallet.begin({.play = {5}, .medium = {7}, .licence = {1}, .deadline = 1'800'001'000}, 4);
  ASSERT_TRUE(mark.has_value());
  listed.plays_left = 3;
  listed.open_plays = 1;
  only(wallet.reconcile({listed}).value(), DifferenceKind::fewer_plays);
}

TEST_F(WalletTest, APlayThatWasCutOffMayComeBackButOnlyThatOne) {
  auto listed = entry(bound(1), 3, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  {
    auto mark = wallet.begin({.play = {5}, .medium = {7}, .licence = bound(1).id, .deadline = 1'800'001'000});
    ASSERT_TRUE(mark.has_value());
  }
  listed.plays_left = 4;
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
  listed.plays_left = 6;
  auto more = wallet.reconcile({listed});
  only(*more, DifferenceKind::impossible);
  listed.plays_left = 3;
  ASSERT_TRUE(wallet.reconcile({listed}).has_value());
  listed.plays_left = 5;
  only(wallet.reconcile({listed}).value(), DifferenceKind::more_plays);
}

TEST_F(WalletTest, MoreThanTheLicenceEverHadIsImpossible) {
  auto listed = entry(terms(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(listed).has_value());
  listed.plays_left = 6;
  only(wallet.reconcile({listed}).value(), DifferenceKind::impossible);
}

TEST_F(WalletTest, AnotherDocumentUnderTheSameIdIsToldAndOursStays) {
  const auto ours = entry(terms(1), 5, key);
  Wallet wallet = open();
  ASSERT_TRUE(wallet.add(ours).has_value());
  only(wallet.reconcile({entry(terms(1, 20), 5, key)}).value(), DifferenceKind::changed);
  EXPECT_EQ(open().kept().begin()->second.document(), ours.licence);
}

TEST_F(WalletTest, ARotatedKeyIsNoAlarm) {
  const auto bought = entry(bound(1), 5, key);
  ASSERT_TRUE(open().add(bought).has_value());
  const auto next = crypto::PrivateKey::generate(crypto::NewKey::p256).value();
  // The operator issued with the new key, and the server has not read it yet.
  const auto issued = entry(terms(2), 5, next);
  {
    Wallet wallet = open();
    const auto result = wallet.reconcile({bought, issued});
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->differences.empty());
    ASSERT_EQ(result->news.size(), 1U);
    EXPECT_EQ(result->licences.size(), 1U);
  }
  person.licence_keys = {next.public_key().spki(), key.public_key().spki()};
  Wallet wallet = open();
  EXPECT_TRUE(wallet.take_findings().empty());
  const auto result = wallet.reconcile({bought, issued});
  EXPECT_TRUE(result->differences.empty());
  EXPECT_EQ(result->licences.size(), 2U);
}

TEST_F(WalletTest, AKeyThatHasGoneIsToldWhileALicenceOfItCanBeUsed) {
  auto bought = entry(bound(1), 5, key);
  ASSERT_TRUE(open().add(bought).has_value());
  const auto next = crypto::PrivateKey::generate(crypto::NewKey::p256).value();
  person.licence_keys = {next.public_key().spki()};
  {
    Wallet wallet = open();
    const auto findings = wallet.take_findings();
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, DifferenceKind::key_changed);
    EXPECT_EQ(findings[0].licence, to_hex(bound(1).id));
    bought.plays_left = 0;
    bought.state = wire::LicenceState::used_up;
    bought.open_plays = 5;
    EXPECT_TRUE(wallet.reconcile({bought})->differences.empty());
  }
  // The licence has ended: the operator may remove its key.
  EXPECT_TRUE(open().take_findings().empty());
}

TEST_F(WalletTest, LicencesOfAnotherPersonAreInAnotherPlace) {
  ASSERT_TRUE(open().add(entry(terms(1), 5, key)).has_value());
  person.pseudonym = {8};
  EXPECT_TRUE(open().kept().empty());
}

TEST_F(WalletTest, WhatIsKnownOfAMediumDependsOnPlaysAndTime) {
  Wallet wallet = open();
  EXPECT_FALSE(wallet.knows_usable({7}, clock.now()));
  ASSERT_TRUE(wallet.add(entry(terms(1), 1, key)).has_value());
  EXPECT_TRUE(wallet.knows_usable({7}, clock.now()));
  EXPECT_FALSE(wallet.knows_usable({8}, clock.now()));
  ASSERT_TRUE(wallet.begin({.play = {5}, .medium = {7}, .licence = {1}, .deadline = 1'800'001'000}, 0).has_value());
  EXPECT_FALSE(wallet.knows_usable({7}, clock.now()));
}

TEST_F(WalletTest, APlayIsUnfinishedOnceNobodyHoldsIt) {
  Wallet wallet = open();
  const UnfinishedPlay play{.play = {5}, .medium = {7}, .licence = {1}, .position_ms = 0, .deadline = 1'800'001'000};
  {
    const auto mark = wallet.begin(play);
    ASSERT_TRUE(mark.has_value());
    HeardClock own;
    own.add(10'000, 42'000);
    (*mark)->keep(42'000, own, {{.first = 0, .count = 17}, {.first = 20, .count = 2}});
    EXPECT_TRUE(wallet.unfinished({7}, clock.now()).empty());
    EXPECT_EQ(wallet.begin(play).error().fault, Fault::busy);
  }
  const auto found = wallet.unfinished({7}, clock.now());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].position_ms, 42'000U);
  EXPECT_EQ(found[0].own.heard_ms(), 32'000U);
  EXPECT_EQ(found[0].asked, (wire::ChunkRanges{{.first = 0, .count = 17}, {.first = 20, .count = 2}}));
  EXPECT_TRUE(wallet.unfinished({8}, clock.now()).empty());
  EXPECT_TRUE(wallet.unfinished({7}, from_unix_seconds(1'800'001'000)).empty());
  (*wallet.begin(play))->done();
  EXPECT_TRUE(wallet.unfinished({7}, clock.now()).empty());
}

TEST_F(WalletTest, APlaysFileThatBecomesShorterIsStillReadAndItsLeastPartIsEnough) {
  Wallet wallet = open();
  const UnfinishedPlay play{.play = {5}, .medium = {7}, .licence = {1}, .deadline = 1'800'001'000};
  HeardClock own;
  wire::ChunkRanges asked;
  for (std::uint32_t i = 0; i < 100; ++i) {
    own.add(std::uint64_t{i} * 10'000, std::uint64_t{i} * 10'000 + 1'000);
    asked.push_back({.first = 1'000'000 + 2 * i, .count = 1});
  }
  {
    const auto mark = wallet.begin(play);
    ASSERT_TRUE(mark.has_value());
    (*mark)->keep(1'000'000, own, asked);
    const auto file = folder() / "plays" / (to_hex(play.play) + ".json");
    EXPECT_LE(std::filesystem::file_size(file), 4'096U);
    (*mark)->keep(7, {}, {});
  }
  ASSERT_EQ(wallet.unfinished({7}, clock.now()).size(), 1U);
  EXPECT_EQ(wallet.unfinished({7}, clock.now())[0].position_ms, 7U);
  // As an earlier release wrote it, and with parts that cannot be read: the play is there.
  for (const std::string more : {"", ",\"own\":\"?\",\"asked\":17"}) {
    std::ofstream(folder() / "plays" / (to_hex(play.play) + ".json"))
        << "{\"play\":\"" << to_hex(play.play) << "\",\"medium\":\"" << to_hex(play.medium) << "\",\"licence\":\""
        << to_hex(play.licence) << "\",\"position_ms\":9,\"deadline\":1800001000" << more << "}";
    ASSERT_EQ(wallet.unfinished({7}, clock.now()).size(), 1U) << more;
    EXPECT_EQ(wallet.unfinished({7}, clock.now())[0].own.heard_ms(), 0U);
  }
}

TEST_F(WalletTest, FiguresThatCannotBeReadAreTold) {
  const auto listed = entry(terms(1), 5, key);
  ASSERT_TRUE(open().add(listed).has_value());
  std::ofstream(folder() / "figures.json") << "{\"plays\":";
  Wallet wallet = open();
  const auto findings = wallet.take_findings();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, DifferenceKind::damaged);
  EXPECT_TRUE(wallet.reconcile({listed})->differences.empty());
}

}  // namespace
}  // namespace usher::client

#include "base/result.h"

#include <set>

#include "base/os_error.h"

namespace usher {
namespace {

struct Row {
  Fault fault;
  std::string_view name;
  std::string_view code;
  std::string_view sentence;
  std::string_view advice;
};
constexpr Row kRows[] = {
#define FAULT(name, code, exit_class, sentence, advice) Row{Fault::name, #name, code, sentence, advice},
#include "base/faults.def"
#undef FAULT
};

bool is_whole_sentence(std::string_view text) {
  return text.size() > 2 && text.front() >= 'A' && text.front() <= 'Z' && text.back() == '.' &&
         text.find('\n') == std::string_view::npos;
}

TEST(Faults, EveryCodeIsUnique) {
  std::set<std::string_view> codes;
  for (const Row& row : kRows) EXPECT_TRUE(codes.insert(row.code).second) << row.code;
}

TEST(Faults, EveryCodeIsSmallLettersAndHyphens) {
  for (const Row& row : kRows) {
    EXPECT_FALSE(row.code.empty()) << row.name;
    EXPECT_EQ(row.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos) << row.code;
  }
}

TEST(Faults, EverySentenceIsWhole) {
  for (const Row& row : kRows) EXPECT_TRUE(is_whole_sentence(row.sentence)) << row.code;
}

TEST(Faults, EveryAdviceIsAWholeSentence) {
  for (const Row& row : kRows) {
    if (row.fault == Fault::cancelled) continue;
    EXPECT_TRUE(is_whole_sentence(row.advice)) << row.code;
  }
}

TEST(Faults, ACodeLeadsBackToItsFault) {
  for (const Row& row : kRows) {
    EXPECT_EQ(code_of(row.fault), row.code);
    EXPECT_EQ(fault_of_code(row.code), row.fault);
  }
}

TEST(Faults, AnUnknownCodeIsAnInternalFault) { EXPECT_EQ(fault_of_code("no-such-code"), Fault::local); }

TEST(Faults, NoExitStatusIsThatOfSuccess) {
  for (const Row& row : kRows) EXPECT_NE(static_cast<int>(exit_class_of(row.fault)), 0) << row.code;
}

/// Every program meets these, about files, addresses and arguments of all kinds. If an advice is right for one cause
/// only, the code that fails must give it.
TEST(Faults, TheUsualAdviceOfWhatHasManyCausesFitsAllOfThem) {
  for (const Fault fault :
       {Fault::malformed, Fault::too_long, Fault::unsupported, Fault::bad_config, Fault::bad_usage, Fault::not_found,
        Fault::not_permitted, Fault::already_exists, Fault::io, Fault::busy, Fault::unreachable, Fault::bad_key,
        Fault::bad_passphrase, Fault::release_mismatch, Fault::wrong_object}) {
    const std::string told = explain({fault, "test"});
    for (const char* word : {"usher", "disk", "Remove", "passphrase file", "Press", "Import"}) {
      EXPECT_EQ(told.find(word), std::string::npos) << told;
    }
  }
}

TEST(Explain, SaysWhatHappenedToWhichObjectAndWhatToDo) {
  EXPECT_EQ(explain({Fault::not_found, "test", "card.toml"}),
            "A file or directory is not there: card.toml. Check the path.");
  EXPECT_EQ(explain({Fault::not_found, "test"}), "A file or directory is not there. Check the path.");
}

TEST(Explain, ThePlaceThatFailsHasTheSayOverTheAdvice) {
  EXPECT_EQ(explain({Fault::not_found, "test", "serial number 4d2", "`usher-ca list` shows those that were issued."}),
            "A file or directory is not there: serial number 4d2. `usher-ca list` shows those that were issued.");
}

TEST(Explain, ACallersAdviceNeverReplacesThatOfThePlaceThatFailed) {
  const auto own = advised(Result<>(fail(Fault::malformed, "test", "a.pem", "Convert it.")), "Have it made again.");
  EXPECT_EQ(own.error().advice, "Convert it.");
  const auto none = advised(Result<>(fail(Fault::malformed, "test", "a.pem")), "Have it made again.");
  EXPECT_EQ(none.error().advice, "Have it made again.");
  EXPECT_TRUE(advised(Result<>(), "Have it made again.").has_value());
}

TEST(Explain, NeverShowsTheStep) {
  EXPECT_EQ(explain({Fault::local, "secret step"}).find("secret step"), std::string::npos);
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Fault::malformed, "half", "odd");
  return number / 2;
}
Result<int> quarter(int number) {
  USHER_TRY(const int once, half(number));
  USHER_TRY(const int twice, half(once));
  return twice;
}
Result<> is_even(int number) {
  USHER_CHECK(half(number));
  return {};
}

TEST(Result, TheFirstErrorIsReturned) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().about, "odd");
  EXPECT_TRUE(is_even(4).has_value());
  EXPECT_EQ(is_even(5).error().fault, Fault::malformed);
}

TEST(OsErrors, BecomeFaults) {
  EXPECT_EQ(fault_of_errno(ENOSPC), Fault::disk_full);
  EXPECT_EQ(fault_of_errno(ENOENT), Fault::not_found);
  EXPECT_EQ(fault_of_errno(EACCES), Fault::not_permitted);
  EXPECT_EQ(fault_of_errno(EEXIST), Fault::already_exists);
  EXPECT_EQ(fault_of_errno(EBUSY), Fault::busy);
  EXPECT_EQ(fault_of_errno(EMFILE), Fault::too_few_descriptors);
  EXPECT_EQ(fault_of_errno(ENFILE), Fault::too_few_descriptors);
  EXPECT_EQ(fault_of_errno(EIO), Fault::io);
  EXPECT_EQ(fault_of_errno(0), Fault::io);
}

TEST(OsErrors, TheErrnoOfTheCallThatFailedIsTaken) {
  errno = EDQUOT;
  const auto failed = Result<>(fail_errno("test", "album.sealed"));
  EXPECT_EQ(failed.error().fault, Fault::disk_full);
  EXPECT_EQ(failed.error().about, "album.sealed");
}

TEST(OsErrors, WhatHasNoFaultOfItsOwnIsToldInTheSystemsWords) {
  errno = ELOOP;
  const auto failed = Result<>(fail_errno("test", "album.sealed"));
  EXPECT_EQ(failed.error().fault, Fault::io);
  EXPECT_EQ(failed.error().about, "album.sealed (Too many levels of symbolic links)");
}

}  // namespace
}  // namespace usher

// Shared by the store's tests: a store in a directory of its own, people, media and licences.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <random>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "store/sqlite/sqlite_store.h"

namespace usher::store {

inline constexpr Time kNow{Milliseconds{1'800'000'000'000}};

/// A directory that is removed with all it holds.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    // In memory if possible: otherwise thousands of commits would wait for a disk.
    const std::filesystem::path memory{"/dev/shm"};
    const auto parent = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (parent / "usher-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::filesystem::path file() const { return path_ / "store.db"; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Random& random() {
  static crypto::SystemRandom source;
  return source;
}
inline Hash256 hash_of(std::string_view text) { return crypto::sha256(view_of(text)); }
inline Operation new_operation(std::string_view content = "content") {
  return {.id = random().id(), .content = hash_of(content)};
}
inline const crypto::PrivateKey& licence_key() {
  static const crypto::PrivateKey key = *crypto::PrivateKey::generate(crypto::NewKey::p256);
  return key;
}

template <class T>
::testing::AssertionResult fails_with(const Result<T>& result, Fault fault) {
  if (result) return ::testing::AssertionFailure() << "it succeeded";
  if (result.error().fault == fault) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "it failed with " << code_of(result.error().fault) << " ("
                                       << result.error().where << " " << result.error().about << ")";
}
template <class T>
::testing::AssertionResult succeeds(const Result<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << code_of(result.error().fault) << " (" << result.error().where << " "
                                       << result.error().about << ")";
}

inline std::unique_ptr<Store> open_store(const std::filesystem::path& file, const SqliteOptions& options = {}) {
  auto store = open_sqlite(file, random(), options);
  if (!store) throw std::runtime_error(explain(store.error()));
  return *std::move(store);
}

/// 100 chunks of 1 s each: 30 are promised, 38 are free, 200 can be repeated, 10 are leased at once.
inline MediumRecord new_medium(std::string_view name = "medium", std::uint32_t chunks = 100) {
  MediumRecord medium;
  medium.id = array_of<16>(hash_of(name));
  medium.manifest = hash_of(std::string{name} + " manifest");
  medium.object = random().id();
  medium.chunk_size = 65'536;
  medium.extent.chunks = chunks;
  medium.extent.duration = Seconds{chunks};
  medium.extent.seconds = wire::even_seconds(chunks, medium.extent.duration);
  medium.size = std::uint64_t{chunks} * 65'536;
  return medium;
}

inline licence::VerifiedLicence document_of(const licence::LicenceTerms& terms) {
  const auto document = licence::sign(terms, licence_key());
  if (!document) throw std::runtime_error(explain(document.error()));
  return *licence::verify(*document, licence_key().public_key());
}

/// A store with one medium, and a person who may have licences for it.
class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = open_store(directory_.file(), options_);
    ASSERT_TRUE(succeeds(store_->add_medium(medium_, kNow)));
  }

  [[nodiscard]] licence::LicenceTerms terms(std::optional<std::uint32_t> plays) const {
    licence::LicenceTerms terms;
    terms.id = random().id();
    terms.server = "test.example";
    terms.pseudonym = caller_.pseudonym;
    terms.installation = caller_.installation;
    terms.manifest = medium_.manifest;
    terms.medium = medium_.id;
    terms.plays = plays;
    terms.not_before = unix_seconds(kNow);
    terms.issued_at = unix_seconds(kNow);
    return terms;
  }
  Id128 issue(const licence::LicenceTerms& what) {
    const auto issued = store_->issue(new_operation(), document_of(what), std::nullopt, kNow);
    EXPECT_TRUE(succeeds(issued));
    return what.id;
  }
  Id128 issue(std::optional<std::uint32_t> plays) { return issue(terms(plays)); }

  Result<OpenPlay> open(Time now = kNow) {
    return store_->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = {}}, now);
  }
  Result<OpenPlay> open(const Id128& licence, Time now = kNow) {
    return store_->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = licence}, now);
  }
  /// Asks for the chunks one after the other. The last answer, or the first refusal.
  Result<Granted> grant(const OpenPlay& play, const std::vector<std::uint32_t>& chunks, Time now = kNow) {
    Result<Granted> answer = fail(Fault::local, "no chunk was asked for");
    for (const std::uint32_t chunk : chunks) {
      answer = store_->grant_chunk(
          caller_, {.play = play.play, .medium = play.medium, .epoch = play.epoch, .chunk = chunk}, now);
      if (!answer) break;
    }
    return answer;
  }
  Result<Closed> close(const OpenPlay& play, Time now = kNow) {
    return store_->close_play(caller_, new_operation(), play.play, play.epoch, now);
  }
  Result<OpenPlay> resume(const OpenPlay& play, Time now = kNow) {
    return store_->resume_play(caller_, new_operation(), play.play, now);
  }
  [[nodiscard]] std::optional<std::uint32_t> left(const Id128& licence) {
    return store_->find_licence(licence)->standing.plays_left;
  }
  static std::vector<std::uint32_t> chunks(std::uint32_t from, std::uint32_t to) {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = from; i < to; ++i) out.push_back(i);
    return out;
  }

  TemporaryDirectory directory_;
  SqliteOptions options_;
  MediumRecord medium_ = new_medium();
  Caller caller_{.pseudonym = hash_of("anna"), .installation = hash_of("anna's laptop")};
  std::unique_ptr<Store> store_;
};

}  // namespace usher::store

// Imports that do not finish: nothing half-written stays, and they use no more memory than promised.
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/encoding.h"
#include "fixtures.h"

namespace usher::media {
namespace {

using namespace test;

Result<> trust_everybody(const SignedManifest&) { return {}; }

class Import : public testing::Test {
 protected:
  Vault vault() { return *Vault::open(directory.path / "vault", vault_key(), random); }
  std::vector<std::string> left() {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path / "vault")) {
      out.push_back(entry.path().filename().string());
    }
    return out;
  }

  Directory directory;
  crypto::SystemRandom random;
  PrivateKeyUnwrapper key{p256_key()};
  Bytes release = release_of(*memory_source(noise(40 * 4096)));
};

/// Gives an error, or too little, from a place on.
class FailingSource final : public Source {
 public:
  FailingSource(Bytes bytes, std::uint64_t from, bool error)
      : inner_(memory_source(std::move(bytes))), from_(from), error_(error) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return inner_->size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override {
    if (offset + out.size() <= from_) return inner_->read_at(offset, out);
    if (error_) return fail(Fault::io, "test: broken disk");
    return std::size_t{0};
  }

 private:
  SourcePtr inner_;
  std::uint64_t from_;
  bool error_;
};

/// All writes of this process that make a file longer than this fail, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(Import, FullDiskIsToldAndNothingIsLeft) {
  const Vault into = vault();
  {
    const FileSizeLimit limit(50'000);
    expect_fault(into.import(memory_source(release), key, trust_everybody), Fault::disk_full);
  }
  EXPECT_TRUE(left().empty());
  EXPECT_TRUE(into.import(memory_source(release), key, trust_everybody));
}

TEST_F(Import, DiskThatFillsUpWhileItIsWrittenIsToldToo) {
  // Without the reservation, which a file system may not know.
  const FileSizeLimit limit(50'000);
  const auto file = NewFile::create(directory.path / "x");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->write_at(0, Bytes(40'000)));
  expect_fault(file->write_at(40'000, Bytes(40'000)), Fault::disk_full);
}

TEST_F(Import, BrokenSourceIsToldAndNothingIsLeft) {
  const Vault into = vault();
  expect_fault(into.import(std::make_shared<FailingSource>(release, 100'000, true), key, trust_everybody), Fault::io);
  expect_fault(into.import(std::make_shared<FailingSource>(release, 100'000, false), key, trust_everybody),
               Fault::truncated, "chunk ");
  EXPECT_TRUE(left().empty());
}

TEST_F(Import, DamagedChunkIsToldByNumberAndNothingIsLeft) {
  const Vault into = vault();
  release[release.size() - 10] ^= 1;
  expect_fault(into.import(memory_source(release), key, trust_everybody), Fault::chunk_damaged, "chunk 39");
  EXPECT_TRUE(left().empty());
}

TEST_F(Import, CancelledOneLeavesNothing) {
  const Vault into = vault();
  expect_fault(into.import(memory_source(release), key, trust_everybody,
                           [](std::uint64_t done, std::uint64_t total) { return done < total / 2; }),
               Fault::cancelled);
  EXPECT_TRUE(left().empty());
}

TEST_F(Import, MediaThatAreNotTheManifestsAreRefused) {
  // Every chunk is authentic, and the distributor signed another root.
  const Bytes plaintext = noise(10'000);
  Manifest manifest = manifest_of(*memory_source(plaintext));
  manifest.root[5] ^= 1;
  MemorySink sink;
  const PublicKeyWrapper recipient(p256_key().public_key());
  EXPECT_FALSE(write_release(sign(manifest), *memory_source(plaintext), recipient, sink, random));
  const Vault into = vault();
  expect_fault(into.import(memory_source(sink.bytes), key, trust_everybody), Fault::release_mismatch);
  EXPECT_TRUE(left().empty());
}

TEST_F(Import, ProcessKilledInTheMiddleLeavesNothingThatStays) {
  const Vault into = vault();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    (void)into.import(memory_source(release), key, trust_everybody, [](std::uint64_t done, std::uint64_t total) {
      if (done > total / 2) ::raise(SIGKILL);
      return true;
    });
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(left().size(), 1U);  // the temporary file
  const Vault again = vault();   // the next opening
  EXPECT_TRUE(left().empty());
  EXPECT_TRUE(again.list()->empty());
  EXPECT_TRUE(again.import(memory_source(release), key, trust_everybody));
}

TEST_F(Import, OpeningTheVaultSparesAnImportThatIsUnderWay) {
  const Vault into = vault();
  int looks = 0;
  const auto done = into.import(memory_source(release), key, trust_everybody, [&](std::uint64_t, std::uint64_t) {
    ++looks;
    EXPECT_EQ(left().size(), 1U);
    EXPECT_TRUE(vault().list()->empty());
    EXPECT_EQ(left().size(), 1U);
    return true;
  });
  EXPECT_TRUE(done);
  EXPECT_GT(looks, 0);
}

TEST_F(Import, OfTwoAtOnceExactlyOneWins) {
  const Vault into = vault();
  std::atomic<int> won{0};
  std::atomic<int> lost{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto done = into.import(memory_source(release), key, trust_everybody);
      if (done) ++won;
      if (!done && done.error().fault == Fault::already_exists) ++lost;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 3);
  EXPECT_EQ(left().size(), 1U);
  EXPECT_TRUE(into.verify(into.list()->front()));
}

TEST_F(Import, NewFileNeverReplacesWhatIsThere) {
  const auto path = directory.path / "file";
  auto file = NewFile::create(path);
  ASSERT_TRUE(file);
  write_file(path, Bytes{1, 2, 3});
  expect_fault(file->publish(), Fault::already_exists);
  EXPECT_EQ(read_file(path), (Bytes{1, 2, 3}));
}

TEST_F(Import, ANewFileThatReplacesIsThereWhateverFails) {
  const auto path = directory.path / "file";
  write_file(path, Bytes{1, 2, 3});
  {
    auto file = NewFile::create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write_at(0, Bytes{4}));
    EXPECT_EQ(read_file(path), (Bytes{1, 2, 3})) << "until it is published";
  }
  EXPECT_EQ(read_file(path), (Bytes{1, 2, 3})) << "and where it never is";
  auto file = NewFile::create(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write_at(0, Bytes{4}));
  EXPECT_TRUE(file->publish(Replace::yes));
  EXPECT_EQ(read_file(path), Bytes{4});
}

/// A long medium that is in no memory: chunk i is filled with the number i.
class LongSource final : public Source {
 public:
  explicit LongSource(std::uint64_t size) : size_(size) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableView out) const override {
    const std::uint64_t left = offset < size_ ? size_ - offset : 0;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
    std::ranges::fill(out.first(count), static_cast<std::uint8_t>(offset >> 12));
    return count;
  }

 private:
  std::uint64_t size_;
};

std::uint64_t peak_memory_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    if (word == "VmHWM:") {
      std::uint64_t kib = 0;
      in >> kib;
      return kib;
    }
  }
  return 0;
}

TEST_F(Import, LongMediumOfSmallChunksNeedsLittleMemory) {
  // 4 KiB chunks make the largest tree: here of more than 4 MiB, so that the vault reads it from the file.
  constexpr std::uint64_t kSize = 264 << 20;
  const Directory roomy(3 * kSize);
  const LongSource media(kSize);
  const Manifest manifest = manifest_of(media, kMinChunkSize);
  const auto file = roomy.path / "long.usher";
  {
    auto out = NewFile::create(file);
    ASSERT_TRUE(out);
    FileSink sink(*out);
    const PublicKeyWrapper recipient(p256_key().public_key());
    ASSERT_TRUE(write_release(sign(manifest), media, recipient, sink, random));
    ASSERT_TRUE(out->publish());
  }
  const Vault into = *Vault::open(roomy.path / "vault", vault_key(), random);
  const std::uint64_t before = peak_memory_kib();
  const auto done = into.import(*open_file(file), key, trust_everybody);
  ASSERT_TRUE(done) << explain(done.error());
#ifndef __SANITIZE_ADDRESS__  // which keeps for a while what was freed
  EXPECT_LE(peak_memory_kib() - before, 8U << 10);
#else
  static_cast<void>(before);
#endif
  std::filesystem::remove(file);

  const auto medium = into.open_medium(manifest.medium);
  ASSERT_TRUE(medium);
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{12'345}, std::uint64_t{manifest.chunks - 1}}) {
    const auto chunk = (*medium)->read_chunk(i);
    ASSERT_TRUE(chunk);
    EXPECT_TRUE(
        verify_inclusion(leaf_hash(chunk->plaintext.expose()), i, manifest.chunks, chunk->proof, manifest.root));
  }
}

}  // namespace
}  // namespace usher::media

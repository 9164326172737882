#include "media/vault.h"

#include <atomic>
#include <thread>

#include "base/encoding.h"
#include "fixtures.h"

namespace usher::media {
namespace {

using namespace test;

constexpr std::size_t kSize = 9 * 4096 + 77;

Result<> trust_everybody(const SignedManifest&) { return {}; }

class VaultTest : public testing::Test {
 protected:
  Vault open_vault(std::uint8_t fill = 7) { return *Vault::open(directory.path / "vault", vault_key(fill), random); }
  std::filesystem::path file_of(const Id128& medium) {
    return directory.path / "vault" / to_hex(medium).append(".medium");
  }
  Manifest import(std::uint8_t seed = 1) {
    const SourcePtr media = memory_source(noise(kSize, seed));
    const Manifest manifest = manifest_of(*media, kMinChunkSize, seed);
    const auto done = open_vault().import(memory_source(release_of(*media, manifest)), key, trust_everybody);
    EXPECT_TRUE(done) << explain(done.error());
    return manifest;
  }
  void change(const Id128& medium, const std::function<void(Bytes&)>& how) {
    Bytes bytes = read_file(file_of(medium));
    how(bytes);
    write_file(file_of(medium), bytes);
  }

  Directory directory;
  crypto::SystemRandom random;
  PrivateKeyUnwrapper key{p256_key()};
};

TEST_F(VaultTest, ImportedMediumIsListedReadAndProven) {
  const Manifest manifest = import();
  const Vault vault = open_vault();
  EXPECT_EQ(*vault.list(), std::vector{manifest.medium});
  EXPECT_EQ(*vault.manifest(manifest.medium)->contents(), manifest);
  EXPECT_TRUE(vault.verify(manifest.medium));
  const auto medium = vault.open_medium(manifest.medium);
  ASSERT_TRUE(medium) << explain(medium.error());
  EXPECT_EQ((*medium)->manifest(), manifest);
  EXPECT_TRUE((*medium)->signed_manifest().verify(distributor_key().public_key()));
  Bytes all;
  for (std::uint64_t i = 0; i < manifest.chunks; ++i) {
    const auto chunk = (*medium)->read_chunk(i);
    ASSERT_TRUE(chunk) << explain(chunk.error());
    EXPECT_TRUE(
        verify_inclusion(leaf_hash(chunk->plaintext.expose()), i, manifest.chunks, chunk->proof, manifest.root));
    append(all, chunk->plaintext.expose());
  }
  EXPECT_EQ(all, noise(kSize, 1));
  expect_fault((*medium)->read_chunk(manifest.chunks), Fault::unknown_chunk);
}

class VaultParts : public VaultTest {
 protected:
  VaultParts() {
    const SourcePtr media = memory_source(noise(kSize));
    manifest = with_cover(manifest_of(*media), cover);
    const Bytes release = release_of(*media, manifest, p256_key().public_key(), {cover});
    const auto done = open_vault().import(memory_source(release), key, trust_everybody);
    EXPECT_TRUE(done) << explain(done.error());
  }
  Bytes cover = noise(150'000, 9);
  Manifest manifest;
};

TEST_F(VaultParts, AreKeptSealedAndRead) {
  const auto medium = open_vault().open_medium(manifest.medium);
  ASSERT_TRUE(medium) << explain(medium.error());
  EXPECT_EQ((*medium)->manifest(), manifest);
  const auto part = (*medium)->read_part(0);
  ASSERT_TRUE(part) << explain(part.error());
  EXPECT_TRUE(same(part->expose(), cover));
  expect_fault((*medium)->read_part(1), Fault::not_found, to_hex(manifest.medium));
  EXPECT_TRUE(open_vault().verify(manifest.medium));
  const Bytes file = read_file(file_of(manifest.medium));
  EXPECT_TRUE(std::ranges::search(file, View(cover).first(16)).empty());
}

TEST_F(VaultParts, AreNoLongerOpenedByTheReleasesKey) {
  expect_fault(open_vault(8).open_medium(manifest.medium), Fault::no_key_fits);
}

TEST_F(VaultParts, AreCheckedWhereverTheyAreDamaged) {
  const Bytes good = read_file(file_of(manifest.medium));
  const std::size_t sealed_manifest = open_vault().manifest(manifest.medium)->encode().size();
  // The parts follow the manifest; its header is some hundred bytes long.
  for (std::size_t at = 40 + sealed_manifest + 600; at < 40 + sealed_manifest + 150'000; at += 9'973) {
    change(manifest.medium, [&](Bytes& bytes) { bytes[at] ^= 1; });
    expect_fault(open_vault().verify(manifest.medium), Fault::chunk_damaged);
    EXPECT_FALSE(open_vault().open_medium(manifest.medium));
    write_file(file_of(manifest.medium), good);
  }
  EXPECT_TRUE(open_vault().verify(manifest.medium));
}

TEST_F(VaultParts, FirstVersionsFileIsRefused) {
  change(manifest.medium, [](Bytes& bytes) { bytes[7] = '1'; });
  expect_fault(open_vault().open_medium(manifest.medium), Fault::malformed);
}

TEST_F(VaultTest, NothingOfItIsInTheClear) {
  const Manifest manifest = import();
  const Bytes file = read_file(file_of(manifest.medium));
  const auto holds = [&](View needle) { return !std::ranges::search(file, needle).empty(); };
  EXPECT_FALSE(holds(view_of("Awakening")));
  EXPECT_FALSE(holds(View(noise(kSize, 1)).first(16)));
  EXPECT_FALSE(holds(manifest.root));
  EXPECT_FALSE(holds(leaf_hash(View(noise(kSize, 1)).first(4096))));
}

TEST_F(VaultTest, ReleasesKeyNoLongerOpensTheVaultsHeader) {
  const Manifest manifest = import();
  const Vault other = open_vault(8);
  expect_fault(other.open_medium(manifest.medium), Fault::no_key_fits, to_hex(manifest.medium));
}

TEST_F(VaultTest, OriginIsTheCallersToRefuse) {
  const Bytes release = release_of(*memory_source(noise(kSize)));
  const auto refused = open_vault().import(memory_source(release), key, [](const SignedManifest& manifest) -> Result<> {
    return manifest.verify(p256_key().public_key());  // not the distributor's
  });
  expect_fault(refused, Fault::bad_signature);
  EXPECT_TRUE(open_vault().list()->empty());
}

TEST_F(VaultTest, SecondImportOfAMediumIsRefusedAndKeepsTheFirst) {
  const Manifest manifest = import();
  const SourcePtr media = memory_source(noise(kSize, 1));
  expect_fault(open_vault().import(memory_source(release_of(*media, manifest)), key, trust_everybody),
               Fault::already_exists, to_hex(manifest.medium));
  EXPECT_TRUE(open_vault().verify(manifest.medium));
}

TEST_F(VaultTest, RemovedMediumIsGoneAndOpenReadersGoOn) {
  const Manifest manifest = import();
  const Vault vault = open_vault();
  const auto medium = vault.open_medium(manifest.medium);
  EXPECT_TRUE(vault.remove(manifest.medium));
  EXPECT_TRUE(vault.list()->empty());
  expect_fault(vault.open_medium(manifest.medium), Fault::unknown_medium);
  expect_fault(vault.manifest(manifest.medium), Fault::unknown_medium);
  expect_fault(vault.verify(manifest.medium), Fault::unknown_medium);
  expect_fault(vault.remove(manifest.medium), Fault::unknown_medium);
  EXPECT_TRUE((*medium)->read_chunk(0));
}

TEST_F(VaultTest, EveryFlippedByteIsRefused) {
  const Manifest manifest = import();
  const Vault vault = open_vault();
  const Bytes good = read_file(file_of(manifest.medium));
  for (std::size_t at = 0; at < good.size(); at += at < 200 ? 1 : 61) {
    change(manifest.medium, [&](Bytes& bytes) { bytes[at] ^= 4; });
    EXPECT_FALSE(vault.verify(manifest.medium)) << "byte " << at << " of " << good.size();
    write_file(file_of(manifest.medium), good);
  }
  EXPECT_TRUE(vault.verify(manifest.medium));
}

TEST_F(VaultTest, FlippedByteOfAChunkIsToldByNumber) {
  const Manifest manifest = import();
  change(manifest.medium, [](Bytes& bytes) { bytes[bytes.size() - 1] ^= 1; });
  expect_fault(open_vault().verify(manifest.medium), Fault::chunk_damaged, "chunk 9");
  const auto medium = open_vault().open_medium(manifest.medium);
  ASSERT_TRUE(medium);
  EXPECT_TRUE((*medium)->read_chunk(8));
  expect_fault((*medium)->read_chunk(9), Fault::chunk_damaged, to_hex(manifest.medium).append(", chunk 9"));
}

TEST_F(VaultTest, SwappedChunksAreToldByNumber) {
  const Manifest manifest = import();
  constexpr std::ptrdiff_t kStep = 4096 + 16;
  change(manifest.medium, [](Bytes& bytes) {
    const auto chunk8 = bytes.end() - (77 + 16) - kStep;
    std::swap_ranges(chunk8, chunk8 + kStep, chunk8 - kStep);
  });
  expect_fault(open_vault().verify(manifest.medium), Fault::chunk_damaged, "chunk 7");
}

TEST_F(VaultTest, MissingAndCutChunksAreToldByNumber) {
  const Manifest manifest = import();
  change(manifest.medium, [](Bytes& bytes) { bytes.resize(bytes.size() - (77 + 16)); });
  expect_fault(open_vault().verify(manifest.medium), Fault::truncated, "chunk 9 is missing or cut");
  change(manifest.medium, [](Bytes& bytes) { bytes.resize(bytes.size() - 4096); });
  expect_fault(open_vault().open_medium(manifest.medium), Fault::truncated, "chunk 8 is missing or cut");
}

TEST_F(VaultTest, MissingInnerChunkIsRefused) {
  const Manifest manifest = import();
  change(manifest.medium, [](Bytes& bytes) {
    const auto chunk8 = bytes.end() - (77 + 16) - (4096 + 16);
    bytes.erase(chunk8, chunk8 + 4096 + 16);
  });
  expect_fault(open_vault().open_medium(manifest.medium), Fault::truncated);
}

TEST_F(VaultTest, ExtraBytesAreRefused) {
  const Manifest manifest = import();
  change(manifest.medium, [](Bytes& bytes) { bytes.push_back(0); });
  expect_fault(open_vault().open_medium(manifest.medium), Fault::malformed, "1 bytes follow the last chunk");
}

TEST_F(VaultTest, AnotherMediumsFileUnderThisNameIsRefused) {
  const Manifest one = import(1);
  const Manifest two = import(2);
  write_file(file_of(one.medium), read_file(file_of(two.medium)));
  expect_fault(open_vault().open_medium(one.medium), Fault::wrong_object, to_hex(one.medium));
  expect_fault(open_vault().manifest(one.medium), Fault::wrong_object);
  // Also if the name in the clear is changed to fit: only the authenticated data show the exchange.
  change(one.medium, [&](Bytes& bytes) { std::ranges::copy(one.medium, bytes.begin() + 8); });
  expect_fault(open_vault().open_medium(one.medium), Fault::wrong_object);
}

TEST_F(VaultTest, OnlyNamesOfMediaAreListed) {
  import();
  write_file(directory.path / "vault" / "readme.txt", {});
  write_file(directory.path / "vault" / "0123.medium", {});
  write_file(directory.path / "vault" / std::string(32, 'A').append(".medium"), {});
  EXPECT_EQ(open_vault().list()->size(), 1U);
}

TEST_F(VaultTest, ManyThreadsReadOneMedium) {
  const Manifest manifest = import();
  const auto medium = *open_vault().open_medium(manifest.medium);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t n = 0; n < 50; ++n) {
        const std::uint64_t i = (n + t) % manifest.chunks;
        const auto chunk = medium->read_chunk(i);
        if (!chunk ||
            !verify_inclusion(leaf_hash(chunk->plaintext.expose()), i, manifest.chunks, chunk->proof, manifest.root)) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(VaultTest, DirectoryIsTheOwnersAlone) {
  (void)open_vault();
  const auto mode = std::filesystem::status(directory.path / "vault").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_all);
  import();
  EXPECT_EQ(std::filesystem::status(file_of(open_vault().list()->front())).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(VaultKey, OpensWithItsPassphraseOnly) {
  const Directory directory;
  crypto::SystemRandom random;
  const auto file = directory.path / "vault.key";
  ASSERT_TRUE(create_vault_key(file, PassphraseWrapper(secret("long and secret"), kCheap), random));
  const auto opened = open_vault_key(file, PassphraseUnwrapper(secret("long and secret")));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->size(), kKekSize);
  expect_fault(open_vault_key(file, PassphraseUnwrapper(secret("wrong"))), Fault::bad_passphrase, "vault.key");
  expect_fault(create_vault_key(file, PassphraseWrapper(secret("other"), kCheap), random), Fault::already_exists);
  expect_fault(open_vault_key(directory.path / "none", PassphraseUnwrapper(secret("x"))), Fault::not_found);
  EXPECT_EQ(directory.names(), std::vector<std::string>{"vault.key"});
}

crypto::PrivateKey new_key(crypto::NewKey kind) { return *crypto::PrivateKey::generate(kind); }

TEST(VaultKey, IsSealedForAPrivateKeyAndBackAndStaysTheSame) {
  for (const auto kind : {crypto::NewKey::p256, crypto::NewKey::rsa2048}) {
    const Directory directory;
    crypto::SystemRandom random;
    const auto file = directory.path / "vault.key";
    const PassphraseWrapper for_passphrase(secret("p"), kCheap);
    const PassphraseUnwrapper passphrase(secret("p"));
    const auto key = new_key(kind);
    const PublicKeyWrapper for_key(key.public_key());
    const PrivateKeyUnwrapper with_key(key);
    ASSERT_TRUE(create_vault_key(file, for_passphrase, random));
    EXPECT_TRUE(*vault_key_wants_passphrase(file));
    const auto kek = open_vault_key(file, passphrase);
    ASSERT_TRUE(kek);
    ASSERT_TRUE(reseal_vault_key(file, passphrase, for_key, with_key, random));
    EXPECT_FALSE(*vault_key_wants_passphrase(file));
    expect_fault(open_vault_key(file, passphrase), Fault::no_key_fits, "vault.key");
    const auto again = open_vault_key(file, with_key);
    ASSERT_TRUE(again);
    EXPECT_TRUE(crypto::equal_constant_time(kek->expose(), again->expose()));
    ASSERT_TRUE(reseal_vault_key(file, with_key, for_passphrase, passphrase, random));
    EXPECT_TRUE(crypto::equal_constant_time(kek->expose(), open_vault_key(file, passphrase)->expose()));
    EXPECT_EQ(directory.names(), std::vector<std::string>{"vault.key"});
  }
}

TEST(VaultKey, WhatCannotBeReadBackReplacesNothing) {
  const Directory directory;
  crypto::SystemRandom random;
  const auto file = directory.path / "vault.key";
  ASSERT_TRUE(create_vault_key(file, PassphraseWrapper(secret("p"), kCheap), random));
  const Bytes before = read_file(file);
  const auto key = new_key(crypto::NewKey::p256);
  const auto other = new_key(crypto::NewKey::p256);
  expect_fault(reseal_vault_key(file, PassphraseUnwrapper(secret("p")), PublicKeyWrapper(key.public_key()),
                                PrivateKeyUnwrapper(other), random),
               Fault::no_key_fits);
  expect_fault(reseal_vault_key(file, PassphraseUnwrapper(secret("wrong")), PublicKeyWrapper(key.public_key()),
                                PrivateKeyUnwrapper(key), random),
               Fault::bad_passphrase);
  EXPECT_TRUE(same(read_file(file), before));
  EXPECT_EQ(directory.names(), std::vector<std::string>{"vault.key"});
}

TEST(VaultKey, DamagedFileIsRefused) {
  const Directory directory;
  crypto::SystemRandom random;
  const auto file = directory.path / "vault.key";
  ASSERT_TRUE(create_vault_key(file, PassphraseWrapper(secret("p"), kCheap), random));
  const Bytes good = read_file(file);
  for (std::size_t at = 0; at < good.size(); ++at) {
    // The costs of scrypt stand here: each flip of a high bit is refused by its cap, of a low one by the tag.
    Bytes bad = good;
    bad[at] ^= 0x80;
    write_file(file, bad);
    EXPECT_FALSE(open_vault_key(file, PassphraseUnwrapper(secret("p")))) << at;
  }
  for (std::size_t size = 0; size < good.size(); size += 7) {
    write_file(file, View(good).first(size));
    expect_fault(open_vault_key(file, PassphraseUnwrapper(secret("p"))), Fault::truncated);
  }
}

TEST(VaultKey, KeyOfAnotherSizeIsRefused) {
  const Directory directory;
  crypto::SystemRandom random;
  expect_fault(Vault::open(directory.path / "v", secret("short"), random), Fault::bad_key);
}

}  // namespace
}  // namespace usher::media

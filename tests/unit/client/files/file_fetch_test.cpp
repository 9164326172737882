#include "client/files/file_fetch.h"

#include <gtest/gtest.h>

#include <latch>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "tls_server.h"
#include "unit/media/fixtures.h"

namespace usher::client {
namespace {

using media::test::Directory;
using media::test::noise;
using media::test::read_file;
using media::test::write_file;
using test::FileWorld;
using test::TlsPeer;
using test::TlsServer;

/// What a server does differently.
struct Behaviour {
  std::size_t cut = SIZE_MAX;          // bytes of an answer that are sent at most
  std::optional<Bytes> digest_of{};    // of other bytes than are sent
  std::optional<Bytes> sealed_from{};  // the digest in a sealed object's id
  std::function<void(TlsPeer&)> instead{};
};

/// A server with one file.
class OneFile {
 public:
  explicit OneFile(const FileWorld& world, Bytes content)
      : content_(std::move(content)),
        world_(&world),
        server_(world.server, [this](TlsPeer& peer, const std::string& line) { answer(peer, line); }) {}

  [[nodiscard]] FileStream stream() const { return world_->stream(server_); }
  [[nodiscard]] std::vector<std::string> lines() const { return server_.lines(); }

  /// From the next request on.
  void behave(Behaviour behaviour) {
    const std::scoped_lock guard(lock_);
    behaviour_ = std::move(behaviour);
  }

 private:
  [[nodiscard]] Behaviour behaviour() const {
    const std::scoped_lock guard(lock_);
    return behaviour_;
  }
  static void give(TlsPeer& peer, View bytes, std::size_t cut) {
    peer.send(bytes.first(std::min(cut, bytes.size())));
    if (bytes.size() <= cut) peer.finish();
  }
  void answer(TlsPeer& peer, const std::string& line) {
    const auto request = wire::decode_file_request(line);
    if (!request || (wire::argument_of(*request) != "a/song.flac" && wire::verb_of(*request) != "LIST")) return;
    const Behaviour now = behaviour();
    if (now.instead) return now.instead(peer);
    if (const auto* from = std::get_if<wire::GetFileFrom>(&*request)) {
      if (from->offset <= content_.size()) give(peer, View(content_).subspan(from->offset), now.cut);
    } else if (std::holds_alternative<wire::GetFileDigest>(*request)) {
      peer.send(to_hex(crypto::sha256(now.digest_of.value_or(content_))) + "  a/song.flac\n");
      peer.finish();
    } else if (std::holds_alternative<wire::ListFiles>(*request)) {
      peer.send(std::to_string(content_.size()) + " 2026-11-22T09:30:00Z a/song.flac\n");
      peer.send("5 2026-11-22T09:30:00Z a/song.flac.txt\n");
      peer.finish();
    } else if (const auto* sealed = std::get_if<wire::GetSealedFile>(&*request)) {
      const auto suite = sealed->ctr ? media::Suite::aes256_ctr_hmac_sha256 : media::Suite::aes256_gcm;
      give(peer, seal(suite, now.sealed_from.value_or(content_)), now.cut);
    } else {
      give(peer, content_, now.cut);
    }
  }
  [[nodiscard]] Bytes seal(media::Suite suite, View hashed) const {
    media::MemorySink sink;
    const media::PublicKeyWrapper wrapper(world_->installation.key.public_key());
    auto writer = media::SealWriter::begin_file(media::file_layout(suite, content_.size()), crypto::sha256(hashed),
                                                {&wrapper}, sink, test::randomness());
    EXPECT_TRUE(writer && writer->write(content_) && writer->finish());
    return sink.bytes;
  }

  Bytes content_;
  const FileWorld* world_;
  mutable std::mutex lock_;
  Behaviour behaviour_;
  TlsServer server_;
};

TEST(Part, IsBesideItsTargetUnderANameThatTheFileSystemTakes) {
  EXPECT_EQ(part_of("into/song.flac"), "into/song.flac.usher-part");
  for (const std::size_t size : {244U, 245U, 250U, 255U}) {
    const std::filesystem::path target = "into/" + std::string(size, 'n');
    const auto part = part_of(target);
    EXPECT_LE(part.filename().string().size(), 255U);
    EXPECT_EQ(part.parent_path(), "into");
    EXPECT_EQ(part, part_of(target));
    EXPECT_NE(part, part_of("into/" + std::string(size - 1, 'n') + "m"));
  }
}

class Fetch : public testing::Test {
 protected:
  [[nodiscard]] FileWish wish() const { return {.name = "a/song.flac", .target = directory_.path / "song.flac"}; }
  [[nodiscard]] std::filesystem::path part() const { return directory_.path / "song.flac.usher-part"; }
  Result<FetchedFile> fetch(const FileWish& wish, const Meter& meter = {}, Stop stop = {}) {
    FileStream stream = server_.stream();
    return FileFetcher(stream, std::move(stop)).fetch(wish, meter);
  }
  /// Refused for this reason, and only `names` are left.
  void refused(const FileWish& wish, Fault fault, const std::vector<std::string>& names = {}) {
    const auto got = fetch(wish);
    ASSERT_FALSE(got);
    EXPECT_EQ(code_of(got.error().fault), code_of(fault)) << explain(got.error());
    EXPECT_EQ(directory_.names(), names);
  }

  const Bytes content_ = noise(700'001);
  FileWorld world_;
  Directory directory_;
  OneFile server_{world_, content_};
};

TEST_F(Fetch, ANameAsLongAsTheFileSystemTakesComesWholeAndCanBeContinued) {
  for (const std::size_t size : {245U, 255U}) {
    FileWish one = wish();
    one.target = directory_.path / std::string(size, 'n');
    server_.behave({.cut = 300'000});
    ASSERT_FALSE(fetch(one));
    EXPECT_EQ(std::filesystem::file_size(part_of(one.target)), 300'000U);
    server_.behave({});
    one.go_on = true;
    ASSERT_TRUE(fetch(one));
    EXPECT_EQ(read_file(one.target), content_);
    std::filesystem::remove(one.target);
  }
  EXPECT_TRUE(directory_.names().empty());
}

TEST_F(Fetch, FileIsThereUnderItsNameOnceItIsWhole) {
  const auto got = fetch(wish());
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_EQ(directory_.names(), std::vector<std::string>{"song.flac"});
  EXPECT_EQ(read_file(wish().target), content_);
  EXPECT_EQ(std::filesystem::status(wish().target).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(got->bytes, content_.size());
  EXPECT_EQ(got->sha256, crypto::sha256(content_));
  EXPECT_FALSE(got->verified);
}

TEST_F(Fetch, VerifiedFileHasTheServersDigest) {
  FileWish wanted = wish();
  wanted.verify = true;
  const auto got = fetch(wanted);
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_TRUE(got->verified);
}

TEST_F(Fetch, FileOfAnotherDigestIsThrownAway) {
  server_.behave({.digest_of = noise(10)});
  FileWish wanted = wish();
  wanted.verify = true;
  refused(wanted, Fault::digest_mismatch);
}

TEST_F(Fetch, DigestThatIsNoneIsRefused) {
  for (const std::string& line :
       std::vector<std::string>{"", "\n", "abc  a/song.flac\n", std::string(64, '0') + "  another\n",
                                std::string(64, '0') + "  a/song.flac", std::string(1 << 20, '0')}) {
    FileStream stream = server_.stream();
    server_.behave({.instead = [line](TlsPeer& peer) {
      peer.send(line);
      peer.finish();
    }});
    EXPECT_FALSE(FileFetcher(stream, {}).digest("a/song.flac")) << line.substr(0, 80);
  }
}

TEST_F(Fetch, UnknownNameLeavesNothing) {
  FileWish wanted = wish();
  wanted.name = "unknown";
  refused(wanted, Fault::file_refused);
}

TEST_F(Fetch, CutFileIsKeptAsAPartAndCompletedLater) {
  server_.behave({.cut = 300'000});
  refused(wish(), Fault::interrupted, {"song.flac.usher-part"});
  EXPECT_EQ(std::filesystem::file_size(part()), 300'000U);
  FileWish again = wish();
  again.go_on = true;
  refused(again, Fault::interrupted, {"song.flac.usher-part"});  // cut once more
  server_.behave({});
  const auto got = fetch(again);
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_EQ(read_file(wish().target), content_);
  EXPECT_EQ(got->received, 100'001U);
  EXPECT_TRUE(got->verified);
  EXPECT_EQ(directory_.names(), std::vector<std::string>{"song.flac"});
  EXPECT_EQ(server_.lines(), (std::vector<std::string>{"GET a/song.flac", "FROM 300000 a/song.flac",
                                                       "FROM 600000 a/song.flac", "SHA256 a/song.flac"}));
}

TEST_F(Fetch, PartOfAFileThatWasReplacedIsThrownAway) {
  write_file(part(), noise(1000, 2));
  FileWish again = wish();
  again.go_on = true;
  refused(again, Fault::digest_mismatch);
}

TEST_F(Fetch, PartIsKeptWhereTheServerHasNoRestOfIt) {
  write_file(part(), noise(800'000));
  FileWish again = wish();
  again.go_on = true;
  refused(again, Fault::file_refused, {"song.flac.usher-part"});
}

TEST_F(Fetch, PartThatIsWholeAlreadyIsVerifiedAndNamed) {
  write_file(part(), content_);
  FileWish again = wish();
  again.go_on = true;
  const auto got = fetch(again);
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_EQ(got->received, 0U);
}

TEST_F(Fetch, GoingOnWithNothingBeginsAtTheStart) {
  FileWish again = wish();
  again.go_on = true;
  const auto got = fetch(again);
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_TRUE(got->verified);
  EXPECT_EQ(server_.lines().front(), "GET a/song.flac");
}

TEST_F(Fetch, PartOfBeforeIsNotOverwrittenUnasked) {
  write_file(part(), noise(5));
  refused(wish(), Fault::already_exists, {"song.flac.usher-part"});
  FileWish forced = wish();
  forced.force = true;
  EXPECT_TRUE(fetch(forced));
  EXPECT_EQ(directory_.names(), std::vector<std::string>{"song.flac"});
}

TEST_F(Fetch, FileThatIsThereIsReplacedOnlyByForce) {
  write_file(wish().target, noise(5));
  refused(wish(), Fault::already_exists, {"song.flac"});
  EXPECT_EQ(read_file(wish().target), noise(5));
  FileWish forced = wish();
  forced.force = true;
  EXPECT_TRUE(fetch(forced));
  EXPECT_EQ(read_file(wish().target), content_);
}

TEST_F(Fetch, PartThatIsALinkIsNotFollowed) {
  const auto elsewhere = directory_.path / "elsewhere";
  write_file(elsewhere, noise(5));
  std::filesystem::create_symlink(elsewhere, part());
  for (bool FileWish::* const way : {&FileWish::go_on, &FileWish::force}) {
    FileWish one = wish();
    one.*way = true;
    EXPECT_FALSE(fetch(one));
    EXPECT_EQ(read_file(elsewhere), noise(5));
  }
}

TEST_F(Fetch, PartThatSomebodyElseWritesIsLeftAlone) {
  std::latch begun(1);
  std::latch other_tried(1);
  server_.behave({.instead = [&](TlsPeer& peer) {
    peer.send("some");
    begun.count_down();
    other_tried.wait();
  }});
  const std::jthread first([&] { EXPECT_FALSE(fetch(wish())); });
  begun.wait();
  for (bool FileWish::* const way : {&FileWish::go_on, &FileWish::force}) {
    FileWish second = wish();
    second.*way = true;
    refused(second, Fault::busy, {"song.flac.usher-part"});
  }
  other_tried.count_down();
}

TEST_F(Fetch, CancelledTransferLeavesAPart) {
  bool stop = false;
  server_.behave({.instead = [&](TlsPeer& peer) {
    peer.send(content_);
    peer.wait_for_end();
  }});
  const auto got =
      fetch(wish(), [&](std::uint64_t done, std::uint64_t) { stop = done > 500'000; }, [&] { return stop; });
  ASSERT_FALSE(got);
  EXPECT_EQ(code_of(got.error().fault), "cancelled");
  EXPECT_NE(got.error().about.find("--continue goes on"), std::string::npos);
  EXPECT_EQ(directory_.names(), std::vector<std::string>{"song.flac.usher-part"});
}

TEST_F(Fetch, ProgressKnowsTheWholeWhereItIsMeasured) {
  FileWish wanted = wish();
  wanted.measure = true;
  std::uint64_t last = 0;
  ASSERT_TRUE(fetch(wanted, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, content_.size());
    last = done;
  }));
  EXPECT_EQ(last, content_.size());
}

class SealedFetch : public Fetch, public testing::WithParamInterface<media::Suite> {
 protected:
  [[nodiscard]] FileWish sealed() const {
    FileWish out = wish();
    out.sealed = GetParam();
    out.verify = true;
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Suites, SealedFetch,
                         testing::Values(media::Suite::aes256_gcm, media::Suite::aes256_ctr_hmac_sha256));

TEST_P(SealedFetch, IsKeptAsItCameAndOpensToTheSameBytes) {
  const auto got = fetch(sealed());
  ASSERT_TRUE(got) << explain(got.error());
  EXPECT_TRUE(got->verified);
  EXPECT_EQ(got->sha256, crypto::sha256(content_));
  media::MemorySink out;
  const auto opened =
      media::open_file_object(*media::open_file(got->target), media::PrivateKeyUnwrapper(world_.installation.key), out);
  ASSERT_TRUE(opened) << explain(opened.error());
  EXPECT_EQ(opened->suite, GetParam());
  EXPECT_EQ(out.bytes, content_);
}

TEST_P(SealedFetch, CutOneLeavesNothing) {
  server_.behave({.cut = 300'000});
  refused(sealed(), Fault::interrupted);
}

TEST_P(SealedFetch, OfOtherBytesThanTheServersDigestIsThrownAway) {
  server_.behave({.digest_of = noise(10)});
  refused(sealed(), Fault::digest_mismatch);
}

TEST_P(SealedFetch, ThatSealsOtherBytesThanItsIdIsThrownAway) {
  server_.behave({.digest_of = noise(10), .sealed_from = noise(10)});
  refused(sealed(), Fault::digest_mismatch);
}

TEST_F(Fetch, ListIsGivenInTheServersOrder) {
  FileStream stream = server_.stream();
  std::vector<std::string> names;
  ASSERT_TRUE(FileFetcher(stream, {}).list("a/", [&](const ListedFile& file) {
    names.push_back(file.name);
    EXPECT_EQ(file.time, "2026-11-22T09:30:00Z");
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"a/song.flac", "a/song.flac.txt"}));
  EXPECT_EQ(server_.lines(), std::vector<std::string>{"LIST a/"});
}

TEST_F(Fetch, EndlessListIsRefused) {
  const std::string line = "1 2026-11-22T09:30:00Z x\n";
  std::string many;
  for (int i = 0; i < 1000; ++i) many += line;
  for (const std::string& piece : std::vector<std::string>{many, std::string(5000, 'x')}) {
    server_.behave({.instead = [piece](TlsPeer& peer) {
      for (int i = 0; i < 1000; ++i) peer.send(piece);
    }});
    FileStream stream = server_.stream();
    const auto listed = FileFetcher(stream, {}).list("", [](const ListedFile&) {});
    ASSERT_FALSE(listed);
    EXPECT_EQ(code_of(listed.error().fault), "too-long");
  }
}

TEST(ListedFile, LineThatIsNoneIsRefused) {
  const auto good = listed_file("12 2026-11-22T09:30:00Z a name  with spaces");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->size, 12U);
  EXPECT_EQ(good->name, "a name  with spaces");
  for (const char* line : {"", "12", "x 2026-11-22T09:30:00Z a", "12 2026-11-22T09:30:00Z ", "12 2026-11-22 a",
                           "99999999999999999999999 2026-11-22T09:30:00Z a", "12 2026-11-22T09:30:00Z \x1b[2J"}) {
    EXPECT_FALSE(listed_file(line)) << line;
  }
}

TEST(LocalName, IsTheLastComponentAndAPlainOne) {
  EXPECT_EQ(*local_name("a/b/song.flac"), "song.flac");
  EXPECT_EQ(*local_name("song.flac"), "song.flac");
  for (const char* name : {"", "a/", "..", "a/..", "a/.profile", "a/\x1b]0;x"}) EXPECT_FALSE(local_name(name)) << name;
}

}  // namespace
}  // namespace usher::client

// The file: created privately, checked at open, refused when it is not ours; a full disk changes nothing.
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "store/sqlite/connection.h"
#include "support.h"

namespace usher::store {
namespace {

class StoreFile : public StoreTest {
 protected:
  [[nodiscard]] Result<std::unique_ptr<Store>> reopen(const SqliteOptions& options = {}) const {
    return open_sqlite(directory_.file(), random(), options);
  }
  void execute(const std::string& sql) const {
    sqlite::Connection connection(directory_.file(), {.busy_timeout = Milliseconds{1'000}});
    connection.execute("PRAGMA foreign_keys = OFF");  // a damaged file may hold anything
    connection.execute(sql);
  }
};

TEST_F(StoreFile, IsReadableByItsOwnerAlone) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((directory_.file().string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(StoreFile, KeepsEverythingWhenOpenedAgain) {
  const Id128 licence = issue(3);
  const auto play = open();
  store_.reset();
  store_ = open_store(directory_.file());
  EXPECT_EQ(left(licence), 2U);
  EXPECT_TRUE(succeeds(grant(*play, {0})));
}

TEST_F(StoreFile, WithoutItsDirectoryIsNotFound) {
  EXPECT_TRUE(fails_with(open_sqlite(directory_.path() / "nowhere" / "store.db", random()), Fault::not_found));
}

TEST_F(StoreFile, ThatIsADirectoryIsRefused) { EXPECT_FALSE(open_sqlite(directory_.path(), random())); }

TEST_F(StoreFile, ThatIsNotADatabaseIsRefused) {
  std::ofstream(directory_.path() / "text") << std::string(10'000, 'x');
  EXPECT_TRUE(fails_with(open_sqlite(directory_.path() / "text", random()), Fault::store));
}

TEST_F(StoreFile, OfAnotherApplicationIsRefusedAndLeftAlone) {
  const auto other = directory_.path() / "other.db";
  std::ofstream{other};  // an empty file is an empty database
  sqlite::Connection(other, {}).execute("CREATE TABLE theirs (x)");
  EXPECT_TRUE(fails_with(open_sqlite(other, random()), Fault::store));
  sqlite::Connection connection(other, {});
  sqlite::Query tables = connection.query("SELECT name FROM sqlite_schema");
  ASSERT_TRUE(tables.step());
  EXPECT_EQ(tables.text(0), "theirs");
  EXPECT_FALSE(tables.step());
}

TEST_F(StoreFile, FindsTheLicenceForAPlayByAnIndexHoweverManyThereAre) {
  sqlite::Connection connection(directory_.file(), {});
  sqlite::Query plan = connection.query(
      "EXPLAIN QUERY PLAN SELECT n FROM licences WHERE pseudonym = ? AND medium = ? AND ends > ?3 AND "
      "not_before <= ?3 AND revoked_at IS NULL AND coalesce(plays_left, 1) > 0 AND "
      "(installation IS NULL OR installation = ?) ORDER BY ends, n LIMIT 1");
  ASSERT_TRUE(plan.step());
  EXPECT_NE(plan.text(3).find("licences_with_plays (pseudonym=? AND medium=? AND ends>?)"), std::string::npos)
      << plan.text(3);
  EXPECT_FALSE(plan.step()) << "nothing is sorted: " << plan.text(3);
}

TEST_F(StoreFile, OfANewerUsherIsRefused) {
  store_.reset();
  execute("PRAGMA user_version = 4");
  EXPECT_TRUE(fails_with(reopen(), Fault::unsupported));
}

TEST_F(StoreFile, OfTheVersionBeforeIsBroughtUpToDateAndKeepsWhatItHas) {
  const Id128 licence = issue(5);
  store_.reset();
  execute("DROP INDEX licences_with_plays");
  execute("ALTER TABLE licences DROP COLUMN ends");
  execute("PRAGMA user_version = 2");
  store_ = open_store(directory_.file());
  EXPECT_EQ(*store_->schema_version(), 3U);
  EXPECT_TRUE(open());
  EXPECT_EQ(left(licence), 4U);
}

TEST_F(StoreFile, OfTheFirstVersionIsRefusedSinceItsMediaCannotBeCounted) {
  store_.reset();
  execute("PRAGMA user_version = 1");
  const auto opened = reopen();
  ASSERT_TRUE(fails_with(opened, Fault::unsupported));
  EXPECT_NE(opened.error().about.find("pressed again"), std::string::npos);
}

TEST_F(StoreFile, ThatIsDamagedIsRefused) {
  for (int i = 0; i < 50; ++i) issue(1);
  store_.reset();
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  {
    std::fstream file(directory_.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4'096 * 3);
    file << std::string(4'096 * 6, '\xff');
  }
  EXPECT_TRUE(fails_with(reopen(), Fault::store));
}

TEST_F(StoreFile, WhoseRowsDangleIsRefused) {
  issue(1);
  store_.reset();
  execute("PRAGMA foreign_keys = OFF; DELETE FROM media");
  EXPECT_TRUE(fails_with(reopen(), Fault::store));
}

TEST_F(StoreFile, WhoseFiguresDisagreeIsFoundByVerify) {
  const Id128 licence = issue(3);
  const auto play = open();
  ASSERT_TRUE(grant(*play, {0}));
  ASSERT_TRUE(succeeds(store_->verify()));
  execute("UPDATE licences SET plays_left = 3");
  EXPECT_TRUE(fails_with(store_->verify(), Fault::store));
  EXPECT_EQ(left(licence), 3U);
  execute("UPDATE licences SET plays_left = 2; DELETE FROM heard");
  EXPECT_TRUE(fails_with(store_->verify(), Fault::store));
}

TEST_F(StoreFile, RowThatCannotBeOursIsRefusedAndNothingIsStored) {
  const Id128 licence = issue(3);
  const auto play = open();
  execute("PRAGMA ignore_check_constraints = ON; UPDATE licences SET manifest = x'00'");
  EXPECT_TRUE(fails_with(store_->find_licence(licence), Fault::store));
  EXPECT_TRUE(fails_with(open(licence), Fault::store));
  EXPECT_TRUE(fails_with(grant(*play, {0}), Fault::store));
  EXPECT_TRUE(succeeds(store_->find_medium(medium_.id)));  // the rest can still be read
  EXPECT_EQ(sqlite::Connection(directory_.file(), {}).number("SELECT plays_left FROM licences"), 2);
}

/// The result of `body` in a process of its own in which no file can grow: as on a full disk, but also for root.
int on_a_full_disk(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);  // NOLINT(cert-err33-c)
    const rlimit none{0, 0};
    ::_exit(::setrlimit(RLIMIT_FSIZE, &none) == 0 ? body() : 254);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(StoreFile, IsReadOnAFullDiskWhereNothingIsToBeWritten) {
  const Id128 licence = issue(3);
  store_.reset();
  const auto plays_left = [&](bool only_reading) {
    return on_a_full_disk([&]() -> int {
      SqliteOptions options;
      options.only_reading = only_reading;
      const auto store = reopen(options);
      if (!store) return 100;
      const auto found = (*store)->find_licence(licence);
      return found ? static_cast<int>(*found->standing.plays_left) : 101;
    });
  };
  EXPECT_EQ(plays_left(true), 3);
  EXPECT_EQ(plays_left(false), 100);
  // What a crash left in the log is not passed over.
  store_ = open_store(directory_.file());
  EXPECT_TRUE(succeeds(store_->revoke_licence(licence, kNow)));
  EXPECT_EQ(on_a_full_disk([&]() -> int {
              SqliteOptions options;
              options.only_reading = true;
              const auto store = reopen(options);
              if (!store) return 100;
              return (*store)->find_licence(licence)->standing.revoked_at ? 0 : 101;
            }),
            0);
}

TEST_F(StoreFile, OpeningWritesNothingWhereNothingHasToBeWritten) {
  store_.reset();
  const auto before = std::filesystem::last_write_time(directory_.file());
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
  store_ = open_store(directory_.file());
  store_.reset();
  EXPECT_EQ(std::filesystem::last_write_time(directory_.file()), before);
}

TEST_F(StoreFile, DamageThatABodyMetBeforeItThrewIsNotTheNextOnes) {
  sqlite::Connection connection(directory_.file(), {});
  const auto thrown = sqlite::read(connection, "test", [](sqlite::Connection& c) -> Result<> {
    c.damaged("a row");
    throw sqlite::Failure(SQLITE_BUSY);
  });
  EXPECT_TRUE(fails_with(thrown, Fault::busy));
  EXPECT_TRUE(succeeds(sqlite::read(connection, "test", [](sqlite::Connection&) -> Result<> { return {}; })));
  // Damage that a query finds is an error too.
  const auto met = sqlite::read(connection, "test", [](sqlite::Connection& c) -> Result<> {
    c.damaged("a row");
    return {};
  });
  EXPECT_TRUE(fails_with(met, Fault::store));
}

TEST_F(StoreFile, OptionsThatCannotBeMeantAreRefused) {
  SqliteOptions options;
  options.max_open_plays = 0;
  EXPECT_TRUE(fails_with(reopen(options), Fault::bad_config));
  options = {};
  options.policy.deadline = Seconds{0};
  EXPECT_TRUE(fails_with(reopen(options), Fault::bad_config));
}

TEST_F(StoreFile, LockedForLongByAnotherIsBusyAndNothingChanges) {
  SqliteOptions impatient;
  impatient.busy_timeout = Milliseconds{1};
  auto store = reopen(impatient);
  ASSERT_TRUE(succeeds(store));
  const Id128 licence = issue(1);
  sqlite::Connection other(directory_.file(), {});
  other.execute("BEGIN IMMEDIATE");
  const OpenRequest request{.medium = medium_.id, .licence = {}};
  EXPECT_TRUE(fails_with((*store)->open_play(caller_, new_operation(), request, kNow), Fault::busy));
  EXPECT_EQ((*store)->find_licence(licence)->standing.plays_left, 1U);  // reading continues
  other.execute("ROLLBACK");
  EXPECT_TRUE(succeeds((*store)->open_play(caller_, new_operation(), request, kNow)));
}

TEST_F(StoreFile, FullDiskIsSaidAndNothingChanges) {
  const Id128 licence = issue(5);
  const auto play = open();
  const auto pages = [&] {
    return static_cast<std::uint32_t>(sqlite::Connection(directory_.file(), {}).number("PRAGMA page_count"));
  };
  store_.reset();
  SqliteOptions small;
  small.max_pages = pages() + 4;
  store_ = open_store(directory_.file(), small);
  Result<Licence> issued = fail(Fault::local, "none yet");
  std::uint32_t total = 1;
  for (int i = 0; i < 200; ++i) {  // until nothing fits
    issued = store_->issue(new_operation(), document_of(terms(1)), std::nullopt, kNow);
    if (!issued) break;
    ++total;
  }
  ASSERT_TRUE(fails_with(issued, Fault::disk_full));
  EXPECT_EQ(store_->list_all_licences({})->total, total);

  // Every verb that writes: whole, or not at all.
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    const auto before = left(licence);
    const auto opened = store_->open_play(caller_, new_operation(), {.medium = medium_.id, .licence = licence}, kNow);
    if (opened) {
      ASSERT_EQ(left(licence), *before - 1);
      const bool closed = close(*opened).has_value();
      ASSERT_EQ(left(licence), closed ? *before : *before - 1);
      continue;
    }
    ++refused;
    if (opened.error().fault == Fault::no_licence) break;  // a close was refused as well: its play is still open
    ASSERT_TRUE(fails_with(opened, Fault::disk_full));
    ASSERT_EQ(left(licence), before);
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(succeeds(store_->verify()));

  // With room again, everything continues where it was.
  store_.reset();
  store_ = open_store(directory_.file());
  EXPECT_TRUE(succeeds(grant(*play, {0})));
  EXPECT_TRUE(succeeds(close(*play)));
  EXPECT_TRUE(succeeds(store_->verify()));
}

TEST_F(StoreFile, FullDiskOnCommitOfAPlayGrantsNothing) {
  SqliteOptions small;
  medium_ = new_medium("long", 100'000);
  ASSERT_TRUE(store_->add_medium(medium_, kNow));
  issue(5);
  const auto play = open();
  ASSERT_TRUE(succeeds(play));
  store_.reset();
  small.max_pages = static_cast<std::uint32_t>(sqlite::Connection(directory_.file(), {}).number("PRAGMA page_count"));
  store_ = open_store(directory_.file(), small);
  std::uint32_t granted = 0;
  Result<Granted> result = Granted{};
  for (std::uint32_t chunk = 0; chunk < medium_.extent.chunks; chunk += 64) {  // a new row each
    result = grant(*play, {chunk});
    if (!result) break;
    ++granted;
  }
  ASSERT_TRUE(fails_with(result, Fault::disk_full));
  store_.reset();
  store_ = open_store(directory_.file());
  ASSERT_TRUE(succeeds(store_->verify()));
  EXPECT_TRUE(succeeds(resume(*play)));
  EXPECT_GT(granted, 0U);
}

TEST(ServerLock, IsHeldByOneAtATime) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "lock";
  {
    const auto first = ServerLock::acquire(file);
    ASSERT_TRUE(succeeds(first));
    EXPECT_TRUE(fails_with(ServerLock::acquire(file), Fault::busy));
  }
  EXPECT_TRUE(succeeds(ServerLock::acquire(file)));
}

}  // namespace
}  // namespace usher::store

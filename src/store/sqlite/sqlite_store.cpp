#include "store/sqlite/sqlite_store.h"

#include <algorithm>
#include <span>

#include "base/encoding.h"
#include "store/sqlite/connections.h"
#include "store/sqlite/leases.h"
#include "store/sqlite/open_file.h"
#include "store/sqlite/plays.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"

namespace usher::store {
namespace {

using namespace sqlite;  // the parts of this backend

constexpr std::size_t kCrlNumber = 20;  // bytes, RFC 5280 §5.2.3

class SqliteStore final : public Store {
 public:
  SqliteStore(const std::filesystem::path& file, Random& random, const SqliteOptions& options, bool immutable = false)
      : random_(random),
        rules_{.policy = options.policy, .max_open_plays = options.max_open_plays},
        leases_(random.id()),
        db_(file, {.busy_timeout = options.busy_timeout, .max_pages = options.max_pages, .immutable = immutable}) {}

  [[nodiscard]] Result<> check() {
    return db_.with_reader([](Connection& c) { return check_file(c, true); });
  }

  [[nodiscard]] Result<> check_version() {
    return db_.with_reader([](Connection& c) { return is_current(c) ? Result<>{} : migrate(c); });
  }

  // --- media

  Result<> add_medium(const MediumRecord& medium, Time now) override {
    if (medium.chunk_size == 0) return fail(Fault::malformed, "store: medium");
    USHER_CHECK(medium.extent.check());
    const licence::Extent& extent = medium.extent;
    return db_.durably("store: add medium", [&](Connection& c) -> Result<> {
      const auto known = load_medium(c, medium.id);
      if (known && (!known->removed_at || known->manifest != medium.manifest)) {
        return fail(Fault::already_exists, "store: add medium", "medium " + to_hex(medium.id),
                    "Nothing has to be done; `usherd media list` shows it.");
      }
      // The extent is from the manifest, and the manifest is the same: earlier plays can continue.
      c.run(
          "INSERT INTO media (medium, manifest, object, chunk_size, chunk_count, duration_ms, structure, head_chunks, "
          "seconds, size, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (medium) DO UPDATE SET object = excluded.object, added_at = excluded.added_at, "
          "removed_at = NULL",
          medium.id, medium.manifest, medium.object, std::int64_t{medium.chunk_size}, std::int64_t{extent.chunks},
          extent.duration.count(), View{wire::encode_ranges(extent.structure)}, std::int64_t{extent.head},
          View{wire::encode_seconds(extent.seconds)}, static_cast<std::int64_t>(medium.size), now);
      return {};
    });
  }

  Result<MediumRecord> remove_medium(const Id128& medium, Time now) override {
    return db_.durably("store: remove medium", [&](Connection& c) -> Result<MediumRecord> {
      if (c.run("UPDATE media SET removed_at = ? WHERE medium = ? AND removed_at IS NULL", now, medium) != 1) {
        return fail(Fault::unknown_medium, "store: remove medium", "medium " + to_hex(medium),
                    "`usherd media list` shows those that there are.");
      }
      return *load_medium(c, medium);
    });
  }

  Result<MediumRecord> find_medium(const Id128& medium) override {
    return db_.reading("store: medium", [&](Connection& c) -> Result<MediumRecord> {
      auto found = load_medium(c, medium);
      if (!found) return fail(Fault::unknown_medium, "store: medium");
      return *std::move(found);
    });
  }

  Result<Page<MediumRecord>> list_media(Range range) override {
    return db_.reading("store: media",
                       [&](Connection& c) -> Result<Page<MediumRecord>> { return load_media(c, range); });
  }

  // --- licences

  Result<Licence> issue(const Operation& operation, const licence::VerifiedLicence& licence,
                        const std::optional<AcquisitionLimit>& acquired, Time now) override {
    const licence::LicenceTerms& terms = licence.terms();
    return db_.durably("store: issue", [&](Connection& c) -> Result<Licence> {
      USHER_TRY(const auto before, load_done(c, terms.pseudonym, operation, Done::Kind::issue));
      if (before) return stored_before(c, *before);

      USHER_TRY(const MediumRecord medium, require_medium(c, terms.medium));
      if (medium.manifest != terms.manifest) return fail(Fault::release_mismatch, "store: issue");
      if (load_licence(c, terms.id)) return fail(Fault::already_exists, "store: issue");
      if (acquired) USHER_CHECK(check_limit(c, terms, *acquired));
      c.run(
          "INSERT INTO licences (licence, server, pseudonym, installation, manifest, medium, plays, not_before, "
          "expires, window, issued_at, document, acquired, plays_left) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
          "?)",
          terms.id, std::string_view{terms.server}, terms.pseudonym, terms.installation, terms.manifest, terms.medium,
          terms.plays, terms.not_before, terms.expires, terms.window_after_first_play, terms.issued_at,
          std::string_view{licence.document()}, std::int64_t{acquired ? 1 : 0}, terms.plays);
      const auto row = load_licence(c, terms.id);
      if (!row) return fail(Fault::store, "store: issue", "a licence that was just stored");
      const Done done{.kind = Done::Kind::issue, .subject = row->n, .epoch = 0, .plays_left = terms.plays};
      save_done(c, terms.pseudonym, operation, done, now);
      return row->licence;
    });
  }

  Result<std::optional<Licence>> issued_before(const Hash256& pseudonym, const Operation& operation) override {
    return db_.reading("store: issued before", [&](Connection& c) -> Result<std::optional<Licence>> {
      USHER_TRY(const auto before, load_done(c, pseudonym, operation, Done::Kind::issue));
      if (!before) return std::nullopt;
      return stored_before(c, *before);
    });
  }

  Result<Page<Licence>> list_licences(const Hash256& pseudonym, Range range) override {
    return db_.reading("store: licences",
                       [&](Connection& c) -> Result<Page<Licence>> { return load_licences(c, pseudonym, range); });
  }

  Result<Page<Licence>> list_all_licences(Range range) override {
    return db_.reading("store: licences",
                       [&](Connection& c) -> Result<Page<Licence>> { return load_all_licences(c, range); });
  }

  Result<Licence> find_licence(const Id128& licence) override {
    return db_.reading("store: licence", [&](Connection& c) { return licence_or_unknown(c, licence); });
  }

  Result<Licence> revoke_licence(const Id128& licence, Time now) override {
    return db_.durably("store: revoke", [&](Connection& c) {
      c.run("UPDATE licences SET revoked_at = ? WHERE licence = ? AND revoked_at IS NULL", unix_seconds(now), licence);
      return licence_or_unknown(c, licence);
    });
  }

  // --- plays

  Result<> check_open(const Caller& caller, const Operation& operation, const OpenRequest& request, Time now) override {
    return db_.with_reader([&](Connection& c) { return sqlite::check_open(c, caller, operation, request, now); });
  }

  Result<OpenPlay> open_play(const Caller& caller, const Operation& operation, const OpenRequest& request,
                             Time now) override {
    const Id128 play = random_.id();
    return db_.durably("store: open", [&](Connection& c) {
      return sqlite::open_play(c, rules_, play, caller, operation, request, now);
    });
  }

  Result<OpenPlay> resume_play(const Caller& caller, const Operation& operation, const Id128& play, Time now) override {
    return tidying(caller, now, db_.durably("store: resume", [&](Connection& c) {
      return sqlite::resume_play(c, rules_, caller, operation, play, now);
    }));
  }

  Result<Granted> grant_chunk(const Caller& caller, const GrantRequest& request, Time now) override {
    const bool taken = leases_.take(request.play, request.chunk);
    Result<Granted> result = grant(caller, request, taken, now);
    if (result) return result;
    const bool over = result.error().fault == Fault::play_over || result.error().fault == Fault::play_expired;
    if (over) {
      leases_.drop(request.play);
    } else if (taken) {
      leases_.put_back(request.play, request.chunk);
    }
    return tidying(caller, now, std::move(result));
  }

  Result<Closed> close_play(const Caller& caller, const Operation& operation, const Id128& play, std::uint64_t epoch,
                            Time now) override {
    auto closed = db_.durably(
        "store: close", [&](Connection& c) { return sqlite::close_play(c, caller, operation, play, epoch, now); });
    if (closed) leases_.drop(play);
    return closed;
  }

  Result<std::vector<OpenPlay>> list_plays(const Caller& caller, Time now) override {
    return db_.reading("store: plays", [&](Connection& c) { return sqlite::list_plays(c, rules_, caller, now); });
  }

  Result<std::uint32_t> expire_plays(Time now) override {
    std::uint32_t total = 0;
    for (;;) {  // in parts, so that other calls do not wait long
      USHER_TRY(const std::uint32_t some, db_.durably("store: expire", [&](Connection& c) {
        return sqlite::expire_plays(c, std::nullopt, now);
      }));
      if (some == 0) return total;
      total += some;
    }
  }

  Result<> give_back_leases() override {
    Result<> all;
    for (const Id128& play : leases_.plays()) {  // continue after a failure
      auto given = db_.quickly("store: give back", [&](Connection& c) { return give_back_lease(c, play, leases_); });
      if (!given && all) all = std::move(given);
    }
    return all;
  }

  // --- people

  Result<> note_person(const Caller& caller, Time now) override {
    return db_.durably("store: person", [&](Connection& c) -> Result<> {
      c.run(
          "INSERT INTO people (pseudonym, first_seen, last_seen) VALUES (?, ?, ?) "
          "ON CONFLICT (pseudonym) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)",
          caller.pseudonym, now, now);
      c.run(
          "INSERT INTO installations (pseudonym, installation, first_seen, last_seen) VALUES (?, ?, ?, ?) "
          "ON CONFLICT (pseudonym, installation) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)",
          caller.pseudonym, caller.installation, now, now);
      return {};
    });
  }

  Result<Page<Person>> list_people(Range range) override {
    return db_.reading("store: people", [&](Connection& c) -> Result<Page<Person>> {
      Page<Person> page{.total = static_cast<std::uint32_t>(c.number("SELECT count(*) FROM people")), .entries = {}};
      Query q = c.query("SELECT pseudonym, first_seen, last_seen FROM people ORDER BY rowid LIMIT ? OFFSET ?");
      q.put(std::int64_t{range.count}).put(std::int64_t{range.offset});
      while (q.step())
        page.entries.push_back({.pseudonym = q.array<32>(0), .first_seen = q.time(1), .last_seen = q.time(2)});
      return page;
    });
  }

  // --- revocation, operations

  Result<std::optional<FloorRecord>> revocation_floor(const Hash256& issuer) override {
    return db_.reading("store: floor", [&](Connection& c) -> Result<std::optional<FloorRecord>> {
      Query q = c.query("SELECT number, this_update FROM revocation_floors WHERE issuer = ?");
      if (!q.put(issuer).step()) return std::nullopt;
      const auto padded = q.array<kCrlNumber>(0);
      const auto* first = std::ranges::find_if(padded, [](std::uint8_t byte) { return byte != 0; });
      return FloorRecord{.number = Bytes(first, padded.end()), .this_update = q.time(1)};
    });
  }

  Result<> raise_revocation_floor(const Hash256& issuer, const FloorRecord& floor) override {
    if (floor.number.size() > kCrlNumber) return fail(Fault::malformed, "store: floor");
    std::array<std::uint8_t, kCrlNumber> padded{};  // so that blobs compare like numbers
    std::ranges::copy_backward(floor.number, padded.end());
    return db_.durably("store: floor", [&](Connection& c) -> Result<> {
      const int changed = c.run(
          "INSERT INTO revocation_floors (issuer, number, this_update) VALUES (?, ?, ?) "
          "ON CONFLICT (issuer) DO UPDATE SET number = excluded.number, this_update = excluded.this_update "
          "WHERE excluded.number > number OR (excluded.number = number AND excluded.this_update >= this_update)",
          issuer, padded, floor.this_update);
      if (changed != 1) return fail(Fault::crl_rollback, "store: floor");
      return {};
    });
  }

  Result<std::uint32_t> forget_operations(Time before) override {
    return db_.durably("store: forget", [&](Connection& c) -> Result<std::uint32_t> {
      return static_cast<std::uint32_t>(c.run("DELETE FROM operations WHERE at < ?", before));
    });
  }

  // --- the store itself

  Result<std::uint32_t> schema_version() override {
    return db_.reading("store: version", [&](Connection& c) -> Result<std::uint32_t> {
      return static_cast<std::uint32_t>(c.number("PRAGMA user_version"));
    });
  }

  Result<> verify() override {
    return db_.with_reader([](Connection& c) -> Result<> {
      USHER_CHECK(check_file(c, false));
      return check_figures(c);
    });
  }

 private:
  static Result<Licence> licence_or_unknown(Connection& c, const Id128& id) {
    auto row = load_licence(c, id);
    if (!row)
      return fail(Fault::unknown_licence, "store: licence", "licence " + to_hex(id),
                  "`usherd licence list` shows those that there are.");
    return std::move(row->licence);
  }

  /// `taken`: the requested chunk was counted ahead. If its lease is still valid, nothing is written.
  Result<Granted> grant(const Caller& caller, const GrantRequest& request, bool taken, Time now) {
    if (taken) {
      USHER_TRY(auto checked, db_.checking("store: grant", [&](Connection& c) {
        return sqlite::check_leased(c, caller, request, leases_, now);
      }));
      if (checked) return *std::move(checked);
    }
    const auto store = [&](bool durably) {
      return [&, durably](Connection& c) {
        return sqlite::grant_chunk(c, rules_, caller, request, {.durably = durably, .book = leases_, .taken = taken},
                                   now);
      };
    };
    USHER_TRY(const auto stored, db_.quickly("store: grant", store(false)));
    if (stored) return *stored;
    USHER_TRY(const auto committed, db_.durably("store: commit", store(true)));
    if (committed) return *committed;
    return fail(Fault::local, "store: grant");
  }

  static Licence stored_before(Connection& c, const Done& done) {
    Licence licence = load_licence(c, done.subject).licence;
    licence.repeated = true;
    return licence;
  }

  /// licence.md §3.1.
  static Result<> check_limit(Connection& c, const licence::LicenceTerms& terms, const AcquisitionLimit& limit) {
    Query q = c.query(
        "SELECT count(*), coalesce(sum(plays), 0) FROM licences WHERE pseudonym = ? AND medium = ? AND acquired = 1");
    q.put(terms.pseudonym).put(terms.medium);
    if (!q.step()) return fail(Fault::store, "store: issue");
    if (limit.licences && q.number(0) >= *limit.licences) return fail(Fault::quota_spent, "store: licences");
    const bool counted = terms.plays.has_value();
    if (limit.plays && (!counted || q.number(1) + *terms.plays > *limit.plays)) {
      return fail(Fault::quota_spent, "store: plays");
    }
    return {};
  }

  /// If a play was refused because its deadline has passed, ends the person's overdue plays in a separate transaction.
  template <class T>
  Result<T> tidying(const Caller& caller, Time now, Result<T> result) {
    if (!result && result.error().fault == Fault::play_expired) {
      USHER_CHECK(
          db_.durably("store: expire", [&](Connection& c) { return sqlite::expire_plays(c, caller.pseudonym, now); }));
    }
    return result;
  }

  Random& random_;
  PlayRules rules_;
  LeaseBook leases_;
  Connections db_;
};

Result<std::unique_ptr<Store>> open_for_writing(const std::filesystem::path& file, Random& random,
                                                const SqliteOptions& options) {
  USHER_CHECK(prepare_file(file, options.busy_timeout));
  try {
    {
      Connection connection(file, {.durability = Durability::full, .busy_timeout = options.busy_timeout});
      USHER_CHECK(migrate(connection));
    }
    auto store = std::make_unique<SqliteStore>(file, random, options);
    if (options.check) USHER_CHECK(store->check());
    return store;
  } catch (const Failure& failure) {
    return std::unexpected(error_of(failure, "store: open"));
  }
}

/// Whether no process has the store open and the last one closed it properly: then all data is in the one file.
bool is_closed(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file.string() + "-wal", error);
  return error || size == 0;
}

Result<std::unique_ptr<Store>> open_for_reading(const std::filesystem::path& file, Random& random,
                                                const SqliteOptions& options) {
  try {
    auto store = std::make_unique<SqliteStore>(file, random, options, true);
    USHER_CHECK(store->check_version());
    if (options.check) USHER_CHECK(store->check());
    return store;
  } catch (const Failure& failure) {
    return std::unexpected(error_of(failure, "store: open to read"));
  }
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& file, Random& random,
                                           const SqliteOptions& options) {
  USHER_CHECK(licence::check_policy(options.policy));
  if (options.max_open_plays == 0) return fail(Fault::bad_config, "store: open plays");
  auto opened = open_for_writing(file, random, options);
  if (opened || !options.only_reading || !is_closed(file)) return opened;
  // Even to read, SQLite needs room for an index file in the same folder.
  const Fault why = opened.error().fault;
  return why == Fault::disk_full || why == Fault::io ? open_for_reading(file, random, options) : std::move(opened);
}

}  // namespace usher::store

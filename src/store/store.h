// store/store: interface of the server's persistent state.  Spec: licence.md §7.
//
// Each method is one transaction: it is carried out completely or not at all, also if the process dies in the middle.
// Several threads and several processes may use one store at once. Races are decided inside the transaction, by the
// number of rows that a conditional UPDATE changed. Backends: sqlite/ (embedded), postgres/ (later).
//
// Errors of every method, in addition to its own: disk_full, busy, io, store. After an error nothing has changed.
#pragma once

#include <span>

#include "base/random.h"
#include "licence/licence.h"
#include "store/records.h"

namespace usher::store {

class Store {
 public:
  virtual ~Store() = default;

  // --- media

  /// A removed medium is restored if its manifest is the same. Errors: already_exists; malformed (no chunks).
  [[nodiscard]] virtual Result<> add_medium(const MediumRecord& medium, Time now) = 0;
  /// Marks the record as removed, and keeps it. Its plays are refused from now on. Errors: unknown_medium (also if it
  /// was removed before).
  [[nodiscard]] virtual Result<MediumRecord> remove_medium(const Id128& medium, Time now) = 0;
  /// Also finds removed media: see removed_at. Errors: unknown_medium.
  [[nodiscard]] virtual Result<MediumRecord> find_medium(const Id128& medium) = 0;
  /// The media in the catalogue.
  [[nodiscard]] virtual Result<Page<MediumRecord>> list_media(Range range) = 0;

  // --- licences

  /// Stores a licence with all its plays. A repeated operation returns what the first call stored, and ignores this
  /// document. `acquired`: the person requested it, within this limit; empty: the operator issues it.
  /// Errors: operation_conflict; unknown_medium; release_mismatch (another manifest); already_exists (the id);
  /// quota_spent.
  [[nodiscard]] virtual Result<Licence> issue(const Operation& operation, const licence::VerifiedLicence& licence,
                                              const std::optional<AcquisitionLimit>& acquired, Time now) = 0;
  /// The licence that the same operation has stored before; nullopt if it has stored no licence. Callers check this
  /// before they make a new document. Errors: operation_conflict.
  [[nodiscard]] virtual Result<std::optional<Licence>> issued_before(const Hash256& pseudonym,
                                                                     const Operation& operation) = 0;
  /// All licences of a person, for any installation.
  [[nodiscard]] virtual Result<Page<Licence>> list_licences(const Hash256& pseudonym, Range range) = 0;
  /// The licences of all people, for the operator.
  [[nodiscard]] virtual Result<Page<Licence>> list_all_licences(Range range) = 0;
  /// Errors: unknown_licence.
  [[nodiscard]] virtual Result<Licence> find_licence(const Id128& licence) = 0;
  /// Its open plays are refused from their next chunk on. A second call keeps the first revocation's time.
  /// Errors: unknown_licence.
  [[nodiscard]] virtual Result<Licence> revoke_licence(const Id128& licence, Time now) = 0;

  // --- plays: every method checks the caller, the licence and its times; the store itself holds the policy

  /// Whether open_play() could reserve a play. Changes nothing. Call it before any costly work for the play.
  /// Errors: those of open_play(), except too_many_plays.
  [[nodiscard]] virtual Result<> check_open(const Caller& caller, const Operation& operation,
                                            const OpenRequest& request, Time now) = 0;
  /// Reserves one play. Errors: operation_conflict; unknown_medium; unknown_licence; wrong_installation;
  /// licence_revoked; licence_expired; licence_not_yet_valid; no_licence (no licence, or no play left); too_many_plays.
  [[nodiscard]] virtual Result<OpenPlay> open_play(const Caller& caller, const Operation& operation,
                                                   const OpenRequest& request, Time now) = 0;
  /// Free of charge; raises the epoch. Errors: operation_conflict; unknown_play; play_over; play_expired;
  /// too_many_moves; wrong_installation; unknown_medium; licence_revoked; licence_expired; licence_not_yet_valid.
  [[nodiscard]] virtual Result<OpenPlay> resume_play(const Caller& caller, const Operation& operation,
                                                     const Id128& play, Time now) = 0;
  /// Counts a chunk BEFORE it is sent, and commits the play when the chunk exceeds the free part.
  /// Errors: unknown_play (also another person's, or another medium's); play_over; stale_epoch; play_expired;
  /// wrong_installation; licence_revoked; licence_expired; licence_not_yet_valid; unknown_medium; unknown_chunk;
  /// budget_spent.
  [[nodiscard]] virtual Result<Granted> grant_chunk(const Caller& caller, const GrantRequest& request, Time now) = 0;
  /// Refunds a play that was not committed. Errors: operation_conflict; unknown_play; play_over; stale_epoch;
  /// wrong_installation.
  [[nodiscard]] virtual Result<Closed> close_play(const Caller& caller, const Operation& operation, const Id128& play,
                                                  std::uint64_t epoch, Time now) = 0;
  /// The plays of a person that can be resumed, the newest first, at most 256.
  [[nodiscard]] virtual Result<std::vector<OpenPlay>> list_plays(const Caller& caller, Time now) = 0;
  /// Ends the plays whose deadline has passed, and refunds those that are not committed. Returns their number. Call it
  /// now and then.
  [[nodiscard]] virtual Result<std::uint32_t> expire_plays(Time now) = 0;
  /// Gives back the chunks that were counted ahead and not requested (§8.3). Call it before the store is closed on
  /// purpose.
  [[nodiscard]] virtual Result<> give_back_leases() = 0;

  // --- people

  /// Records a login of the caller.
  [[nodiscard]] virtual Result<> note_person(const Caller& caller, Time now) = 0;
  [[nodiscard]] virtual Result<Page<Person>> list_people(Range range) = 0;

  // --- revocation, operations

  /// `issuer`: SHA-256 of the CRL issuer's public key (SPKI), or another name that the caller chooses.
  [[nodiscard]] virtual Result<std::optional<FloorRecord>> revocation_floor(const Hash256& issuer) = 0;
  /// Accepts the same floor again. Errors: crl_rollback (a lower number, or the same number with an earlier date).
  [[nodiscard]] virtual Result<> raise_revocation_floor(const Hash256& issuer, const FloorRecord& floor) = 0;

  /// Deletes operations older than `before`: a repeat of one of them counts as new. Returns their number. Thirty days
  /// are long enough.
  [[nodiscard]] virtual Result<std::uint32_t> forget_operations(Time before) = 0;

  // --- the store itself

  /// The version of the schema.
  [[nodiscard]] virtual Result<std::uint32_t> schema_version() = 0;
  /// Reads everything, and checks that the figures agree with each other. Errors: store; `about` describes the failure.
  [[nodiscard]] virtual Result<> verify() = 0;
};

}  // namespace usher::store

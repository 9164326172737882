// store/store: the state of a server, as verbs of its domain.  Spec: licence.md §7.
//
// Each verb is one transaction: it happens whole or not at all, also when the process dies in the middle. Several
// threads and several processes may use one store at once; races are decided inside the transaction, by the number of
// rows that a conditional UPDATE changed. Two homes: sqlite/ (embedded) and postgres/ (later).
//
// Errors of every verb, beside its own: disk_full, busy, io, store. After an error nothing has changed.
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

  /// A medium that was removed comes back if its manifest is the same. Errors: already_exists; malformed (no chunks).
  [[nodiscard]] virtual Result<> add_medium(const Medium& medium, Time now) = 0;
  /// The record stays, marked; its plays are refused from now on. Errors: unknown_medium (also when removed before).
  [[nodiscard]] virtual Result<Medium> remove_medium(const Id128& medium, Time now) = 0;
  /// Also a removed one: see removed_at. Errors: unknown_medium.
  [[nodiscard]] virtual Result<Medium> find_medium(const Id128& medium) = 0;
  /// Those in the catalogue.
  [[nodiscard]] virtual Result<Page<Medium>> list_media(Range range) = 0;

  // --- licences

  /// Stores a licence with all its plays. A repeat returns what the first call stored, and drops this document.
  /// `acquired`: the person asked for it, within this limit; none: the operator issues it.
  /// Errors: operation_conflict; unknown_medium; release_mismatch (another manifest); already_exists (the id);
  /// quota_spent.
  [[nodiscard]] virtual Result<Licence> issue(const Operation& operation, const licence::VerifiedLicence& licence,
                                              const std::optional<AcquisitionLimit>& acquired, Time now) = 0;
  /// What a repeated operation stored, before a new document is made; nothing if there was none.
  /// Errors: operation_conflict.
  [[nodiscard]] virtual Result<std::optional<Licence>> issued_before(const Hash256& pseudonym,
                                                                     const Operation& operation) = 0;
  /// A person's licences, all of them, on whatever installation.
  [[nodiscard]] virtual Result<Page<Licence>> list_licences(const Hash256& pseudonym, Range range) = 0;
  /// Everybody's, for the operator.
  [[nodiscard]] virtual Result<Page<Licence>> list_all_licences(Range range) = 0;
  /// Errors: unknown_licence.
  [[nodiscard]] virtual Result<Licence> find_licence(const Id128& licence) = 0;
  /// Running plays are refused from their next chunk on. Revoking twice keeps the first time. Errors: unknown_licence.
  [[nodiscard]] virtual Result<Licence> revoke_licence(const Id128& licence, Time now) = 0;

  // --- plays: every verb checks the caller, the licence and its times; the policy is the store's own

  /// Whether open_play() would come as far as to reserve a play, before anything costly is done for it. Changes nothing.
  /// Errors: those of open_play(), but for too_many_plays.
  [[nodiscard]] virtual Result<> check_open(const Caller& caller, const Operation& operation,
                                            const OpenRequest& request, Time now) = 0;
  /// Reserves one play. Errors: operation_conflict; unknown_medium; unknown_licence; wrong_installation;
  /// licence_revoked; licence_expired; licence_not_yet_valid; no_licence (none, or none left); too_many_plays.
  [[nodiscard]] virtual Result<OpenPlay> open_play(const Caller& caller, const Operation& operation,
                                                   const OpenRequest& request, Time now) = 0;
  /// Free of charge; raises the epoch. Errors: operation_conflict; unknown_play; play_over; play_expired;
  /// too_many_moves; wrong_installation; unknown_medium; licence_revoked; licence_expired; licence_not_yet_valid.
  [[nodiscard]] virtual Result<OpenPlay> resume_play(const Caller& caller, const Operation& operation,
                                                     const Id128& play, Time now) = 0;
  /// Counts chunks BEFORE they are sent, all or none, and commits the play when they are more than the free part.
  /// Errors: unknown_play (also another person's, or another medium's); play_over; stale_epoch; play_expired;
  /// wrong_installation; licence_revoked; licence_expired; licence_not_yet_valid; unknown_medium; unknown_chunk;
  /// budget_spent; malformed.
  [[nodiscard]] virtual Result<Granted> grant_chunks(const Caller& caller, const GrantRequest& request, Time now) = 0;
  /// Refunds a play that was not committed. Errors: operation_conflict; unknown_play; play_over; stale_epoch;
  /// wrong_installation.
  [[nodiscard]] virtual Result<Closed> close_play(const Caller& caller, const Operation& operation, const Id128& play,
                                                  std::uint64_t epoch, Time now) = 0;
  /// A person's plays that can be resumed, the newest first, at most 256.
  [[nodiscard]] virtual Result<std::vector<OpenPlay>> list_plays(const Caller& caller, Time now) = 0;
  /// Ends the plays whose deadline has passed, and refunds those not committed. How many. Call it now and then.
  [[nodiscard]] virtual Result<std::uint32_t> expire_plays(Time now) = 0;
  /// Before the store is closed on purpose: chunks that were counted ahead and not asked for are given back (§8.3).
  [[nodiscard]] virtual Result<> give_back_leases() = 0;

  // --- people

  /// Notes that somebody logged in.
  [[nodiscard]] virtual Result<> note_person(const Caller& caller, Time now) = 0;
  [[nodiscard]] virtual Result<Page<Person>> list_people(Range range) = 0;

  // --- revocation, operations

  /// `issuer`: SHA-256 of the CRL issuer's public key (SPKI) or another name of the caller's choice.
  [[nodiscard]] virtual Result<std::optional<RevocationFloor>> revocation_floor(const Hash256& issuer) = 0;
  /// The same again is taken. Errors: crl_rollback (a lower number, or the same number with an earlier date).
  [[nodiscard]] virtual Result<> raise_revocation_floor(const Hash256& issuer, const RevocationFloor& floor) = 0;

  /// Forgets operations older than `before`: a repeat of one of them is a new one. How many. Thirty days is plenty.
  [[nodiscard]] virtual Result<std::uint32_t> forget_operations(Time before) = 0;

  // --- the store itself

  /// The version of the stored form.
  [[nodiscard]] virtual Result<std::uint32_t> schema_version() = 0;
  /// Reads everything and compares the figures with each other. Errors: store, `about` says what is wrong.
  [[nodiscard]] virtual Result<> verify() = 0;
};

}  // namespace usher::store

#include "service/media_service.h"

#include "wire/record.h"

namespace usher::service {
namespace {

constexpr std::size_t kMaxManifests = 4'096;  // in memory, a few KiB each
constexpr std::uint64_t kMinWindow = 60;      // seconds, channel.md §9.2
constexpr std::uint64_t kMaxWindow = 31'622'400;

std::uint64_t seconds_or_zero(const std::optional<std::int64_t>& time) {
  return time && *time > 0 ? static_cast<std::uint64_t>(*time) : 0;
}

Result<LicenceOrder> order_of(const wire::Acquire& wanted) {
  LicenceOrder order;
  order.medium = wanted.medium;
  if (wanted.kind == static_cast<std::uint8_t>(wire::LicenceKind::plays)) {
    if (wanted.amount != 1 && wanted.amount != 5 && wanted.amount != 10 && wanted.amount != 20) {
      return fail(Fault::unknown_licence_kind, "acquire: plays");
    }
    order.plays = static_cast<std::uint32_t>(wanted.amount);
  } else if (wanted.kind == static_cast<std::uint8_t>(wire::LicenceKind::time)) {
    if (wanted.amount < kMinWindow || wanted.amount > kMaxWindow) {
      return fail(Fault::unknown_licence_kind, "acquire: time");
    }
    order.life = Seconds(wanted.amount);
  } else {
    return fail(Fault::unknown_licence_kind, "acquire: kind");
  }
  return order;
}

/// The fault for a listener, of a medium that the store knows. Only the operator needs to know what is wrong with its
/// file, which may also be missing: it does not mean that the release is bad.
std::unexpected<Error> unavailable(const Error& why) {
  return fail(Fault::medium_unavailable, why.where, std::string(code_of(why.fault)) + ", " + why.about);
}

}  // namespace

wire::LicenceEntry entry_of(const store::Licence& licence, Time now) {
  const licence::Standing& standing = licence.standing;
  wire::LicenceEntry entry{.licence = licence.document,
                           .plays_left = standing.plays_left.value_or(wire::kNoLimit),
                           .state = wire::LicenceState::usable,
                           .first_play = seconds_or_zero(standing.first_play),
                           .usable_until = seconds_or_zero(licence::usable_until(licence.terms, standing)),
                           .open_plays = licence.open_plays};
  const auto usable = licence::check_usable(licence.terms, standing, now);
  if (!usable) {
    switch (usable.error().fault) {
      case Fault::licence_revoked:
        entry.state = wire::LicenceState::revoked;
        break;
      case Fault::licence_not_yet_valid:
        entry.state = wire::LicenceState::not_yet_valid;
        break;
      default:
        entry.state = wire::LicenceState::expired;
        break;
    }
  } else if (standing.plays_left == 0U) {
    entry.state = wire::LicenceState::used_up;
  } else if (licence.medium_removed) {
    entry.state = wire::LicenceState::revoked;
  }
  return entry;
}

Result<MediaService::MediumPtr> MediaService::medium(const Id128& id) {
  {
    const std::scoped_lock lock(mutex_);
    if (const MediumPtr* found = open_.find(id)) return *found;
  }
  // Open it without the lock, so that other media are not delayed. Two threads may open the same medium; the second
  // result is dropped.
  auto unsealed = p_.vault.open_medium(id);
  if (!unsealed) return unavailable(unsealed.error());
  MediumPtr opened = *std::move(unsealed);
  const std::scoped_lock lock(mutex_);
  if (const MediumPtr* found = open_.find(id)) return *found;
  open_.put(id, opened);
  return opened;
}

void MediaService::forget(const Id128& id, const MediumPtr& reader) {
  const std::scoped_lock lock(mutex_);
  if (const MediumPtr* found = open_.find(id); found != nullptr && *found == reader) open_.erase(id);
}

Result<media::Chunk> MediaService::read_chunk(const wire::Chunk& wanted) {
  USHER_TRY(const MediumPtr reader, medium(wanted.medium));
  if (auto chunk = reader->read_chunk(wanted.chunk)) return *std::move(chunk);
  // The file may have been replaced since it was opened (`usherd media add` restores a damaged one).
  forget(wanted.medium, reader);
  USHER_TRY(const MediumPtr again, medium(wanted.medium));
  auto chunk = again->read_chunk(wanted.chunk);
  if (!chunk) return unavailable(chunk.error());
  return *std::move(chunk);
}

Result<Bytes> MediaService::signed_manifest(const Id128& id) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = manifests_.find(id); found != manifests_.end()) return found->second;
  }
  const auto manifest = p_.vault.manifest(id);
  if (!manifest) return unavailable(manifest.error());
  Bytes encoded = manifest->encode();
  const std::scoped_lock lock(mutex_);
  unreadable_.erase(id);
  if (manifests_.size() < kMaxManifests) manifests_.emplace(id, encoded);
  return encoded;
}

void MediaService::note_unreadable(const Id128& medium, const Error& why) {
  {
    const std::scoped_lock lock(mutex_);
    if (unreadable_.size() >= kMaxManifests) unreadable_.clear();
    if (!unreadable_.insert(medium).second) return;
  }
  if (p_.unreadable) p_.unreadable(medium, why);
}

Result<wire::Catalogue> MediaService::list(const wire::Page& page) {
  USHER_TRY(const auto media, p_.store.list_media({.offset = page.offset, .count = page.count}));
  wire::Catalogue catalogue;
  catalogue.total = media.total;
  std::size_t size = 4 + 2;
  for (const store::MediumRecord& medium : media.entries) {
    auto manifest = signed_manifest(medium.id);
    // One damaged file must not hide the whole catalogue: its entry contains only the id.
    if (!manifest) note_unreadable(medium.id, manifest.error());
    wire::CatalogueEntry entry{.medium = medium.id, .signed_manifest = std::move(manifest).value_or(Bytes())};
    size += entry.medium.size() + 3 + entry.signed_manifest.size();
    if (size > wire::kMaxPageBody) break;
    catalogue.entries.push_back(std::move(entry));
  }
  return catalogue;
}

Result<wire::Licences> MediaService::licences(const store::Caller& caller, const wire::Page& page, Time now) {
  USHER_TRY(const auto own, p_.store.list_licences(caller.pseudonym, {.offset = page.offset, .count = page.count}));
  wire::Licences licences;
  licences.total = own.total;
  std::size_t size = 4 + 2;
  for (const store::Licence& licence : own.entries) {
    size += 2 + licence.document.size() + 4 + 1 + 8 + 8 + 4;
    if (size > wire::kMaxPageBody) break;
    licences.entries.push_back(entry_of(licence, now));
  }
  return licences;
}

Result<store::Licence> MediaService::acquire(const store::Caller& caller, const store::Operation& operation,
                                             const wire::Acquire& wanted, Time now) {
  // Answer a repeated operation even if the policy has changed since.
  USHER_TRY(const auto before, p_.store.issued_before(caller.pseudonym, operation));
  if (before) return *before;
  const auto policy = p_.policy.get();
  if (!policy->acquisition) return fail(Fault::acquisition_closed, "acquire");
  USHER_TRY(LicenceOrder order, order_of(wanted));
  order.pseudonym = caller.pseudonym;
  if (policy->bind_installation) order.installation = caller.installation;
  const auto licence = issue(order, operation, policy->acquisition, now);
  if (!licence && exit_class_of(licence.error().fault) == ExitClass::card) {
    // The token with the licence key failed. The operator's log reports it. The listener must not look for the cause in
    // a card.
    return fail(Fault::server_busy, "acquire: licence key");
  }
  return licence;
}

Result<store::Licence> MediaService::issue(const LicenceOrder& order, const store::Operation& operation,
                                           const std::optional<store::AcquisitionLimit>& acquired, Time now) {
  USHER_TRY(const store::MediumRecord medium, p_.store.find_medium(order.medium));
  if (medium.removed_at) return fail(Fault::unknown_medium, "issue: removed");
  licence::LicenceTerms terms;
  terms.id = p_.random.id();
  terms.server = p_.issuer.server_id;
  terms.pseudonym = order.pseudonym;
  terms.installation = order.installation;
  terms.manifest = medium.manifest;
  terms.medium = medium.id;
  terms.plays = order.plays;
  terms.issued_at = unix_seconds(now);
  terms.not_before = terms.issued_at;
  if (order.life) terms.expires = terms.issued_at + order.life->count();
  USHER_TRY(const std::string document, licence::sign(terms, *p_.issuer.signer));
  USHER_TRY(const licence::VerifiedLicence licence, licence::verify(document, p_.issuer.signer->public_key()));
  return p_.store.issue(operation, licence, acquired, now);
}

Result<wire::Plays> MediaService::plays(const store::Caller& caller, Time now) {
  USHER_TRY(const auto open, p_.store.list_plays(caller, now));
  wire::Plays plays;
  for (const store::OpenPlay& play : open) {
    plays.entries.push_back({.play = play.play,
                             .medium = play.medium,
                             .licence = play.licence,
                             .deadline = static_cast<std::uint64_t>(unix_seconds(play.deadline)),
                             .committed = play.committed});
  }
  return plays;
}

Result<Performed<wire::Opened>> MediaService::opened(const store::OpenPlay& play) {
  USHER_TRY(Bytes manifest, signed_manifest(play.medium));
  wire::ChunkRanges heard = play.heard;
  if (heard.size() > wire::kMaxHeardRanges) heard.resize(wire::kMaxHeardRanges);
  wire::Opened answer{.play = play.play,
                      .epoch = play.epoch,
                      .licence = play.licence,
                      .medium = play.medium,
                      .plays_left = play.plays_left.value_or(wire::kNoLimit),
                      .deadline = static_cast<std::uint64_t>(unix_seconds(play.deadline)),
                      .committed = play.committed,
                      .commit_after = static_cast<std::uint32_t>(play.commit_after.count()),
                      .free_left = play.free_left,
                      .repeats_left = play.repeats_left,
                      .heard = std::move(heard),
                      .signed_manifest = std::move(manifest)};
  return Performed<wire::Opened>{.answer = std::move(answer), .repeated = play.repeated};
}

Result<Performed<wire::Opened>> MediaService::open(const store::Caller& caller, const store::Operation& operation,
                                                   const wire::Open& wanted, Time now) {
  const store::OpenRequest request{.medium = wanted.medium, .licence = wanted.licence};
  // A caller that may not open the medium must not make the vault unseal it.
  USHER_CHECK(p_.store.check_open(caller, operation, request, now));
  // Read the medium before the play is opened: a medium that cannot be read must not cost the listener a play.
  USHER_TRY([[maybe_unused]] const MediumPtr readable, medium(wanted.medium));
  USHER_TRY(const auto play, p_.store.open_play(caller, operation, request, now));
  return opened(play);
}

Result<Performed<wire::Opened>> MediaService::resume(const store::Caller& caller, const store::Operation& operation,
                                                     const Id128& play, Time now) {
  USHER_TRY(const auto resumed, p_.store.resume_play(caller, operation, play, now));
  return opened(resumed);
}

Result<Performed<wire::Closed>> MediaService::close(const store::Caller& caller, const store::Operation& operation,
                                                    const wire::Close& wanted, Time now) {
  USHER_TRY(const auto closed, p_.store.close_play(caller, operation, wanted.play, wanted.epoch, now));
  return Performed<wire::Closed>{
      .answer = {.refunded = closed.refunded, .plays_left = closed.plays_left.value_or(wire::kNoLimit)},
      .repeated = closed.repeated};
}

Result<GrantedChunk> MediaService::chunk(const store::Caller& caller, const wire::Chunk& wanted, Time now) {
  const store::GrantRequest request{
      .play = wanted.play, .medium = wanted.medium, .epoch = wanted.epoch, .chunk = wanted.chunk};
  USHER_TRY(const auto granted, p_.store.grant_chunk(caller, request, now));
  USHER_TRY(auto chunk, read_chunk(wanted));
  return GrantedChunk{.chunk_size = granted.medium.chunk_size, .chunk = std::move(chunk)};
}

std::size_t MediaService::refusal_size(const wire::Chunk& wanted, Fault fault) {
  // The store returns unknown_play for every request that does not name one of this person's plays of this medium.
  if (fault == Fault::unknown_play || fault == Fault::malformed) return wire::kNoChunkSize;
  const auto medium = p_.store.find_medium(wanted.medium);
  return medium ? medium->chunk_size : wire::kNoChunkSize;
}

}  // namespace usher::service

#include "wire/api.h"

#include <utility>

#include "wire/codec.h"

namespace usher::wire {
namespace {

struct Row {
  Status status;
  Fault fault;
};
// channel.md §9.1, one row per status. status_of() maps the faults that have no row.
constexpr Row kRows[] = {
    {Status::malformed, Fault::malformed},
    {Status::unknown_path, Fault::unknown_path},
    {Status::not_authenticated, Fault::not_authenticated},
    {Status::already_authenticated, Fault::already_authenticated},
    {Status::bad_statement, Fault::bad_statement},
    {Status::bad_certificate, Fault::bad_certificate},
    {Status::certificate_expired, Fault::certificate_expired},
    {Status::revoked, Fault::revoked},
    {Status::revocation_unknown, Fault::revocation_unknown},
    {Status::unknown_medium, Fault::unknown_medium},
    {Status::unknown_licence, Fault::unknown_licence},
    {Status::unknown_licence_kind, Fault::unknown_licence_kind},
    {Status::acquisition_closed, Fault::acquisition_closed},
    {Status::no_licence, Fault::no_licence},
    {Status::licence_expired, Fault::licence_expired},
    {Status::licence_not_yet_valid, Fault::licence_not_yet_valid},
    {Status::licence_revoked, Fault::licence_revoked},
    {Status::wrong_installation, Fault::wrong_installation},
    {Status::unknown_play, Fault::unknown_play},
    {Status::play_over, Fault::play_over},
    {Status::stale_epoch, Fault::stale_epoch},
    {Status::play_expired, Fault::play_expired},
    {Status::budget_spent, Fault::budget_spent},
    {Status::unknown_chunk, Fault::unknown_chunk},
    {Status::operation_conflict, Fault::operation_conflict},
    {Status::server_busy, Fault::server_busy},
    {Status::internal, Fault::local},
    {Status::unexpected_message, Fault::unexpected_message},
    {Status::bad_finished, Fault::bad_finished},
    {Status::too_many_plays, Fault::too_many_plays},
    {Status::quota_spent, Fault::quota_spent},
    {Status::too_many_moves, Fault::too_many_moves},
    {Status::server_full, Fault::server_full},
    {Status::medium_unavailable, Fault::medium_unavailable},
};

constexpr std::size_t kMinEntry = 2;  // bytes; limits the number of entries that a body can announce
constexpr std::uint32_t kMaxPage = 256;
constexpr std::size_t kMaxChunk = 1 << 20;  // bytes
constexpr std::size_t kMaxLicenceKeys = 8;
constexpr std::size_t kMaxSpki = 1'024;  // bytes

/// Decodes the `count` entries of a list. Stops at the first malformed entry.
template <class Entry, class Read>
std::vector<Entry> read_entries(Reader& in, std::size_t count, Read read) {
  std::vector<Entry> entries;
  if (!in.ok() || count > in.left() / kMinEntry) {
    in.refuse();
    return entries;
  }
  for (std::size_t i = 0; i < count && in.ok(); ++i) entries.push_back(read(in));
  return entries;
}

template <class T>
Result<T> finished(const Reader& in, T value) {
  USHER_CHECK(in.finish());
  return value;
}

void write(Writer& out, const LicenceEntry& entry) {
  out.text16(entry.licence).u32(entry.plays_left).u8(static_cast<std::uint8_t>(entry.state));
  out.u64(entry.first_play).u64(entry.usable_until).u32(entry.open_plays);
}

LicenceEntry read_licence(Reader& in) {
  LicenceEntry entry;
  entry.licence = in.text16(1, kMaxJws);
  entry.plays_left = in.u32();
  const std::uint8_t state = in.u8();
  if (state > static_cast<std::uint8_t>(LicenceState::revoked)) in.refuse();
  entry.state = static_cast<LicenceState>(state);
  entry.first_play = in.u64();
  entry.usable_until = in.u64();
  entry.open_plays = in.u32();
  return entry;
}

}  // namespace

std::string_view name_of(LicenceState state) noexcept {
  switch (state) {
    case LicenceState::usable:
      return "usable";
    case LicenceState::used_up:
      return "used up";
    case LicenceState::expired:
      return "expired";
    case LicenceState::not_yet_valid:
      return "not yet valid";
    case LicenceState::revoked:
      return "revoked";
  }
  return "unknown";
}

Status status_of(Fault fault) noexcept {
  for (const Row& row : kRows) {
    if (row.fault == fault) return row.status;
  }
  switch (fault) {
    case Fault::untrusted:
    case Fault::wrong_role:
    case Fault::wrong_name:
    case Fault::certificate_not_yet_valid:
    case Fault::bad_key:
    case Fault::card_unsuitable:
      return Status::bad_certificate;
    case Fault::crl_expired:
    case Fault::crl_rollback:
      return Status::revocation_unknown;
    case Fault::bad_signature:
      return Status::bad_statement;
    case Fault::too_long:
    case Fault::unsupported:
      return Status::malformed;
    case Fault::busy:
      return Status::server_busy;
    case Fault::disk_full:
      return Status::server_full;
    default:
      return Status::internal;
  }
}

Fault fault_of(Status status) noexcept {
  for (const Row& row : kRows) {
    if (row.status == status) return row.fault;
  }
  return Fault::local;
}

Bytes Page::encode() const { return Writer().u32(offset).u32(count).take(); }

Result<Page> Page::decode(View body) {
  Reader in(body, "page");
  Page page{.offset = in.u32(), .count = in.u32()};
  if (page.count == 0 || page.count > kMaxPage) in.refuse();
  return finished(in, page);
}

Bytes Authenticated::encode() const {
  Writer out;
  out.raw(pseudonym).text16(name).u64(session_end).text16(server_id);
  out.u8(static_cast<std::uint8_t>(licence_keys.size()));
  for (const Bytes& key : licence_keys) out.vec16(key);
  return out.take();
}

Result<Authenticated> Authenticated::decode(View body) {
  Reader in(body, "authenticated");
  Authenticated value;
  value.pseudonym = in.array<32>();
  value.name = in.text16(0, kMaxPersonName);
  value.session_end = in.u64();
  value.server_id = in.text16();
  const std::size_t count = in.u8();
  if (count == 0 || count > kMaxLicenceKeys) in.refuse();
  value.licence_keys = read_entries<Bytes>(in, count, [](Reader& r) { return to_bytes(r.vec16(1, kMaxSpki)); });
  return finished(in, std::move(value));
}

Bytes Catalogue::encode() const {
  Writer out;
  out.u32(total).u16(static_cast<std::uint16_t>(entries.size()));
  for (const CatalogueEntry& entry : entries) out.raw(entry.medium).vec24(entry.signed_manifest);
  return out.take();
}

Result<Catalogue> Catalogue::decode(View body) {
  Reader in(body, "catalogue");
  Catalogue value;
  value.total = in.u32();
  const std::size_t count = in.u16();
  value.entries = read_entries<CatalogueEntry>(in, count, [](Reader& r) {
    CatalogueEntry entry;
    entry.medium = r.array<16>();
    entry.signed_manifest = to_bytes(r.vec24(0, kMaxSignedManifest));
    return entry;
  });
  return finished(in, std::move(value));
}

Bytes LicenceEntry::encode() const {
  Writer out;
  write(out, *this);
  return out.take();
}

Result<LicenceEntry> LicenceEntry::decode(View body) {
  Reader in(body, "licence entry");
  LicenceEntry entry = read_licence(in);
  return finished(in, std::move(entry));
}

Bytes Licences::encode() const {
  Writer out;
  out.u32(total).u16(static_cast<std::uint16_t>(entries.size()));
  for (const LicenceEntry& entry : entries) write(out, entry);
  return out.take();
}

Result<Licences> Licences::decode(View body) {
  Reader in(body, "licences");
  Licences value;
  value.total = in.u32();
  const std::size_t count = in.u16();
  value.entries = read_entries<LicenceEntry>(in, count, read_licence);
  return finished(in, std::move(value));
}

Bytes Acquire::encode() const { return Writer().raw(medium).u8(kind).u64(amount).take(); }

Result<Acquire> Acquire::decode(View body) {
  Reader in(body, "acquire");
  Acquire value;
  value.medium = in.array<16>();
  value.kind = in.u8();
  value.amount = in.u64();
  return finished(in, value);
}

Bytes Open::encode() const { return Writer().raw(medium).u8(licence ? 1 : 0).raw(licence.value_or(Id128{})).take(); }

Result<Open> Open::decode(View body) {
  Reader in(body, "open");
  Open value;
  value.medium = in.array<16>();
  const bool chosen = in.flag();
  const auto licence = in.array<16>();
  if (chosen) value.licence = licence;
  if (!chosen && licence != Id128{}) in.refuse();
  return finished(in, value);
}

Bytes Opened::encode() const {
  return Writer()
      .raw(play)
      .u64(epoch)
      .raw(licence)
      .raw(medium)
      .u32(plays_left)
      .u64(deadline)
      .u8(committed ? 1 : 0)
      .u32(commit_after)
      .u32(free_left)
      .u32(repeats_left)
      .vec24(encode_ranges(heard))
      .vec24(signed_manifest)
      .take();
}

Result<Opened> Opened::decode(View body) {
  Reader in(body, "opened");
  Opened value;
  value.play = in.array<16>();
  value.epoch = in.u64();
  value.licence = in.array<16>();
  value.medium = in.array<16>();
  value.plays_left = in.u32();
  value.deadline = in.u64();
  value.committed = in.flag();
  value.commit_after = in.u32();
  value.free_left = in.u32();
  value.repeats_left = in.u32();
  const View heard = in.vec24();
  value.signed_manifest = to_bytes(in.vec24(1, kMaxSignedManifest));
  USHER_CHECK(in.finish());
  USHER_TRY(value.heard, decode_ranges(heard, kMaxHeardRanges));
  return finished(in, std::move(value));
}

Bytes Plays::encode() const {
  Writer out;
  out.u16(static_cast<std::uint16_t>(entries.size()));
  for (const PlayEntry& entry : entries) {
    out.raw(entry.play).raw(entry.medium).raw(entry.licence).u64(entry.deadline).u8(entry.committed ? 1 : 0);
  }
  return out.take();
}

Result<Plays> Plays::decode(View body) {
  Reader in(body, "plays");
  const std::size_t count = in.u16();
  Plays value;
  value.entries = read_entries<PlayEntry>(in, count, [](Reader& r) {
    PlayEntry entry;
    entry.play = r.array<16>();
    entry.medium = r.array<16>();
    entry.licence = r.array<16>();
    entry.deadline = r.u64();
    entry.committed = r.flag();
    return entry;
  });
  return finished(in, std::move(value));
}

Bytes Resume::encode() const { return Writer().raw(play).take(); }

Result<Resume> Resume::decode(View body) {
  Reader in(body, "resume");
  return finished(in, Resume{.play = in.array<16>()});
}

Bytes Close::encode() const { return Writer().raw(play).u64(epoch).take(); }

Result<Close> Close::decode(View body) {
  Reader in(body, "close");
  Close value;
  value.play = in.array<16>();
  value.epoch = in.u64();
  return finished(in, value);
}

Bytes Closed::encode() const { return Writer().u8(refunded ? 1 : 0).u32(plays_left).take(); }

Result<Closed> Closed::decode(View body) {
  Reader in(body, "closed");
  Closed value;
  value.refunded = in.flag();
  value.plays_left = in.u32();
  return finished(in, value);
}

Bytes Chunk::encode() const { return Writer().raw(play).raw(medium).u64(epoch).u32(chunk).take(); }

Result<Chunk> Chunk::decode(View body) {
  Reader in(body, "chunk");
  Chunk value;
  value.play = in.array<16>();
  value.medium = in.array<16>();
  value.epoch = in.u64();
  value.chunk = in.u32();
  return finished(in, value);
}

Bytes ChunkBody::encode() const {
  Writer out;
  out.u8(static_cast<std::uint8_t>(proof.size()));
  for (const Hash256& hash : proof) out.raw(hash);
  for (std::size_t i = proof.size(); i < kProofDepth; ++i) out.raw(Hash256{});
  return out.vec32(chunk).take();
}

Result<ChunkBody> ChunkBody::decode(View body) {
  Reader in(body, "chunk body");
  ChunkBody value;
  const std::size_t length = in.u8();
  if (length > kProofDepth) in.refuse();
  for (std::size_t i = 0; i < kProofDepth && in.ok(); ++i) {
    const auto hash = in.array<32>();
    if (i < length)
      value.proof.push_back(hash);
    else if (hash != Hash256{})
      in.refuse();
  }
  value.chunk = to_bytes(in.vec32(0, kMaxChunk));
  return finished(in, std::move(value));
}

}  // namespace usher::wire

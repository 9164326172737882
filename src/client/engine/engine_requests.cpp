// The engine's requests: each function calls one path of channel.md §9.2.
#include <set>

#include "base/encoding.h"
#include "client/engine/engine.h"

namespace usher::client {
namespace {

constexpr std::uint32_t kMaxEntries = 100'000;  // of a catalogue or of a person's licences
constexpr int kEpochTries = 4;                  // for one chunk while the play is resumed
constexpr std::string_view kTellOperator = "It was not played; tell the server's operator.";
constexpr Milliseconds kClosePatience{10'000};

}  // namespace

OpenPlay::OpenPlay(wire::Opened opened, VerifiedMedium medium, std::uint64_t generation)
    : opened_(std::move(opened)), medium_(std::move(medium)), epoch_(opened_.epoch), generation_(generation) {}

Engine::Call Engine::changing(std::string_view path, Bytes body) {
  return {.path = path, .operation = random_->id(), .body = std::move(body)};
}

Result<std::vector<CatalogueItem>> Engine::catalogue() {
  std::vector<CatalogueItem> all;
  std::set<Id128> seen;
  for (std::uint32_t offset = 0;;) {
    const wire::Page page{.offset = offset, .count = 256};
    USHER_TRY(const channel::Response response, call({.path = wire::kPathList, .body = page.encode()}));
    USHER_TRY(const wire::Catalogue part, wire::Catalogue::decode(response.body()));
    if (part.total > kMaxEntries) return fail(Fault::too_long, "engine: catalogue");
    for (const wire::CatalogueEntry& entry : part.entries) {
      if (!seen.insert(entry.medium).second) continue;
      // channel.md §9.3: empty if the server cannot read the medium. This does not mean that its release is bad.
      auto medium = entry.signed_manifest.empty()
                        ? Result<VerifiedMedium>(fail(Fault::medium_unavailable, "catalogue", to_hex(entry.medium)))
                        : verify_manifest(entry.signed_manifest, *options_.distributors, clock_->now(), entry.medium);
      all.push_back({.id = entry.medium, .medium = std::move(medium), .number = all.size() + 1});
    }
    offset += static_cast<std::uint32_t>(part.entries.size());
    if (offset >= part.total || part.entries.empty()) return all;
  }
}

Result<std::vector<wire::LicenceEntry>> Engine::licences() {
  std::vector<wire::LicenceEntry> all;
  for (;;) {
    const wire::Page page{.offset = static_cast<std::uint32_t>(all.size()), .count = 256};
    USHER_TRY(const channel::Response response, call({.path = wire::kPathLicences, .body = page.encode()}));
    USHER_TRY(wire::Licences part, wire::Licences::decode(response.body()));
    if (part.total > kMaxEntries) return fail(Fault::too_long, "engine: licences");
    std::ranges::move(part.entries, std::back_inserter(all));
    if (all.size() >= part.total || part.entries.empty()) return all;
  }
}

Result<wire::LicenceEntry> Engine::acquire(const wire::Acquire& wanted) {
  USHER_TRY(const channel::Response response, call(changing(wire::kPathLicense, wanted.encode())));
  return wire::LicenceEntry::decode(response.body());
}

Result<wire::Plays> Engine::plays() {
  USHER_TRY(const channel::Response response, call({.path = wire::kPathPlays}));
  return wire::Plays::decode(response.body());
}

Result<std::shared_ptr<OpenPlay>> Engine::open(const wire::Open& wanted) {
  USHER_TRY(const channel::Response response, call(changing(wire::kPathOpen, wanted.encode())));
  return opened(response, wanted.medium);
}

Result<std::shared_ptr<OpenPlay>> Engine::resume(const Id128& play) {
  USHER_TRY(const channel::Response response, call(changing(wire::kPathResume, wire::Resume{.play = play}.encode())));
  return opened(response, std::nullopt);
}

/// `opened_now`: the medium of a play that was just opened; empty: the play was resumed.
Result<std::shared_ptr<OpenPlay>> Engine::opened(const channel::Response& response,
                                                 const std::optional<Id128>& opened_now) {
  USHER_TRY(wire::Opened opened, wire::Opened::decode(response.body()));
  auto verified = opened_now && *opened_now != opened.medium
                      ? fail(Fault::release_mismatch, "engine: opened", "the server opened another medium",
                             std::string(kTellOperator))
                      : verify_manifest(opened.signed_manifest, *options_.distributors, clock_->now(), opened.medium);
  if (!verified) {
    if (opened_now) {  // nothing was heard: the play is given back
      Call close = changing(wire::kPathClose, wire::Close{.play = opened.play, .epoch = opened.epoch}.encode());
      close.patience = kClosePatience;
      [[maybe_unused]] const auto ignored = call(close);
    }
    return std::unexpected(std::move(verified).error());
  }
  const std::scoped_lock lock(mutex_);
  return std::make_shared<OpenPlay>(std::move(opened), *std::move(verified), connection_.generation);
}

Result<wire::Closed> Engine::close(OpenPlay& play) {
  for (int tries = 1;; ++tries) {
    std::uint64_t epoch = 0;
    {
      const std::scoped_lock lock(play.mutex_);
      epoch = play.epoch_;
    }
    Call request = changing(wire::kPathClose, wire::Close{.play = play.id(), .epoch = epoch}.encode());
    request.patience = kClosePatience;
    request.to_the_end = true;
    auto response = call(request);
    if (response) return wire::Closed::decode(response->body());
    const std::scoped_lock lock(play.mutex_);
    if (response.error().fault != Fault::stale_epoch || play.epoch_ == epoch || tries == kEpochTries) {
      return std::unexpected(std::move(response).error());
    }
  }
}

/// The play's epoch; after a lost connection, resumes the play first.
Result<std::uint64_t> Engine::epoch_of(OpenPlay& play, const std::atomic<bool>& stop) {
  const std::scoped_lock playing(play.mutex_);
  std::uint64_t generation = 0;
  {
    const std::scoped_lock lock(mutex_);
    generation = connection_.generation;
  }
  if (generation == play.generation_) return play.epoch_;
  Call request = changing(wire::kPathResume, wire::Resume{.play = play.id()}.encode());
  request.stop = &stop;
  USHER_TRY(const channel::Response response, call(request));
  USHER_TRY(const wire::Opened opened, wire::Opened::decode(response.body()));
  if (opened.play != play.id() || opened.medium != play.medium().id()) {
    return fail(Fault::release_mismatch, "engine: resumed", "the server resumed another play",
                std::string(kTellOperator));
  }
  play.epoch_ = opened.epoch;
  play.generation_ = generation;
  if (play.resumed_) play.resumed_(opened);
  options_.note("The play goes on, without PIN and without charge.");
  return play.epoch_;
}

Result<wire::ChunkBody> Engine::chunk(OpenPlay& play, std::uint32_t number, const std::atomic<bool>& stop) {
  for (int tries = 1;; ++tries) {
    USHER_TRY(const std::uint64_t epoch, epoch_of(play, stop));
    const wire::Chunk wanted{.play = play.id(), .medium = play.medium().id(), .epoch = epoch, .chunk = number};
    auto response = call({.path = wire::kPathDownload, .body = wanted.encode(), .stop = &stop});
    if (response) return wire::ChunkBody::decode(response->body());
    if (response.error().fault != Fault::stale_epoch || tries == kEpochTries) {
      return std::unexpected(std::move(response).error());
    }
    // Either another thread resumed the play during this request: then retry with the new epoch. Or the play was
    // resumed elsewhere: then the epoch here is unchanged, and this fails.
    const std::scoped_lock lock(play.mutex_);
    if (play.epoch_ == epoch) return std::unexpected(std::move(response).error());
  }
}

}  // namespace usher::client

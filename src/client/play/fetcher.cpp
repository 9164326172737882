#include "client/play/fetcher.h"

#include "crypto/secret.h"
#include "media/merkle.h"

namespace usher::client {
namespace {

std::size_t size_of_chunk(const media::Manifest& manifest, std::uint32_t chunk) {
  const std::uint64_t start = std::uint64_t{chunk} * manifest.chunk_size;
  return static_cast<std::size_t>(std::min<std::uint64_t>(manifest.chunk_size, manifest.size - start));
}

std::string name_of_chunk(std::uint32_t chunk) { return "chunk " + std::to_string(chunk); }

}  // namespace

Result<Piece> checked_chunk(const media::Manifest& manifest, std::uint32_t chunk, wire::ChunkBody body) {
  const crypto::Secret bytes = crypto::Secret::take(std::move(body.chunk));
  if (chunk >= manifest.chunks) return fail(Fault::unknown_chunk, "chunk: number", name_of_chunk(chunk));
  if (bytes.size() != size_of_chunk(manifest, chunk)) {
    return fail(Fault::chunk_damaged, "chunk: size", name_of_chunk(chunk));
  }
  const Hash256 leaf = media::leaf_hash(bytes.expose());
  if (!media::verify_inclusion(leaf, chunk, manifest.chunks, body.proof, manifest.root)) {
    return fail(Fault::chunk_damaged, "chunk: proof", name_of_chunk(chunk) + " is not what the distributor signed");
  }
  USHER_TRY(LockedBuffer kept, LockedBuffer::copy_of(bytes.expose()));
  return std::make_shared<const LockedBuffer>(std::move(kept));
}

Fetcher::Fetcher(media::Manifest manifest, GetChunk get, FetcherOptions options)
    : manifest_(std::move(manifest)),
      get_(std::move(get)),
      options_(std::move(options)),
      plan_(options_.plan ? *options_.plan : PlayPlan(manifest_)),
      position_(std::min(options_.first, manifest_.chunks)) {
  const std::uint32_t threads = std::clamp<std::uint32_t>(options_.window, 1, 64);
  threads_.reserve(threads);
  for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Fetcher::~Fetcher() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  arrived_.notify_all();
}

bool Fetcher::is_open(std::uint32_t chunk) const {
  return !pieces_.contains(chunk) && !asked_.contains(chunk) && !errors_.contains(chunk);
}

/// The next chunk to request: a chunk that at() waits for, or else the lowest chunk in the look-ahead that is not
/// cached, not requested and has not failed.
std::optional<std::uint32_t> Fetcher::wanted() const {
  if (cancelled_) return std::nullopt;
  for (const std::uint32_t chunk : extra_) {
    if (is_open(chunk)) return chunk;
  }
  const std::uint32_t end = std::min(std::max(plan_.end(), position_ + (awaited_ ? 1 : 0)), manifest_.chunks);
  for (std::uint32_t chunk = position_; chunk < end; ++chunk) {
    if (errors_.contains(chunk)) return std::nullopt;  // chunks after a failed chunk are never returned
    if (!is_open(chunk)) continue;
    return plan_.may_ask(chunk) ? std::optional(chunk) : std::nullopt;
  }
  return std::nullopt;
}

void Fetcher::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::optional<std::uint32_t> chunk;
    work_.wait(lock, [&] { return stop_ || (chunk = wanted()); });
    if (stop_) return;
    asked_.insert(*chunk);
    plan_.ask(*chunk);  // before the lock is released, so that other threads see what is left
    lock.unlock();
    auto body = get_(*chunk, stop_);
    Result<Piece> got = body ? checked_chunk(manifest_, *chunk, *std::move(body))
                             : Result<Piece>(std::unexpected(std::move(body).error()));
    lock.lock();
    asked_.erase(*chunk);
    store(*chunk, std::move(got));
    arrived_.notify_all();
  }
}

void Fetcher::store(std::uint32_t chunk, Result<Piece> got) {
  if (got) {
    pieces_[chunk] = *std::move(got);
  } else {
    errors_.insert_or_assign(chunk, std::move(got).error());
  }
}

/// Evicts cached chunks outside of the look-ahead, from the start of the medium on, until at most `keep` bytes of them
/// are left. These are chunks before the position, and chunks far ahead that a seek left. Never evicts the head: every
/// seek needs it.
void Fetcher::trim() {
  const std::uint32_t end = std::max(plan_.end(), position_ + 1);
  const auto outside = [&](std::uint32_t chunk) {
    const bool in_head = chunk == 0 || std::uint64_t{chunk} * manifest_.chunk_size < manifest_.head;
    return !in_head && !extra_.contains(chunk) && (chunk < position_ || chunk >= end);
  };
  std::size_t kept = 0;
  for (const auto& [chunk, piece] : pieces_) kept += outside(chunk) ? piece->size() : 0;
  for (auto it = pieces_.begin(); it != pieces_.end() && kept > options_.keep;) {
    if (!outside(it->first)) {
      ++it;
      continue;
    }
    kept -= it->second->size();
    it = pieces_.erase(it);
  }
}

Result<Piece> Fetcher::take(std::unique_lock<std::mutex>& lock, std::uint32_t chunk) {
  arrived_.wait(lock, [&] { return stop_ || cancelled_ || pieces_.contains(chunk) || errors_.contains(chunk); });
  if (stop_ || cancelled_) return fail(Fault::cancelled, "fetcher");
  if (const auto wrong = errors_.find(chunk); wrong != errors_.end()) return std::unexpected(wrong->second);
  return pieces_.at(chunk);
}

Result<Piece> Fetcher::next() {
  std::unique_lock lock(mutex_);
  if (cancelled_) return fail(Fault::cancelled, "fetcher");
  if (position_ >= manifest_.chunks) return Piece{};
  awaited_ = true;
  work_.notify_all();
  auto got = take(lock, position_);
  awaited_ = false;
  USHER_TRY(Piece piece, std::move(got));
  ++position_;
  trim();
  work_.notify_all();
  return piece;
}

Result<Piece> Fetcher::at(std::uint32_t chunk) {
  std::unique_lock lock(mutex_);
  if (chunk >= manifest_.chunks) return fail(Fault::unknown_chunk, "fetcher", name_of_chunk(chunk));
  const auto waiting = extra_.insert(chunk);
  work_.notify_all();
  auto piece = take(lock, chunk);
  extra_.erase(waiting);
  return piece;
}

void Fetcher::move_to(std::uint32_t chunk, const Moment& now) {
  const std::scoped_lock lock(mutex_);
  plan_.at(now);
  position_ = std::min(chunk, manifest_.chunks);
  trim();
  work_.notify_all();
}

void Fetcher::listener_at(const Moment& now) {
  const std::scoped_lock lock(mutex_);
  plan_.at(now);
  work_.notify_all();
}

void Fetcher::standing(const wire::Opened& opened) {
  const std::scoped_lock lock(mutex_);
  plan_.standing(opened, {asked_.begin(), asked_.end()});
}

PlayPlan Fetcher::plan() const {
  const std::scoped_lock lock(mutex_);
  return plan_;
}

CountsFrom Fetcher::counts_from() const {
  const std::scoped_lock lock(mutex_);
  return plan_.counts_from([this](std::uint32_t chunk) { return pieces_.contains(chunk) || asked_.contains(chunk); });
}

StartCost Fetcher::cost_of(const StartPoint& start) const {
  const std::scoped_lock lock(mutex_);
  return plan_.cost_of(start, [this](std::uint32_t chunk) { return pieces_.contains(chunk); });
}

std::uint64_t Fetcher::giving_end() const {
  const std::scoped_lock lock(mutex_);
  return plan_.giving_end();
}

bool Fetcher::held_back() const {
  const std::scoped_lock lock(mutex_);
  return position_ < manifest_.chunks && is_open(position_) && !plan_.may_ask(position_);
}

void Fetcher::cancel() {
  const std::scoped_lock lock(mutex_);
  cancelled_ = true;
  arrived_.notify_all();
}

void Fetcher::resume() {
  const std::scoped_lock lock(mutex_);
  cancelled_ = false;
  work_.notify_all();
}

std::uint32_t Fetcher::position() const {
  const std::scoped_lock lock(mutex_);
  return position_;
}

}  // namespace usher::client

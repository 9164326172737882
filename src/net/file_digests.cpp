#include "net/file_digests.h"

#include <cerrno>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/os_error.h"

namespace usher::net {
namespace {

constexpr std::size_t kBlock = 256 << 10;  // bytes
/// File systems tell times in steps: what changed this recently may change again without a new time.
constexpr std::int64_t kTooFreshNs = 2'000'000'000;

Result<std::size_t> read_medium(const media::Medium& medium, std::uint64_t offset, MutableView out) {
  const media::Manifest& manifest = medium.manifest();
  std::size_t done = 0;
  while (done < out.size() && offset < manifest.size) {
    USHER_TRY(const media::Chunk chunk, medium.read_chunk(offset / manifest.chunk_size));
    const View from = chunk.plaintext.expose().subspan(static_cast<std::size_t>(offset % manifest.chunk_size));
    const std::size_t size = std::min(from.size(), out.size() - done);
    std::copy_n(from.begin(), size, out.subspan(done).begin());
    done += size;
    offset += size;
  }
  return done;
}

Result<Hash256> digest_of_all(const OpenedFile& file, const std::atomic<bool>& cancelled) {
  crypto::Hasher hasher(crypto::Digest::sha256);
  crypto::Secret block(kBlock);
  for (std::uint64_t at = 0; at < file.size();) {
    if (cancelled) return fail(Fault::cancelled, "file digest");
    USHER_TRY(const std::size_t got, read_opened(file, at, block.expose_for_writing()));
    if (got == 0) return fail(Fault::interrupted, "file digest: changed");
    hasher.update(block.expose().first(got));
    at += got;
  }
  USHER_CHECK(check_unchanged(file));
  return array_of<32>(hasher.value());
}

}  // namespace

struct FileWorkers::Pool {
  explicit Pool(unsigned threads) : pool(threads) {}
  boost::asio::thread_pool pool;
};

FileWorkers::FileWorkers(unsigned threads) : pool_(std::make_unique<Pool>(threads)) {}
FileWorkers::~FileWorkers() { stop(); }

void FileWorkers::run(std::function<void()> task) { boost::asio::post(pool_->pool, std::move(task)); }

void FileWorkers::stop() {
  cancelled_ = true;
  pool_->pool.stop();
  pool_->pool.join();
}

Result<std::size_t> read_opened(const OpenedFile& file, std::uint64_t offset, MutableView out) {
  if (file.medium) return read_medium(*file.medium, offset, out);
  // Never beyond the size at the beginning: a file that grows has changed, and is not followed.
  const std::uint64_t left = offset < file.state.size ? file.state.size - offset : 0;
  if (left < out.size()) out = out.first(static_cast<std::size_t>(left));
  while (!out.empty()) {
    const ssize_t got = ::pread(file.file.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_errno("file: read");
  }
  return 0;
}

Result<> check_unchanged(const OpenedFile& file) {
  if (file.medium) return {};
  USHER_TRY(const FileState now, state_of(file.file.get()));
  if (now != file.state) return fail(Fault::interrupted, "file: changed");
  return {};
}

void FileDigests::ask(const OpenedFilePtr& file, const Done& done) {
  const Key key{file->state, file->medium ? file->medium->manifest().object : Id128{}};
  std::optional<Hash256> known;
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    if (const Hash256* digest = known_.find(key); digest != nullptr) {
      known = *digest;
    } else {
      auto& waiting = waiting_[key];
      first = waiting.empty();
      waiting.push_back(done);
    }
  }
  if (known) done(*known);
  if (first) workers_.run([this, file, key] { compute(file, key); });
}

void FileDigests::compute(const OpenedFilePtr& file, const Key& key) {
  ++computed_;
  const auto digest = digest_of_all(*file, workers_.cancelled());
  const std::int64_t now = std::chrono::nanoseconds(clock_.now().time_since_epoch()).count();
  const bool settled = file->medium || now - file->state.changed_ns > kTooFreshNs;
  std::vector<Done> waiting;
  {
    const std::scoped_lock lock(mutex_);
    if (digest && settled) known_.put(key, *digest);
    waiting = std::exchange(waiting_[key], {});
    waiting_.erase(key);
  }
  for (const Done& done : waiting) done(digest);
}

}  // namespace usher::net

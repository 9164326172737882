#include "server/files/file_digests.h"

#include <cerrno>

#include "base/os_error.h"

namespace usher::server {
namespace {

constexpr std::size_t kBlock = 256 << 10;                 // bytes
constexpr std::uint64_t kTurn = std::uint64_t{16} << 20;  // bytes that one step reads, before other jobs run
/// File times have a limited resolution: a file that changed this recently may change again without a new time.
constexpr std::int64_t kTooFreshNs = 2'000'000'000;

Result<std::size_t> read_medium(const media::MediumReader& medium, std::uint64_t offset, MutableView out) {
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

}  // namespace

Result<std::size_t> read_opened(const OpenedFile& file, std::uint64_t offset, MutableView out) {
  if (file.medium) return read_medium(*file.medium, offset, out);
  // Never read beyond the size at opening: a file that grows has changed, and its new bytes do not count.
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

struct FileDigests::Job {
  OpenedFilePtr file;
  JobKey key;
  crypto::Hasher hasher{crypto::Digest::sha256};
  std::uint64_t at = 0;
};

void FileDigests::ask(const OpenedFilePtr& file, const Asker& asker) {
  const JobKey key{{file->state, file->medium ? file->medium->manifest().object : Id128{}}, asker.client};
  if (const auto digest = known(key.first)) return asker.done(*digest);
  {
    const std::scoped_lock lock(mutex_);
    auto& waiting = waiting_[key];
    waiting.push_back(asker);
    if (waiting.size() > 1) return;
  }
  const auto job = std::make_shared<Job>(Job{.file = file, .key = key});
  const auto queued = workers_.run(asker.client, [this, job] { return step(*job); });
  if (!queued) finish(*job, std::unexpected(queued.error()));
}

std::optional<Hash256> FileDigests::known(const Key& key) {
  const std::scoped_lock lock(mutex_);
  const Hash256* digest = known_.find(key);
  return digest != nullptr ? std::optional(*digest) : std::nullopt;
}

bool FileDigests::is_awaited(const JobKey& key) {
  const std::scoped_lock lock(mutex_);
  auto& waiting = waiting_[key];
  std::erase_if(waiting, [](const Asker& asker) { return asker.alive.expired(); });
  if (waiting.empty()) waiting_.erase(key);
  return waiting_.contains(key);
}

std::vector<FileDigests::Asker> FileDigests::take_waiting(const JobKey& key) {
  const std::scoped_lock lock(mutex_);
  auto waiting = std::exchange(waiting_[key], {});
  waiting_.erase(key);
  return waiting;
}

bool FileDigests::step(Job& job) {
  if (!is_awaited(job.key)) return false;
  if (const auto digest = known(job.key.first)) {  // another client's job ended first
    finish(job, *digest);
    return false;
  }
  if (job.at == 0) ++computed_;
  crypto::Secret block(kBlock);
  for (const std::uint64_t end = std::min(job.at + kTurn, job.file->size()); job.at < end;) {
    const auto got = read_opened(*job.file, job.at, block.expose_for_writing());
    if (!got || *got == 0) {
      finish(job, fail(got ? Fault::interrupted : got.error().fault, "file digest"));
      return false;
    }
    job.hasher.update(block.expose().first(*got));
    job.at += *got;
  }
  if (job.at < job.file->size()) return true;
  const auto unchanged = check_unchanged(*job.file);
  finish(job, unchanged ? Result<Hash256>(array_of<32>(job.hasher.value())) : std::unexpected(unchanged.error()));
  return false;
}

void FileDigests::finish(const Job& job, const Result<Hash256>& digest) {
  const std::int64_t now = std::chrono::nanoseconds(clock_.now().time_since_epoch()).count();
  if (digest && (job.file->medium || now - job.file->state.changed_ns > kTooFreshNs)) {
    const std::scoped_lock lock(mutex_);
    known_.put(job.key.first, *digest);
  }
  for (const Asker& asker : take_waiting(job.key)) asker.done(digest);
}

}  // namespace usher::server

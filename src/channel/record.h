// channel/record: sealing and opening of records.  Spec: channel.md §6, §7.
#pragma once

#include <atomic>
#include <bitset>
#include <initializer_list>
#include <mutex>
#include <optional>

#include "base/random.h"
#include "channel/key_schedule.h"
#include "wire/record.h"

namespace usher::channel {

inline constexpr std::uint64_t kMaxRecords = 1ULL << 24;  // in a direction, §6.2

/// Remembers which sequence numbers have been used. Thread-safe.
class ReplayWindow {
 public:
  static constexpr std::size_t kSize = 2048;  // numbers; §6.2 requires at least 1,024
  /// Whether the number is marked, or is too old for the window.
  [[nodiscard]] bool used(std::uint64_t sequence) const;
  /// Marks the number. False if it was used() already: of several threads, only one gets true.
  [[nodiscard]] bool mark(std::uint64_t sequence);

 private:
  [[nodiscard]] bool used_locked(std::uint64_t sequence) const;
  mutable std::mutex mutex_;
  std::bitset<kSize> marks_;  // of sequence % kSize
  std::uint64_t next_ = 0;    // one more than the highest number marked
};

/// For a chunk response, whose key is derived from these ids and from the sequence of its record.
struct ChunkUse {
  const ChunkKeys& keys;
  ChunkIds ids;
};

/// Numbers its records from 0. Thread-safe; wipes its keys when destroyed. `random` is borrowed.
class Sealer {
 public:
  /// `first`: the first number, for tests.
  Sealer(const Suite& suite, const Id128& session, wire::Direction direction, DirectionKeys keys, Random& random,
         std::uint64_t first = 0);

  /// Replaces the content of `out` with one record (a buffer that is used again is not cleared). The plaintext is
  /// n ‖ the parts ‖ zeros, `total` bytes. `request`: for a response, the sequence of its request; empty for a request.
  /// Returns the record's sequence.
  /// Errors: too_long; session_over, when all numbers are used. On error `out` is untouched.
  [[nodiscard]] Result<std::uint64_t> seal(Bytes& out, std::initializer_list<View> parts, std::size_t total,
                                           std::optional<std::uint64_t> request = {}, const ChunkUse* chunk = nullptr);
  /// Records sealed so far.
  [[nodiscard]] std::uint64_t count() const noexcept;

 private:
  [[nodiscard]] Result<std::uint64_t> take_number();
  void protect(MutableView out, wire::RecordHeader header, std::span<const View> plaintext, View key) const;
  const Suite* suite_;
  Id128 session_;
  wire::Direction direction_;
  DirectionKeys keys_;
  std::optional<crypto::HmacKey> mac_;
  Random* random_;
  std::atomic<std::uint64_t> next_;
};

/// A record whose MAC or tag was verified, and whose number is marked.
struct OpenedRecord {
  wire::RecordHeader header;
  /// The content, inside the caller's buffer. malformed: the CBC padding, n, or the padding of §6.4 is wrong.
  Result<View> content;
  std::size_t total = 0;  // bytes of the plaintext, with n and padding; 0 if it could not be decrypted
};

/// Thread-safe; wipes its keys when destroyed.
class Opener {
 public:
  Opener(const Suite& suite, const Id128& session, wire::Direction direction, DirectionKeys keys);

  /// Verifies, marks the number, decrypts in place. On error the buffer's content is useless.
  /// Errors, and no state has changed then: malformed, unsupported, too_long (the form of the header, §6.3);
  /// record_refused (another suite, session or direction; the MAC or tag; a number that was used or is out of range).
  [[nodiscard]] Result<OpenedRecord> open(MutableView record, wire::Padding padding, const ChunkUse* chunk = nullptr);
  /// Records accepted so far.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] Result<wire::RecordHeader> check_header(View record) const;
  [[nodiscard]] Result<> verify(const wire::RecordHeader& header, MutableView record, View key) const;
  [[nodiscard]] Result<View> decrypt(const wire::RecordHeader& header, MutableView ciphertext, View key) const;
  const Suite* suite_;
  Id128 session_;
  wire::Direction direction_;
  DirectionKeys keys_;
  std::optional<crypto::HmacKey> mac_;
  ReplayWindow window_;
  std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace usher::channel

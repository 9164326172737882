#include "channel/record.h"

#include <algorithm>
#include <vector>

namespace usher::channel {
namespace {

using crypto::kAeadNonceSize;
using wire::kHeaderSize;

constexpr std::size_t kZerosSize = 16 << 10;  // bytes per piece
constexpr std::size_t kCounterSize = 4;       // bytes: ChaCha20's block counter, the beginning of OpenSSL's IV

constexpr std::array<std::uint8_t, kZerosSize> kZeros{};

constexpr std::string_view kWhereOpen = "record";

std::array<std::uint8_t, 8> big_endian(std::uint64_t value) {
  std::array<std::uint8_t, 8> out{};
  for (std::size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
  return out;
}

/// The write IV XOR (4 zero bytes ‖ sequence), §6.1.
std::array<std::uint8_t, kAeadNonceSize> nonce_of(const crypto::Secret& iv, std::uint64_t sequence) {
  auto nonce = array_of<kAeadNonceSize>(iv.expose());
  const auto number = big_endian(sequence);
  for (std::size_t i = 0; i < number.size(); ++i) nonce[nonce.size() - number.size() + i] ^= number[i];
  return nonce;
}

/// The IV that OpenSSL needs for a cipher that is not an AEAD: the record's IV, or block counter 0 and the nonce.
std::array<std::uint8_t, 16> plain_iv(const Suite& suite, const DirectionKeys& keys, const wire::RecordHeader& header) {
  if (!suite.counts_nonces()) return header.iv;
  std::array<std::uint8_t, 16> iv{};
  std::ranges::copy(nonce_of(keys.iv, header.sequence), iv.begin() + kCounterSize);
  return iv;
}

std::size_t max_plaintext(wire::Direction direction) noexcept {
  return direction == wire::Direction::to_client ? wire::kMaxPlaintext : wire::kMaxRequestPlaintext;
}

std::optional<crypto::HmacKey> mac_of(const Suite& suite, const DirectionKeys& keys) {
  if (suite.aead()) return std::nullopt;
  return std::optional<crypto::HmacKey>(std::in_place, suite.digest, keys.mac_key);
}

/// The plaintext in few pieces: n, the parts, and the zeros that fill it. Small parts are copied together. Of large
/// parts only a few bytes at the ends are copied, so that a large piece begins at a multiple of 128 bytes and has a
/// multiple of 128 bytes. A cipher that must continue in the middle of a block is slower for all that follows, and
/// Poly1305 is slower by a third if 64 bytes are left over.
class Pieces {
 public:
  Pieces(View size, std::initializer_list<View> parts, std::size_t zeros) {
    std::size_t small = 0;
    for (const View part : parts) small += part.size() < kLarge ? part.size() : 2 * kBlock;
    small_.reserve(size.size() + small + kLarge + 2 * kBlock * (2 + zeros / kZerosSize));
    pieces_.reserve(2 * (parts.size() + 2 + zeros / kZerosSize));
    add(size);
    for (const View part : parts) add(part);
    for (; zeros > kZerosSize; zeros -= kZerosSize) add(kZeros);
    add(View{kZeros}.first(zeros));
    put_small();
  }
  ~Pieces() { crypto::wipe(small_); }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;
  [[nodiscard]] std::span<const View> all() const noexcept { return pieces_; }

 private:
  static constexpr std::size_t kLarge = 4096;  // bytes
  static constexpr std::size_t kBlock = 128;   // bytes

  void add(View part) {
    if (part.size() >= kLarge) {
      const std::size_t lead = (kBlock - (small_.size() - done_) % kBlock) % kBlock;
      append(small_, part.first(lead));
      part = part.subspan(lead);
      put_small();
      pieces_.push_back(part.first(part.size() / kBlock * kBlock));
      part = part.last(part.size() % kBlock);
    }
    append(small_, part);
  }
  void put_small() {
    pieces_.push_back(View{small_}.subspan(done_));
    done_ = small_.size();
  }

  Bytes small_;  // never grows beyond its reserved capacity: pieces_ point into it
  std::size_t done_ = 0;
  std::vector<View> pieces_;
};

/// Does not clear a buffer that is used again: its bytes will be overwritten.
void set_size(Bytes& out, std::size_t size) {
  if (out.capacity() < size) {
    out = Bytes(size);
  } else {
    out.resize(size);
  }
}

std::unexpected<Error> refused() { return fail(Fault::record_refused, kWhereOpen); }

}  // namespace

bool ReplayWindow::used_locked(std::uint64_t sequence) const {
  return sequence < next_ && (next_ - sequence > kSize || marks_[sequence % kSize]);
}

bool ReplayWindow::used(std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  return used_locked(sequence);
}

bool ReplayWindow::mark(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  if (used_locked(sequence)) return false;
  if (sequence >= next_) {
    // The window reuses the places of old numbers for numbers that were not seen yet.
    if (sequence - next_ >= kSize) {
      marks_.reset();
    } else {
      for (std::uint64_t each = next_; each <= sequence; ++each) marks_.reset(each % kSize);
    }
    next_ = sequence + 1;
  }
  marks_.set(sequence % kSize);
  return true;
}

Sealer::Sealer(const Suite& suite, const Id128& session, wire::Direction direction, DirectionKeys keys, Random& random,
               std::uint64_t first)
    : suite_(&suite),
      session_(session),
      direction_(direction),
      keys_(std::move(keys)),
      mac_(mac_of(suite, keys_)),
      random_(&random),
      next_(first) {}

std::uint64_t Sealer::count() const noexcept { return next_.load(std::memory_order_relaxed); }

Result<std::uint64_t> Sealer::take_number() {
  std::uint64_t number = next_.load(std::memory_order_relaxed);
  do {
    if (number >= kMaxRecords) return fail(Fault::session_over, "record: all numbers are used");
  } while (!next_.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
  return number;
}

Result<std::uint64_t> Sealer::seal(Bytes& out, std::initializer_list<View> parts, std::size_t total,
                                   std::optional<std::uint64_t> request, const ChunkUse* chunk) {
  std::size_t content = 0;
  for (const View part : parts) content += part.size();
  if (total > max_plaintext(direction_) || total < wire::kLengthSize + content) {
    return fail(Fault::too_long, "record: plaintext");
  }
  USHER_TRY(const std::uint64_t sequence, take_number());

  const std::size_t length = crypto::ciphertext_size(crypto::traits_of(suite_->cipher), total);
  wire::RecordHeader header{.suite = suite_->number,
                            .session = session_,
                            .direction = direction_,
                            .sequence = sequence,
                            .request = request.value_or(sequence),
                            .length = static_cast<std::uint32_t>(length)};
  if (!suite_->counts_nonces()) header.iv = random_->array<16>();

  const auto size = big_endian(content);
  const View size32 = View{size}.last(wire::kLengthSize);
  const Pieces plaintext(size32, parts, total - content - wire::kLengthSize);
  set_size(out, kHeaderSize + length + suite_->tag_size());
  const crypto::Secret chunk_key = chunk ? chunk->keys.key(chunk->ids, sequence) : crypto::Secret();
  protect(out, header, plaintext.all(), chunk ? chunk_key.expose() : keys_.key.expose());
  return sequence;
}

void Sealer::protect(MutableView out, wire::RecordHeader header, std::span<const View> plaintext, View key) const {
  const auto encoded = header.encode();
  std::ranges::copy(encoded, out.begin());
  const MutableView sealed = out.subspan(kHeaderSize);
  if (suite_->aead()) {
    crypto::aead_seal(suite_->cipher, key, nonce_of(keys_.iv, header.sequence), encoded, plaintext, sealed);
    return;
  }
  crypto::encrypt(suite_->cipher, key, plain_iv(*suite_, keys_, header), plaintext, sealed.first(header.length));
  const Bytes mac = mac_->of({out.first(kHeaderSize + header.length)});
  std::ranges::copy(mac, sealed.begin() + header.length);
}

Opener::Opener(const Suite& suite, const Id128& session, wire::Direction direction, DirectionKeys keys)
    : suite_(&suite), session_(session), direction_(direction), keys_(std::move(keys)), mac_(mac_of(suite, keys_)) {}

Result<wire::RecordHeader> Opener::check_header(View record) const {
  USHER_TRY(const wire::RecordHeader header, wire::RecordHeader::decode(record));
  if (header.suite != suite_->number || header.session != session_ || header.direction != direction_) return refused();
  if (record.size() != kHeaderSize + header.length + suite_->tag_size()) return fail(Fault::malformed, "record: size");
  if (suite_->counts_nonces() && header.iv != decltype(header.iv){}) return fail(Fault::malformed, "record: iv");
  const bool is_response = direction_ == wire::Direction::to_client;
  if (!is_response && header.request != header.sequence) return fail(Fault::malformed, "record: request");
  if (header.sequence >= kMaxRecords) return refused();
  if (direction_ == wire::Direction::identity && header.sequence != 0) return refused();
  return header;
}

Result<> Opener::verify(const wire::RecordHeader& header, MutableView record, View key) const {
  const MutableView sealed = record.subspan(kHeaderSize);
  if (!suite_->aead()) {
    if (!mac_->verify({record.first(kHeaderSize + header.length)}, sealed.subspan(header.length))) return refused();
    return {};
  }
  const auto associated = array_of<kHeaderSize>(record);
  if (!crypto::aead_open(suite_->cipher, key, nonce_of(keys_.iv, header.sequence), associated, sealed,
                         sealed.first(header.length))) {
    return refused();
  }
  return {};
}

Result<View> Opener::decrypt(const wire::RecordHeader& header, MutableView ciphertext, View key) const {
  if (suite_->aead()) return ciphertext;  // verify() decrypted it
  USHER_TRY(const std::size_t size,
            crypto::decrypt(suite_->cipher, key, plain_iv(*suite_, keys_, header), ciphertext, ciphertext));
  return View{ciphertext}.first(size);
}

Result<OpenedRecord> Opener::open(MutableView record, wire::Padding padding, const ChunkUse* chunk) {
  USHER_TRY(const wire::RecordHeader header, check_header(record));
  if (window_.used(header.sequence)) return refused();
  const crypto::Secret chunk_key = chunk ? chunk->keys.key(chunk->ids, header.sequence) : crypto::Secret();
  const View key = chunk ? chunk_key.expose() : keys_.key.expose();
  USHER_CHECK(verify(header, record, key));
  if (!window_.mark(header.sequence)) {  // another thread opened the same record
    crypto::wipe(record);
    return refused();
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  auto plaintext = decrypt(header, record.subspan(kHeaderSize, header.length), key);
  if (!plaintext) return OpenedRecord{header, std::unexpected(std::move(plaintext).error())};
  return OpenedRecord{header, wire::unpad(*plaintext, padding), plaintext->size()};
}

}  // namespace usher::channel

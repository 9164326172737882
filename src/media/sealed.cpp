#include "media/sealed.h"

#include "media/sealed_detail.h"
#include "wire/codec.h"

namespace usher::media {
namespace {

using crypto::Secret;

constexpr std::string_view kMagic = "USHERSO1";

constexpr std::string_view kNotSealed =
    "It is no sealed object: name one that `usher get --sealed` or usher-press made.";

/// §3.2: the list of recipients, and the rule that a passphrase must be the only recipient.
Result<std::vector<Recipient>> read_recipients(View bytes) {
  wire::Reader in(bytes, "sealed: recipients");
  std::vector<Recipient> recipients;
  bool passphrase = false;
  while (in.ok() && !in.empty() && recipients.size() <= kMaxRecipients) {
    Recipient recipient;
    recipient.type = in.u8();
    recipient.params = to_bytes(in.vec16());
    recipient.wrapped = to_bytes(in.vec16());
    passphrase = passphrase || recipient.type == static_cast<std::uint8_t>(WrapType::passphrase);
    recipients.push_back(std::move(recipient));
  }
  USHER_CHECK(in.finish());
  if (recipients.empty() || recipients.size() > kMaxRecipients) return fail(Fault::malformed, "sealed: recipients");
  // Otherwise an attacker's header could make the opener compute scrypt sixteen times.
  if (passphrase && recipients.size() > 1) return fail(Fault::malformed, "sealed: passphrase beside other recipients");
  return recipients;
}

Result<Secret> unwrap_any(const Header& header, const Unwrapper& key) {
  for (const Recipient& recipient : header.recipients) {
    auto object_key = key.unwrap(recipient, {header.layout.suite, header.layout.object});
    if (object_key || object_key.error().fault != Fault::no_key_fits) return object_key;
  }
  return fail(Fault::no_key_fits, "sealed: recipients");
}

Result<> check_length(const Header& header, std::uint64_t size) {
  if (size > header.object_size()) {
    return fail(Fault::malformed, "sealed: length",
                std::to_string(size - header.object_size()) + " bytes follow the last chunk");
  }
  if (size < header.object_size()) {
    const std::uint64_t chunk = (size - header.size) / (header.layout.chunk_size + header.layout.tag_size());
    return fail(Fault::truncated, "sealed: length", detail::chunk_name(chunk) + " is missing or cut");
  }
  return {};
}

}  // namespace

std::size_t Layout::chunk_bytes(std::uint64_t index) const noexcept {
  const std::uint64_t left = total - index * chunk_size;
  return static_cast<std::size_t>(std::min<std::uint64_t>(left, chunk_size));
}

Result<Header> Header::read(const Source& source) {
  Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), detail::kMaxHeader)));
  USHER_CHECK(detail::read_exactly(source, 0, bytes, "sealed: header"));
  const std::size_t shown = std::min(bytes.size(), kMagic.size());
  if (!same(View(bytes).first(shown), view_of(kMagic).first(shown)))
    return fail(Fault::malformed, "sealed: magic", {}, std::string(kNotSealed));
  if (bytes.size() < detail::kFixedHeader) return fail(Fault::truncated, "sealed: header");

  wire::Reader in(View(bytes).subspan(kMagic.size()), "sealed: header");
  Header header;
  header.layout.suite = static_cast<Suite>(in.u8());
  header.layout.chunk_size = in.u32();
  header.layout.total = in.u64();
  header.layout.object = in.array<16>();
  header.salt = in.array<32>();
  USHER_CHECK(detail::check_layout(header.layout));
  const std::size_t recipients = in.u16();
  if (recipients > kMaxRecipientBytes) return fail(Fault::malformed, "sealed: recipients");
  if (in.left() < recipients + 2 * detail::kMacSize) return fail(Fault::truncated, "sealed: header");
  USHER_TRY(header.recipients, read_recipients(in.raw(recipients)));
  header.commitment = in.array<32>();
  header.mac = in.array<32>();
  header.size = bytes.size() - in.left();
  return header;
}

SealWriter::SealWriter(const Layout& layout, detail::BodyKeys keys, Sink& sink, std::size_t header_size)
    : layout_(layout),
      keys_(std::move(keys)),
      sink_(&sink),
      header_size_(header_size),
      pending_(static_cast<std::size_t>(std::min<std::uint64_t>(layout.total, layout.chunk_size))) {}

Result<SealWriter> SealWriter::begin(const Layout& layout, const Wrappers& wrappers, Sink& sink, Random& random) {
  Secret object_key(kObjectKeySize);
  random.fill(object_key.expose_for_writing());
  return begin_with(object_key, random.array<32>(), layout, wrappers, sink, random);
}

Result<SealWriter> SealWriter::begin_file(Layout layout, const Hash256& digest, const Wrappers& wrappers, Sink& sink,
                                          Random& random) {
  Secret object_key(kObjectKeySize);
  random.fill(object_key.expose_for_writing());
  const Hash256 salt = random.array<32>();
  layout.object = detail::file_id(object_key, salt, digest);
  return begin_with(object_key, salt, layout, wrappers, sink, random);
}

Result<SealWriter> SealWriter::begin_with(const Secret& object_key, const Hash256& salt, const Layout& layout,
                                          const Wrappers& wrappers, Sink& sink, Random& random) {
  detail::Keys keys = detail::derive_keys(object_key, salt, layout);
  USHER_TRY(const Bytes header, detail::make_header(layout, salt, object_key, keys, wrappers, random));
  USHER_CHECK(sink.write(header));
  return SealWriter(layout, std::move(keys.body), sink, header.size());
}

Result<> SealWriter::put_chunk() {
  sealed_.resize(filled_ + layout_.tag_size());
  detail::seal_chunk(layout_, keys_, next_, pending_.expose().first(filled_), sealed_);
  ++next_;
  filled_ = 0;
  return sink_->write(sealed_);
}

Result<> SealWriter::write(View plaintext) {
  if (plaintext.size() > layout_.total - taken_) return fail(Fault::too_long, "sealed: more than its total");
  taken_ += plaintext.size();
  while (!plaintext.empty()) {
    const std::size_t piece = std::min(plaintext.size(), layout_.chunk_bytes(next_) - filled_);
    std::ranges::copy(plaintext.first(piece), pending_.expose_for_writing().subspan(filled_).begin());
    filled_ += piece;
    plaintext = plaintext.subspan(piece);
    if (filled_ == layout_.chunk_bytes(next_)) USHER_CHECK(put_chunk());
  }
  return {};
}

Result<> SealWriter::finish() {
  if (taken_ != layout_.total) return fail(Fault::truncated, "sealed: less than its total");
  if (layout_.total == 0 && next_ == 0) return put_chunk();
  return {};
}

Result<SealedObject> SealedObject::open(SourcePtr source, const Id128& expected, const Unwrapper& key) {
  USHER_TRY(const Header header, Header::read(*source));
  if (header.layout.object != expected) return fail(Fault::wrong_object, "sealed: object id");
  USHER_TRY(Secret object_key, unwrap_any(header, key));
  detail::Keys keys = detail::derive_keys(object_key, header.salt, header.layout);
  if (!crypto::equal_constant_time(keys.commitment, header.commitment)) {
    return fail(Fault::header_damaged, "sealed: commitment");
  }
  const Hash256 mac = detail::mac_of(keys.header, detail::encode_without_mac(header));
  if (!crypto::equal_constant_time(mac, header.mac)) return fail(Fault::header_damaged, "sealed: MAC");
  USHER_CHECK(check_length(header, source->size()));

  SealedObject object;
  object.source_ = std::move(source);
  object.layout_ = header.layout;
  object.salt_ = header.salt;
  object.body_ = header.size;
  object.object_key_ = std::move(object_key);
  object.keys_ = std::move(keys.body);
  return object;
}

Result<std::size_t> SealedObject::sealed_size(std::uint64_t index) const {
  if (index >= layout_.chunks()) return fail(Fault::unknown_chunk, "sealed: chunk", detail::chunk_name(index));
  return layout_.chunk_bytes(index) + layout_.tag_size();
}

Result<> SealedObject::fetch(std::uint64_t index, MutableView sealed) const {
  const std::uint64_t offset = body_ + index * (layout_.chunk_size + layout_.tag_size());
  auto read = detail::read_exactly(*source_, offset, sealed, "sealed: chunk");
  if (!read) read.error().about = detail::chunk_name(index);
  return read;
}

Result<Secret> SealedObject::open_in_place(std::uint64_t index, Secret chunk) const {
  USHER_CHECK(detail::open_chunk(layout_, keys_, index, chunk.expose_for_writing()));
  chunk.truncate(layout_.chunk_bytes(index));
  return chunk;
}

Result<Secret> SealedObject::read_chunk(std::uint64_t index) const {
  USHER_TRY(const std::size_t size, sealed_size(index));
  Secret chunk(size);
  USHER_CHECK(fetch(index, chunk.expose_for_writing()));
  return open_in_place(index, std::move(chunk));
}

Result<Secret> SealedObject::read_chunk(std::uint64_t index, Bytes& sealed) const {
  USHER_TRY(const std::size_t size, sealed_size(index));
  sealed.resize(size);
  USHER_CHECK(fetch(index, sealed));
  return open_in_place(index, Secret::copy_of(sealed));
}

bool SealedObject::is_file_of(const Hash256& digest) const {
  return crypto::equal_constant_time(detail::file_id(object_key_, salt_, digest), layout_.object);
}

Result<Bytes> SealedObject::rewrap(const Wrappers& wrappers, Random& random) const {
  const detail::Keys keys = detail::derive_keys(object_key_, salt_, layout_);
  return detail::make_header(layout_, salt_, object_key_, keys, wrappers, random);
}

}  // namespace usher::media

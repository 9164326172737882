// tests/vectors/media: made by another implementation, from the text of the specification (generate.py there).
#include <boost/json.hpp>
#include <set>

#include "base/encoding.h"
#include "fixtures.h"
#include "support/fixed_random.h"

namespace usher::media {
namespace {

using namespace test;

/// A vector's fields; a field that the test did not read fails it.
class Vector {
 public:
  explicit Vector(const std::string& name) {
    const auto path = std::filesystem::path(USHER_SOURCE_DIR) / "tests/vectors/media" / (name + ".json");
    const Bytes text = read_file(path);
    fields_ = boost::json::parse(text_of(text)).as_object();
    for (const auto& field : fields_) unread_.insert(field.key());
  }
  ~Vector() {
    for (const auto& name : unread_) ADD_FAILURE() << "the test did not read " << name;
  }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;

  const boost::json::value& at(std::string_view name) {
    unread_.erase(std::string(name));
    return fields_.at(name);
  }
  std::string text(std::string_view name) { return std::string(at(name).as_string()); }
  std::uint64_t number(std::string_view name) { return at(name).to_number<std::uint64_t>(); }
  Bytes hex(std::string_view name) { return *from_hex(text(name)); }

 private:
  boost::json::object fields_;
  std::set<std::string> unread_;
};

Bytes plaintext_of(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i % 251);
  return out;
}

void check_both_ways(Vector& vector, const Wrapper& wrapper, const Unwrapper& unwrapper) {
  const Bytes plaintext = plaintext_of(vector.number("size"));
  const Layout layout{.suite = static_cast<Suite>(vector.number("suite")),
                      .chunk_size = static_cast<std::uint32_t>(vector.number("chunk_size")),
                      .total = plaintext.size(),
                      .object = array_of<16>(vector.hex("object"))};
  const Bytes sealed = vector.hex("sealed");

  const auto object = SealedObject::open(memory_source(sealed), layout.object, unwrapper);
  ASSERT_TRUE(object) << explain(object.error());
  Bytes opened;
  for (std::uint64_t i = 0; i < object->layout().chunks(); ++i) append(opened, object->read_chunk(i)->expose());
  EXPECT_EQ(opened, plaintext);

  usher::test::FixedRandom random(vector.hex("random"));
  MemorySink sink;
  auto writer = SealWriter::begin(layout, {&wrapper}, sink, random);
  ASSERT_TRUE(writer && writer->write(plaintext) && writer->finish());
  EXPECT_EQ(to_hex(sink.bytes), to_hex(sealed));
  EXPECT_EQ(random.left(), 0U);
}

class SealedVector : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Kek, SealedVector,
                         testing::Values("sealed-gcm-empty", "sealed-gcm-one-chunk", "sealed-gcm-two-chunks",
                                         "sealed-ctr-hmac-two-chunks"));

TEST_P(SealedVector, OpensAndIsMadeAgainByteForByte) {
  Vector vector(GetParam());
  EXPECT_EQ(vector.text("wrap"), "kek");
  const Kek kek(crypto::Secret::take(vector.hex("kek")));
  check_both_ways(vector, kek, kek);
}

TEST(SealedVectorPassphrase, OpensAndIsMadeAgainByteForByte) {
  Vector vector("sealed-gcm-passphrase");
  EXPECT_EQ(vector.text("wrap"), "passphrase");
  const std::string passphrase = vector.text("passphrase");
  const crypto::ScryptCost cost{.log2_n = static_cast<std::uint8_t>(vector.number("log2_n")),
                                .r = static_cast<std::uint32_t>(vector.number("r")),
                                .p = static_cast<std::uint32_t>(vector.number("p"))};
  check_both_ways(vector, PassphraseWrapper(secret(passphrase), cost), PassphraseUnwrapper(secret(passphrase)));
}

/// Reads the fields about a manifest's chunks, its time and its parts.
void read_extent(Vector& vector, Manifest& manifest) {
  manifest.kind = static_cast<MediaKind>(vector.number("kind"));
  manifest.duration_ms = vector.number("duration_ms");
  for (const auto& range : vector.at("structure").as_array()) {
    manifest.structure.push_back(
        {.first = range.at("first").to_number<std::uint32_t>(), .count = range.at("count").to_number<std::uint32_t>()});
  }
  const auto& seconds = vector.at("seconds").as_array();
  ASSERT_EQ(seconds.size(), manifest.seconds.size());
  for (std::size_t i = 0; i < seconds.size(); ++i) manifest.seconds[i] = seconds[i].to_number<std::uint32_t>();
  manifest.head = static_cast<std::uint32_t>(vector.number("head"));
  for (const auto& point : vector.at("seek").as_array()) {
    manifest.seek.push_back({.time_ms = point.at("time_ms").to_number<std::uint64_t>(),
                             .offset = point.at("offset").to_number<std::uint64_t>()});
  }
  for (const auto& part : vector.at("parts").as_array()) {
    const auto hex = [&part](std::string_view name) { return *from_hex(std::string(part.at(name).as_string())); };
    manifest.parts.push_back({.kind = static_cast<PartKind>(part.at("kind").to_number<int>()),
                              .size = part.at("size").to_number<std::uint32_t>(),
                              .hash = array_of<32>(hex("hash")),
                              .object = array_of<16>(hex("object"))});
  }
}

TEST(ManifestVector, IsEncodedByteForByte) {
  Vector vector("manifest");
  Manifest manifest;
  manifest.medium = array_of<16>(vector.hex("medium"));
  manifest.title = vector.text("title");
  manifest.artist = vector.text("artist");
  manifest.album = vector.text("album");
  manifest.description = vector.text("description");
  manifest.media_type = vector.text("media_type");
  read_extent(vector, manifest);
  manifest.size = vector.number("size");
  manifest.chunk_size = static_cast<std::uint32_t>(vector.number("chunk_size"));
  manifest.chunks = static_cast<std::uint32_t>(vector.number("chunks"));
  manifest.root = array_of<32>(vector.hex("root"));
  manifest.object = array_of<16>(vector.hex("object"));
  manifest.pressed_at = static_cast<std::int64_t>(vector.number("pressed_at"));
  manifest.distributor = vector.text("distributor");
  const auto valid = manifest.valid();
  EXPECT_TRUE(valid) << explain(valid.error());
  EXPECT_EQ(to_hex(manifest.encode()), vector.text("encoded"));
  EXPECT_EQ(*root_of(*memory_source(plaintext_of(manifest.size)), manifest.chunk_size), manifest.root);
  EXPECT_EQ(to_hex(companion_id("manifest", manifest.medium)), vector.text("manifest_object"));
  EXPECT_EQ(to_hex(companion_id("tree", manifest.object)), vector.text("tree_object"));

  SignedManifest signed_manifest{.manifest = manifest.encode(), .signature = vector.hex("signature"), .chain = {}};
  for (const auto& certificate : vector.at("chain").as_array()) {
    signed_manifest.chain.push_back(*from_hex(std::string(certificate.as_string())));
  }
  EXPECT_EQ(to_hex(signed_manifest.encode()), vector.text("signed_manifest"));
  EXPECT_EQ(to_hex(signed_manifest.hash()), vector.text("hash"));
  signed_manifest.signature = *distributor_key().sign(vector.hex("signed_bytes"));
  EXPECT_TRUE(signed_manifest.verify(distributor_key().public_key()));
}

}  // namespace
}  // namespace usher::media

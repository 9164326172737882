#include "wycheproof.h"

#include <boost/json.hpp>

#include "base/encoding.h"

namespace usher::test {
namespace {

Bytes hex_of(const boost::json::object& object, const char* name) {
  const auto bytes = from_hex(object.at(name).as_string());
  EXPECT_TRUE(bytes.has_value()) << name;
  return bytes.value_or(Bytes{});
}

}  // namespace

Bytes Case::hex(const char* name) const { return hex_of(fields_, name); }
Bytes Case::group_hex(const char* name) const { return hex_of(group_, name); }
std::int64_t Case::number(const char* name) const { return fields_.at(name).to_number<std::int64_t>(); }
std::int64_t Case::group_number(const char* name) const { return group_.at(name).to_number<std::int64_t>(); }
std::string Case::group_text(const char* name) const { return std::string(group_.at(name).as_string()); }
bool Case::valid() const { return fields_.at("result").as_string() == "valid"; }
bool Case::may_be_taken() const { return fields_.at("result").as_string() != "invalid"; }

std::string Case::name() const {
  return std::to_string(number("tcId")) + ": " + std::string(fields_.at("comment").as_string());
}

void each_case(const std::string& file, std::size_t least, const std::function<bool(const Case&)>& run) {
  const boost::json::value json = boost::json::parse(read_text(conformance_folder() / "wycheproof" / file));
  std::size_t seen = 0;
  std::size_t used = 0;
  for (const boost::json::value& group : json.at("testGroups").as_array()) {
    for (const boost::json::value& fields : group.at("tests").as_array()) {
      ++seen;
      if (run(Case(group.as_object(), fields.as_object()))) ++used;
    }
  }
  EXPECT_EQ(seen, json.at("numberOfTests").to_number<std::size_t>());
  EXPECT_GE(used, least);
  testing::Test::RecordProperty("cases", static_cast<int>(used));
}

}  // namespace usher::test

// Path validation and delta lists against cases that others wrote: delta/, pkits/, bsi/.
#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include "pki/path.h"
#include "support/conformance.h"

namespace usher::pki {
namespace {

namespace fs = std::filesystem;
using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t to = std::min(text.find(separator, from), text.size());
    out.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return text.empty() ? std::vector<std::string>{} : out;
}

std::vector<Row> table(const fs::path& file) {
  const auto lines = split(test::read_text(file), '\n');
  const auto names = split(lines.at(0), '\t');
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = split(lines[i], '\t');
    if (fields.size() < 2) continue;
    Row row;
    for (std::size_t f = 0; f < names.size(); ++f) row[names[f]] = f < fields.size() ? fields[f] : "";
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<Certificate> certificate(const fs::path& file) {
  if (!fs::is_regular_file(file)) return std::nullopt;  // common_02 has no anchor at all
  const std::string content = test::read_text(file);
  auto parsed = content.starts_with("-----") ? Certificate::from_pem(content) : Certificate::from_der(view_of(content));
  if (!parsed) return std::nullopt;
  return *std::move(parsed);
}

/// Lists that do not parse are left out: they count as missing.
std::vector<Crl> lists(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<Crl> out;
  for (const std::string& name : names) {
    const std::string content = test::read_text(folder / name);
    if (const auto crls = crls_from_file_content(view_of(content))) out.insert(out.end(), crls->begin(), crls->end());
  }
  return out;
}

struct Verdict {
  bool valid = false;
  std::string why;
};

Verdict judge(const std::optional<Certificate>& anchor, const std::vector<std::optional<Certificate>>& chain,
              std::vector<Crl> crls, const PathOptions& options) {
  if (!anchor || !std::ranges::all_of(chain, [](const auto& one) { return one.has_value(); }))
    return {false, "malformed"};
  Chain sent;
  for (const auto& one : chain) sent.push_back(*one);
  const auto trust = PathTrust::make({*anchor}, {}, std::move(crls));
  if (!trust) return {false, explain(trust.error())};
  const auto path = verify_path(sent, *trust, options);
  return path ? Verdict{true, "accepted"} : Verdict{false, explain(path.error())};
}

TEST(Paths, DeltaTraps) {
  USHER_NEEDS_CONFORMANCE("delta");
  const fs::path folder = test::conformance_folder() / "delta";
  const auto rows = table(folder / "cases.tsv");
  EXPECT_GE(rows.size(), 10U);
  for (const Row& row : rows) {
    const PathOptions options{.at = from_unix_seconds(std::stoll(row.at("attime")))};
    const Verdict verdict =
        judge(certificate(folder / "root.pem"), {certificate(folder / row.at("ee")), certificate(folder / "sub.pem")},
              lists(folder, split(row.at("crls"), ',')), options);
    // "policy": identity.md §4.2, §4.3. One that is pointed to and not there is missed (D13), one that is not above its
    // base is superseded (D17).
    const bool wanted = row.at("wanted") == "accept" || row.at("case") == "D17";
    EXPECT_EQ(verdict.valid, wanted) << row.at("case") << " " << row.at("title") << ": " << verdict.why;
  }
}

std::string pkits_policy(const std::string& name) {
  return name == "anyPolicy" ? "2.5.29.32.0" : "2.16.840.1.101.3.2.1.48." + name.substr(name.rfind('-') + 1);
}

constexpr std::size_t kPkitsCases = 247;  // of all 224 tests, some of which have parts

PathOptions pkits_options(const Row& row) {
  PathOptions options{.at = from_unix_seconds(1302825600), .max_intermediates = 20, .security_level = 0};  // 2011-04-15
  for (const std::string& name : split(row.at("initial_policy_set"), ','))
    options.policy.initial_policies.push_back(pkits_policy(name));
  options.policy.require_explicit = row.at("initial_explicit_policy") == "1";
  options.policy.inhibit_mapping = row.at("initial_policy_mapping_inhibit") == "1";
  options.policy.inhibit_any = row.at("initial_inhibit_any_policy") == "1";
  return options;
}

/// The files of a case, below the folder of PKITS; the target's certificate first.
struct PkitsFiles {
  explicit PkitsFiles(const Row& row) {
    for (const std::string& name : split(row.at("chain"), ',')) chain.push_back("certs/" + name + ".crt");
    std::ranges::reverse(chain);
    for (const std::string& name : split(row.at("crls"), ',')) crls.push_back("crls/" + name + ".crl");
  }
  [[nodiscard]] bool are_in(const fs::path& folder) const {
    const auto there = [&](const std::string& file) { return fs::exists(folder / file); };
    return std::ranges::all_of(chain, there) && std::ranges::all_of(crls, there);
  }
  std::vector<std::string> chain;
  std::vector<std::string> crls;
};

TEST(Paths, Pkits) {
  const fs::path folder = test::pkits_folder();
  USHER_NEEDS_DEBIAN_VECTORS("PKITS", folder / "certs");
  std::size_t ran = 0;
  std::set<std::string> wrong;
  const auto rows = table(fs::path(USHER_SOURCE_DIR) / "tests/conformance/pki/pkits.tsv");
  ASSERT_EQ(rows.size(), kPkitsCases);
  for (const Row& row : rows) {
    const PkitsFiles files(row);
    if (!files.are_in(folder)) continue;  // of a part of the collection
    ++ran;
    std::vector<std::optional<Certificate>> chain;
    for (const std::string& file : files.chain) chain.push_back(certificate(folder / file));
    const Verdict verdict = judge(certificate(folder / "certs/TrustAnchorRootCertificate.crt"), chain,
                                  lists(folder, files.crls), pkits_options(row));
    if (verdict.valid == (row.at("expected") == "valid")) continue;
    wrong.insert(row.at("test"));
    const bool known = row.at("test") == "4.1.5" || row.at("test") == "4.14.30";
    EXPECT_TRUE(known) << row.at("test") << "." << row.at("subpart") << ": " << verdict.why;
  }
  EXPECT_EQ(ran, folder == test::conformance_folder() / "pkits" ? 151U : kPkitsCases);
  // OpenSSL does not inherit DSA parameters, and decides 4.14.30 differently: in both cases it refuses a valid path.
  EXPECT_EQ(wrong, (std::set<std::string>{"4.1.5", "4.14.30"}));
}

TEST(Paths, Bsi) {
  USHER_NEEDS_CONFORMANCE("bsi");
  const auto rows = table(test::conformance_folder() / "bsi/bsi.tsv");
  EXPECT_GE(rows.size(), 34U);
  for (const Row& row : rows) {
    const fs::path folder = test::conformance_folder() / "bsi/cases" / row.at("name");
    PathOptions options{.at = from_unix_seconds(1503144000)};  // 2017-08-19T12:00Z
    if (row.at("check_crl") != "1") options.revocation = RevocationMode::none;
    std::vector<std::optional<Certificate>> chain{certificate(folder / row.at("target"))};
    for (const std::string& name : split(row.at("untrusted"), ',')) chain.push_back(certificate(folder / name));
    const Verdict verdict =
        judge(certificate(folder / row.at("anchor")), chain, lists(folder, split(row.at("crls"), ',')), options);
    EXPECT_EQ(verdict.valid, row.at("expected") == "valid") << row.at("name") << ": " << verdict.why;
  }
}

}  // namespace
}  // namespace usher::pki

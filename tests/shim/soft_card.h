// shim/soft_card: card hierarchies and SoftHSM cards for tests, made per run.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "card/card.h"
#include "card/card_provision.h"
#include "crypto/random.h"
#include "pki/issue.h"
#include "pki/trust_store.h"

namespace usher::test {

inline constexpr const char* kSoftHsm = "/usr/lib/softhsm/libsofthsm2.so";

template <class T>
T must(Result<T> value) {
  if (!value) {
    std::fprintf(stderr, "a test's preparation failed: %s\n", explain(value.error()).c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return *std::move(value);
}

/// Root, sub-CA and users as the citizen card has them.
class CardHierarchy {
 public:
  explicit CardHierarchy(Time now) : now_(now) {
    root_.emplace(must(
        pki::issue_root({.name = {.common_name = "Card root", .organisation = "Test State"}, .validity = validity()},
                        root_key_, random_)));
    sub_.emplace(must(pki::issue_sub_ca({*root_, root_key_},
                                        {.name = {.common_name = "Card sub-CA", .organisation = "Test Registry"},
                                         .validity = validity(),
                                         .path_length = 0},
                                        sub_key_.public_key(), random_)));
  }

  [[nodiscard]] const pki::Certificate& root() const { return *root_; }
  [[nodiscard]] const pki::Certificate& sub() const { return *sub_; }
  [[nodiscard]] const crypto::PrivateKey& sub_key() const { return sub_key_; }
  [[nodiscard]] const crypto::PrivateKey& root_key() const { return root_key_; }
  [[nodiscard]] pki::Validity validity() const { return {now_ - std::chrono::days(1), now_ + std::chrono::days(30)}; }

  /// As on a citizen card; a test may change it.
  [[nodiscard]] pki::LeafRequest citizen() const {
    return {.name = {.common_name = "Ana Maria Silva",
                     .organisation = "Cart\xc3\xa3o de Cidad\xc3\xa3o",
                     .country = "PT",
                     .serial_number = "BI123456789",
                     .given_name = "Ana Maria",
                     .surname = "Silva"},
            .validity = validity(),
            .more_eku = {std::string(pki::kOidClientAuth)}};
  }
  /// Leaf, sub-CA, root.
  [[nodiscard]] pki::Chain certify(const crypto::PublicKey& key, const pki::LeafRequest& request) {
    return {must(pki::issue_leaf({*sub_, sub_key_}, request, key, random_)), *sub_, *root_};
  }

  [[nodiscard]] std::shared_ptr<const pki::TrustStore> trust(const person::Profile& profile) const {
    return must(pki::TrustStore::make({.role = pki::Role::person,
                                       .anchors = {*root_},
                                       .revocation = pki::RevocationMode::none,
                                       .mapping = profile.mapping}));
  }

 private:
  Time now_;
  crypto::SystemRandom random_;
  crypto::PrivateKey root_key_ = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  crypto::PrivateKey sub_key_ = must(crypto::PrivateKey::generate(crypto::NewKey::p256));
  std::optional<pki::Certificate> root_;
  std::optional<pki::Certificate> sub_;
};

/// SoftHSM with a token directory of its own, and the shim's control directory. One at a time in a process.
class SoftCards {
 public:
  SoftCards() {
    // SoftHSM truncates and syncs files all the time: in memory this is fast.
    std::string pattern = "/dev/shm/usher card XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      pattern = (std::filesystem::temp_directory_path() / "usher card XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    }
    folder_ = pattern;
    std::filesystem::create_directory(folder_ / "tokens");
    std::ofstream(folder_ / "softhsm.conf") << "directories.tokendir = " << (folder_ / "tokens").string()
                                            << "\nobjectstore.backend = file\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", (folder_ / "softhsm.conf").c_str(), 1);
    ::setenv("USHER_SHIM_DIR", folder_.c_str(), 1);
    ::setenv("USHER_SHIM_MODULE", kSoftHsm, 1);
  }
  ~SoftCards() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  SoftCards(const SoftCards&) = delete;
  SoftCards& operator=(const SoftCards&) = delete;

  static crypto::Secret pin() { return crypto::Secret::copy_of(view_of("1234")); }
  static crypto::Secret wrong_pin() { return crypto::Secret::copy_of(view_of("9999")); }

  /// A card whose certificate the hierarchy issues.
  pki::Chain provision(CardHierarchy& hierarchy, const std::string& label, crypto::NewKey kind, bool with_sub_ca = true,
                       card::p11::KeyUse use = card::p11::KeyUse::after_login) const {
    const card::NewCard card{.module = kSoftHsm,
                             .token_label = label,
                             .kind = kind,
                             .labels = person::citizen_card_profile().labels,
                             .with_sub_ca = with_sub_ca,
                             .key_use = use};
    return must(card::provision_card(
        card, crypto::Secret::copy_of(view_of("87654321")), pin(),
        [&](const crypto::PublicKey& key) { return hierarchy.certify(key, hierarchy.citizen()); }));
  }

  /// Another certificate on a card, with the same label as the person's. `id`: of the card's own key, or another.
  void add_certificate(const std::string& card, const pki::Certificate& certificate, std::uint8_t id = 0x45) const {
    const auto module = must(card::p11::Module::load(kSoftHsm));
    for (const auto& token : must(module.tokens())) {
      if (token.label != card) continue;
      auto session = must(module.open(token.slot, true));
      const auto own_pin = pin();
      must(session.login(card::p11::User::user, &own_pin));
      must(session.write_certificate(person::citizen_card_profile().labels.certificate, Bytes{id}, certificate));
      return;
    }
    std::abort();
  }

  /// What the shim does from now on (shim.cpp lists the lines).
  void set_mode(const std::string& lines) const { std::ofstream(folder_ / "mode") << lines << '\n'; }
  /// The PIN typed at the reader's own keys.
  void type_at_reader(const std::string& pin) const { std::ofstream(folder_ / "pin") << pin; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace usher::test

// A key that signs like a token that sometimes does not answer.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include <openssl/ec.h>

#include "support/eventually.h"
#include "support/pki.h"

// OpenSSL 3 keeps the methods of version 1.1 for keys that are elsewhere: as card/remote_key.cpp uses them.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace usher::server::test {

/// One at a time. Lets all calls go when it ends.
class HangingKey {
 public:
  /// The same P-256 key; its signatures are under control from here on.
  explicit HangingKey(const crypto::PrivateKey& key) {
    const crypto::PKeyPtr pair(EVP_PKEY_dup(key.ossl()));
    const std::unique_ptr<EC_KEY, Free> own(EVP_PKEY_get1_EC_KEY(pair.get()));
    crypto::PKeyPtr out(EVP_PKEY_new());
    EXPECT_EQ(EC_KEY_set_method(own.get(), method()), 1);
    EXPECT_EQ(EVP_PKEY_set1_EC_KEY(out.get(), own.get()), 1);
    key_ = std::make_shared<const crypto::PrivateKey>(usher::test::must(crypto::PrivateKey::from_ossl(std::move(out))));
    one() = this;
  }
  ~HangingKey() {
    let_go();
    one() = nullptr;
  }
  HangingKey(const HangingKey&) = delete;
  HangingKey& operator=(const HangingKey&) = delete;

  [[nodiscard]] std::shared_ptr<const crypto::PrivateKey> key() const { return key_; }
  /// So many calls from here on hang until let_go().
  void hang(int calls) {
    const std::scoped_lock lock(mutex_);
    to_hang_ = calls;
  }
  /// Waits until this many calls hang. Returns whether they do.
  [[nodiscard]] bool hangs(int calls) {
    std::unique_lock lock(mutex_);
    return usher::test::eventually(changed_, lock, [&] { return hanging_ == calls; });
  }
  void let_go() {
    std::unique_lock lock(mutex_);
    to_hang_ = 0;
    ++released_;
    changed_.notify_all();
    EXPECT_TRUE(usher::test::eventually(changed_, lock, [this] { return hanging_ == 0; }));
  }

 private:
  struct Free {
    void operator()(EC_KEY* key) const noexcept { EC_KEY_free(key); }
  };
  static HangingKey*& one() {
    static HangingKey* key = nullptr;
    return key;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    if (to_hang_ == 0) return;
    --to_hang_;
    ++hanging_;
    changed_.notify_all();
    // Longer than any wait of a test, so that a test notices a call that hangs by mistake.
    changed_.wait_for(lock, 4 * usher::test::kPatience, [this, before = released_] { return released_ != before; });
    --hanging_;
    changed_.notify_all();
  }
  static ECDSA_SIG* sign(const unsigned char* digest, int size, const BIGNUM* inverse, const BIGNUM* r, EC_KEY* key) {
    one()->wait();
    int (*whole)(int, const unsigned char*, int, unsigned char*, unsigned int*, const BIGNUM*, const BIGNUM*, EC_KEY*) =
        nullptr;
    int (*setup)(EC_KEY*, BN_CTX*, BIGNUM**, BIGNUM**) = nullptr;
    ECDSA_SIG* (*plain)(const unsigned char*, int, const BIGNUM*, const BIGNUM*, EC_KEY*) = nullptr;
    EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), &whole, &setup, &plain);
    return plain(digest, size, inverse, r, key);
  }
  static const EC_KEY_METHOD* method() {
    static EC_KEY_METHOD* const made = [] {
      EC_KEY_METHOD* method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
      int (*whole)(int, const unsigned char*, int, unsigned char*, unsigned int*, const BIGNUM*, const BIGNUM*,
                   EC_KEY*) = nullptr;
      int (*setup)(EC_KEY*, BN_CTX*, BIGNUM**, BIGNUM**) = nullptr;
      EC_KEY_METHOD_get_sign(method, &whole, &setup, nullptr);
      EC_KEY_METHOD_set_sign(method, whole, setup, sign);
      return method;
    }();
    return made;
  }

  std::shared_ptr<const crypto::PrivateKey> key_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int to_hang_ = 0;
  int hanging_ = 0;
  unsigned released_ = 0;
};

}  // namespace usher::server::test

#pragma GCC diagnostic pop

#include "crypto/digest.h"

#include <algorithm>

#include <openssl/err.h>

#include "base/must.h"

namespace usher::crypto {
namespace {

constexpr char kBetween = '\x1f';  // separates about from advice in OpenSSL's error queue

}  // namespace

std::unexpected<Error> ossl_fail(Fault fault, std::string_view where, std::string about) {
  ERR_clear_error();
  return fail(fault, where, std::move(about));
}

void put_error(const Error& error) {
  ERR_new();
  ERR_set_error(ERR_LIB_USER, static_cast<int>(error.fault) + 1, "%s%c%s", error.about.c_str(), kBetween,
                error.advice.c_str());
}

std::optional<Error> take_error() {
  const char* text = nullptr;
  int flags = 0;
  std::optional<Error> found;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags)) {
    if (ERR_GET_LIB(code) != ERR_LIB_USER) continue;
    const std::string both = (flags & ERR_TXT_STRING) != 0 ? text : "";
    const std::size_t end = std::min(both.find(kBetween), both.size());
    found = Error{static_cast<Fault>(ERR_GET_REASON(code) - 1), "key", both.substr(0, end),
                  both.substr(std::min(end + 1, both.size()))};
  }
  return found;
}

std::unexpected<Error> key_fail(Fault fault, std::string_view where) {
  auto own = take_error();
  return own ? fail(own->fault, where, std::move(own->about), std::move(own->advice)) : fail(fault, where);
}

const EVP_MD* ossl_of(Digest digest) noexcept {
  static const EVP_MD* const fetched[] = {EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                          EVP_MD_fetch(nullptr, "SHA384", nullptr),
                                          EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  return fetched[static_cast<std::size_t>(digest)];
}

Bytes digest_of(Digest digest, std::initializer_list<View> parts) {
  Hasher hasher(digest);
  for (const View part : parts) hasher.update(part);
  return hasher.value();
}

Hash256 sha256(std::initializer_list<View> parts) { return array_of<32>(digest_of(Digest::sha256, parts)); }

Hasher::Hasher(Digest digest) : digest_(digest), context_(EVP_MD_CTX_new()) {
  must(context_ && EVP_DigestInit_ex2(context_.get(), ossl_of(digest), nullptr) == 1);
}

Hasher::Hasher(const Hasher& other) : digest_(other.digest_), context_(EVP_MD_CTX_new()) {
  must(context_ && EVP_MD_CTX_copy_ex(context_.get(), other.context_.get()) == 1);
}

Hasher& Hasher::operator=(const Hasher& other) {
  if (this != &other) *this = Hasher(other);
  return *this;
}

void Hasher::update(View bytes) {
  if (!bytes.empty()) must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Bytes Hasher::value() const {
  const Hasher copy(*this);
  Bytes out(size_of(digest_));
  must(EVP_DigestFinal_ex(copy.context_.get(), out.data(), nullptr) == 1);
  return out;
}

}  // namespace usher::crypto

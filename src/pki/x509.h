// pki/x509: owning pointers to OpenSSL's X.509 objects, and small helpers. For the .cpp files of pki, person and card.
#pragma once

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/ossl.h"

namespace usher::pki {

using crypto::Ossl;
using X509Ptr = Ossl<X509, X509_free>;
using CrlPtr = Ossl<X509_CRL, X509_CRL_free>;
using NamePtr = Ossl<X509_NAME, X509_NAME_free>;
using ObjectPtr = Ossl<ASN1_OBJECT, ASN1_OBJECT_free>;
using IntegerPtr = Ossl<ASN1_INTEGER, ASN1_INTEGER_free>;
using OctetsPtr = Ossl<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using TimePtr = Ossl<ASN1_TIME, ASN1_TIME_free>;
using ExtensionPtr = Ossl<X509_EXTENSION, X509_EXTENSION_free>;
using GeneralNamesPtr = Ossl<GENERAL_NAMES, GENERAL_NAMES_free>;
using EkuPtr = Ossl<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using StoreCtxPtr = Ossl<X509_STORE_CTX, X509_STORE_CTX_free>;

// Stacks that borrow their elements.
struct FreeStack {
  void operator()(STACK_OF(X509) * s) const noexcept { sk_X509_free(s); }
  void operator()(STACK_OF(X509_CRL) * s) const noexcept { sk_X509_CRL_free(s); }
};
using X509Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;
using CrlStack = std::unique_ptr<STACK_OF(X509_CRL), FreeStack>;

/// nullopt if it is not a time.
[[nodiscard]] std::optional<Time> time_of(const ASN1_TIME* time);
/// The dotted form, for any arc.
[[nodiscard]] std::string dotted(const ASN1_OBJECT* object);
/// "CN=…, O=…", clean UTF-8, at most 1 KiB.
[[nodiscard]] std::string text_of_name(const X509_NAME* name);
[[nodiscard]] Bytes der_of_name(const X509_NAME* name);
/// A PEM text as OpenSSL writes it.
[[nodiscard]] std::string content_of(BIO* bio);
[[nodiscard]] crypto::BioPtr reading(std::string_view text);
/// Whether a signature algorithm uses SHA-256, SHA-384, SHA-512 or Ed25519/Ed448.
[[nodiscard]] bool is_strong_signature(const X509_ALGOR* algorithm);
/// Whether it uses MD5 or older, or SHA-1. SHA-1 with DSA does not count: for a long time DSA had no other digest.
[[nodiscard]] bool is_broken_signature(const X509_ALGOR* algorithm);

}  // namespace usher::pki

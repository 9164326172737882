// Revocation lists: for every entry, our stored form of a list gives the same answer as OpenSSL's own look-up.
// Links: pki
#include "pki/crl_reduced.h"
#include "round_trip.h"

using namespace usher;

namespace {

constexpr int kMaxLookUps = 64;  // entries of one list: OpenSSL sorts it first

int by_serial(X509_CRL* crl, const X509_REVOKED* entry) {
  X509_REVOKED* answer = nullptr;
  return X509_CRL_get0_by_serial(crl, &answer, X509_REVOKED_get0_serialNumber(entry));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  const auto light = pki::ReducedCrl::make(bytes);
  if (!light) return 0;
  const auto parts = pki::split_crl(bytes);
  fuzz::must(parts.has_value());
  std::size_t entries = 0;
  for (View rest = parts->entries; !rest.empty(); ++entries) fuzz::must(pki::take_entry(rest).has_value());
  fuzz::must(entries == (*light)->index().size());

  const unsigned char* at = data;
  const pki::CrlPtr whole(d2i_X509_CRL(nullptr, &at, static_cast<long>(size)));
  if (!whole) return 0;
  const STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(whole.get());
  const int count = revoked == nullptr ? 0 : sk_X509_REVOKED_num(revoked);
  fuzz::must(static_cast<std::size_t>(count) == entries);
  for (int i = 0; i < count && i < kMaxLookUps; ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(revoked, i);
    const int ours = by_serial((*light)->ossl(), entry);
    const int theirs = by_serial(whole.get(), entry);
    // If two entries have the same serial number, OpenSSL takes either; here the certificate is revoked.
    fuzz::must(ours == theirs || (ours == 1 && theirs == 2));
  }
  return 0;
}

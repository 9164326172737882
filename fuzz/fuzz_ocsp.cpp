// What a responder answers: u16 length ‖ certificate ‖ u16 length ‖ its issuer ‖ response, all DER.
// Links: pki wire
#include "pki/ocsp.h"
#include "round_trip.h"
#include "wire/codec.h"

using namespace usher;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wire::Reader in(View(data, size), "fuzz");
  const View certificate_der = in.vec16();
  const View issuer_der = in.vec16();
  if (!in.ok()) return 0;
  const auto certificate = pki::Certificate::from_der(certificate_der);
  const auto issuer = pki::Certificate::from_der(issuer_der);
  if (!certificate || !issuer) return 0;
  const Time now = from_unix_seconds(1'800'000'000);
  const auto answer = pki::read_answer(in.rest(), *certificate, *issuer, now);
  fuzz::either_way(answer);
  if (answer) fuzz::must(answer->in_force(now));
  fuzz::either_way(pki::status_request(*certificate, *issuer));
  return 0;
}

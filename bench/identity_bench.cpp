// Identity: the cost of judging a card's path compared with the signatures in it, with revocation lists of any length;
// and the cost of loading and keeping a long list. The lists are P-256, with serial numbers of 16 bytes and a reason
// for each entry.
// Links: card
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "person/profile.h"
#include "person/statement.h"
#include "pki/x509.h"
#include "support/crl.h"

namespace {

using namespace usher;
using pki::Crl;
using test::kNow;
using test::must;

/// A person's path: root, sub-CA, leaf.
struct Pki {
  test::Authority root = test::Authority::root();
  test::Authority sub = root.sub();
  test::Identity leaf = sub.leaf({.role = pki::Role::person, .name = {.common_name = "A", .serial_number = "A1"}});

  /// The sub-CA's list is the long one.
  [[nodiscard]] Crl list(std::uint32_t entries) const {
    return entries == 0 ? sub.crl() : must(Crl::from_der(test::large_crl(sub, sub.crl(), entries)));
  }
};

const Pki& pki() {
  static const Pki made;
  return made;
}

void bare_signatures(benchmark::State& state) {
  EVP_PKEY* root = X509_get0_pubkey(pki().root.certificate.x509());
  EVP_PKEY* sub = X509_get0_pubkey(pki().sub.certificate.x509());
  while (state.KeepRunning()) {
    const bool held =
        X509_verify(pki().leaf.certificate.x509(), sub) == 1 && X509_verify(pki().sub.certificate.x509(), root) == 1;
    if (!held) state.SkipWithError("verify");
  }
}
BENCHMARK(bare_signatures);

void verify_path_with_list(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const auto store = must(pki::TrustStore::make({.role = pki::Role::person,
                                                 .anchors = {pki().root.certificate},
                                                 .intermediates = {pki().sub.certificate},
                                                 .crls = {pki().root.crl(), pki().list(entries)}}));
  const pki::Chain sent{pki().leaf.certificate};
  while (state.KeepRunning()) {
    if (!store->verify(sent, kNow)) state.SkipWithError("verify");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(verify_path_with_list)->Arg(0)->Arg(1'000)->Arg(1'000'000);

/// The cost of api/auth: decode the request, judge the card's path, verify the signatures of card, holder and binding.
void login(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const auto store = must(pki::TrustStore::make({.role = pki::Role::person,
                                                 .anchors = {pki().root.certificate},
                                                 .intermediates = {pki().sub.certificate},
                                                 .crls = {pki().root.crl(), pki().list(entries)}}));
  const Bytes exporter(person::kExporterSize, 1);
  const person::AuthContext context{.server_key = {2}, .installation = {3}, .exporter = exporter, .now = kNow};
  const auto session = must(person::PersonSession::create(
      pki().leaf.key, {pki().leaf.certificate},
      {.server_key = context.server_key, .installation = context.installation, .now = kNow}, test::randomness()));
  const Bytes request = must(session.bind(exporter)).encode();
  const person::Profile profile = person::generic_profile("serialNumber");
  while (state.KeepRunning()) {
    const auto decoded = person::AuthRequest::decode(request);
    if (!decoded || !person::verify_auth(*decoded, context, *store, profile)) state.SkipWithError("login");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(login)->Arg(0)->Arg(1'000)->Arg(1'000'000);

/// The five signatures of a login: two certificates, card, holder, binding.
void bare_signatures_of_a_login(benchmark::State& state) {
  EVP_PKEY* root = X509_get0_pubkey(pki().root.certificate.x509());
  EVP_PKEY* sub = X509_get0_pubkey(pki().sub.certificate.x509());
  const Bytes message(250, 1);
  const Bytes signature = must(pki().leaf.key.sign(message));
  const crypto::PublicKey& key = pki().leaf.key.public_key();
  while (state.KeepRunning()) {
    bool held =
        X509_verify(pki().leaf.certificate.x509(), sub) == 1 && X509_verify(pki().sub.certificate.x509(), root) == 1;
    for (int i = 0; i < 3; ++i) held = held && key.verify(pki().leaf.key.scheme(), message, signature).has_value();
    if (!held) state.SkipWithError("verify");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(bare_signatures_of_a_login);

/// OpenSSL verifies a list's signature before those of the certificates: a stranger who uses the sub-CA's name makes it
/// verify the list with the stranger's own key.
void wrong_key_on_list(benchmark::State& state) {
  const Crl list = pki().list(static_cast<std::uint32_t>(state.range(0)));
  const auto stranger = test::Authority::root().sub();
  while (state.KeepRunning()) {
    if (list.verify(stranger.certificate)) state.SkipWithError("accepted");
  }
}
BENCHMARK(wrong_key_on_list)->Arg(0)->Arg(1'000'000);

/// VmRSS or VmHWM of this process, in bytes.
double memory(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what + ":")) return std::stod(line.substr(what.size() + 1)) * 1024;
  }
  return 0;
}

/// A file without a name, so that the list's bytes are not in memory before they are read.
class Scratch {
 public:
  explicit Scratch(View content) : size_(content.size()), file_(std::tmpfile()) {
    std::fwrite(content.data(), 1, size_, file_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::fclose(file_); }
  [[nodiscard]] Bytes content() const {
    Bytes out(size_);
    if (std::fseek(file_, 0, SEEK_SET) != 0) return {};
    if (std::fread(out.data(), 1, out.size(), file_) != out.size()) out.clear();
    return out;
  }

 private:
  std::size_t size_;
  std::FILE* file_;
};

void load_list(benchmark::State& state) {
  const auto entries = static_cast<std::uint32_t>(state.range(0));
  const Scratch file(test::large_crl(pki().sub, pki().sub.crl(), entries));
  double kept = 0;
  double peak = 0;
  double size = 0;
  while (state.KeepRunning()) {
    state.PauseTiming();
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";  // resets VmHWM
    const double before = memory("VmRSS");
    state.ResumeTiming();
    const Crl crl = must(Crl::from_der(file.content()));
    state.PauseTiming();
    malloc_trim(0);
    kept = memory("VmRSS") - before;
    peak = memory("VmHWM") - before;
    size = static_cast<double>(crl.der().size());
    state.ResumeTiming();
  }
  state.counters["kept/entry"] = kept / entries;
  state.counters["peak/entry"] = peak / entries;
  state.counters["DER/entry"] = size / entries;
}
BENCHMARK(load_list)->Arg(1'000'000)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace

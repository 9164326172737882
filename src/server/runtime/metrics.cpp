#include "server/runtime/metrics.h"

#include <mutex>
#include <sstream>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace usher::server {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

Family<Counter>& counter(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

const Histogram::BucketBoundaries kSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                           0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

}  // namespace

struct Metrics::Impl {
  Registry registry;
  Family<Gauge>& connections = gauge(registry, "usher_connections", "Open connections.");
  Family<Counter>& http_refused =
      counter(registry, "usher_http_refused_total", "Requests and connections that the transport refused.");
  Counter& handshakes_begun =
      counter(registry, "usher_handshakes_begun_total", "ClientHellos that were answered.").Add({});
  Family<Counter>& handshakes = counter(registry, "usher_handshakes_total", "Handshakes that ended.");
  Family<Gauge>& sessions = gauge(registry, "usher_sessions", "Sessions by state.");
  Gauge& sessions_open = sessions.Add({{"state", "open"}});
  Gauge& sessions_half_open = sessions.Add({{"state", "half-open"}});
  Family<Counter>& sessions_ended = counter(registry, "usher_sessions_ended_total", "Sessions that ended.");
  Family<Counter>& requests = counter(registry, "usher_requests_total", "Requests inside records.");
  Family<Histogram>& request_seconds = prometheus::BuildHistogram()
                                           .Name("usher_request_seconds")
                                           .Help("Time from a request's record to its answer's.")
                                           .Register(registry);
  Counter& chunks = counter(registry, "usher_chunks_total", "Chunks that were sent.").Add({});
  Counter& chunk_bytes = counter(registry, "usher_chunk_bytes_total", "Bytes of media that were sent.").Add({});
  Family<Counter>& licences = counter(registry, "usher_licences_issued_total", "Licences that were issued.");
  Family<Counter>& plays = counter(registry, "usher_plays_total", "Steps of plays.");
  Family<Counter>& file_handshakes =
      counter(registry, "usher_file_handshakes_total", "TLS handshakes of the file stream that ended.");
  Family<Counter>& file_requests = counter(registry, "usher_file_requests_total", "Requests of the file stream.");
  Family<Counter>& file_bytes =
      counter(registry, "usher_file_bytes_total", "Bytes that the file stream sent, before encryption.");
  Family<Histogram>& file_seconds = prometheus::BuildHistogram()
                                        .Name("usher_file_request_seconds")
                                        .Help("Time from a request's line to the end of its answer.")
                                        .Register(registry);
  Family<Counter>& reloads = counter(registry, "usher_reloads_total", "Reloads of the configuration.");
  Family<Counter>& fetched = counter(registry, "usher_revocation_fetches_total",
                                     "Revocation lists, status answers and authorities that were asked for.");
  Gauge& reloaded_at = gauge(registry, "usher_reload_timestamp_seconds", "The last good reload.").Add({});
  Family<Gauge>& expiry =
      gauge(registry, "usher_expires_timestamp_seconds", "When a certificate or revocation list ends.");
  Family<Gauge>& soon = gauge(registry, "usher_expires_soon", "1 where it is time to renew it, or over; else 0.");
  std::mutex ending;
  std::vector<std::pair<Gauge*, Gauge*>> endings;
  Gauge& media = gauge(registry, "usher_media", "Media in the catalogue.").Add({});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::connections_open(std::string_view listener, std::size_t count) {
  impl_->connections.Add({{"listener", std::string(listener)}}).Set(static_cast<double>(count));
}
void Metrics::http_refused(std::string_view listener, std::string_view reason) {
  impl_->http_refused.Add({{"listener", std::string(listener)}, {"reason", std::string(reason)}}).Increment();
}
void Metrics::handshake_begun() { impl_->handshakes_begun.Increment(); }
void Metrics::handshake_ended(std::string_view code, std::string_view suite) {
  impl_->handshakes.Add({{"code", std::string(code)}, {"suite", std::string(suite)}}).Increment();
}
void Metrics::sessions(std::size_t open, std::size_t half_open) {
  impl_->sessions_open.Set(static_cast<double>(open));
  impl_->sessions_half_open.Set(static_cast<double>(half_open));
}
void Metrics::session_ended(std::string_view reason) {
  impl_->sessions_ended.Add({{"reason", std::string(reason)}}).Increment();
}
void Metrics::request(std::string_view path, std::string_view code, std::chrono::nanoseconds took) {
  impl_->requests.Add({{"path", std::string(path)}, {"code", std::string(code)}}).Increment();
  impl_->request_seconds.Add({{"path", std::string(path)}}, kSeconds)
      .Observe(std::chrono::duration<double>(took).count());
}
void Metrics::chunk_sent(std::size_t bytes) {
  impl_->chunks.Increment();
  impl_->chunk_bytes.Increment(static_cast<double>(bytes));
}
void Metrics::licence_issued(std::string_view by) { impl_->licences.Add({{"by", std::string(by)}}).Increment(); }
void Metrics::play(std::string_view event) { impl_->plays.Add({{"event", std::string(event)}}).Increment(); }
void Metrics::file_handshake(std::string_view result) {
  impl_->file_handshakes.Add({{"result", std::string(result)}}).Increment();
}
void Metrics::file_request(std::string_view verb, std::string_view code, std::uint64_t bytes,
                           std::chrono::nanoseconds took) {
  const std::string text(verb);
  impl_->file_requests.Add({{"verb", text}, {"code", std::string(code)}}).Increment();
  impl_->file_bytes.Add({{"verb", text}}).Increment(static_cast<double>(bytes));
  impl_->file_seconds.Add({{"verb", text}}, kSeconds).Observe(std::chrono::duration<double>(took).count());
}
void Metrics::reload(bool ok, Time now) {
  impl_->reloads.Add({{"result", ok ? "ok" : "refused"}}).Increment();
  if (ok) impl_->reloaded_at.Set(static_cast<double>(unix_seconds(now)));
}
void Metrics::fetched(std::string_view code) { impl_->fetched.Add({{"code", std::string(code)}}).Increment(); }
void Metrics::endings(const std::vector<Ending>& all) {
  const std::scoped_lock lock(impl_->ending);
  for (const auto& [expiry, soon] : impl_->endings) {
    impl_->expiry.Remove(expiry);
    impl_->soon.Remove(soon);
  }
  impl_->endings.clear();
  for (const Ending& one : all) {
    Gauge& expiry = impl_->expiry.Add({{"what", one.what}});
    Gauge& soon = impl_->soon.Add({{"what", one.what}});
    expiry.Set(static_cast<double>(unix_seconds(one.when)));
    soon.Set(one.soon ? 1 : 0);
    impl_->endings.emplace_back(&expiry, &soon);
  }
}
void Metrics::media(std::size_t count) { impl_->media.Set(static_cast<double>(count)); }

std::string Metrics::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, impl_->registry.Collect());
  return out.str();
}

}  // namespace usher::server

// server/http/media_channel: handles the media channel's HTTP: paths, methods, types, sizes, errors.
// Spec: channel.md §8.
#pragma once

#include "server/http/body_encoding.h"
#include "server/http/channel_driver.h"

namespace usher::server {

class MediaChannel final : public HttpHandler {
 public:
  /// All references are borrowed. `lists`: the result of revocation_lists().
  MediaChannel(ChannelDriver& driver, const Guarded<Bytes>& lists, Metrics& metrics, Log& log)
      : driver_(driver), lists_(lists), metrics_(metrics), log_(log) {}

  [[nodiscard]] Admission admit(const HttpRequest& head) override;
  [[nodiscard]] HttpResponse handle(HttpRequest request) override;
  [[nodiscard]] HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest& head) override;

 private:
  enum class Route : std::uint8_t { protocols, keys, records, lists, none };
  static Route route_of(std::string_view path) noexcept;
  static std::string_view type_of(Route route) noexcept;
  [[nodiscard]] Result<Bytes> work(Route route, HttpRequest& request);

  ChannelDriver& driver_;
  const Guarded<Bytes>& lists_;
  Metrics& metrics_;
  Log& log_;
};

}  // namespace usher::server

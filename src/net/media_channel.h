// net/media_channel: the media channel's HTTP: paths, methods, types, sizes and errors.  Spec: channel.md §8.
#pragma once

#include "net/channel_driver.h"
#include "net/forms.h"

namespace usher::net {

class MediaChannel final : public HttpHandler {
 public:
  /// Borrowed.
  MediaChannel(ChannelDriver& driver, Metrics& metrics, Log& log) : driver_(driver), metrics_(metrics), log_(log) {}

  [[nodiscard]] Admission admit(const HttpRequest& head) override;
  [[nodiscard]] HttpResponse handle(HttpRequest request) override;
  [[nodiscard]] HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest& head) override;

 private:
  enum class Route : std::uint8_t { protocols, keys, records, none };
  static Route route_of(std::string_view path) noexcept;
  static std::string_view type_of(Route route) noexcept;
  [[nodiscard]] Result<Bytes> work(Route route, HttpRequest& request);

  ChannelDriver& driver_;
  Metrics& metrics_;
  Log& log_;
};

}  // namespace usher::net

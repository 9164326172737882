// server/operator_listener: serves health, readiness and metrics to the operator's own machines.
#pragma once

#include <functional>

#include "server/http/http.h"
#include "server/runtime/metrics.h"

namespace usher::server {

class OperatorListener final : public HttpHandler {
 public:
  /// `not_ready`: returns all reasons why requests should not be sent here now, a few words each. What both refer to is
  /// borrowed and must outlive this object.
  OperatorListener(const Metrics& metrics, std::function<std::vector<std::string>()> not_ready)
      : metrics_(metrics), not_ready_(std::move(not_ready)) {}

  [[nodiscard]] Admission admit(const HttpRequest& head) override;
  [[nodiscard]] HttpResponse handle(HttpRequest request) override;
  [[nodiscard]] bool answers_at_once(const HttpRequest& head) const override { return head.path == "/healthz"; }
  [[nodiscard]] HttpResponse refuse(unsigned status, std::string_view code, const HttpRequest& head) override;

 private:
  const Metrics& metrics_;
  std::function<std::vector<std::string>()> not_ready_;
};

}  // namespace usher::server

#include <algorithm>

#include <boost/asio/steady_timer.hpp>

#include "server/runtime/runtime_impl.h"

namespace usher::server {
namespace asio = boost::asio;
namespace {

class Repeater final : public std::enable_shared_from_this<Repeater> {
 public:
  Repeater(asio::io_context& context, Milliseconds period, std::function<void()> task)
      : timer_(context), period_(period), task_(std::move(task)) {}
  void arm() {
    timer_.expires_after(period_);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error) return;
      self->task_();
      self->arm();
    });
  }

 private:
  asio::steady_timer timer_;
  Milliseconds period_;
  std::function<void()> task_;
};

}  // namespace

Runtime::Runtime(unsigned threads)
    : impl_(std::make_unique<Impl>(threads != 0 ? threads : std::max(2U, std::thread::hardware_concurrency() / 2))) {}

Runtime::~Runtime() { stop(); }

void Runtime::start() {
  for (unsigned i = 0; i < impl_->threads; ++i) {
    impl_->running.emplace_back([this] { impl_->context.run(); });
  }
}

void Runtime::stop() {
  impl_->work.reset();
  impl_->context.stop();
  impl_->running.clear();
}

void Runtime::every(Milliseconds period, std::function<void()> task) {
  std::make_shared<Repeater>(impl_->context, period, std::move(task))->arm();
}

unsigned Runtime::threads() const noexcept { return impl_->threads; }

}  // namespace usher::server

#include "load.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/os_error.h"

namespace usher::bench {
namespace {

constexpr std::size_t kSpareDescriptors = 32;
constexpr int kLookAround = 20;  // milliseconds between two checks of the deadline and the file

Result<> allow_descriptors(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("descriptors");
  if (limit.rlim_max < count + kSpareDescriptors)
    return fail(Fault::io, "descriptors", fmt::format("{} of them are wanted, {} allowed", count, limit.rlim_max));
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("descriptors");
  return {};
}

/// The connections that are open, each in its slot.
class Slots {
 public:
  [[nodiscard]] static Result<Slots> make(const Clients& clients, const LoadOptions& options, bool hold) {
    USHER_CHECK(allow_descriptors(options.concurrency));
    Socket poll(::epoll_create1(EPOLL_CLOEXEC));
    if (poll.get() < 0) return fail_errno("epoll");
    return Slots(clients, options, hold, std::move(poll));
  }

  /// Fills the free slots while there are fetches left to start.
  void fill() {
    for (std::size_t slot = 0; slot < slots_.size() && begun_ < options_->count; ++slot) {
      if (slots_[slot] == nullptr) begin(slot);
    }
  }
  /// Waits for at most kLookAround, and continues the fetches whose sockets are ready.
  void turn() {
    std::array<epoll_event, 256> events{};
    const int ready = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), kLookAround);
    for (int i = 0; i < ready; ++i) drive(events[static_cast<std::size_t>(i)].data.u64);
  }
  void give_up() {
    for (auto& fetch : slots_) {
      if (fetch == nullptr) continue;
      fetch->give_up("deadline");
      end(fetch);
    }
    report_.failed["never begun"] += options_->count - begun_;
    if (report_.failed["never begun"] == 0) report_.failed.erase("never begun");
  }
  /// Ends the fetches that are still held when the holding time is over; they count as complete.
  void let_go() {
    for (auto& fetch : slots_) {
      if (fetch == nullptr) continue;
      ++report_.complete;
      report_.handshakes.push_back(fetch->handshake_time());
      fetch.reset();
    }
  }
  [[nodiscard]] bool all_ended() const noexcept { return ended_ == options_->count; }
  [[nodiscard]] bool all_ready_or_ended() const noexcept { return ready_ + ended_ >= options_->count; }
  [[nodiscard]] std::size_t held() const noexcept { return ready_; }
  [[nodiscard]] bool late() const noexcept { return Steady::now() - start_ > options_->deadline; }
  [[nodiscard]] Report take_report() {
    report_.wall = Steady::now() - start_;
    std::ranges::sort(report_.handshakes);
    std::ranges::sort(report_.wholes);
    return std::move(report_);
  }

 private:
  Slots(const Clients& clients, const LoadOptions& options, bool hold, Socket poll)
      : clients_(&clients), options_(&options), hold_(hold), poll_(std::move(poll)), slots_(options.concurrency) {}

  void begin(std::size_t slot) {
    auto fetch = Fetch::start(clients_->connection(begun_++), options_->request, hold_);
    if (!fetch) {
      ++ended_;
      ++report_.failed[std::string(fetch.error().where)];
      return;
    }
    slots_[slot] = *std::move(fetch);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = slot;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, slots_[slot]->socket(), &event) != 0) {
      slots_[slot]->give_up("epoll");
      end(slots_[slot]);
    }
  }

  void drive(std::size_t slot) {
    auto& fetch = slots_[slot];
    if (fetch == nullptr) return;
    const bool was_ready = fetch->state() == Fetch::State::ready;
    fetch->step();
    const bool is_ready = fetch->state() == Fetch::State::ready;
    if (hold_ && is_ready && !was_ready) ++ready_;
    if (!fetch->ended()) return;
    if (hold_ && was_ready) --ready_;
    end(fetch);
    if (!hold_ && begun_ < options_->count) begin(slot);
  }

  void end(std::unique_ptr<Fetch>& fetch) {
    ++ended_;
    report_.bytes += fetch->received();
    if (fetch->state() == Fetch::State::complete) {
      ++report_.complete;
      report_.handshakes.push_back(fetch->handshake_time());
      report_.wholes.push_back(fetch->whole_time());
    } else {
      ++report_.failed[fetch->reason()];
    }
    fetch.reset();
  }

  const Clients* clients_;
  const LoadOptions* options_;
  bool hold_;
  Socket poll_;
  std::vector<std::unique_ptr<Fetch>> slots_;
  std::size_t begun_ = 0;
  std::size_t ended_ = 0;
  std::size_t ready_ = 0;
  Report report_;
  Steady::time_point start_ = Steady::now();
};

}  // namespace

Result<Report> fetch_all(const Clients& clients, const LoadOptions& options) {
  USHER_TRY(Slots slots, Slots::make(clients, options, false));
  slots.fill();
  while (!slots.all_ended() && !slots.late()) slots.turn();
  if (!slots.all_ended()) slots.give_up();
  return slots.take_report();
}

Result<Report> hold_all(const Clients& clients, const LoadOptions& options) {
  USHER_TRY(Slots slots, Slots::make(clients, options, true));
  slots.fill();
  while (!slots.all_ready_or_ended() && !slots.late()) slots.turn();
  fmt::print("{{\"held\": {}}}\n", slots.held());
  static_cast<void>(std::fflush(stdout));
  while (std::filesystem::exists(options.hold_while) && !slots.late()) slots.turn();
  if (slots.late()) {
    slots.give_up();
  } else {
    slots.let_go();
  }
  return slots.take_report();
}

}  // namespace usher::bench

// client/listener: what somebody at a terminal can do, in whole steps. The menu and the verbs stand on it.
#pragma once

#include "client/engine.h"
#include "client/playback.h"
#include "client/wallet.h"

namespace usher::client {

struct Who {
  std::string server;  // as dialled
  std::string server_id;
  std::string name;       // of the person
  std::string pseudonym;  // hexadecimal
  std::string suite;
};

struct Shelf {
  std::vector<CatalogueItem> catalogue;
  std::vector<HeldLicence> licences;
  std::vector<Difference> differences;
  std::vector<std::string> news;  // Reconciled::news
};

/// Whether a play that was cut off is carried on with.
enum class Resume : std::uint8_t {
  automatic,  // one that was opened here
  always,     // also one that was opened elsewhere: there it stops
  never,
};

struct PlayRequest {
  std::optional<Id128> licence{};
  PlayerSpec player{};
  std::uint32_t window = 8;
  Resume resume = Resume::automatic;
  const std::atomic<bool>* interrupted = nullptr;
  int output = 1;
  std::optional<std::uint64_t> from_ms{};  // where to begin; empty: the beginning, or where the play was left
  bool may_count_at_once = false;          // begin at from_ms even if the play counts with that
  bool screen = false;                     // there is one, for video
};

struct PlayReport {
  bool finished = false;
  bool resumed = false;
  bool committed = false;  // it counts as one play
  bool refunded = false;   // it was given back
  std::uint64_t elapsed_ms = 0;
  std::uint32_t plays_left = 0;
  Id128 licence{};
};

class PlayView : public PlaybackView {
 public:
  /// Once, before anything is heard. `counts`: from when on the play will count.
  virtual void opened(const Medium& medium, std::uint32_t plays_left, bool resumed, const CountsFrom& counts) = 0;
  /// Once, when nothing is played any more: what is said now stands on a line of its own.
  virtual void ended() {}
};

class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual Who who() const = 0;
  /// Everything afresh, and compared with what is kept here.
  [[nodiscard]] virtual Result<Shelf> shelf() = 0;
  [[nodiscard]] virtual Result<HeldLicence> acquire(const wire::Acquire& wanted) = 0;
  /// From opening to closing. Errors: the server's refusal; the player's; what a chunk met.
  [[nodiscard]] virtual Result<PlayReport> play(const Id128& medium, const PlayRequest& request, PlayView& view) = 0;
};

/// Borrows all of them.
class LiveListener final : public Listener {
 public:
  LiveListener(Engine& engine, Wallet& wallet, const Clock& clock, std::string server)
      : engine_(engine), wallet_(wallet), clock_(clock), server_(std::move(server)) {}
  [[nodiscard]] Who who() const override;
  [[nodiscard]] Result<Shelf> shelf() override;
  [[nodiscard]] Result<HeldLicence> acquire(const wire::Acquire& wanted) override;
  [[nodiscard]] Result<PlayReport> play(const Id128& medium, const PlayRequest& request, PlayView& view) override;

 private:
  struct Started {
    std::shared_ptr<OpenPlay> play;
    UnfinishedPlay mark;  // as far as an earlier process has come, where it is resumed
    bool resumed = false;
  };
  void say_what_is_open(const Id128& medium, PlayView& view);
  [[nodiscard]] Result<Started> start(const Id128& medium, const PlayRequest& request, PlayView& view);
  [[nodiscard]] Result<std::optional<Started>> carry_on(const Id128& medium, const PlayRequest& request,
                                                        PlayView& view);
  [[nodiscard]] Result<PlayReport> listen(const Started& started, const PlayRequest& request, PlayView& view,
                                          PlayMark& mark);
  [[nodiscard]] Result<PlayReport> close(OpenPlay& play, PlayMark& mark);

  Engine& engine_;
  Wallet& wallet_;
  const Clock& clock_;
  std::string server_;
};

}  // namespace usher::client

// client/listener: the steps of a user (list, acquire, play), each as one call. The menu and the commands use it.
#pragma once

#include "client/engine/engine.h"
#include "client/play/playback.h"
#include "client/wallet/wallet.h"

namespace usher::client {

struct PersonInfo {
  std::string server;  // the address that was dialled
  std::string server_id;
  std::string name;       // of the person
  std::string pseudonym;  // hexadecimal
  std::string suite;
};

struct Overview {
  std::vector<CatalogueItem> catalogue;
  std::vector<HeldLicence> licences;
  std::vector<Difference> differences;
  std::vector<std::string> news;  // Reconciled::news
};

/// Whether an interrupted play is resumed.
enum class Resume : std::uint8_t {
  automatic,  // a play that was opened here
  always,     // also a play that was opened elsewhere; it stops there
  never,
};

struct PlayRequest {
  std::optional<Id128> licence{};
  PlayerSpec player{};
  std::uint32_t window = 8;
  Resume resume = Resume::automatic;
  const std::atomic<bool>* interrupted = nullptr;
  int output = 1;
  std::optional<std::uint64_t> from_ms{};  // where to begin; empty: the beginning, or where a resumed play stopped
  bool may_count_at_once = false;          // begin at from_ms even if that makes the play count
  bool screen = false;                     // a screen for video is available
};

struct PlayReport {
  bool finished = false;
  bool resumed = false;
  bool committed = false;  // the play counts
  bool refunded = false;   // the play was given back
  std::uint64_t elapsed_ms = 0;
  std::uint32_t plays_left = 0;
  Id128 licence{};
};

class PlayView : public PlaybackView {
 public:
  /// Called once, before the sound begins. `counts`: when the play will begin to count.
  virtual void opened(const VerifiedMedium& medium, std::uint32_t plays_left, bool resumed,
                      const CountsFrom& counts) = 0;
  /// Called once, after the playback has ended. Output from now on begins on a new line.
  virtual void ended() {}
};

class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual PersonInfo who() const = 0;
  /// Fetches catalogue and licences from the server, and compares the licences with the wallet.
  [[nodiscard]] virtual Result<Overview> overview() = 0;
  [[nodiscard]] virtual Result<HeldLicence> acquire(const wire::Acquire& wanted) = 0;
  /// Opens or resumes a play, plays it, and closes it. Errors: the server's; the player's; those of fetching a chunk.
  [[nodiscard]] virtual Result<PlayReport> play(const Id128& medium, const PlayRequest& request, PlayView& view) = 0;
};

/// Borrows all its arguments.
class LiveListener final : public Listener {
 public:
  LiveListener(Engine& engine, Wallet& wallet, const Clock& clock, std::string server)
      : engine_(engine), wallet_(wallet), clock_(clock), server_(std::move(server)) {}
  [[nodiscard]] PersonInfo who() const override;
  [[nodiscard]] Result<Overview> overview() override;
  [[nodiscard]] Result<HeldLicence> acquire(const wire::Acquire& wanted) override;
  [[nodiscard]] Result<PlayReport> play(const Id128& medium, const PlayRequest& request, PlayView& view) override;

 private:
  struct Started {
    std::shared_ptr<OpenPlay> play;
    UnfinishedPlay mark;  // for a resumed play: the progress of an earlier process
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

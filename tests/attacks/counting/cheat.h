// Listeners who try to hear more than was counted, with real records against the real service and store.
#pragma once

#include <set>

#include "unit/server/service_world.h"

namespace usher::server::test {

// The medium of the world: 20 chunks in 169 s, so that c(38) = 5 are free, and 176 can be repeated.
inline constexpr std::uint32_t kFree = 5;
inline constexpr std::uint32_t kRepeats = 176;

/// Licences are not bound to an installation, so that more attacks are possible; their number is not limited.
inline service::ServicePolicy generous() {
  return {.acquisition = store::AcquisitionLimit{}, .bind_installation = false};
}

/// The settings of another installation.
inline std::shared_ptr<const channel::ClientSettings> another_installation() {
  channel::test::World copy = channel_world();
  copy.client_settings = std::make_shared<channel::ClientSettings>(*copy.client_settings);
  copy.set_client(channel::test::party(copy.authority, pki::Role::client));
  return copy.client_settings;
}

/// A listener that keeps everything that it receives.
class Cheat : public Listener {
 public:
  explicit Cheat(World& world, std::shared_ptr<const channel::ClientSettings> settings = nullptr)
      : Listener(world, std::move(settings)) {}

  void buy(const Id128& medium, std::uint64_t plays = 1) { static_cast<void>(acquire(medium, plays)); }
  wire::Status ask_chunk(const wire::Opened& play, std::uint32_t chunk) {
    const wire::Chunk wanted{.play = play.play, .medium = play.medium, .epoch = play.epoch, .chunk = chunk};
    const auto response = must(ask("api/download", wanted.encode()));
    if (response.ok()) {
      kept.insert(chunk);
      ++sent;
    }
    return response.status();
  }
  wire::Closed close(const wire::Opened& play) {
    const wire::Close wanted{.play = play.play, .epoch = play.epoch};
    return must(wire::Closed::decode(must(ask_once("api/play/close", wanted.encode())).body()));
  }
  Result<wire::Opened> resume(const wire::Opened& play) {
    const auto response = must(ask_once("api/play/resume", wire::Resume{.play = play.play}.encode()));
    if (!response.ok()) return fail(wire::fault_of(response.status()), "cheat");
    return wire::Opened::decode(response.body());
  }

  std::set<std::uint32_t> kept;
  std::uint32_t sent = 0;
};

/// Plays of this person that are counted, by what the licences have left.
inline std::uint32_t counted(World& world, std::uint32_t bought) {
  std::uint32_t left = 0;
  for (const auto& licence : must(world.store->list_all_licences({})).entries) left += *licence.standing.plays_left;
  return bought - left;
}

}  // namespace usher::server::test

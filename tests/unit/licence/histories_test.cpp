// Both promises of licence.md §5 over the machine alone: a person's plays of one medium, in any order.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "licence/play.h"

namespace usher::licence {
namespace {

constexpr Time kNow{Milliseconds{1'000'000'000}};

Extent any_medium() {
  Extent medium;
  medium.chunks = *rc::gen::inRange<std::uint32_t>(2, 120);
  medium.duration = Milliseconds{*rc::gen::inRange<std::int64_t>(1'000, 400'000)};
  if (*rc::gen::arbitrary<bool>()) medium.structure = {{.first = 0, .count = 1}};
  medium.head = *rc::gen::inRange<std::uint32_t>(0, 2);
  medium.seconds = wire::even_seconds(medium.media_chunks(), medium.duration);
  return medium;
}

/// What a store keeps, in memory.
struct Person {
  struct Opened {
    Play play;
    std::map<std::uint32_t, std::uint32_t> granted;
  };
  Extent medium;
  PlayPolicy policy;
  std::set<std::uint32_t> heard;
  std::vector<Opened> plays;

  /// Whether it was granted.
  bool ask(Opened& opened, std::uint32_t chunk) {
    const auto had = opened.granted.find(chunk);
    const ChunkUse use{
        .number = chunk, .times = had == opened.granted.end() ? 0 : had->second, .heard = heard.contains(chunk)};
    const auto step =
        grant(policy, medium, opened.play, opened.play.epoch, use, static_cast<std::uint32_t>(heard.size()), kNow);
    if (!step) return false;
    opened.play = step->play;
    ++opened.granted[chunk];
    if (step->effect == Effect::commit) {
      heard.clear();
      for (const Opened& other : plays) {
        if (other.play.state != PlayState::opened) continue;
        for (const auto& [number, times] : other.granted) keep(number);
      }
    } else if (opened.play.state == PlayState::opened) {
      keep(chunk);
    }
    return true;
  }
  void keep(std::uint32_t chunk) {
    if (!wire::contains(medium.structure, chunk)) heard.insert(chunk);
  }
};

TEST(Histories, WhatIsHeardFreeOfChargeIsNeverMoreThanTheFreePartAndTheFirstGrantIsNeverRefused) {
  EXPECT_TRUE(rc::check("any order of requests and ends", [] {
    Person person{.medium = any_medium(), .policy = {}, .heard = {}, .plays = {}};
    const std::uint32_t free = free_part(person.medium, person.policy.commit_after).chunks;
    const int moves = *rc::gen::inRange(1, 400);
    for (int i = 0; i < moves; ++i) {
      if (person.plays.empty() || *rc::gen::inRange(0, 20) == 0) {
        person.plays.push_back({.play = open(person.policy, person.medium, kNow).play, .granted = {}});
      }
      auto& opened = person.plays[*rc::gen::inRange<std::size_t>(0, person.plays.size())];
      if (*rc::gen::inRange(0, 25) == 0) {
        const auto step = close(opened.play, opened.play.epoch);
        if (!step) continue;
        opened.play = step->play;
        std::uint32_t media = 0;
        for (const auto& [chunk, times] : opened.granted) {
          media += wire::contains(person.medium.structure, chunk) ? 0 : 1;
        }
        if (step->effect == Effect::refund) RC_ASSERT(media <= free);
        continue;
      }
      const auto chunk = *rc::gen::inRange<std::uint32_t>(0, person.medium.chunks);
      const bool first = !opened.granted.contains(chunk);
      const bool over = is_over(opened.play.state);
      const bool granted = person.ask(opened, chunk);
      RC_ASSERT(!(over && granted));
      if (first && !over) RC_ASSERT(granted);
      RC_ASSERT(person.heard.size() <= free);
      RC_ASSERT(opened.play.repeats <= repeats_of(person.medium));
    }
  }));
}

TEST(Histories, AListenerWhoStopsBeforeThePromiseKeepsHisPlay) {
  EXPECT_TRUE(rc::check("any medium, any place to stop", [] {
    Person person{.medium = any_medium(), .policy = {}, .heard = {}, .plays = {}};
    person.policy.commit_after = Seconds{*rc::gen::inRange<std::int64_t>(0, 120)};
    const FreePart free = free_part(person.medium, person.policy.commit_after);
    person.plays.push_back({.play = open(person.policy, person.medium, kNow).play, .granted = {}});
    auto& opened = person.plays.front();
    const std::int64_t stop = free.promise.count() == 0 ? 0 : *rc::gen::inRange<std::int64_t>(0, free.promise.count());
    for (std::int64_t at = 0; at < stop; at += 500) {
      // All that the player may hold: the buffer beyond its clock, and before the promise not more than is free.
      const auto ahead = static_cast<std::uint64_t>((at + Milliseconds(kBuffer).count()) / 1000);
      const std::uint32_t held = std::min(person.medium.chunks_for(ahead), free.chunks);
      for (std::uint32_t chunk = 0, media = 0; chunk < person.medium.chunks && media < held; ++chunk) {
        if (wire::contains(person.medium.structure, chunk)) continue;
        ++media;
        if (!opened.granted.contains(chunk)) RC_ASSERT(person.ask(opened, chunk));
      }
      // And the chunks that the listener hears are among these.
      RC_ASSERT(person.medium.chunks_for(static_cast<std::uint64_t>(at / 1000)) <= free.chunks);
    }
    RC_ASSERT(close(opened.play, opened.play.epoch)->effect == Effect::refund);
  }));
}

}  // namespace
}  // namespace usher::licence

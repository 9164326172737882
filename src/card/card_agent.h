// card/card_agent: the child process in which a PKCS #11 module runs.  Spec: identity.md §9.6.
//
// Every program that uses Card begins its main() with:
//     if (const auto agent = card::card_agent_requested(argc, argv)) return card::run_card_agent(*agent);
#pragma once

#include <optional>

namespace usher::card {

inline constexpr char kCardAgentVerb[] = "card-agent";  // argv[1] of the child; hidden from --help
inline constexpr int kCardAgentDescriptor = 3;

/// The socket's descriptor, if this process was started as an agent.
[[nodiscard]] std::optional<int> card_agent_requested(int argc, const char* const* argv) noexcept;

/// Serves one card over a stream socket until it is closed. Switches core dumps off. Ends when the other side is gone:
/// at once if it is idle, after 2 s if the module hangs. Returns the exit status.
int run_card_agent(int descriptor);

}  // namespace usher::card

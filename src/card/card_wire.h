// card/card_wire: the messages between Card and its agent.  Spec: identity.md §9.6.
//
// A frame is u32 length ‖ body. A request's body begins with an operation. A response's body begins with 0, or with 1
// and an error. Both ends are the same binary: there is no version.
#pragma once

#include <chrono>

#include "card/card_service.h"

namespace usher::card::card_wire {

inline constexpr std::size_t kMaxFrame = 256 << 10;  // bytes of a body

enum class Operation : std::uint8_t { open = 1, token = 2, login = 3, sign = 4, survey = 5, logout = 6, present = 7 };

using Deadline = std::optional<std::chrono::steady_clock::time_point>;  // not set: no deadline

/// Sends one frame of head ‖ tail. `tail` may be a PIN: it is not copied.
/// Errors: interrupted (the other side is gone), server_busy (the deadline has passed), io.
[[nodiscard]] Result<> send(int socket, View head, View tail, const Deadline& deadline);
/// One frame's body. Errors: as send; malformed (too long).
[[nodiscard]] Result<crypto::Secret> receive(int socket, const Deadline& deadline);

[[nodiscard]] Bytes encode(const CardQuery& query);
[[nodiscard]] Result<CardQuery> decode_query(View body);

[[nodiscard]] Bytes encode(const OpenedCard& card);
[[nodiscard]] Result<OpenedCard> decode_opened(View body);

[[nodiscard]] Bytes encode(const p11::TokenInfo& token);
[[nodiscard]] Result<p11::TokenInfo> decode_token(View body);

[[nodiscard]] Bytes encode(p11::KeyUse use);
[[nodiscard]] Result<p11::KeyUse> decode_use(View body);

[[nodiscard]] Bytes encode(const p11::CardSignature& signature);
[[nodiscard]] Result<p11::CardSignature> decode_signature(View body);

[[nodiscard]] Bytes encode(const SeenModule& seen);
[[nodiscard]] Result<SeenModule> decode_seen(View body);

[[nodiscard]] Bytes encode(const Error& error);
/// The error of a response that begins with 1. A malformed body gives module_failed.
[[nodiscard]] Error decode_error(View body);

}  // namespace usher::card::card_wire

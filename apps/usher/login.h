// usher/login: the person's card, and the PIN.
#pragma once

#include "identity/card.h"
#include "identity/card_watch.h"
#include "identity/login_client.h"
#include "identity/statement.h"
#include "session.h"

namespace usher::listening {

/// What a login needs to know. Copies share the watches; config, options and random are borrowed.
struct LoginSource {
  const Config& config;
  const Options& options;
  identity::CardOptions card;
  std::shared_ptr<identity::CardWatch> watch;
  std::shared_ptr<identity::LoginWatch> kept_watch;
  Random& random;
  Kept kept = Kept::use;
  Gone gone{};  // where `card.removed` is stop: told that the card was taken out, or that the kept login ended
};

/// Which card is meant, by the configuration. Errors: bad_config; those of the files with sub-CAs.
[[nodiscard]] Result<identity::CardOptions> card_options(const Config& config);

/// Has the person choose on the terminal. Errors: cancelled.
[[nodiscard]] Result<std::size_t> choose_certificate(const std::vector<identity::CardChoice>& choices);

/// The login that an agent keeps, where it fits the terms. Else opens the card, asks for the PIN, up to twice more where
/// it was typed wrongly, and has the card sign once. Where `card.removed` is stop, the card is watched from then on.
/// Errors: the card's; those of the PIN's source; pin_last_try, if nobody agreed to spend it.
[[nodiscard]] Result<std::shared_ptr<const identity::PersonLogin>> log_in(const LoginSource& source,
                                                                          const identity::LoginTerms& terms);

}  // namespace usher::listening

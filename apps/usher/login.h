// usher/login: the person's card, and the PIN.
#pragma once

#include "identity/card.h"
#include "identity/card_watch.h"
#include "identity/statement.h"
#include "session.h"

namespace usher::listening {

/// What a login needs to know. Copies share the watch; config, options and random are borrowed.
struct LoginSource {
  const Config& config;
  const Options& options;
  identity::CardOptions card;
  std::shared_ptr<identity::CardWatch> watch;
  Random& random;
};

/// Which card is meant, by the configuration. Errors: bad_config; those of the files with sub-CAs.
[[nodiscard]] Result<identity::CardOptions> card_options(const Config& config);

/// Has the person choose on the terminal. Errors: cancelled.
[[nodiscard]] Result<std::size_t> choose_certificate(const std::vector<identity::CardChoice>& choices);

/// Opens the card, asks for the PIN, and has the card sign once. Where `card.removed` is stop, the card is watched from
/// then on, and Interrupts::stop() called when it is taken out.
/// Errors: the card's; those of the PIN's source; pin_last_try, if nobody agreed to spend it.
[[nodiscard]] Result<identity::PersonSession> log_in(const LoginSource& source, const identity::LoginTerms& terms);

}  // namespace usher::listening

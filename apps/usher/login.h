// usher/login: logs in with the person's card and PIN.
#pragma once

#include "card/card.h"
#include "card/card_watch.h"
#include "login/login_client.h"
#include "person/statement.h"
#include "session.h"

namespace usher::cli {

/// The inputs of a login. Copies share the watches; config, options and random are borrowed.
struct LoginSource {
  const Config& config;
  const Options& options;
  card::CardOptions card;
  std::shared_ptr<card::CardWatch> watch;
  std::shared_ptr<login::LoginWatch> kept_watch;
  Random& random;
  Kept kept = Kept::use;
  Gone gone{};  // if `card.removed` is stop: called when the card was removed or the kept login ended
};

/// The configured selection of a card. Errors: bad_config; those of the files with sub-CAs.
[[nodiscard]] Result<card::CardOptions> card_options(const Config& config);

/// Lets the person choose a certificate on the terminal. Errors: cancelled.
[[nodiscard]] Result<std::size_t> choose_certificate(const std::vector<card::CardChoice>& choices);

/// Returns the login that an agent keeps, if it fits the terms. Otherwise opens the card, asks for the PIN, up to twice
/// more after a wrong one, and lets the card sign once. If `card.removed` is stop, watches the card from then on.
/// Errors: the card's; those of the PIN's source; pin_last_try, the last try was not confirmed.
[[nodiscard]] Result<std::shared_ptr<const person::PersonLogin>> log_in(const LoginSource& source,
                                                                        const person::LoginTerms& terms);

}  // namespace usher::cli

#include "server/trust/authorities.h"

#include <algorithm>

namespace usher::server {
namespace {

using TrustPtr = std::shared_ptr<const pki::TrustStore>;

void add_all(pki::Chain& to, const TrustPtr& trust) {
  if (!trust) return;
  for (const pki::Chain* chain : {&trust->config().anchors, &trust->config().intermediates}) {
    for (const pki::Certificate& one : *chain) {
      if (std::ranges::find(to, one) == to.end()) to.push_back(one);
    }
  }
}

}  // namespace

Result<std::shared_ptr<const Authorities>> with_fetched(const Authorities& authorities,
                                                        const std::vector<pki::Crl>& lists) {
  auto all = std::make_shared<Authorities>(authorities);
  auto channel = std::make_shared<channel::ServerSettings>(*authorities.channel);
  USHER_TRY(channel->clients, authorities.channel->clients->with_fetched(lists));
  all->channel = std::move(channel);
  for (PersonSource& source : all->persons) {
    USHER_TRY(source.trust, source.trust->with_fetched(lists));
  }
  if (all->distributors) {
    USHER_TRY(all->distributors, all->distributors->with_fetched(lists));
  }
  return all;
}

pki::Chain all_authorities(const Authorities& authorities) {
  pki::Chain all;
  add_all(all, authorities.channel->clients);
  for (const PersonSource& source : authorities.persons) add_all(all, source.trust);
  add_all(all, authorities.distributors);
  return all;
}

Result<person::VerifiedPerson> authenticate(const person::AuthRequest& request, const person::AuthContext& context,
                                            const std::vector<PersonSource>& sources) {
  Result<person::VerifiedPerson> last = fail(Fault::untrusted, "auth: no profile");
  for (const PersonSource& source : sources) {
    auto person = person::verify_auth(request, context, *source.trust, source.profile);
    if (person) return person;
    // untrusted and wrong_role mean only that this source does not know the card. Another may have a better reason.
    const bool telling = person.error().fault != Fault::untrusted && person.error().fault != Fault::wrong_role;
    last = std::unexpected(std::move(person).error());
    if (telling) return last;
  }
  return last;
}

}  // namespace usher::server

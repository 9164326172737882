#include "net/authorities.h"

#include "net/session_table.h"

namespace usher::net {

Result<identity::VerifiedPerson> authenticate(const identity::AuthRequest& request,
                                              const identity::AuthContext& context,
                                              const std::vector<PersonSource>& sources) {
  Result<identity::VerifiedPerson> last = fail(Fault::untrusted, "auth: no profile");
  for (const PersonSource& source : sources) {
    auto person = identity::verify_auth(request, context, *source.trust, source.profile);
    if (person) return person;
    // "Not one of ours" is the least that can be said: another source may know the card and say more.
    const bool telling = person.error().fault != Fault::untrusted && person.error().fault != Fault::wrong_role;
    last = std::unexpected(std::move(person).error());
    if (telling) return last;
  }
  return last;
}

Result<> still_trusted(const LiveSession& session, const Authorities& authorities, Time now) {
  USHER_CHECK(authorities.channel->clients->verify_again(session.channel().peer(), now));
  const auto person = session.person();
  if (!person) return {};
  Result<> last = fail(Fault::untrusted, "auth: no profile");
  for (const PersonSource& source : authorities.persons) {
    if (source.profile.name != person->verified.profile()) continue;
    last = source.trust->verify_again(person->verified.peer(), now);
    if (last) return {};
  }
  return last;
}

}  // namespace usher::net

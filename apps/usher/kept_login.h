// usher/kept_login: `usher login` and `usher logout`, and the login that the other verbs find.  Spec: identity.md §6.5.
#pragma once

#include "identity/login_client.h"
#include "verbs.h"

namespace usher::listening {

/// Where the agent listens that keeps the login for this configuration: another server, installation, card or policy for a
/// card that is taken out has another.
/// Errors: as data_folder.
[[nodiscard]] Result<std::filesystem::path> login_socket(const Options& options, const Config& config);
/// Nothing: no agent keeps one, or it does not answer.
[[nodiscard]] std::optional<identity::LoginClient> kept_login(const Options& options, const Config& config);

/// Asks for passphrase and PIN in a child process, which then leaves the terminal and keeps the login. Here
/// Context::status is set when the child has told how it went; in the child it returns when the login is over.
/// Errors (of the child): those of Session::open; not_permitted, no memory can be locked; those of LoginAgent.
[[nodiscard]] Result<> do_login(Context& context);
/// Ends every login that is kept below data_folder(). Errors: as data_folder, end_login.
[[nodiscard]] Result<> do_logout(Context& context);

}  // namespace usher::listening

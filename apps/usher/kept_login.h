// usher/kept_login: `usher login` and `usher logout`, and the login that other verbs reuse.  Spec: identity.md §6.5.
#pragma once

#include "login/login_client.h"
#include "verbs.h"

namespace usher::cli {

/// The socket of the agent that keeps the login for this configuration. Another server, installation, card or policy
/// for a removed card has another socket.
/// Errors: as data_folder.
[[nodiscard]] Result<std::filesystem::path> login_socket(const Options& options, const Config& config);
/// No value: no agent keeps a login, or the agent does not answer.
[[nodiscard]] std::optional<login::LoginClient> kept_login(const Options& options, const Config& config);

/// Asks for passphrase and PIN in a child process, which then detaches from the terminal and keeps the login. In the
/// parent, sets Context::status after the child has reported its result. In the child, returns when the login is over.
/// Errors (of the child): those of Session::open; not_permitted, no memory can be locked; those of LoginAgent.
[[nodiscard]] Result<> do_login(Context& context);
/// Ends every login that is kept below data_folder(). Errors: as data_folder, end_login.
[[nodiscard]] Result<> do_logout(Context& context);

}  // namespace usher::cli

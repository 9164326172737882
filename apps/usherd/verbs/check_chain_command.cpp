// usherd check-chain: shows why a certificate is accepted or refused. Needs no home and no configuration.
// Spec: identity.md §10.
#include <cstdio>
#include <memory>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.h"
#include "common/report.h"
#include "usherd/home/home.h"
#include "usherd/verbs/chain_check.h"

namespace usher::usherd {
namespace {

constexpr int kRefused = 1;
constexpr int kUnusable = 2;

struct CheckOptions {
  ChainQuestion question{};
  std::string revocation = "chain";
  std::string profile{};
  std::string purpose{};
  std::string name{};
  std::string at{};
};

Result<> complete(CheckOptions& options, const Context& context) {
  ChainQuestion& question = options.question;
  question.revocation = options.revocation == "chain"  ? pki::RevocationMode::chain
                        : options.revocation == "leaf" ? pki::RevocationMode::leaf
                                                       : pki::RevocationMode::none;
  if (!options.profile.empty()) {
    USHER_TRY(question.profile, person::profile_of_name(options.profile));
    if (options.purpose.empty()) options.purpose = "user";
    if (options.purpose != "user") return fail(Fault::bad_usage, "check-chain", "a profile is for --purpose user");
  }
  if (options.purpose == "client") question.role = pki::Role::client;
  if (options.purpose == "server") question.role = pki::Role::server;
  if (options.purpose == "user") question.role = pki::Role::person;
  if (!options.name.empty()) {
    if (question.role && *question.role != pki::Role::server) {
      return fail(Fault::bad_usage, "check-chain", "--name is for --purpose server or any");
    }
    USHER_TRY(question.name, pki::ServerName::from_host(options.name));
  }
  question.at = context.clock.now();
  if (options.at.empty()) return {};
  USHER_TRY(question.at, time_of_argument(options.at));
  return {};
}

void print(const ChainVerdict& verdict, bool json) {
  const bool accepted = !verdict.refusal;
  const std::string_view code = accepted ? "accepted" : code_of(verdict.refusal->fault);
  std::string reason =
      accepted ? "The certificate leads to a trusted root, and nothing speaks against it." : explain(*verdict.refusal);
  if (!verdict.note.empty()) reason.append(" ").append(verdict.note);
  reason = printable(reason);
  std::string text;
  if (json) {
    text = boost::json::serialize(boost::json::object{
        {"verdict", accepted ? "accepted" : "refused"}, {"code", code}, {"reason", reason}, {"depth", verdict.depth}});
  } else {
    text.append(accepted ? "accepted: " : "refused: ").append(reason);
    if (!accepted) text.append(" [").append(code).append(", depth ").append(std::to_string(verdict.depth)).append("]");
  }
  text.push_back('\n');
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Result<> run(CheckOptions& options, Context& context) {
  Result<> usable = complete(options, context);
  if (usable) {
    const auto verdict = check_chain(options.question);
    // An internal error is no verdict: a policy that is not an object identifier, for example.
    const bool judged = verdict && !(verdict->refusal && verdict->refusal->fault == Fault::local);
    if (judged) {
      print(*verdict, context.json);
      context.status = verdict->refusal ? kRefused : 0;
      return {};
    }
    usable = std::unexpected(verdict ? *verdict->refusal : verdict.error());
  }
  app::report("usherd", usable.error(), context.json, kUnusable);
  context.status = kUnusable;
  return {};
}

void add_arguments(const app::Command& verb, CheckOptions& options) {
  ChainQuestion& question = options.question;
  verb.option("--trust", question.trust, "Files with root certificates; without one nothing is trusted");
  verb.option("--untrusted", question.untrusted, "Files with authorities between root and leaf");
  verb.option("--crl", question.crls, "Files with revocation lists, complete and delta");
  verb.option("--revocation", options.revocation, "Whose status must be established: chain, leaf or none")
      .one_of({"chain", "leaf", "none"});
  verb.option("--profile", options.profile, "What a card must look like: cartao-de-cidadao or generic");
  verb.option("--purpose", options.purpose, "What the certificate is for; any (the default): the path alone")
      .one_of({"client", "server", "user", "any"});
  verb.option("--name", options.name, "The host name or address that the certificate must be for");
  verb.option("--at", options.at, "The time to judge at: Unix seconds or 2026-01-31T12:00:00Z (default: now)");
  verb.option("--initial-policy", question.policy.initial_policies, "RFC 5280's user-initial-policy-set");
  verb.flag("--explicit-policy", question.policy.require_explicit, "initial-explicit-policy");
  verb.flag("--inhibit-mapping", question.policy.inhibit_mapping, "initial-policy-mapping-inhibit");
  verb.flag("--inhibit-any", question.policy.inhibit_any, "initial-any-policy-inhibit");
  verb.option("CERT", question.certificate, "The certificate; in PEM, others after it count as --untrusted").required();
  verb.footer(
      "Files are PEM or DER. Exit status: 0 accepted, 1 refused, 2 unusable arguments or input.\n"
      "Examples:\n"
      "  usherd check-chain --trust root.pem --untrusted sub.pem --crl root.crl sub.crl --purpose user card.pem\n"
      "  usherd check-chain --trust state-root.pem --crl lists.pem --profile cartao-de-cidadao --json card.pem");
}

}  // namespace

void add_check_chain_command(const app::Command& program, Context& context) {
  const app::Command verb = program.command("check-chain", "Why a certificate is accepted or refused, offline");
  const auto options = std::make_shared<CheckOptions>();
  add_arguments(verb, *options);
  verb.action([&context, options] { return run(*options, context); });
}

}  // namespace usher::usherd

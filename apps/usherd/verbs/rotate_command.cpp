// usherd rotate: replaces the licence key.
#include <cstdio>
#include <memory>

#include <boost/json/array.hpp>

#include "common/json.h"
#include "usherd/home/home.h"
#include "usherd/home/key_files.h"
#include "usherd/home/owner.h"

namespace usher::usherd {
namespace {

Result<> rotate(const Context& context, const std::string& to) {
  USHER_TRY(const Config config, load_config(context));
  USHER_CHECK(check(config));
  USHER_TRY(const auto keys, open_keyring(config, context.passphrase, context.pin));
  USHER_CHECK(work_as_owner(config));
  USHER_TRY(const RotatedKey done, rotate_licence_key(config, *keys, to));
  std::vector<std::string> next;
  if (!to.empty()) next.push_back("set keys.licence_key = \"" + to + "\"");
  next.emplace_back("restart usherd: until then it signs with the old key");
  next.push_back("once all licences of the old key have ended, " + done.retired.string() + " may be taken away");
  if (!to.empty() && !card::is_token_key(config.licence_key)) {
    next.push_back("destroy " + config.path_of(config.licence_key).string());
  }
  if (context.json) {
    app::print_json(boost::json::object{{"retired", done.retired.string()},
                                        {"key_id", done.key_id},
                                        {"steps", boost::json::array(next.begin(), next.end())}});
    return {};
  }
  std::printf("retired: %s\nnew key: %s\nNext:\n", done.retired.c_str(), done.key_id.c_str());
  for (std::size_t i = 0; i < next.size(); ++i) std::printf("%zu. %s\n", i + 1, next[i].c_str());
  return {};
}

}  // namespace

void add_rotate_command(const app::Command& program, Context& context) {
  const app::Command verb = program.command("rotate", "Replace a key of the server's own");
  verb.needs_command();
  const app::Command licence =
      verb.command("licence-key", "A new key signs licences; those of the old one still verify");
  const auto to = std::make_shared<std::string>();
  licence.option("--to", *to, "The new key is on a token: its URI, pkcs11:…");
  licence.action([&context, to] { return rotate(context, *to); });
  verb.footer("Examples:\n  usherd --home h rotate licence-key && systemctl restart usherd");
}

}  // namespace usher::usherd

#include "get.h"

#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "client/engine/fetched_lists.h"
#include "common/report.h"
#include "console.h"
#include "installation.h"
#include "json.h"
#include "progress.h"

namespace usher::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLocalName = 255;  // bytes, the limit of file systems

void print_line(const std::string& text) {
  std::fwrite((text + "\n").data(), 1, text.size() + 1, stdout);
  std::fflush(stdout);
}

Result<> check_wish(const GetWish& wish) {
  if (wish.list && (!wish.sealed.empty() || wish.verify || wish.go_on || wish.force || !wish.output.empty())) {
    return fail(Fault::bad_usage, "get", "--list fetches nothing, so it takes no option for fetching");
  }
  if (!wish.list && wish.names.empty()) return fail(Fault::bad_usage, "get", "no name was given; --list shows them");
  if (wish.output == "-") {
    return fail(Fault::bad_usage, "get",
                "-o - is refused: data that are not known to be complete are written only to a file");
  }
  if (wish.go_on && wish.force) return fail(Fault::bad_usage, "get", "--continue and --force exclude each other");
  if (wish.go_on && !wish.sealed.empty()) {
    return fail(Fault::bad_usage, "get", "a sealed file cannot be continued: each has a key of its own");
  }
  return {};
}

/// The target of each name. All targets are known before the first request.
Result<std::vector<client::FileWish>> wishes_of(const GetWish& wish) {
  std::error_code ignored;
  const fs::path output = wish.output;
  const bool folder = wish.output.empty() || fs::is_directory(output, ignored);
  if (!folder && (wish.names.size() > 1 || wish.output.ends_with('/'))) {
    return fail(Fault::bad_usage, "get", printable(wish.output) + " is not a directory");
  }
  std::vector<client::FileWish> wishes;
  for (const std::string& name : wish.names) {
    client::FileWish one{.name = name, .verify = wish.verify, .go_on = wish.go_on, .force = wish.force};
    if (wish.sealed == "gcm") one.sealed = media::Suite::aes256_gcm;
    if (wish.sealed == "ctr") one.sealed = media::Suite::aes256_ctr_hmac_sha256;
    one.target = output;
    if (folder) {
      USHER_TRY(const std::string local, client::local_name(name));
      one.target = output / (local + (one.sealed ? ".sealed" : ""));
    }
    if (one.target.filename().string().size() > kMaxLocalName) {
      return fail(Fault::bad_usage, "get",
                  one.target.filename().string() + " is longer than a name can be here: give one with -o");
    }
    if (std::ranges::count(wishes, one.target, &client::FileWish::target) != 0) {
      return fail(Fault::bad_usage, "get", "two of the names would go to " + one.target.string());
    }
    wishes.push_back(std::move(one));
  }
  return wishes;
}

Result<client::FileStream> connect(const Context& context, const GetWish& wish) {
  USHER_TRY(Endpoint server, client::endpoint_from_text(wish.server));
  USHER_TRY(const Config config, load_config(context.options, context.environment));
  USHER_CHECK(check_set_up(config));
  USHER_TRY(pki::ServerName name, server_name_of(config, server.host));
  USHER_TRY(const fs::path data, data_folder(context.options));
  USHER_CHECK(make_private_directory(data));
  USHER_TRY(auto trust,
            load_trust(config, config.server, pki::Role::server, data, client::KeptLists(lists_file_of(data)).lists()));
  USHER_TRY(Installation own, load_installation(context.options, config, Kept::use));
  return client::FileStream::create({.server = std::move(server),
                                     .chain = std::move(own.chain),
                                     .key = std::make_shared<crypto::PrivateKey>(std::move(own.key)),
                                     .trust = std::move(trust),
                                     .name = std::move(name)},
                                    context.clock);
}

Result<> list(const Context& context, const GetWish& wish, client::FileFetcher& fetcher) {
  std::vector<std::string> prefixes = wish.names;
  if (prefixes.empty()) prefixes.emplace_back();
  for (const std::string& prefix : prefixes) {
    USHER_CHECK(fetcher.list(prefix, [&](const client::ListedFile& file) {
      print_line(context.options.json ? listed_json(file)
                                      : fmt::format("{:>14}  {}  {}", file.size, file.time, printable(file.name)));
    }));
  }
  return {};
}

Result<> fetch(const Context& context, client::FileWish wish, client::FileFetcher& fetcher) {
  const auto begun = std::chrono::steady_clock::now();
  Result<client::FetchedFile> fetched;
  {
    ProgressLine line(context.options, wish.name);
    wish.measure = line.shown();
    fetched = fetcher.fetch(wish, [&](std::uint64_t done, std::uint64_t total) { line.show(done, total); });
  }
  USHER_CHECK(fetched);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (context.options.json) {
    print_line(fetched_json(*fetched, took.count()));
  } else if (!context.options.quiet) {
    print_line(printable(fmt::format("{}: {} bytes, SHA-256 {}{}{}", fetched->target.string(), fetched->bytes,
                                     to_hex(fetched->sha256), fetched->sealed && fetched->verified ? " inside" : "",
                                     fetched->verified ? ", as the server says" : "")));
  }
  return {};
}

/// The rank of a fault. After several failures, the exit status is that of the highest rank.
int badness(Fault fault) {
  switch (exit_class_of(fault)) {
    case ExitClass::refused:
      return 0;
    case ExitClass::network:
      return 1;
    case ExitClass::local:
      return 2;
    case ExitClass::data:
      return 3;
    default:
      return 4;
  }
}

/// Whether all other names would fail too.
bool ends_all(Fault fault) { return badness(fault) == 4 || fault == Fault::unreachable || fault == Fault::disk_full; }

}  // namespace

Result<> do_get(Context& context, const GetWish& wish) {
  USHER_CHECK(check_wish(wish));
  std::vector<client::FileWish> wishes;
  if (!wish.list) {
    USHER_TRY(wishes, wishes_of(wish));
  }
  USHER_TRY(client::FileStream stream, connect(context, wish));
  const Interrupts interrupts;
  client::FileFetcher fetcher(stream, [] { return Interrupts::interrupted().load(); });
  if (wish.list) return list(context, wish, fetcher);
  Result<> worst;
  for (const client::FileWish& one : wishes) {
    Result<> fetched = fetch(context, one, fetcher);
    if (fetched) continue;
    if (worst) {
      worst = std::move(fetched);
    } else {
      // The program ends with the worst error; every other one is reported here.
      if (badness(fetched.error().fault) > badness(worst.error().fault)) std::swap(worst, fetched);
      app::report("usher", fetched.error(), context.options.json);
    }
    if (ends_all(worst.error().fault)) break;
  }
  return worst;
}

}  // namespace usher::cli

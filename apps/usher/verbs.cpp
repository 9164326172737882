#include "verbs.h"

#include <cstdio>
#include <iostream>

#include <unistd.h>

#include "base/encoding.h"
#include "client/menu.h"
#include "client/text.h"
#include "common/duration.h"
#include "common/output.h"
#include "common/report.h"
#include "console.h"
#include "json.h"

namespace usher::cli {
namespace {

constexpr Seconds kMinTime{60};          // minimum that can be acquired, channel.md §9.2
constexpr Seconds kMaxTime{31'622'400};  // 366 days

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::size_t columns() { return app::terminal_columns(STDOUT_FILENO); }

std::string json_line(std::string json) { return std::move(json) + "\n"; }

struct Opened {
  Config config;
  std::unique_ptr<PersonConnection> session;
  [[nodiscard]] client::Listener& listener() const { return session->listener(); }
};

Result<Opened> open(Context& context) {
  USHER_TRY(Config loaded, load_config(context.options, context.environment));
  Opened opened{.config = std::move(loaded), .session = {}};
  return opened;
}
Result<> connect(Context& context, Opened& opened) {
  USHER_TRY(opened.session, PersonConnection::open(context.options, opened.config, Interrupts::interrupted(),
                                                   context.clock, context.random));
  return {};
}

/// News and differences go to stderr, so that standard output stays the same for programs.
Result<client::Overview> shelf_of(const Context& context, const Opened& opened) {
  USHER_TRY(client::Overview overview, opened.listener().overview());
  if (!context.options.json) {
    const std::string text = (context.options.quiet ? std::string{} : client::news_text(overview.news)) +
                             client::differences_text(overview.differences);
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return overview;
}

bool has_variable(char** environment, std::string_view name) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (variable.starts_with(name) && variable.substr(name.size()).starts_with('=')) {
      return variable.size() > name.size() + 1;
    }
  }
  return false;
}

client::PlayRequest request_of(const Context& context, const Config& config) {
  client::PlayRequest request;
  request.player.command = config.player;
  request.window = static_cast<std::uint32_t>(config.window);
  request.interrupted = &Interrupts::interrupted();
  request.screen = has_variable(context.environment, "DISPLAY") || has_variable(context.environment, "WAYLAND_DISPLAY");
  return request;
}

}  // namespace

Result<> do_menu(Context& context) {
  USHER_TRY(Opened opened, open(context));
  USHER_CHECK(connect(context, opened));
  client::MenuOptions options{.play = request_of(context, opened.config), .view = {}};
  options.over = [] { return Interrupts::stopped().has_value(); };
  options.columns = columns;
  options.view = [&context]() -> std::unique_ptr<client::PlayView> {
    return std::make_unique<ConsoleView>(context.options);
  };
  return client::run_menu(opened.listener(), options, std::cin, std::cout);
}

Result<> do_list(Context& context) {
  USHER_TRY(Opened opened, open(context));
  USHER_CHECK(connect(context, opened));
  USHER_TRY(const client::Overview overview, shelf_of(context, opened));
  const client::PersonInfo who = opened.listener().who();
  print(context.options.json ? json_line(overview_json(who, overview))
                             : (context.options.quiet ? std::string{} : client::greeting(who, columns()) + "\n") +
                                   client::licences_text(overview, columns()) + "\n" +
                                   client::catalogue_text(overview.catalogue, columns()));
  return {};
}

Result<> do_licences(Context& context) {
  USHER_TRY(Opened opened, open(context));
  USHER_CHECK(connect(context, opened));
  USHER_TRY(const client::Overview overview, shelf_of(context, opened));
  print(context.options.json ? json_line(licences_json(opened.listener().who(), overview))
                             : client::licences_text(overview, columns()));
  return {};
}

Result<> do_buy(Context& context, const BuyWish& wish) {
  if ((wish.plays != 0) == !wish.time.empty()) {
    return fail(Fault::bad_usage, "buy",
                wish.plays == 0 ? "neither --plays nor --for was given" : "both --plays and --for were given");
  }
  std::uint64_t amount = wish.plays;
  if (!wish.time.empty()) {
    USHER_TRY(const Seconds time, app::duration_from_text(wish.time, Seconds::max()));
    if (time < kMinTime || time > kMaxTime) {
      return fail(Fault::bad_usage, "buy",
                  "a licence is for 60s at least and 366d at most, not for " + printable(wish.time),
                  "Give --for a time between them, such as 7d.");
    }
    amount = static_cast<std::uint64_t>(time.count());
  }
  USHER_TRY(Opened opened, open(context));
  USHER_CHECK(connect(context, opened));
  USHER_TRY(const client::Overview overview, shelf_of(context, opened));
  USHER_TRY(const client::VerifiedMedium medium, client::chosen(overview.catalogue, wish.medium));
  const auto kind = wish.time.empty() ? wire::LicenceKind::plays : wire::LicenceKind::time;
  USHER_TRY(
      const client::HeldLicence licence,
      opened.listener().acquire({.medium = medium.id(), .kind = static_cast<std::uint8_t>(kind), .amount = amount}));
  print(context.options.json
            ? json_line(licence_json(overview.catalogue, licence))
            : client::title_of(overview.catalogue, medium.id()) + ": " + client::acquired_text(licence) + "\n");
  return {};
}

int tell_failure(const Options& options, const Error& error) { return app::report("usher", error, options.json); }

Result<> do_play(Context& context, const PlayWish& wish) {
  if (wish.resume && wish.fresh) return fail(Fault::bad_usage, "play", "--resume and --fresh exclude each other");
  USHER_TRY(Opened opened, open(context));
  client::PlayRequest request = request_of(context, opened.config);
  if (!wish.licence.empty()) {
    const auto id = from_hex(wish.licence);
    if (!id || id->size() != 16) return fail(Fault::bad_usage, "play", "a licence's id is 32 hexadecimal digits");
    request.licence = array_of<16>(*id);
  }
  request.resume = wish.resume  ? client::Resume::always
                   : wish.fresh ? client::Resume::never
                                : client::Resume::automatic;
  if (!wish.from.empty()) {
    request.from_ms = client::time_of_text(wish.from);
    request.may_count_at_once = wish.counts;
    if (!request.from_ms) return fail(Fault::bad_usage, "play", "--from takes a time as 83, 1:23 or 1:02:03");
  }
  if (context.options.json && request.player.kind() == client::PlayerKind::standard_output) {
    return fail(Fault::bad_usage, "play", "--json and --player - both want standard output");
  }
  USHER_CHECK(client::check_player(request.player));  // before the prompt for a PIN
  USHER_CHECK(connect(context, opened));
  USHER_TRY(const client::Overview overview, shelf_of(context, opened));
  USHER_TRY(const client::VerifiedMedium medium, client::chosen(overview.catalogue, wish.medium));
  USHER_CHECK(client::check_screen(request.player, medium.manifest().kind, request.screen));
  ConsoleView view(
      context.options);  // its destructor may raise the signal that ended the play: print messages before that
  const auto report = opened.listener().play(medium.id(), request, view);
  const bool interrupted = Interrupts::interrupted();
  if (!report) {
    if (Interrupts::ends_the_program()) tell_failure(context.options, report.error());
    return std::unexpected(report.error());
  }
  if (context.options.json) {
    print(json_line(report_json(*report)));
  } else if (!context.options.quiet) {
    tell(client::report_text(*report));
  }
  if (interrupted) return fail(Fault::cancelled, "play");
  return {};
}

Result<> do_config_show(Context& context) {
  USHER_TRY(const Config config, load_config(context.options, context.environment));
  print(context.options.json ? json_line(to_json(config)) : to_toml(config));
  return {};
}

Result<> do_config_keys(const Context& context) {
  Config defaults;
  const app::Settings settings = settings_of(defaults);
  print(context.options.json ? json_line(settings.table_json()) : settings.table_markdown());
  return {};
}

}  // namespace usher::cli

#include "client/menu.h"

#include <istream>
#include <ostream>

#include "client/text.h"

namespace usher::client {
namespace {

class Menu {
 public:
  Menu(Listener& listener, const MenuOptions& options, std::istream& in, std::ostream& out)
      : listener_(listener), options_(options), in_(in), out_(out) {}

  Result<> run();

 private:
  /// Reads a line and trims it. Returns "q" at the end of the input.
  std::string ask(std::string_view question);
  Result<> list();
  void play();
  void acquire();
  /// Empty: return to the menu; an error has been printed already.
  std::optional<VerifiedMedium> choose();
  [[nodiscard]] std::size_t columns() const { return options_.columns ? options_.columns() : kAnyWidth; }
  void tell(const Error& error) { out_ << error_text(error) << "\n" << std::flush; }

  Listener& listener_;
  const MenuOptions& options_;
  std::istream& in_;
  std::ostream& out_;
  Overview shelf_;
};

std::string Menu::ask(std::string_view question) {
  out_ << question << std::flush;
  std::string line;
  if (!std::getline(in_, line)) {
    out_ << "\n";
    return "q";
  }
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

Result<> Menu::list() {
  USHER_TRY(shelf_, listener_.overview());
  out_ << "\n"
       << licences_text(shelf_, columns()) << "\n"
       << catalogue_text(shelf_.catalogue, columns()) << news_text(shelf_.news) << differences_text(shelf_.differences);
  return {};
}

std::optional<VerifiedMedium> Menu::choose() {
  const std::string name = ask("Number (q return): ");
  if (name.empty() || name == "q" || name == "Q") return std::nullopt;
  auto medium = chosen(shelf_.catalogue, name);
  if (medium) return *std::move(medium);
  tell(medium.error());
  return std::nullopt;
}

void Menu::play() {
  out_ << catalogue_text(shelf_.catalogue, columns());
  const auto medium = choose();
  if (!medium) return;
  PlayRequest request = options_.play;
  if (const auto shown = check_screen(request.player, medium->manifest().kind, request.screen); !shown) {
    return tell(shown.error());
  }
  const auto view = options_.view();  // its destructor restores the terminal; a signal may end the program there
  const auto report = listener_.play(medium->id(), request, *view);
  if (report) {
    out_ << report_text(*report) << "\n" << std::flush;
  } else {
    tell(report.error());
  }
}

void Menu::acquire() {
  constexpr std::array<std::uint64_t, 4> kPlays{1, 5, 10, 20};
  std::size_t type = 0;
  while (type == 0) {
    const std::string answer = ask("(1) single play  (2) 5 plays  (3) 10 plays  (4) 20 plays  (q) return: ");
    if (answer == "q" || answer == "Q") return;
    if (answer.size() == 1 && answer[0] >= '1' && answer[0] <= '4') type = static_cast<std::size_t>(answer[0] - '0');
  }
  out_ << catalogue_text(shelf_.catalogue, columns());
  const auto medium = choose();
  if (!medium) return;
  const auto licence = listener_.acquire({.medium = medium->id(),
                                          .kind = static_cast<std::uint8_t>(wire::LicenceKind::plays),
                                          .amount = kPlays[type - 1]});
  if (licence) {
    out_ << acquired_text(*licence) << "\n";
  } else {
    tell(licence.error());
  }
}

Result<> Menu::run() {
  out_ << greeting(listener_.who(), columns());
  USHER_CHECK(list());
  for (;;) {
    if (options_.over && options_.over()) return fail(Fault::cancelled, "menu");
    const std::string choice = ask("\n1 music list   2 play   3 acquire licence   q quit\n> ");
    if (choice == "q" || choice == "Q") return {};
    if (options_.over && options_.over()) return fail(Fault::cancelled, "menu");
    if (choice == "1") {
      if (auto listed = list(); !listed) tell(listed.error());
    } else if (choice == "2") {
      play();
    } else if (choice == "3") {
      acquire();
    } else if (!choice.empty()) {
      out_ << "Choose 1, 2, 3 or q.\n";
    }
  }
}

}  // namespace

Result<> run_menu(Listener& listener, const MenuOptions& options, std::istream& in, std::ostream& out) {
  return Menu(listener, options, in, out).run();
}

}  // namespace usher::client

#include "client/wallet/medium_numbers.h"

#include <map>

#include "base/encoding.h"
#include "base/file.h"

namespace usher::client {
namespace {

constexpr std::size_t kMaxNumbers = 16 << 20;  // bytes
constexpr std::size_t kDigits = 32;

/// Empty if the file does not exist or is damaged. Errors: those of reading the file.
Result<std::vector<Id128>> read_numbers(const std::filesystem::path& file) {
  std::vector<Id128> ids;
  const auto text = read_file(file, kMaxNumbers);
  if (!text && text.error().fault != Fault::not_found) return std::unexpected(text.error());
  if (!text || text->size() % (kDigits + 1) != 0) return ids;
  for (std::string_view rest = *text; !rest.empty(); rest.remove_prefix(kDigits + 1)) {
    const auto id = from_hex(rest.substr(0, kDigits));
    if (!id || rest[kDigits] != '\n') return std::vector<Id128>{};
    ids.push_back(array_of<16>(*id));
  }
  return ids;
}

}  // namespace

void number_catalogue(std::vector<CatalogueItem>& catalogue, const std::filesystem::path& wallet) {
  const auto lock = FileLock::wait(wallet / "lock");
  const auto file = wallet / "numbers";
  const auto kept = read_numbers(file);
  std::vector<Id128> known = kept.value_or(std::vector<Id128>{});
  std::map<Id128, std::size_t> numbers;
  for (std::size_t i = 0; i < known.size(); ++i) numbers.emplace(known[i], i + 1);
  const std::size_t before = known.size();
  for (CatalogueItem& item : catalogue) {
    const auto [at, is_new] = numbers.emplace(item.id, known.size() + 1);
    if (is_new) known.push_back(item.id);
    item.number = at->second;
  }
  // Do not replace a file that could not be read this time: its numbers would change.
  if (!lock || !kept || known.size() == before) return;
  std::string text;
  for (const Id128& id : known) text += to_hex(id) + "\n";
  if (!replace_file(file, text)) return;  // the next run starts from the same file
}

}  // namespace usher::client

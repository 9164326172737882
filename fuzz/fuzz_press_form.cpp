// How the press parses the structure of a file that it is given. The first byte chooses the container.
// Links: usher-press_parts
#include <unistd.h>

#include "../apps/usher-press/form.h"
#include "round_trip.h"

using namespace usher;

namespace {

press::MediaFilePtr file_of(View bytes) {
  auto memory = press::memory_file();
  fuzz::must(memory.has_value());
  fuzz::must(::write(memory->get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  auto file = press::MediaFile::take(std::move(*memory));
  fuzz::must(file.has_value());
  return *file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  const press::MediaFilePtr file = file_of(bytes);
  const auto container = static_cast<press::Container>(data[0] % (static_cast<int>(press::Container::other) + 1));
  [[maybe_unused]] const auto header = press::has_mp3_header(*file);
  [[maybe_unused]] const auto subtype = press::subtype_of(*file, container);
  press::Probe probe;
  probe.container = container;
  const auto form = press::form_of(*file, probe);
  if (!form || !form->obstacle.empty()) return 0;
  fuzz::must(form->head.value_or(0) <= bytes.size());
  std::uint64_t before = 0;
  for (const press::Unit& unit : form->units) {
    fuzz::must(unit.begin >= before && unit.begin < unit.end && unit.end <= bytes.size());
    before = unit.end;
  }
  return 0;
}

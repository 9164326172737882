// fuzz/replay: runs a fuzz target without a fuzzer, in the ordinary tests. The inputs are the empty input, every file
// of a corpus, every shorter prefix of each, and each with one bit flipped. They are the same in every run. A corpus
// that is missing or empty is a failure: nothing would have been tried.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kChanges = 2000;  // of each kind, for one file; spread over its length

void run(const std::vector<std::uint8_t>& input, std::size_t size) {
  // An exact copy, so that a sanitizer sees a read beyond the end.
  const std::vector<std::uint8_t> exact(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void run_with_changes(std::vector<std::uint8_t> input) {
  run(input, input.size());
  const std::size_t step = input.size() / kChanges + 1;
  for (std::size_t i = 0; i < input.size(); i += step) {
    run(input, i);
    const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
    input[i] ^= bit;
    run(input, input.size());
    input[i] ^= bit;
  }
}

}  // namespace

int main(int argc, char** argv) {
  run_with_changes({});
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i], missing)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      run_with_changes({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
      ++files;
    }
  }
  std::printf("%zu files of the corpus, and their changes\n", files);
  return files == 0 ? 1 : 0;
}

// A folder of a test's own, with programs that stand for players.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace usher::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "usher player XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }
  /// An executable script.
  [[nodiscard]] std::string script(const char* name, const std::string& text) const {
    const std::filesystem::path file = path_ / name;
    const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    const std::string all = "#!/bin/sh\n" + text + "\n";
    EXPECT_EQ(::write(out, all.data(), all.size()), static_cast<ssize_t>(all.size()));
    ::close(out);
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace usher::test

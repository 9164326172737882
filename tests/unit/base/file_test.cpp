// Files that are whole or not there, whatever fails on the way: a full disk, a directory that cannot be synced.
#include "base/file.h"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace usher {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "usher-file-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Files() override {
    std::error_code ignored;
    fs::permissions(directory_, fs::perms::owner_all, ignored);
    fs::remove_all(directory_, ignored);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    const auto text = read_file(path(name), 1 << 20);
    return text ? *text : std::string(code_of(text.error().fault));
  }
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }
  [[nodiscard]] unsigned mode(const std::string& name) const {
    struct stat info{};
    return ::stat(path(name).c_str(), &info) == 0 ? info.st_mode & 07777U : 0U;
  }

  fs::path directory_;
};

template <class T>
void expect_fault(const Result<T>& result, Fault fault) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(code_of(result.error().fault), code_of(fault)) << result.error().where << " " << result.error().about;
}

/// The result of `body` in a child process, which takes its limits and rules with it. -1: it was killed.
int in_a_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int fault_number(const Result<>& result) { return result ? 255 : static_cast<int>(result.error().fault); }

/// From here on fsync() of this descriptor fails as a broken disk does. Only the process itself is concerned.
bool break_fsync_of(int descriptor) {
  std::array filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(descriptor), 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// The number that the next descriptor gets.
int next_descriptor() {
  const int next = ::open("/", O_PATH | O_CLOEXEC);
  ::close(next);
  return next;
}

TEST_F(Files, AFileIsWrittenWholeForItsOwnerAloneAndLeavesNothingElse) {
  ASSERT_TRUE(create_file(path("a"), "one"));
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(mode("a"), 0600U);
  ASSERT_TRUE(replace_file(path("a"), "two", 0644));
  EXPECT_EQ(content("a"), "two");
  EXPECT_EQ(mode("a"), 0644U);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, WhatIsThereIsNotCreatedAnew) {
  ASSERT_TRUE(create_file(path("a"), "one"));
  expect_fault(create_file(path("a"), "two"), Fault::already_exists);
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, ALinkIsReplacedAndNotWhatItLeadsTo) {
  ASSERT_TRUE(create_file(path("a"), "one"));
  fs::create_symlink(path("a"), path("link"));
  ASSERT_TRUE(replace_file(path("link"), "two"));
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(content("link"), "two");
}

TEST_F(Files, ADirectoryThatCannotBeSyncedAtAllRefusesBeforeAnythingChanges) {
  ASSERT_TRUE(create_file(path("a"), "one"));
  // The directory can be written but not opened for reading, so it cannot be synced. Root could sync it: the call below
  // runs under another user id.
  ASSERT_EQ(::chmod(directory_.c_str(), 0300), 0);
  const bool root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (root) {
    ASSERT_EQ(::chown(directory_.c_str(), kNobody, kNobody), 0);
  }
  const int fault = in_a_child([&] {
    if (root && ::setuid(kNobody) != 0) return 254;
    return fault_number(replace_file(path("a"), "two"));
  });
  EXPECT_EQ(fault, static_cast<int>(Fault::not_permitted));
  ASSERT_EQ(::chmod(directory_.c_str(), 0700), 0);
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, ADirectoryWhoseSyncFailsIsAnErrorAndTheNewFileStays) {
  for (const bool replaced : {true, false}) {
    const std::string name = replaced ? "a" : "b";
    if (replaced) {
      ASSERT_TRUE(create_file(path(name), "one"));
    }
    const int fault = in_a_child([&] {
      const int file = next_descriptor();  // the file comes first, then its directory
      if (!break_fsync_of(file + 1)) return 254;
      return fault_number(replaced ? replace_file(path(name), "two") : create_file(path(name), "two"));
    });
    EXPECT_EQ(fault, static_cast<int>(Fault::io)) << name;
    EXPECT_EQ(content(name), "two");
  }
  EXPECT_EQ(count(), 2U);
}

TEST_F(Files, AFileThatCannotBeSyncedLeavesTheOldOne) {
  ASSERT_TRUE(create_file(path("a"), "one"));
  const int fault = in_a_child([&] {
    if (!break_fsync_of(next_descriptor())) return 254;
    return fault_number(replace_file(path("a"), "two"));
  });
  EXPECT_EQ(fault, static_cast<int>(Fault::io));
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, AFullDiskLeavesTheOldFileAndNothingHalfWritten) {
  ASSERT_TRUE(create_file(path("a"), "one"));
  for (const bool replaced : {true, false}) {
    const int fault = in_a_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);  // NOLINT(cert-err33-c)
      const rlimit small{4096, 4096};
      if (::setrlimit(RLIMIT_FSIZE, &small) != 0) return 254;
      const std::string much(100'000, 'x');
      return fault_number(replaced ? replace_file(path("a"), much) : create_file(path("b"), much));
    });
    EXPECT_EQ(fault, static_cast<int>(Fault::disk_full));
  }
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, ANameOfAnyLengthThatTheFileSystemTakesCanBeWritten) {
  for (const std::size_t size : {245U, 250U, 255U}) {
    const std::string name(size, 'n');
    EXPECT_TRUE(create_file(path(name), "one")) << size;
    EXPECT_TRUE(replace_file(path(name), "two")) << size;
    EXPECT_EQ(content(name), "two") << size;
  }
}

TEST_F(Files, WhatIsLongerThanItMayBeIsRefusedAndNotCut) {
  ASSERT_TRUE(create_file(path("a"), std::string(1000, 'x')));
  EXPECT_EQ(read_file(path("a"), 1000)->size(), 1000U);
  expect_fault(read_file(path("a"), 999), Fault::too_long);
  Bytes room(1000);
  EXPECT_EQ(*read_file_into(path("a"), room), 1000U);
  expect_fault(read_file_into(path("a"), MutableView(room).first(999)), Fault::too_long);
  expect_fault(read_file(path("nowhere"), 10), Fault::not_found);
  expect_fault(read_file(directory_, 10), Fault::not_a_file);
}

TEST_F(Files, APipeIsReadToItsEndAndOneWithoutAWriterIsEmpty) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(*read_file(path("pipe"), 10), "");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const std::string text(200'000, 'x');
  std::thread writer([&] {
    std::string_view left = text;
    while (!left.empty()) {
      const ssize_t wrote = ::write(ends[1], left.data(), left.size());
      if (wrote <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(wrote));
    }
    ::close(ends[1]);
  });
  EXPECT_EQ(*read_file("/proc/self/fd/" + std::to_string(ends[0]), 1 << 20), text);
  writer.join();
  ::close(ends[0]);
}

TEST_F(Files, ALockIsHeldByOneAndGoneWithItsObject) {
  expect_fault(FileLock::try_existing(path("lock")), Fault::not_found);
  {
    const auto lock = FileLock::try_now(path("lock"));
    ASSERT_TRUE(lock);
    EXPECT_EQ(mode("lock"), 0600U);
    expect_fault(FileLock::try_now(path("lock")), Fault::busy);
    expect_fault(FileLock::try_existing(path("lock")), Fault::busy);
  }
  EXPECT_TRUE(FileLock::wait(path("lock")));
  fs::create_symlink(path("lock"), path("link"));
  EXPECT_FALSE(FileLock::try_now(path("link")));
}

TEST_F(Files, DirectoriesAreMadeForTheirOwnerAlone) {
  ASSERT_TRUE(make_private_directory(path("a/b/c")));
  EXPECT_EQ(mode("a"), 0700U);
  EXPECT_EQ(mode("a/b/c"), 0700U);
  ASSERT_TRUE(make_private_directory(path("a/b")));
  ASSERT_TRUE(create_file(path("file"), ""));
  EXPECT_FALSE(make_private_directory(path("file")));
}

}  // namespace
}  // namespace usher

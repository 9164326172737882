// usher-press as its users run it: with certificates and keys made for each test.
#pragma once

#include <cstdio>
#include <map>

#include <sys/wait.h>

#include "support/pki.h"
#include "unit/media/fixtures.h"

namespace usher::media::test {

using usher::test::Authority;
using usher::test::Identity;

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

/// A label, an operator, and the press as they run it.
class PressFixture : public testing::Test {
 protected:
  PressFixture() {
    const Time now = SystemClock().now();
    const Authority root = Authority::root("press test root", usher::test::around(now));
    write("root.pem", root.certificate.to_pem());
    issue(root, "label", pki::Role::distributor, now);
    issue(root, "operator", pki::Role::release_recipient, now);
    write("pass", "a passphrase\n");
  }
  void issue(const Authority& root, const std::string& name, pki::Role role, Time now) {
    const crypto::PrivateKey key = usher::test::new_key();
    keys.emplace(name, key);
    const auto certificate =
        usher::test::must(pki::issue_leaf(root.issuer(),
                                          {.role = role,
                                           .name = {.common_name = name, .organisation = "Test Records"},
                                           .validity = usher::test::around(now, 1, 10)},
                                          key.public_key(), usher::test::randomness()));
    write(name + ".pem", certificate.to_pem());
    write(name + ".key", usher::test::must(key.to_pem(secret("a passphrase"))));
  }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return directory.path / name; }
  void write(const std::string& name, std::string_view text) const { write_file(path(name), view_of(text)); }

  using Arguments = std::vector<std::string>;
  /// In the directory, with nothing to read and no terminal.
  [[nodiscard]] Ran run(Arguments arguments) const {
    arguments.insert(arguments.begin(), USHER_PRESS);
    return run_program(std::move(arguments));
  }
  /// The same for any program. `input`: a file of the directory.
  [[nodiscard]] Ran run_program(Arguments arguments, const std::string& input = "/dev/null") const {
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<char*> argv;
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      const bool ready = ::chdir(directory.path.c_str()) == 0 && std::freopen(input.c_str(), "r", stdin) != nullptr &&
                         std::freopen("out.txt", "w", stdout) != nullptr &&
                         std::freopen("err.txt", "w", stderr) != nullptr && ::setsid() > 0;
      if (ready) ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const Bytes out = read_file(path("out.txt"));
    const Bytes err = read_file(path("err.txt"));
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, std::string(text_of(out)), std::string(text_of(err))};
  }
  [[nodiscard]] Ran press_as(const std::string& who, const std::string& recipient, const std::string& file) const {
    return run({"press", file, "--key", who + ".key", "--cert", who + ".pem", "--for", recipient, "--passphrase-file",
                "pass"});
  }
  [[nodiscard]] Ran press_file(const std::string& file, const Arguments& more = {}) const {
    Arguments all = {"press",        file,    "--key", "label.key",         "--cert", "label.pem", "--for",
                     "operator.pem", "--out", "rel",   "--passphrase-file", "pass"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  static void expect_refused(const Ran& ran, Fault fault) {
    EXPECT_EQ(ran.status, static_cast<int>(exit_class_of(fault))) << ran.err;
    EXPECT_NE(ran.err.find("[" + std::string(code_of(fault)) + "]"), std::string::npos) << ran.err;
  }

  Directory directory;
  std::map<std::string, crypto::PrivateKey> keys;
};

}  // namespace usher::media::test

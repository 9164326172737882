"""tools/check-house-rules refuses each forbidden example, and accepts the allowed ones."""
import os
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "check-house-rules")
BASE64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDC7"

# path, content, the rule that must refuse it
REFUSED = [
    ("src/channel/a.cpp", "bool same = memcmp(a, b, 16) == 0;", "memcmp"),
    ("src/channel/a.cpp", "bool same = std::memcmp(a, b, 16) == 0;", "memcmp"),
    ("src/server/a.cpp", "if (CRYPTO_memcmp(a, b, 16)) return;", "memcmp"),
    ("src/server/a.cpp", "int n = rand();", "rand"),
    ("tests/unit/server/a.cpp", "std::srand(1);", "rand"),
    ("src/server/a.cpp", "std::mt19937 engine;", "engine"),
    ("src/pki/a.cpp", "RAND_bytes(out, 16);", "openssl-random"),
    ("src/server/a.cpp", "auto now = std::chrono::system_clock::now();", "wall-clock"),
    ("src/store/a.cpp", "auto now = time(nullptr);", "wall-clock"),
    ("src/channel/a.cpp", "auto now = std::chrono::steady_clock::now();", "pure-clock"),
    ("src/licence/a.cpp", "#include <ctime>", "pure-clock"),
    ("src/channel/a.cpp", "#include <fstream>", "pure-system"),
    ("src/licence/a.cpp", "#include <thread>", "pure-system"),
    ("src/channel/a.cpp", "#include <sys/socket.h>", "pure-system"),
    ("src/channel/a.cpp", "int fd = ::open(path, 0);", "pure-system"),
    ("src/server/a.cpp", "exit(1);", "exit"),
    ("apps/usherd/serve.cpp", "std::exit(1);", "exit"),
    ("apps/usher/main.cpp", "system(command);", "shell"),
    ("src/client/a.cpp", "FILE* f = popen(command, mode);", "shell"),
    ("src/server/a.cpp", "sprintf(buffer, format);", "unbounded-c"),
    ("src/server/a.cpp", "throw std::runtime_error(text);", "throw"),
    ("src/server/a.cpp", "const char* home = std::getenv(name);", "environment"),
    ("src/server/a.cpp", "out << key.expose();", "streamed-secret"),
    ("src/server/a.cpp", "log.info(\"{}\",\n  to_hex(key.expose()));", "logged-secret"),
    ("tests/unit/server/a.cpp", "GTEST_SKIP();", "skip"),
    ("tests/unit/server/a.cpp", "std::this_thread::sleep_for(1s);", "sleep"),
    ("tests/e2e/a.py", "time.sleep(1)", "sleep"),
    ("tests/e2e/a.sh", "  sleep 1", "sleep"),
    ("tests/unit/server/a.cpp", "TEST(A, DISABLED_B) {}", "disabled-test"),
    ("tests/unit/server/a.cpp", "rc::check([] { RC_ASSERT(true); });", "unread-property"),
    ("tests/unit/server/a.cpp", "while (!done) std::this_thread::yield();", "endless-loop"),
    ("src/server/a.h", "#pragma once\nusing namespace std;", "using-namespace"),
    ("src/server/a.h", "int x;", "guard"),
    ("src/server/a.cpp", "// TODO: later", "todo"),
    ("docs/a.md", "FIXME", "todo"),
    ("docs/a.md", "see /work/main/README.md", "machine"),
    ("tools/a", "cp /home/maria/x .", "machine"),
    ("apps/usher/options.cpp", "app.add_option(\"--pin\", pin);", "secret-argument"),
    ("tests/a.pem", "x", "key-in-git"),
    ("packaging/server.key", "x", "key-in-git"),
    ("docs/a.md", f"-----BEGIN PRIVATE KEY-----\n{BASE64}\n", "key-in-git"),
    ("tests/a.cpp", f'"-----BEGIN CERTIFICATE-----\\n"\n"{BASE64}"', "key-in-git"),
    ("src/server/a.cpp", "\n" * 500, "length"),
    ("tools/a", "#!/bin/bash\n" + "\n" * 500, "length"),
    ("src/server/a.cpp", "// x" + "x" * 117, "columns"),
    ("src/server/a.cpp", "// clang-format off\n// clang-format on\n// x" + "x" * 117, "columns"),
    ("tests/e2e/a.py", "x = 1  # " + "x" * 112, "columns"),
    ("CMakeLists.txt", "# " + "x" * 119, "columns"),
    ("docs/a.md", "x " * 61, "columns"),
    ("src/server/a.cpp", "// Nobody waits for it.", "plain-words"),
    ("src/server/a.cpp", "log.error(\"nobody can log in\");", "plain-words"),
    ("src/server/a.cpp", "const char* text = \"the key at \"\n                   \"hand\";", "plain-words"),
    ("src/base/a.def", "FAULT(a, \"a\", data, \"Somebody has it.\", \"Wait.\")", "plain-words"),
    ("tools/a", "#!/bin/bash\n# the list at\n# hand", "plain-words"),
    ("tests/e2e/a.py", "\"\"\"For whoever uses it.\"\"\"", "plain-words"),
    ("docs/a.md", "No list is to be had.", "plain-words"),
]

TAKEN = [
    ("tests/unit/server/a.cpp", "EXPECT_TRUE(rc::check(\"any\", [] {}));"),
    ("src/channel/a.cpp", "// never memcmp(a, b), never rand()\nauto text = \"system(\";"),
    ("src/crypto/a.cpp", "// house-rule(memcmp): this is the comparison in constant time.\nCRYPTO_memcmp(a, b, n);"),
    ("src/base/clock.h", "#pragma once\nauto now = std::chrono::system_clock::now();"),
    ("src/server/a.cpp", "auto soon = std::chrono::steady_clock::now();"),
    ("src/channel/a.cpp", "record.open(bytes); machine->exit(); reader.time(0);"),
    ("src/client/a.cpp", "if (child == 0) _exit(127);"),
    ("apps/usher/main.cpp", "std::exit(1);"),
    ("src/client/engine.h", "#pragma once\nvoid exit() noexcept;\nResult<Bytes> exit(const Ask& ask);"),
    ("src/client/engine.cpp", "void Engine::exit() noexcept {}"),
    ("src/store/a.cpp", "catch (const Wrong&) { throw; }"),
    ("src/server/a.cpp", "out << key.size(); hmac(key.expose());"),
    ("tests/unit/server/a.cpp", "GTEST_SKIP() << \"no card here\";"),
    ("src/crypto/a.cpp", "text.starts_with(\"-----BEGIN PRIVATE KEY-----\");"),
    ("docs/a.md", "see /etc/usher, ~/.config/usher and https://example.org/work/x"),
    ("src/server/a.cpp", "\n" * 499),
    ("src/server/a.cpp", "// " + "x" * 117),
    ("src/server/a.cpp", "// clang-format off\nKey(\"" + "x" * 130 + "\"),\n// clang-format on"),
    ("src/base/a.def", "FAULT(a, \"a\", data, \"" + "x" * 130 + "\", \"Wait.\")"),
    ("tests/conformance/a.tsv", "x" * 130),
    ("docs/a.md", "| " + "x" * 130 + " |\nsee [x](https://example.org/" + "x" * 130 + ")"),
    ("src/server/a.cpp", "const int nobody = 1;  // each has a handshake at hands' length, as was said beforehand"),
    ("tests/e2e/a.py", "def test_that_nobody_is_charged(self):\n    pass"),
    ("tests/e2e/a.py", "OWNER = \"nobody\"  # house-rule(plain-words): the name of a Unix user"),
]


class CheckHouseRules(unittest.TestCase):
    def run_on(self, path, text):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
            done = subprocess.run([SCRIPT, root], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def test_each_rule_refuses_its_example(self):
        for path, text, rule in REFUSED:
            with self.subTest(rule=rule, text=text[:60]):
                status, output = self.run_on(path, text)
                self.assertEqual(status, 1, output)
                self.assertIn(f": {rule}: ", output)

    def test_what_keeps_the_rules_is_taken(self):
        for path, text in TAKEN:
            with self.subTest(text=text[:60]):
                status, output = self.run_on(path, text)
                self.assertEqual(status, 0, output)

    def test_an_excuse_without_a_reason_is_none(self):
        status, _ = self.run_on("src/server/a.cpp", "int n = rand();  // house-rule(rand):")
        self.assertEqual(status, 1)

    def test_an_excuse_for_another_rule_is_none(self):
        status, _ = self.run_on("src/server/a.cpp", "int n = rand();  // house-rule(exit): it is needed here")
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()

"""The lines that ./run test prints while it runs."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
TOOL = pathlib.Path(__file__).parents[1] / "test-progress"
loader = importlib.machinery.SourceFileLoader("test_progress", str(TOOL))
tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("test_progress", loader))
loader.exec_module(tool)

PASSED = " 1/40 Test  #7: base.Lru.Evicts ................   Passed    0.01 sec"
FAILED = " 2/40 Test  #8: base.Lru.Keeps .................***Failed    0.01 sec"
SKIPPED = " 3/40 Test  #9: base.Lru.Waits .................***Skipped   0.01 sec"


class ProgressTest(unittest.TestCase):
    def test_what_passed_is_counted_and_left_out(self):
        progress = tool.Progress(0)
        self.assertFalse(progress.takes("        Start   7: base.Lru.Evicts"))
        self.assertFalse(progress.takes(PASSED))
        self.assertEqual(progress.report(120), "  1 of 40 tests, 0 failed, 2 min")

    def test_what_failed_is_printed_and_counted(self):
        progress = tool.Progress(0)
        self.assertTrue(progress.takes(FAILED))
        self.assertTrue(progress.takes(SKIPPED))
        self.assertTrue(progress.takes("a line of the test's own output"))
        self.assertEqual(progress.report(60), "  2 of 40 tests, 1 failed, 1 min")

    def test_nothing_new_is_no_report(self):
        progress = tool.Progress(0)
        self.assertIsNone(progress.report(60))
        progress.takes(PASSED)
        progress.report(60)
        self.assertIsNone(progress.report(120))

    def test_every_other_line_arrives_and_a_line_without_an_end_too(self):
        lines = f"Test project\n{PASSED}\n{FAILED}\nWhy it failed\n98% tests passed"
        done = subprocess.run([sys.executable, TOOL, "3600"], input=lines, capture_output=True, text=True, timeout=60,
                              check=True)
        self.assertEqual(done.stdout, f"Test project\n{FAILED}\nWhy it failed\n98% tests passed\n")


if __name__ == "__main__":
    unittest.main()

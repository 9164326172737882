"""Runs a file of end-to-end tests. Names each test that could not run; a file in which no test ran is not a success."""
import sys
import unittest

NOTHING_RAN = 77  # what CMake takes for "skipped"


def main():
    result = unittest.main(verbosity=2, exit=False).result
    for test, why in result.skipped:
        print(f"NOT-RUN: {test.id()}: {why}", flush=True)
    if not result.wasSuccessful():
        sys.exit(1)
    ran = result.testsRun - sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped)
    if ran == 0:
        sys.exit(NOTHING_RAN if result.skipped else 1)

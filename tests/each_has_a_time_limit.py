#!/usr/bin/env python3
"""each_has_a_time_limit ctest build: fails with the names of the tests that may run for ever."""
import json
import subprocess
import sys

ctest, build = sys.argv[1:]
shown = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True, text=True)
# A program that was not built has a test of that name, which fails by itself.
tests = [t for t in json.loads(shown.stdout)["tests"] if not t["name"].endswith("_NOT_BUILT")]
endless = [test["name"] for test in tests
           if not any(p["name"] == "TIMEOUT" and 0 < p["value"] for p in test["properties"])]
for name in endless:
    print(f"{name}: no time limit")
print(f"{len(tests)} tests, {len(endless)} without a time limit")
sys.exit(1 if endless or not tests else 0)

"""Public collections of certification paths with `usherd check-chain`. docs/testing.md has the run's table."""
import csv
import os
import pathlib
import subprocess
import unittest

from world import BIN, DEADLINE, SOURCE, run

DATA = pathlib.Path(os.environ.get("USHER_CONFORMANCE_DIR") or SOURCE.parent / "shared/conformance")
TOOL = SOURCE / "tools/conformance"


class TheTableInThePageIsWhatTheRunYields(unittest.TestCase):
    def check(self, collection, name, where="USHER_CONFORMANCE_DIR names its place"):
        if run(TOOL, BIN / "usherd", DATA, "--list").json()[collection] is None:
            self.skipTest(f"{name} is not here: {where}")
        run(TOOL, BIN / "usherd", DATA, "--only", collection, "--check", SOURCE / "docs/testing.md", timeout=600)

    def test_of_pkits(self):
        self.check("PKITS", "PKITS", "python3-cryptography-vectors has it")

    def test_of_the_bsi(self):
        self.check("BSI", "bsi")

    def test_of_the_delta_list_traps(self):
        self.check("delta lists", "delta")

    def test_of_x509_limbo(self):
        self.check("x509-limbo", "limbo")


class WhatOthersFound(unittest.TestCase):
    def test_what_others_found_is_judged_right(self):
        folder = DATA / "found"
        if not (folder / "cases.tsv").exists():
            self.skipTest("found is not here: USHER_CONFORMANCE_DIR names its place")
        with open(folder / "cases.tsv", encoding="utf-8") as table:
            rows = list(csv.DictReader(table, delimiter="\t"))
        self.assertTrue(rows)
        for row in rows:
            files = {key: [folder / name for name in row[key].split(",") if name not in ("", "-")]
                     for key in ("trust", "untrusted", "crls")}
            command = [BIN / "usherd", "check-chain", folder / row["cert"], "--purpose", row["purpose"], "--at",
                       row["at"]]
            for flag, key in (("--trust", "trust"), ("--untrusted", "untrusted"), ("--crl", "crls")):
                command += [flag, *files[key]] if files[key] else []
            with self.subTest(row["title"]):
                done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
                self.assertEqual(done.returncode, 0 if row["wanted"] == "accept" else 1, done.stdout + done.stderr)


if __name__ == "__main__":
    from suite import main
    main()

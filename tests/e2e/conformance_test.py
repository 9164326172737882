"""Other people's certification paths, through `usherd check-chain`: docs/testing.md says what the run yields."""
import csv
import os
import pathlib
import subprocess
import unittest

from world import BIN, SOURCE, run


def conformance_folder(case, needed):
    """Where other people's cases lie, or the test is skipped."""
    data = pathlib.Path(os.environ.get("USHER_CONFORMANCE_DIR") or SOURCE.parent / "shared/conformance")
    if not (data / needed).exists():
        case.skipTest("USHER-SKIPPED: the conformance data is not here: USHER_CONFORMANCE_DIR may say where it is")
    return data


class Conformance(unittest.TestCase):
    def test_the_table_in_the_page_is_what_the_run_yields(self):
        data = conformance_folder(self, "pkits/pkits.tsv")
        run(SOURCE / "tools/conformance", BIN / "usherd", data, "--check", SOURCE / "docs/testing.md", timeout=600)

    def test_what_others_found_is_judged_right(self):
        folder = conformance_folder(self, "found/cases.tsv") / "found"
        with open(folder / "cases.tsv", encoding="utf-8") as table:
            rows = list(csv.DictReader(table, delimiter="\t"))
        self.assertTrue(rows)
        for row in rows:
            files = {key: [folder / name for name in row[key].split(",") if name not in ("", "-")]
                     for key in ("trust", "untrusted", "crls")}
            command = [BIN / "usherd", "check-chain", folder / row["cert"], "--purpose", row["purpose"], "--at", row["at"]]
            for flag, key in (("--trust", "trust"), ("--untrusted", "untrusted"), ("--crl", "crls")):
                command += [flag, *files[key]] if files[key] else []
            with self.subTest(row["title"]):
                done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 0 if row["wanted"] == "accept" else 1, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""Other people's certification paths, through `usherd check-chain`: docs/testing.md says what the run yields."""
import os
import pathlib
import unittest

from world import BIN, SOURCE, run

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


if __name__ == "__main__":
    from suite import main
    main()

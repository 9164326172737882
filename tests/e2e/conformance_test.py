"""Other people's certification paths, through `usherd check-chain`: docs/testing.md says what the run yields."""
import os
import pathlib
import unittest

from world import BIN, SOURCE, run


class Conformance(unittest.TestCase):
    def test_the_table_in_the_page_is_what_the_run_yields(self):
        data = pathlib.Path(os.environ.get("USHER_CONFORMANCE_DIR") or SOURCE.parent / "shared/conformance")
        if not (data / "pkits/pkits.tsv").exists():
            self.skipTest("USHER-SKIPPED: the conformance data is not here: USHER_CONFORMANCE_DIR may say where it is")
        run(SOURCE / "tools/conformance", BIN / "usherd", data, "--check", SOURCE / "docs/testing.md", timeout=600)


if __name__ == "__main__":
    unittest.main(verbosity=2)

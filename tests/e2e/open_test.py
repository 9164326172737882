"""usher open: sealed files from directories and from the vault, good and damaged."""
import json
import os
import pty
import subprocess
import unittest

from files import CHUNK, Case, FileWorld, sha256
from world import DEADLINE, run, tracks


class Open(Case):
    def sealed(self, suite="gcm", size=3 * CHUNK + 5):
        file = self.world.put("sealed song", size)
        self.get(file.name, f"--sealed={suite}")
        return file, self.client.into / f"{file.name}.sealed"

    def test_a_flipped_byte_is_found_with_its_chunk(self):
        for suite, tag in (("gcm", 16), ("ctr", 32)):
            _, path = self.sealed(suite)
            good = path.read_bytes()
            body = len(good) - (3 * CHUNK + 5 + 4 * tag)
            for chunk, at in ((0, 0), (0, CHUNK), (1, CHUNK + tag), (2, 3 * (CHUNK + tag) - 1), (3, 3 * (CHUNK + tag)),
                              (3, len(good) - body - 1)):
                bad = bytearray(good)
                bad[body + at] ^= 1
                path.write_bytes(bad)
                outcome = self.refused("chunk-damaged", "open", path)
                self.assertIn(f"chunk {chunk}", outcome.err)
                self.assertEqual(self.left(), [path.name])
            path.unlink()

    def test_what_cannot_be_opened_is_told_in_one_way_each(self):
        _, path = self.sealed()
        good = path.read_bytes()
        for code, content in (("truncated", good[:-1]), ("truncated", good[:50]), ("malformed", os.urandom(1000)),
                              ("truncated", b""), ("malformed", good + b"x"),
                              ("header-damaged", good[:40] + b"xxxx" + good[44:])):
            path.write_bytes(content)
            outcome = self.refused(code, "open", path)
            self.assertIn(path.name, outcome.err)
            self.assertEqual(outcome.err.count("\n"), 1)
            self.assertEqual(self.left(), [path.name])

    def test_another_key_does_not_fit(self):
        _, path = self.sealed()
        self.refused("no-key-fits", "open", path, client=self.clients["rsa2048"])
        self.refused("not-found", "open", path, "--key", "nowhere.key")

    def test_another_digest_is_refused(self):
        _, path = self.sealed()
        self.refused("digest-mismatch", "open", path, "--digest", "00" * 32)
        self.refused("bad-usage", "open", path, "--digest", "00")
        self.assertEqual(self.left(), [path.name])

    def test_it_goes_into_a_pipe_but_not_onto_a_terminal(self):
        file, path = self.sealed()
        piped = run(*self.client.command("open", path, "-o", "-", pin=False), env=self.client.env, binary=True)
        self.assertEqual(piped.out, file.read_bytes())
        outside, inside = pty.openpty()
        try:
            shown = subprocess.run(self.client.command("open", path, "-o", "-", pin=False), env=self.client.env,
                                   stdout=inside, stderr=subprocess.PIPE, timeout=DEADLINE)
        finally:
            os.close(inside)
            os.close(outside)
        self.assertEqual(shown.returncode, 2)
        bad = bytearray(path.read_bytes())
        bad[-1] ^= 1
        path.write_bytes(bad)
        damaged = run(*self.client.command("open", path, "-o", "-", pin=False), env=self.client.env, ok=False)
        self.assertEqual((damaged.status, damaged.out), (8, ""))  # the whole file is checked first

    def test_what_is_there_is_replaced_only_by_force(self):
        file, path = self.sealed()
        target = self.client.into / file.name
        target.write_text("mine")
        self.refused("already-exists", "open", path)
        self.client.usher("open", path, "--force", pin=False)
        self.assertEqual(sha256(target), sha256(file))


class Published(unittest.TestCase):
    def test_a_medium_of_the_vault_comes_sealed_and_never_in_the_clear(self):
        with FileWorld() as world:
            world.sharing()
            world.put("song", 10)
            track = tracks(1)[0]
            world.press(track, title="first night")
            world.usherd("media", "add", world.root / f"releases/{track.stem}.usher")
            medium, = world.usherd("media", "list", "--json").json()
            server = world.serve(prefix=("env", f"USHER_FILES_PUBLISH=vault/first night.ogg={medium['medium']}"))
            self.assertIn("not counted", server.log())
            client, name = world.member("kitchen"), "vault/first night.ogg"
            listed = client.usher("get", server.files[0], "--list", pin=False).out
            self.assertIn(name, listed)
            self.assertIn("shared/song", listed)
            client.refused("file-refused", "get", server.files[0], name, "-o", client.into, pin=False)
            for suite in ("gcm", "ctr"):
                client.usher("get", server.files[0], name, f"--sealed={suite}", "--verify", "--force", "-o",
                             client.into, pin=False)
                client.usher("open", client.into / "first night.ogg.sealed", "--force", "--digest", sha256(track),
                             pin=False)
                self.assertEqual(sha256(client.into / "first night.ogg"), sha256(track))
            client.refused("no-key-fits", "open", client.into / "first night.ogg.sealed", "--force", "--key",
                           world.root / "issued/operator.key", "--passphrase-file",
                           world.secret("release-recipient.pass"), pin=False)


if __name__ == "__main__":
    from suite import main
    main()

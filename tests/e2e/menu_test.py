"""The menu, on a terminal, as a listener types it."""
import os
import pty
import re
import select
import time
import unittest

from world import Failed, World, clip, tracks


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, command, env):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        self.text = ""

    def expect(self, pattern, deadline=60):
        """Reads until the pattern stands in what was not yet expected; returns what came before and the match."""
        end = time.monotonic() + deadline
        while True:
            found = re.search(pattern, self.text)
            if found:
                seen, self.text = self.text[:found.end()], self.text[found.end():]
                return seen
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise Failed(f"{pattern!r} did not come; on the screen: {self.text!r}")
            try:
                more = os.read(self.master, 65536)
            except OSError:
                more = b""
            if not more:
                raise Failed(f"the program ended before {pattern!r}: {self.text!r}")
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", more.decode(errors="replace"))

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        while True:
            try:
                if not os.read(self.master, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Menu(unittest.TestCase):
    def setUp(self):
        w = self.world = World()
        self.addCleanup(w.close)
        w.pki().card()
        w.operator()
        w.press(clip(tracks(1)[0], 15, w.root / "clip.ogg"), title="The Clip", more=("--chunk-size", "4KiB"))
        w.usherd("media", "add", w.root / "releases/clip.usher")
        self.server = w.serve()
        self.listener = w.listener()

    def test_listing_acquiring_and_playing(self):
        screen = Terminal(self.listener.command(pin=False), dict(self.listener.env, TERM="xterm"))
        screen.expect(r"PIN")
        screen.type("1234\n")
        greeting = screen.expect(r"(?i)q\W.*quit")
        self.assertIn("Ana Maria Silva", greeting)
        self.assertIn("onnected", greeting)
        screen.type("3\n")                       # acquire
        kinds = screen.expect(r"(?i)q\W.*(return|back)")
        for kind in ("1", "5", "10", "20"):
            self.assertIn(kind, kinds)
        screen.type("1\n")                       # a single play
        screen.expect(r"The Clip")
        screen.type("1\n")                       # of number 1
        screen.expect(r"(?i)q\W.*quit")
        screen.type("2\n")                       # play
        screen.expect(r"The Clip")
        screen.type("1\n")
        screen.expect(r"0 plays left")
        screen.expect(r"(?i)q\W.*quit")
        screen.type("q\n")
        self.assertEqual(screen.end(), 0)
        self.assertEqual([l["plays_left"] for l in self.listener.json("licences")["licences"]], [0])


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""The menu, on a terminal, as a listener types it."""
import unittest

from terminal import Terminal
from world import World, clip, tracks


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
    from suite import main
    main()

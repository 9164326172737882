"""Titles with wide or combining characters, right-to-left text or direction controls, blank or very long titles: on
terminals of 20, 40 and 80 columns every line of every list fits, and a play's status line is overwritten and never
wraps."""
import json
import re
import shutil
import unittest

from terminal import Terminal, columns_of
from world import BIN, World, clip, tracks

WIDTHS = (20, 40, 80)
TITLES = {
    "wide": "東京の夜に聞こえる遠い電車の音と雨の音の記録",
    "combining": "Cafe\u0301 de la Re\u0301publique, e\u0323\u0301te\u0323\u0301 deux mille vingt-six",
    "rtl": "שיר ערש לילדים קטנים וגדולים בלילה הארוך",
    "turned": "Holiday \u202egpj.exe\u202c \u2066hidden\u2069 recording of the sea",
    "blank": "\u00a0\u200b ",
    "long": "A hearing of the fourth of May " * 5,
}
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u200b]")


class Screen(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        cls.addClassCleanup(w.close)
        w.pki().card()
        w.operator()
        source = clip(tracks(1)[0], 60, w.root / "clip.ogg")
        for name, title in TITLES.items():
            w.press(shutil.copy(source, w.root / f"{name}.ogg"), title=title, more=("--chunk-size", "4KiB"))
        w.usherd("media", "add", *(w.root / "releases" / f"{name}.usher" for name in TITLES))
        w.serve()
        cls.listener = w.listener()
        for number in range(1, len(TITLES) + 1):
            cls.listener.usher("buy", number, "--plays", 20)

    def on_screen(self, command, columns, env=None):
        screen = Terminal([str(part) for part in command], dict(env or self.world.env, TERM="xterm"), columns)
        self.assertEqual(screen.end(), 0, screen.text)
        return screen

    def lines(self, command, columns, env=None):
        """Every line of its output; checks that each fits."""
        screen = self.on_screen(command, columns, env)
        self.assertIsNone(TURNING.search(screen.raw), screen.raw)
        lines = screen.text.replace("\r\n", "\n").split("\n")
        for line in lines:
            self.assertLessEqual(columns_of(line), columns, f"{line!r} of {command}")
        return lines

    def usherd(self, *args):
        return [BIN / "usherd", "--home", self.world.root / "server", "--passphrase-file",
                self.world.secret("usherd.pass"), *args]

    def test_every_list_fits(self):
        w, listener = self.world, self.listener
        commands = [listener.command("list"), listener.command("licences"), listener.command("card", pin=False),
                    self.usherd("media", "list"), self.usherd("licence", "list"), self.usherd("persons"),
                    [BIN / "usher-ca", "--home", w.root / "ca", "list"],
                    *([BIN / "usher-press", "inspect", w.root / f"releases/{name}.usher", "--key",
                       w.root / "issued/operator.key", "--passphrase-file", w.secret("usherd.pass")]
                       for name in TITLES)]
        for command in commands:
            for columns in WIDTHS:
                with self.subTest(command=[str(part) for part in command[1:]], columns=columns):
                    self.lines(command, columns, listener.env)

    def test_what_is_said_of_a_medium_is_there_on_the_narrowest_terminal_too(self):
        for columns in WIDTHS:
            text = "\n".join(self.lines(self.listener.command("licences"), columns, self.listener.env))
            self.assertEqual(re.sub(r"\s+", " ", text).count(" plays left"), len(TITLES), text)
            self.assertIn("(untitled)", text)
            self.assertIn("東京", text)
            self.assertIn("…", text)
            catalogue = "\n".join(self.lines(self.listener.command("-q", "list"), columns, self.listener.env))
            self.assertEqual(len(re.findall(r"\b[01]:\d\d$", catalogue, re.M)), len(TITLES), catalogue)

    def test_a_pipe_gets_whole_titles_and_nothing_that_turns_them(self):
        out = self.listener.usher("-q", "list").out + self.world.usherd("media", "list").out
        self.assertEqual(out.count(TITLES["long"].strip()), 3)
        self.assertIsNone(TURNING.search(out))
        titles = {medium["title"] for medium in json.loads(self.world.usherd("media", "list", "--json").out)}
        self.assertIn(TITLES["turned"], titles)

    def painted(self, screen, columns):
        """Every state of the status line. Checks that each is one line and leaves the last of the columns free."""
        states = re.findall(r"\r\x1b\[K\x1b\[\?7l(.*?)\x1b\[\?7h", screen.raw, re.S)
        self.assertTrue(states, screen.raw)
        for state in states:
            self.assertNotIn("\n", state)
            self.assertLess(columns_of(state), columns)
        return states

    def test_the_line_of_a_play_fits_whatever_is_played(self):
        for columns in WIDTHS:
            for number in range(1, len(TITLES) + 1):
                with self.subTest(columns=columns, number=number):
                    screen = Terminal(self.listener.command("play", number, "--fresh"),
                                      dict(self.listener.env, TERM="xterm"), columns)
                    screen.expect(r" / [01]:\d\d")
                    screen.type(" ")
                    screen.expect(r"paused")
                    screen.type("q")
                    screen.end()
                    self.painted(screen, columns)
                    self.assertIsNone(TURNING.search(screen.raw), screen.raw)

    def test_the_line_follows_the_terminal_and_never_wraps(self):
        screen = Terminal(self.listener.command("play", 6, "--fresh"), dict(self.listener.env, TERM="xterm"), 80)
        screen.expect(r" / [01]:\d\d.*plays left")
        screen.type(" ")
        screen.expect(r"paused")
        for columns in (40, 20, 80, 30):
            screen.raw = ""
            screen.resize(columns)
            screen.expect(r"paused")
            state = self.painted(screen, columns)[-1]
            self.assertRegex(state, r"^0:\d\d / [01]:\d\d +paused")
        screen.raw = ""
        screen.resize(80)
        screen.expect(r"plays left")
        screen.type("q")
        screen.end()
        self.assertIn("Stopped at", screen.raw)


if __name__ == "__main__":
    from suite import main
    main()

"""Video with the built programs, both real players and a real screen.  licence.md §5, docs/reference/listener.md."""
import concurrent.futures
import unittest

from listening import Listening, Screen
from world import World, run, wait_for

AFTER = 6    # policy.commit_after_seconds
LENGTH = 60  # seconds of each medium

RED = "color=red:size=320x240:rate=25"
SINE = "sine=frequency=440:sample_rate=48000"
# name: (ffmpeg's encoding arguments, options of the press)
FORMATS = {
    "packed-anew.mp4": (["-c:v", "libx264", "-g", "50", "-c:a", "aac"], ("--remux",)),
    "fragmented.mp4": (["-c:v", "libx264", "-g", "50", "-c:a", "aac", "-movflags",
                        "+frag_keyframe+empty_moov+default_base_moof"], ()),
    "webm.webm": (["-c:v", "libvpx", "-g", "50", "-deadline", "realtime", "-c:a", "libopus"], ()),
    "matroska.mkv": (["-c:v", "libx264", "-g", "50", "-c:a", "libvorbis"], ()),
    "theora.ogv": (["-c:v", "libtheora", "-g", "50", "-c:a", "libvorbis"], ()),
}


def is_red(pixel):
    red, green, blue = pixel
    return red > 150 and green < 90 and blue < 90


class Video(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        cls.addClassCleanup(w.close)
        w.pki().card()
        w.operator(policy__commit_after_seconds=AFTER, policy__open_plays=100)
        made = w.root / "made"
        made.mkdir()
        for name, (encoding, options) in FORMATS.items():
            run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", RED, "-f", "lavfi", "-i", SINE, "-t", LENGTH, *encoding,
                made / name)
            w.press(made / name, title=name, more=options)
        w.usherd("media", "add", *sorted((w.root / "releases").glob("*.usher")))
        cls.server = w.serve()
        cls.listener = w.listener()
        shelf = cls.listener.json("list")
        cls.numbers = {item["title"]: item["number"] for item in shelf["catalogue"]}
        for item in shelf["catalogue"]:
            w.usherd("licence", "issue", "--to", shelf["pseudonym"], "--medium", item["medium"], "--plays", 1000)
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            cls.listener.env.pop(name, None)

    def assertShown(self, screen):
        wait_for(lambda: sum(map(is_red, screen.pixels())) > 1000, "the picture on the screen")

    def show_and_quit(self, listener, screen, name, player):
        listening = Listening(listener, self.numbers[name], "--fresh", "--player", player)
        listening.reach(1)
        self.assertShown(screen)
        stopped, refunded = listening.quit()
        self.assertTrue(refunded or stopped >= AFTER, f"{name} with {player}: quit at {stopped} s and charged")

    def go_and_resume(self, listener, screen, name, player):
        """Begins at 0:40, dies at 0:42, and continues from there."""
        first = Listening(listener, self.numbers[name], "--fresh", "--from", "0:40", "--counts", "--player", player)
        first.reach(42)
        self.assertShown(screen)
        first.kill()
        self.assertTrue(30 <= first.began <= 40, f"{name} with {player}: --from 0:40 began at {first.began} s")
        again = Listening(listener, self.numbers[name], "--player", player)
        again.reach(first.second)
        self.assertShown(screen)
        self.assertTrue(30 <= again.began <= first.second + 1, f"{name} with {player}: resumed at {again.began} s")
        again.quit()

    def watch(self, name):
        """Everything for one format, in order: seeking into the middle costs a play, so the early stops are tested
        first."""
        screen = Screen()
        self.addCleanup(screen.close)
        for work in (self.show_and_quit, self.go_and_resume):
            for player in ("ffplay", "mpv"):
                listener = self.listener.twin(f"twin-{work.__name__}-{name}-{player}")
                listener.env["DISPLAY"] = screen.name
                work(listener, screen, name, player)

    def test_every_form_is_shown_given_back_entered_in_its_middle_and_resumed(self):
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for outcome in [pool.submit(self.watch, name) for name in FORMATS]:
                outcome.result()

    def test_without_a_screen_video_is_refused_before_a_play_is_opened(self):
        opened = self.server.log().count("play opened")
        for number in self.numbers.values():
            self.listener.refused("no-screen", "play", number)
        self.assertEqual(self.server.log().count("play opened"), opened)


if __name__ == "__main__":
    from suite import main
    main()

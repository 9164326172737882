"""Fair counting with the built programs and both real players: a listener who stops early keeps the play, one who
continues pays, and one who paid hears it all, even if client or server dies meanwhile.  licence.md §5."""
import concurrent.futures
import unittest

from listening import Listening
from world import World, clip, decoded, run, tracks

AFTER = 6           # policy.commit_after_seconds: T, if half the medium is longer
LENGTH = 60         # seconds of each medium
LOOK_AHEAD = 10     # seconds, licence.md §5.7
ATTEMPTS = 4        # to quit in time: on a busy machine a quit can be too late

SINE = "sine=frequency=440:sample_rate=%d"
NOISE = "anoisesrc=color=white:sample_rate=44100:amplitude=0.5:seed=7"  # no codec can compress it much
# name: (arguments of ffmpeg, options of the press). The rates are those that each format can have.
FORMATS = {
    "opus-8k.opus": (["-i", SINE % 48000, "-c:a", "libopus", "-b:a", "8k"], ()),
    "opus-256k.opus": (["-i", NOISE, "-c:a", "libopus", "-b:a", "256k"], ()),
    "vorbis-low.ogg": (["-i", SINE % 44100, "-c:a", "libvorbis", "-q:a", "-1"], ()),
    "vorbis-high.ogg": (["-i", NOISE, "-ac", "2", "-c:a", "libvorbis", "-q:a", "10"], ()),
    "flac-in-ogg.oga": (["-i", NOISE, "-ac", "2", "-c:a", "flac", "-f", "ogg"], ()),
    "mp3-8k.mp3": (["-i", SINE % 8000, "-c:a", "libmp3lame", "-b:a", "8k"], ()),
    "mp3-varying.mp3": (["-i", NOISE, "-ac", "2", "-c:a", "libmp3lame", "-q:a", "2"], ()),
    "mp3-320k.mp3": (["-i", NOISE, "-ac", "2", "-c:a", "libmp3lame", "-b:a", "320k"], ()),
    "aac-32k.aac": (["-i", SINE % 44100, "-c:a", "aac", "-b:a", "32k", "-f", "adts"], ()),
    "m4a-256k.m4a": (["-i", NOISE, "-ac", "2", "-c:a", "aac", "-b:a", "256k"], ("--remux",)),
    "flac-full.flac": (["-i", NOISE, "-ac", "2", "-c:a", "flac"], ()),
    "wav-full.wav": (["-i", NOISE, "-ac", "2", "-c:a", "pcm_s16le"], ()),
    "wav-64k.wav": (["-i", SINE % 8000, "-c:a", "pcm_u8"], ()),
    "aiff-full.aiff": (["-i", NOISE, "-ac", "2", "-c:a", "pcm_s16be"], ()),
    "rf64.wav": (["-i", SINE % 16000, "-c:a", "pcm_s16le", "-rf64", "always"], ()),
    "speex.spx": (["-i", SINE % 16000, "-c:a", "libspeex"], ()),
    "vorbis.mka": (["-i", SINE % 44100, "-c:a", "libvorbis"], ()),
    "packed-anew.wma": (["-i", SINE % 44100, "-c:a", "wmav2", "-b:a", "64k"], ("--remux",)),
    "webm-32k.webm": (["-i", SINE % 48000, "-c:a", "libopus", "-b:a", "32k", "-f", "webm"], ()),
}


def make(directory, name, seconds=LENGTH):
    target = directory / name
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", *FORMATS[name][0], "-t", seconds, target)
    return target


class Counting(unittest.TestCase):
    LATER = "later.ogg"  # for one test alone, because the heard parts add up

    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        cls.addClassCleanup(w.close)
        w.pki().card()
        w.operator(policy__commit_after_seconds=AFTER, policy__open_plays=100, server__drain_seconds=1)
        made = w.root / "made"
        made.mkdir()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            files = list(pool.map(lambda name: make(made, name), FORMATS))
        files.append(made / cls.LATER)
        files[-1].write_bytes((made / "vorbis-high.ogg").read_bytes())
        for file in files:
            w.press(file, title=file.name, more=FORMATS.get(file.name, ((), ()))[1])
        w.usherd("media", "add", *sorted((w.root / "releases").glob("*.usher")))
        cls.server = w.serve()
        cls.first = w.listener()
        cls.numbers = {item["title"]: item["number"] for item in cls.first.json("list")["catalogue"]}
        pseudonym = cls.first.json("list")["pseudonym"]
        for item in cls.first.json("list")["catalogue"]:
            w.usherd("licence", "issue", "--to", pseudonym, "--medium", item["medium"], "--plays", 1000)

    def stop_at(self, listener, player, name, second):
        """Quits at that second. A play stopped before T must be given back. Returns None if it was too late."""
        listening = Listening(listener, self.numbers[name], "--fresh", "--player", player)
        listening.reach(second)
        stopped, refunded = listening.quit()
        if stopped < AFTER:
            self.assertTrue(refunded, f"{name} with {player}: quit at {stopped} s and charged")
        if stopped > AFTER + LOOK_AHEAD + 10:  # the longest chunk holds eight seconds
            self.assertFalse(refunded, f"{name} with {player}: quit at {stopped} s and given back")
        return stopped if second >= AFTER or stopped < AFTER else None

    def for_each(self, jobs, work):
        """Runs each job with a listener of its own, some at the same time: they mostly wait."""
        def one(job):
            number, arguments = job
            work(self.first.twin(f"twin-{self.id()}-{number}"), *arguments)
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            for outcome in [pool.submit(one, job) for job in enumerate(jobs)]:
                outcome.result()

    def early(self, listener, player, name, seconds):
        for second in seconds:
            self.assertTrue(any(self.stop_at(listener, player, name, second) is not None for _ in range(ATTEMPTS)),
                            f"{name} with {player}: never quit in time at {second} s")

    def test_who_stops_before_the_promise_keeps_his_play_in_every_format_with_both_players(self):
        self.for_each([(player, name, (1, AFTER // 2, AFTER - 1)) for name in FORMATS for player in ("ffplay", "mpv")],
                      self.early)

    def test_who_goes_on_pays_in_every_format_with_both_players(self):
        self.for_each([(player, name, AFTER + LOOK_AHEAD + 11) for name in FORMATS for player in ("ffplay", "mpv")],
                      self.stop_at)

    def go_and_resume(self, listener, player, name):
        """Begins at 0:40, dies at 0:43, and continues from there."""
        first = Listening(listener, self.numbers[name], "--fresh", "--from", "0:40", "--counts", "--player", player)
        first.reach(43)
        first.kill()
        self.assertTrue(30 <= first.began <= 40, f"{name} with {player}: --from 0:40 began at {first.began} s")
        again = Listening(listener, self.numbers[name], "--player", player)
        again.reach(57)  # far enough to pay: this test must not use up the free part of the others
        self.assertTrue(30 <= again.began <= first.second + 1, f"{name} with {player}: resumed at {again.began} s")
        self.assertIn("goes on where it was interrupted", "".join(again.said))
        self.assertFalse(again.quit()[1], f"{name} with {player}: the play counted")

    def test_every_format_is_entered_in_its_middle_and_resumed_with_both_players(self):
        self.for_each([(player, name) for name in FORMATS for player in ("ffplay", "mpv")], self.go_and_resume)

    def test_every_second_up_to_thirty_for_one_format(self):
        self.for_each([("ffplay", "vorbis-low.ogg", second) for second in range(1, 31)], self.stop_at)

    def test_a_later_visit_hears_again_what_it_heard_and_pays_for_the_first_new_second(self):
        listener = self.first.twin("later")
        name = self.LATER
        before = self.left(listener, name)
        listening = Listening(listener, self.numbers[name], "--fresh")
        listening.reach(3)
        self.assertTrue(listening.quit()[1])
        again = Listening(listener, self.numbers[name], "--fresh")
        again.reach(1)
        self.assertTrue(again.quit()[1], "what was heard before is heard again free of charge")
        self.assertEqual(self.left(listener, name), before)
        self.assertIn("counts from 0:06", "".join(listening.said))
        listener.refused("would-count", "play", self.numbers[name], "--fresh", "--from", "0:40")
        self.assertEqual(self.left(listener, name), before)
        last = Listening(listener, self.numbers[name], "--fresh", "--from", "0:40", "--counts")
        last.reach(42)
        self.assertFalse(last.quit()[1], "more than is free")
        self.assertEqual(self.left(listener, name), before - 1)

    def left(self, listener, name):
        shelf = listener.json("list")
        medium = next(item["medium"] for item in shelf["catalogue"] if item["title"] == name)
        return sum(licence["plays_left"] for licence in shelf["licences"] if licence["medium"] == medium)


def heard_parts(heard, whole):
    """The ranges of `whole` whose bytes are in `heard`; silence that the driver or a stall inserted is left out."""
    window, at = 4096, 0
    while at + window <= len(heard):
        piece = heard[at:at + window]
        found = whole.find(piece) if piece.strip(b"\0") else -1
        if found < 0:
            at += 1024
            continue
        size = window
        while at + size < len(heard) and heard[at + size:at + size + 4] == whole[found + size:found + size + 4]:
            more = 1024 if heard[at + size:at + size + 1024] == whole[found + size:found + size + 1024] else 4
            size += more
        yield found, min(found + size, len(whole))
        at += size


def uncovered(parts, length):
    """The ranges that no part holds."""
    at = 0
    for begin, end in sorted(parts):
        if begin > at:
            yield at, begin
        at = max(at, end)
    if at < length:
        yield at, length


class WhateverDies(unittest.TestCase):
    DEATHS = 20
    LENGTH = 100  # seconds

    def test_twenty_deaths_of_the_client_and_twenty_restarts_of_the_server_in_one_song(self):
        w = World()
        self.addCleanup(w.close)
        w.pki().card()
        w.operator(server__drain_seconds=1)
        track = clip(tracks(1)[0], self.LENGTH, w.root / "song.ogg")
        w.press(track)
        w.usherd("media", "add", w.root / "releases/song.usher")
        server = w.serve()
        listener = w.listener()
        licence = listener.json("buy", 1, "--plays", 1)["licence"]
        files = []

        def start():
            files.append(w.root / f"heard-{len(files)}.raw")
            listener.audio(files[-1])
            listener.env["SDL_DISKAUDIODELAY"] = "20"  # about twice the speed of the sound
            return Listening(listener, 1, driver="disk")
        for death in range(self.DEATHS):
            listening = start()
            listening.reach(death * self.LENGTH // (self.DEATHS + 2))
            server.kill() if death % 2 else server.stop()
            server = w.serve("--listen", server.address)
            listening.reach((death + 1) * self.LENGTH // (self.DEATHS + 2))
            listening.kill()
        last = start()
        self.assertEqual(last.process.wait(300), 0, "".join(last.said))
        last.end()
        self.assertIn("Played to the end. It counts as one play", "".join(last.said))
        self.assertEqual(server.log().count("play opened"), 1)
        self.assertEqual([l["plays_left"] for l in listener.json("licences")["licences"] if l["licence"] == licence],
                         [0])
        whole = decoded(track)
        silence = len(whole) - len(whole.rstrip(b"\0"))
        parts = [part for file in files for part in heard_parts(file.read_bytes(), whole)]
        last_buffer = 2048 * 4  # SDL's; ffplay does not always wait for it at its end
        missing = [(begin / 192000, end / 192000) for begin, end in uncovered(parts, len(whole) - silence - last_buffer)
                   if whole[begin:end].strip(b"\0")]
        self.assertEqual(missing, [], "seconds of the song that were not heard")


if __name__ == "__main__":
    from suite import main
    main()

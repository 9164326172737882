"""The main job, with the built programs: card, server, client, ffplay."""
import unittest
import urllib.request

from world import DEADLINE, World, decoded, is_heard, tracks


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.world.pki().card()
        cls.world.operator()
        cls.track, cls.second = tracks(2)
        cls.world.press(cls.track, cls.second, more=("--chunk-size", "16KiB"))
        cls.world.usherd("media", "add", *sorted((cls.world.root / "releases").glob("*.usher")))
        cls.server = cls.world.serve()
        cls.listener = cls.world.listener()
        cls.numbers = {}
        for item in cls.listener.json("list")["catalogue"]:
            cls.numbers[item["size"]] = item["number"]

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def number(self, track):
        return self.numbers[track.stat().st_size]

    def left(self, licence):
        return next(l["plays_left"] for l in self.listener.json("licences")["licences"] if l["licence"] == licence)

    def test_1_a_play_without_a_licence_is_refused_by_the_server(self):
        self.listener.refused("no-licence", "play", self.number(self.track))
        self.assertIn("no-licence", self.server.log())

    def test_2_a_single_play_is_heard_whole_and_once(self):
        licence = self.listener.json("buy", self.number(self.track), "--plays", 1)
        report = self.listener.json("play", self.number(self.track))
        self.assertTrue(report["finished"])
        self.assertFalse(report["refunded"])
        self.assertEqual(report["plays_left"], 0)
        self.assertEqual(self.left(licence["licence"]), 0)
        self.assertTrue(is_heard(self.listener.heard.read_bytes(), decoded(self.track)))
        self.listener.heard.unlink()
        self.listener.refused("no-licence", "play", self.number(self.track))

    def test_3_acquiring_twice_gives_two_licences(self):
        first = self.listener.json("buy", self.number(self.second), "--plays", 5)
        second = self.listener.json("buy", self.number(self.second), "--plays", 5)
        self.assertNotEqual(first["licence"], second["licence"])
        self.assertEqual([self.left(first["licence"]), self.left(second["licence"])], [5, 5])

    def test_4_a_time_licence_plays_any_number_of_times(self):
        self.listener.json("buy", self.number(self.track), "--for", "1h")
        for _ in range(2):
            self.assertTrue(self.listener.json("play", self.number(self.track))["finished"])
        self.listener.heard.unlink()

    def test_5_the_operator_sees_health_and_metrics(self):
        def get(path):
            with urllib.request.urlopen(f"http://{self.server.operator}{path}", timeout=DEADLINE) as answer:
                return answer.status, answer.read().decode()
        self.assertEqual(get("/healthz")[0], 200)
        self.assertEqual(get("/readyz")[0], 200)
        self.assertIn("usher", get("/metrics")[1])

    def test_6_nothing_personal_and_no_title_is_on_the_servers_disk(self):
        title = self.listener.json("list")["catalogue"][0]["title"].encode()
        for file in (self.world.root / "server").rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                for what in (b"123456789", b"Ana Maria", title, b"OggS", b"vorbis"):
                    self.assertNotIn(what, content, file)
        log = self.server.log()
        for what in ("123456789", "Ana Maria", title.decode()):
            self.assertNotIn(what, log)

    def test_7_nothing_of_the_medium_is_on_the_listeners_disk(self):
        for file in self.listener.home.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"OggS", file.read_bytes(), file)

    def test_8_raw_output_never_goes_to_a_regular_file(self):
        self.listener.json("buy", self.number(self.track), "--plays", 1)
        target = self.world.root / "stolen.ogg"
        with open(target, "wb") as out:
            import subprocess
            done = subprocess.run(self.listener.command("play", self.number(self.track), "--player", "-"),
                                  env=self.listener.env, stdout=out, stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"[unsafe-output]", done.stderr)
        self.assertEqual(target.stat().st_size, 0)
        piped = self.listener.usher("--quiet", "play", self.number(self.track), "--player", "-", binary=True)
        self.assertEqual(piped.out, self.track.read_bytes())

    def test_9_the_server_drains_and_comes_back(self):
        self.assertEqual(self.server.stop(), 0)
        self.listener.refused("unreachable", "list")
        type(self).server = self.world.serve("--listen", self.server.address)
        self.assertEqual(len(self.listener.json("list")["catalogue"]), 2)


if __name__ == "__main__":
    from suite import main
    main()

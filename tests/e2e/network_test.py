"""The channel between two hosts with addresses of their own: network namespaces, IPv4 and IPv6."""
import os
import unittest

from world import World, clip, decoded, is_heard, run, tracks

SERVER_HOST, CLIENT_HOST = f"usher-s-{os.getpid()}", f"usher-c-{os.getpid()}"


def ip(*args, **kw):
    return run("ip", *args, **kw)


class Network(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0 or ip("netns", "add", SERVER_HOST, ok=False).status != 0:
            self.skipTest("USHER-SKIPPED: network namespaces need root")
        self.addCleanup(ip, "netns", "del", SERVER_HOST)
        ip("netns", "add", CLIENT_HOST)
        self.addCleanup(ip, "netns", "del", CLIENT_HOST)
        ip("link", "add", "us0", "netns", SERVER_HOST, "type", "veth", "peer", "name", "uc0", "netns", CLIENT_HOST)
        for host, device, last in ((SERVER_HOST, "us0", 1), (CLIENT_HOST, "uc0", 2)):
            ip("-n", host, "addr", "add", f"10.77.0.{last}/24", "dev", device)
            ip("-n", host, "addr", "add", f"fd77::{last}/64", "dev", device, "nodad")
            ip("-n", host, "link", "set", device, "up")
            ip("-n", host, "link", "set", "lo", "up")
        self.world = World()
        self.addCleanup(self.world.close)

    def test_a_track_is_heard_over_both_protocols(self):
        w = self.world
        w.pki().card()
        w.operator(addresses=("10.77.0.1", "fd77::1"), server__listen="10.77.0.1:8080,[fd77::1]:8080")
        track = clip(tracks(1)[0], 20, w.root / "clip.ogg")
        w.press(track, more=("--chunk-size", "8KiB"))
        w.usherd("media", "add", w.root / "releases/clip.usher")
        server = w.serve(prefix=("ip", "netns", "exec", SERVER_HOST))
        self.assertEqual(sorted(server.addresses), ["10.77.0.1:8080", "[fd77::1]:8080"])
        listener = w.listener(url="http://10.77.0.1:8080")
        command = listener.command

        def inside(*args, **kw):
            return ["ip", "netns", "exec", CLIENT_HOST, *command(*args, **kw)]
        listener.command = inside
        listener.json("buy", "1", "--plays", 5)
        for left, url in ((4, "http://10.77.0.1:8080"), (3, "http://[fd77::1]:8080")):
            report = listener.json("--url", url, "play", "1")
            self.assertTrue(report["finished"])
            self.assertEqual(report["plays_left"], left)
            self.assertTrue(is_heard(listener.heard.read_bytes(), decoded(track)))
            listener.heard.unlink()
        listener.refused("wrong-name", "--url", "http://[fd77::1]:8080", "--server-name", "10.77.0.9", "list")


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""The channel between two hosts with addresses of their own: network namespaces, IPv4 and IPv6."""
import unittest

from hosts import TwoHosts
from world import World, clip, decoded, is_heard, tracks


class Network(TwoHosts):
    def setUp(self):
        super().setUp()
        self.world = World()
        self.addCleanup(self.world.close)

    def test_a_track_is_heard_over_both_protocols(self):
        w = self.world
        w.pki().card()
        w.operator(addresses=("10.77.0.1", "fd77::1"), server__listen="10.77.0.1:8080,[fd77::1]:8080")
        track = clip(tracks(1)[0], 20, w.root / "clip.ogg")
        w.press(track, more=("--chunk-size", "8KiB"))
        w.usherd("media", "add", w.root / "releases/clip.usher")
        server = w.serve(prefix=self.AS_SERVER)
        self.assertEqual(sorted(server.addresses), ["10.77.0.1:8080", "[fd77::1]:8080"])
        listener = self.from_client_host(w.listener(url="http://10.77.0.1:8080"))
        listener.json("buy", "1", "--plays", 5)
        for left, url in ((4, "http://10.77.0.1:8080"), (3, "http://[fd77::1]:8080")):
            report = listener.json("--url", url, "play", "1")
            self.assertTrue(report["finished"])
            self.assertEqual(report["plays_left"], left)
            self.assertTrue(is_heard(listener.heard.read_bytes(), decoded(track)))
            listener.heard.unlink()
        listener.refused("wrong-name", "--url", "http://[fd77::1]:8080", "--server-name", "10.77.0.9", "list")


if __name__ == "__main__":
    from suite import main
    main()

"""The channel between two hosts with addresses of their own: network namespaces, IPv4 and IPv6."""
import http.client
import os
import threading
import unittest

from hosts import TwoHosts
from world import DEADLINE, World, clip, decoded, is_heard, tracks, wait_for


def vec16(content):
    return len(content).to_bytes(2) + content


def client_hello(random, cookie=b""):
    """channel.md §4: x25519 with AES-256-GCM, and a cookie if there is one."""
    extensions = (1).to_bytes(2) + vec16(cookie) if cookie else b""
    body = b"\0\1" + random + vec16(b"\x01\x01") + vec16(b"\0\x1d") + vec16(extensions)
    return b"\1" + len(body).to_bytes(3) + body


class Flood:
    """One address that begins handshakes as fast as it can, returns the cookies that it gets, and completes no
    handshake."""

    def __init__(self, address, source, threads=4):
        self.address, self.source = address, source
        self.begun = self.retried = self.refused = 0
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def say(self, connection, hello):
        connection.request("POST", "/api/protocols", hello, {"Content-Type": "application/vnd.usher.handshake"})
        response = connection.getresponse()
        return response.status, response.read()

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=DEADLINE, source_address=(self.source, 0))
        while not self.stopped.is_set():
            random = os.urandom(28)
            status, answer = self.say(connection, client_hello(random))
            if status == 200 and answer[0] == 10:
                self.retried += 1
                status, answer = self.say(connection, client_hello(random, answer[6:]))
            self.begun += status == 200 and answer[0] == 2
            self.refused += status == 503

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(120)


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


class Crowd(unittest.TestCase):
    def test_an_address_that_begins_handshakes_without_end_locks_nobody_else_out(self):
        w = World()
        self.addCleanup(w.close)
        w.pki().card()
        w.operator(channel__half_open_sessions=64)
        server = w.serve()
        listener = w.listener()
        flood = Flood(server.address, "127.0.0.2")
        self.addCleanup(flood.stop)
        wait_for(lambda: flood.refused > 0, "the flood to take all that it can have")
        for _ in range(5):
            listener.json("list")
        flood.stop()
        self.assertGreaterEqual(flood.begun, 64, "with a cookie it gets the places that no other client wants")
        self.assertGreater(flood.retried, 0)
        self.assertEqual(server.log().count("session open"), 5)


if __name__ == "__main__":
    from suite import main
    main()

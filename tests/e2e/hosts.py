"""Two hosts with addresses of their own: network namespaces, IPv4 and IPv6."""
import os
import unittest

from world import run

SERVER_HOST, CLIENT_HOST = f"usher-s-{os.getpid()}", f"usher-c-{os.getpid()}"


def ip(*args, **kw):
    return run("ip", *args, **kw)


class TwoHosts(unittest.TestCase):
    """A server's host with 10.77.0.1 and fd77::1, a client's with 10.77.0.2 and fd77::2."""

    AS_SERVER = ("ip", "netns", "exec", SERVER_HOST)
    AS_CLIENT = ("ip", "netns", "exec", CLIENT_HOST)

    def setUp(self):
        if os.geteuid() != 0 or ip("netns", "add", SERVER_HOST, ok=False).status != 0:
            self.skipTest("network namespaces need root")
        self.addCleanup(ip, "netns", "del", SERVER_HOST)
        ip("netns", "add", CLIENT_HOST)
        self.addCleanup(ip, "netns", "del", CLIENT_HOST)
        ip("link", "add", "us0", "netns", SERVER_HOST, "type", "veth", "peer", "name", "uc0", "netns", CLIENT_HOST)
        for host, device, last in ((SERVER_HOST, "us0", 1), (CLIENT_HOST, "uc0", 2)):
            ip("-n", host, "addr", "add", f"10.77.0.{last}/24", "dev", device)
            ip("-n", host, "addr", "add", f"fd77::{last}/64", "dev", device, "nodad")
            ip("-n", host, "link", "set", device, "up")
            ip("-n", host, "link", "set", "lo", "up")

    def from_client_host(self, listener):
        """From now on its programs run on the client's host."""
        command = listener.command
        listener.command = lambda *args, **kw: [*self.AS_CLIENT, *command(*args, **kw)]
        return listener

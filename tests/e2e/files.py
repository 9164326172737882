"""Shared by the tests of usher get and usher open: a server that shares files, and listeners who fetch them."""
import contextlib
import hashlib
import json
import os
import shutil
import socket
import threading
import unittest

from world import World

CHUNK = 64 << 10


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Proxy:
    """A proxy between client and server: passes on `limit` bytes from the server, and then nothing until it is
    closed."""

    def __init__(self, address, limit):
        host, _, port = address.rpartition(":")
        self.server, self.limit = (host.strip("[]"), int(port)), limit
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.full = threading.Event()
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(self.server)
            self.sockets += [client, server]
            threading.Thread(target=self.copy, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, self.limit), daemon=True).start()

    def copy(self, source, target, limit):
        passed = 0
        try:
            while limit is None or passed < limit:
                data = source.recv(65536)
                if not data:
                    break
                target.sendall(data)
                passed += len(data)
            else:
                self.full.set()
                while source.recv(1 << 16):  # swallowed, until the server ends
                    pass
                return
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes the threads, which close() alone would not
            one.close()


class FileWorld(World):
    """An operator who shares one directory, and listeners who need no card."""

    def shared(self):
        directory = self.root / "shared files"
        directory.mkdir(exist_ok=True)
        return directory

    def sharing(self, **settings):
        self.pki()
        settings = {"files__listen": "127.0.0.1:0,[::1]:0", "files__shares": f"shared={self.shared()}", **settings}
        self.operator(**settings)
        return self

    def put(self, name, size):
        path = self.shared() / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(os.urandom(size))
        return path

    def member(self, name, key="p256"):
        """A listener with a certificate of this kind of key, and a directory for the files that it fetches."""
        listener = self.listener(name, url="http://localhost:1", key=key)
        listener.into = self.root / f"{name}'s files"
        listener.into.mkdir()
        return listener


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = FileWorld().sharing()
        cls.addClassCleanup(cls.world.close)
        cls.server = cls.world.serve()
        cls.here = cls.server.files[0]
        cls.clients = {kind: cls.world.member(kind, kind) for kind in ("p256", "rsa2048")}
        cls.client = cls.clients["p256"]

    def setUp(self):
        for client in self.clients.values():
            shutil.rmtree(client.into)
            client.into.mkdir()

    def get(self, *args, client=None, server=None):
        client = client or self.client
        out = client.usher("--json", "get", server or self.here, *args, "-o", client.into, pin=False).out
        return [json.loads(line) for line in out.splitlines()]

    def left(self, client=None):
        return sorted(path.name for path in (client or self.client).into.iterdir())

    def refused(self, code, *args, client=None):
        return (client or self.client).refused(code, *args, pin=False)

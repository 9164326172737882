"""Server, licence, recipient, vault and distributor keys on a PKCS #11 token: built programs, SoftHSM."""
import concurrent.futures
import hashlib
import socket
import ssl
import unittest

from files import sha256
from tokens import SHIM, TokenWorld, missing, ready
from world import DEADLINE, decoded, is_heard, metric, run, tracks, wait_for


@unittest.skipIf(missing(), f"needs {missing()}")
class TokensTest(unittest.TestCase):
    def started(self, world, **settings):
        """A server whose keys are on the token, and a listener who needs no card."""
        world.pki()
        world.operator(**world.on_token(**settings), **{"files.listen": "127.0.0.1:0",
                                                        "files.shares": f"shared={world.shared()}"})
        server = world.serve()
        world.put("song", 100_000)
        return server, world.member("kitchen")

    def fetched(self, world, server, client):
        client.usher("get", server.files[0], "song", "--force", "-o", client.into, pin=False)
        self.assertEqual(sha256(client.into / "song"), sha256(world.shared() / "song"))


class EveryKey(TokensTest):
    def delivers(self, kind):
        with TokenWorld(kind) as world:
            world.pki().card()
            distributor = world.certified("distributor", "token-distributor", "--cn", "Example Records")
            settings = world.on_token()
            world.operator(**settings, **{"files.listen": "127.0.0.1:0", "files.shares": f"shared={world.shared()}"})
            track, = tracks(1)
            (world.root / "releases").mkdir()
            world.press_with(track, distributor)
            self.assertFalse((world.root / "server/keys/licence.key").exists())
            checked = world.usherd("config", "check").out
            self.assertIn("ok\n", checked)
            world.usherd("media", "add", *(world.root / "releases").glob("*.usher"))
            server = world.serve()
            self.assertEqual(ready(server)[0], 200)
            listener = world.listener()
            licence = listener.json("buy", 1, "--plays", 1)
            self.assertTrue(listener.json("play", 1)["finished"])
            self.assertTrue(is_heard(listener.heard.read_bytes(), decoded(track)))
            self.assertEqual([one["licence"] for one in listener.json("licences")["licences"]], [licence["licence"]])
            world.put("song", 100_000)
            member = world.member("office")
            self.fetched(world, server, member)

    def test_a_server_with_every_key_on_a_token_delivers_with_p256(self):
        self.delivers("p256")

    def test_a_server_with_every_key_on_a_token_delivers_with_rsa(self):
        self.delivers("rsa2048")


class WhileRunning(TokensTest):
    def test_many_clients_at_once_are_served(self):
        with TokenWorld() as world:
            server, client = self.started(world)

            def get(number):
                return client.usher("get", server.files[0], "song", "-o", client.into / str(number), pin=False)

            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                list(pool.map(get, range(48)))
            for number in range(48):
                self.assertEqual(sha256(client.into / str(number)), sha256(world.shared() / "song"))

    def test_a_reload_opens_the_keys_again(self):
        with TokenWorld() as world:
            server, client = self.started(world)
            for _ in range(3):
                server.reload()
                self.fetched(world, server, client)
            self.assertEqual(server.log().count("reload refused"), 0)

    def test_a_token_that_is_pulled_out_is_told_of_and_taken_up_again(self):
        with TokenWorld(module=SHIM) as world:
            server, client = self.started(world)
            self.fetched(world, server, client)
            world.pull()
            status, reason = ready(server)
            self.assertEqual(status, 503)
            self.assertIn("no-card", reason)
            outcome = client.usher("get", server.files[0], "song", "--force", "-o", client.into, ok=False, pin=False)
            self.assertNotEqual(outcome.status, 0)
            self.assertIn("key on a token cannot be used", server.log())
            self.assertIn("own-key", server.log())
            server.process.send_signal(1)
            wait_for(lambda: "reload refused" in server.log(), "the refusal of the reload")
            world.plug_in()
            wait_for(lambda: ready(server)[0] == 200, "readiness")
            self.fetched(world, server, client)
            self.assertIn("key on a token can be used again", server.log())
            server.reload()
            self.fetched(world, server, client)

    def context(self, world, name):
        """A client of the file stream that is not usher's."""
        path = world.root / "issued" / f"client-{name}"
        run("openssl", "pkey", "-in", f"{path}.key", "-passin", f"file:{world.secret('client.pass')}", "-out",
            f"{path}.plain")
        context = ssl.create_default_context(cafile=world.root / "ca/media/root/ca.pem")
        context.load_cert_chain(f"{path}.pem", f"{path}.plain")
        return context

    def connect(self, server, context):
        host, port = server.files[0].rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=DEADLINE)
        return context.wrap_socket(connection, server_hostname="localhost")

    def test_a_token_that_hangs_stops_neither_transfers_nor_accept_nor_a_stop(self):
        with TokenWorld(module=SHIM) as world:
            server, client = self.started(world, **{"server.drain_seconds": 0, "files.threads": 1,
                                                    "files.handshake_seconds": 2})
            song = world.put("album", 40 << 20).read_bytes()
            context = self.context(world, "kitchen")
            with self.connect(server, context) as transfer:
                transfer.sendall(b"GET album\n")
                got = bytearray(transfer.recv(1 << 16))
                (world.control / "mode").write_text("hang C_Sign\n")
                ended = metric(server, "usher_file_handshakes_total")

                def refused(_):
                    with self.assertRaises(OSError):
                        self.connect(server, context)

                with concurrent.futures.ThreadPoolExecutor(16) as pool:
                    list(pool.map(refused, range(16)))  # each hangs at the token, or waits for it
                self.assertEqual(metric(server, "usher_file_handshakes_total"), ended + 16)
                while more := transfer.recv(1 << 16):
                    got += more
            self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(song).digest())
            self.assertEqual(server.stop(), 1)
            self.assertIn("stopped while a call hangs", server.log())

    def test_a_licence_is_to_be_had_again_when_the_licence_keys_token_is_back(self):
        with TokenWorld(module=SHIM) as world:
            world.pki().card()
            world.operator(**{"keys.module": SHIM, "keys.pin_file": world.pin_file,
                              "keys.licence_key": world.token_key("licences")[0]})
            world.press(tracks(1)[0])
            world.usherd("media", "add", *(world.root / "releases").glob("*.usher"))
            server = world.serve()
            listener = world.listener()
            first = listener.json("buy", 1, "--plays", 1)["licence"]
            world.pull()
            listener.refused("server-busy", "buy", 1, "--plays", 1)
            self.assertTrue(listener.json("play", 1)["finished"])  # what was bought needs no private key
            self.assertEqual(ready(server)[0], 503)
            world.plug_in()
            wait_for(lambda: ready(server)[0] == 200, "readiness")
            second = listener.json("buy", 1, "--plays", 1)["licence"]
            self.assertNotEqual(first, second)

    def test_the_media_channel_tells_a_pulled_token_in_the_log(self):
        with TokenWorld(module=SHIM) as world:
            world.pki().card()
            world.operator(**world.on_token())
            server = world.serve()
            listener = world.listener()
            listener.json("list")
            world.pull()
            listener.usher("logout", ok=False, pin=False)
            outcome = listener.usher("list", ok=False)
            self.assertNotEqual(outcome.status, 0)
            self.assertIn("no-card", server.log())
            world.plug_in()
            wait_for(lambda: ready(server)[0] == 200, "readiness")
            listener.json("list")


class AtTheStart(TokensTest):
    def refused(self, world, code, *args):
        outcome = world.usherd(*args, "config", "check", ok=False)
        self.assertIn(f"[{code}]", outcome.err)
        self.assertEqual(len(outcome.err.strip().splitlines()), 1, outcome.err)
        served = world.usherd(*args, "serve", ok=False)
        self.assertIn(f"[{code}]", served.err)

    def test_what_is_wrong_with_the_token_is_one_clear_error(self):
        with TokenWorld() as world:
            world.pki()
            world.operator(**world.on_token())
            self.refused(world, "wrong-pin", "--pin-file", world.secret("wrong.pin", "9999\n"))
            self.refused(world, "no-card", "--set", "keys.licence_key=pkcs11:token=elsewhere;object=licences")
            self.refused(world, "card-unsuitable", "--set", "keys.licence_key=pkcs11:token=vault%20room;object=none")
            self.refused(world, "module-missing", "--set", "keys.module=/nowhere/module.so")
            self.refused(world, "bad-config", "--set",
                         "keys.licence_key=pkcs11:token=vault%20room;object=kek?pin-value=1")
            self.refused(world, "bad-config", "--set", "files.key_transport_key=pkcs11:token=vault%20room;object=kek")
            self.refused(world, "bad-key", "--set", "keys.server_key=pkcs11:token=vault%20room;object=kek")
            inside = world.root / "server/pin"
            inside.write_text("4711\n")
            inside.chmod(0o600)
            self.refused(world, "bad-config", "--set", f"keys.pin_file={inside}")

    def test_init_makes_no_key_of_its_own_where_the_token_has_one(self):
        with TokenWorld() as world:
            licence, vault = world.token_key("licences")[0], world.token_key("kek")[0]
            module = ("--set", f"keys.module={world.module}", "--pin-file", world.pin_file)
            elsewhere = "pkcs11:token=elsewhere;object=kek"
            failed = world.usherd(*module, "init", "--licence-key", licence, "--vault-token", elsewhere, ok=False)
            self.assertIn("[no-card]", failed.err)
            world.usherd(*module, "init", "--licence-key", licence, "--vault-token", vault)
            self.assertEqual(sorted(file.name for file in (world.root / "server/keys").iterdir()),
                             ["licence.pub", "pseudonym.key", "vault.key"])
            shown = world.usherd("config", "show", "--json").json()
            self.assertEqual((shown["keys.licence_key"], shown["keys.vault_token"]), (licence, vault))
            self.assertEqual(shown["keys.pin_file"], str(world.pin_file))

    def test_the_pin_may_come_on_a_descriptor(self):
        with TokenWorld() as world:
            world.pki()
            settings = world.on_token()
            world.operator(**settings)
            pin = world.pin_file.read_text()
            self.assertIn("ok\n", world.usherd("--pin-fd", "0", "config", "check", input=pin).out)


class VaultKey(TokensTest):
    def sealed_for(self, world):
        return (world.root / "server/keys/vault.key").read_bytes()

    def test_it_moves_to_the_token_and_back_and_the_media_stay(self):
        for kind in ("p256", "rsa2048"):
            with TokenWorld(kind) as world:
                world.pki()
                world.operator()
                world.press(tracks(1)[0])
                world.usherd("media", "add", *(world.root / "releases").glob("*.usher"))
                on_token = ("--set", f"keys.vault_token={world.token_key('kek')[0]}", "--set",
                            f"keys.module={world.module}", "--pin-file", world.pin_file)
                refused = world.usherd("vault-key", "seal", "--to", "token", ok=False)
                self.assertIn("[bad-config]", refused.err)
                before = self.sealed_for(world)
                world.usherd(*on_token, "vault-key", "seal", "--to", "token")
                self.assertNotEqual(before, self.sealed_for(world))
                world.usherd(*on_token, "media", "verify")
                self.assertIn("[bad-config]", world.usherd("media", "verify", ok=False).err)
                world.usherd(*on_token, "vault-key", "seal", "--to", "passphrase")
                world.usherd("media", "verify")

    def test_an_attempt_that_fails_leaves_it_as_it_was(self):
        with TokenWorld() as world:
            world.pki()
            world.operator()
            before = self.sealed_for(world)
            outcome = world.usherd("--set", "keys.vault_token=pkcs11:token=elsewhere;object=kek", "--set",
                                   f"keys.module={world.module}", "--pin-file", world.pin_file, "vault-key", "seal",
                                   "--to", "token", ok=False)
            self.assertIn("[no-card]", outcome.err)
            self.assertEqual(before, self.sealed_for(world))


if __name__ == "__main__":
    from suite import main
    main()

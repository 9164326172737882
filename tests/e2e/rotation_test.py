"""Built programs: a root, a server's certificate and a licence key are changed while all users continue."""
import itertools
import json
import pathlib
import shutil
import unittest

from files import FileWorld, sha256
from tokens import TokenWorld, missing
from world import run, tracks


class RotationWorld(FileWorld):
    """Old and new certificates of a server and of a listener, made with the steps that `usher-ca rotate root` names."""

    def prepare(self):
        """The state before the switch: server and listener with certificates of the old root, a card, a medium."""
        self.sharing()
        self.card()
        self.press(tracks(1)[0])
        self.usherd("media", "add", *(self.root / "releases").glob("*.usher"))
        self.put("song", 50_000)
        self.issue("client", "client-kitchen", "--cn", "kitchen")
        return self

    def rotate(self, *args, **kw):
        return json.loads(self.ca("rotate", "root", "--json", *args, **kw).out)

    def successors(self, answer):
        return {one["name"]: pathlib.Path(one["file"]) for one in answer["successors"]}

    def trust(self, roots):
        """Anchors and lists of a set of roots, as a configuration names them."""
        stem = {"old": "root", "new": "root-2"}
        return ([self.root / "ca/media" / stem[root] / "ca.pem" for root in roots],
                [self.root / "published" / f"media-{stem[root]}.crl.pem" for root in roots])

    def serve_as(self, certificate, roots):
        anchors, crls = (",".join(map(str, files)) for files in self.trust(roots))
        return self.serve("--set", f"keys.server_certificate={certificate}", "--set", f"trust.client.anchors={anchors}",
                          "--set", f"trust.client.crls={crls}")

    def listen_as(self, name, certificate, roots):
        """A listener with the kitchen's key and this certificate, who trusts servers of these roots."""
        listener = self.listener_of(name, certificate)
        anchors, crls = self.trust(roots)
        both, both_crls = self.trust(("old", "new") if (self.root / "ca/media/root-2").exists() else ("old",))
        text = (listener.home / "usher.toml").read_text()
        head, tail = text.split("[trust.server]")
        card = tail[tail.index("[card]"):]

        def section(role, anchors, crls):
            return (f"[trust.{role}]\nanchors = {json.dumps([str(a) for a in anchors])}\n"
                    f"crls = {json.dumps([str(c) for c in crls])}\n")

        (listener.home / "usher.toml").write_text(head + section("server", anchors, crls)
                                                  + section("distributor", both, both_crls) + card)
        return listener

    def listener_of(self, name, certificate):
        from world import Listener
        home = self.root / name
        home.mkdir()
        listener = Listener(self, home, "card")
        listener.configure("http://localhost:1", certificate, self.root / "issued/client-kitchen.key")
        listener.into = self.root / f"{name}'s files"
        listener.into.mkdir()
        return listener


class Pointers(unittest.TestCase):
    """A new root's certificates point to lists and responder like the old root's; to delta lists only if published."""

    def text_of_a_client(self, **options):
        world = RotationWorld()
        self.addCleanup(world.close)
        world.pki(url="http://pki.example/", **options)
        world.issue("client", "before", "--cn", "kitchen")
        world.rotate("--begin")
        world.rotate("--switch", "--out", world.root / "reissued")
        return run("openssl", "x509", "-in", world.issue("client", "after", "--cn", "bedroom").with_suffix(".pem"),
                   "-noout", "-text").out

    def test_lists_alone(self):
        text = self.text_of_a_client(ocsp="http://pki.example/ocsp")
        self.assertIn("URI:http://pki.example/media-root-2.crl", text)
        self.assertIn("OCSP - URI:http://pki.example/ocsp", text)
        self.assertNotIn("Freshest", text)

    def test_deltas_as_well(self):
        self.assertIn("URI:http://pki.example/media-root-2.delta.crl", self.text_of_a_client(deltas=True))


TRUST = {"old": ("old",), "both": ("old", "new"), "new": ("new",)}
# The pairs (certificate, trust) that the documented order allows a server or a listener at one time.
BEFORE, OVERLAP, AFTER = ([("old", "old"), ("old", "both")], [("old", "both"), ("new", "both")],
                          [("new", "both"), ("new", "new")])


class Root(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = RotationWorld().prepare()
        cls.addClassCleanup(cls.world.close)
        cls.prepared = cls.world.rotate("--begin")
        cls.again = cls.world.rotate()
        cls.world.crls()
        cls.switched = cls.world.rotate("--switch", "--out", cls.world.root / "reissued")
        cls.world.crls()
        files = cls.world.successors(cls.switched)
        issued = cls.world.root / "issued"
        cls.servers = {"old": issued / "server.pem", "new": files["localhost"]}
        cls.clients = {"old": issued / "client-kitchen.pem", "new": files["kitchen"]}

    def test_1_the_steps_are_told_in_order_and_telling_changes_nothing(self):
        self.assertEqual(self.prepared["stage"], "prepared")
        self.assertEqual(self.again, self.prepared)
        self.assertEqual([root["part"] for root in self.prepared["roots"]], ["issuing", "next"])
        self.assertEqual(self.switched["stage"], "switched")
        self.assertEqual([root["part"] for root in self.switched["roots"]], ["old", "issuing"])
        self.assertEqual([root["in_force"] for root in self.switched["roots"]], [4, 4])
        words = self.world.ca("rotate", "root").out
        for step in self.switched["steps"]:
            self.assertIn(step["what"], words)
        refused = self.world.ca("rotate", "root", "--switch", "--out", self.world.root / "x", ok=False)
        self.assertIn("[bad-usage]", refused.err)

    def test_2_everybody_meets_in_every_combination_that_the_order_allows_and_nobody_else(self):
        """Channel and file stream, 36 pairs: works if each trusts the other's root; otherwise `untrusted`."""
        world = self.world
        variants = list(itertools.product(("old", "new"), TRUST))
        listeners = {(cert, trust): world.listen_as(f"listener {cert} {trust}", self.clients[cert], TRUST[trust])
                     for cert, trust in variants}
        allowed = set(itertools.product(BEFORE, BEFORE + OVERLAP[:1])) | set(itertools.product(OVERLAP, OVERLAP))
        allowed |= set(itertools.product(AFTER, AFTER))
        for server_cert, server_trust in variants:
            server = world.serve_as(self.servers[server_cert], TRUST[server_trust])
            for (cert, trust), listener in listeners.items():
                works = server_cert in TRUST[trust] and cert in TRUST[server_trust]
                with self.subTest(server=(server_cert, server_trust), client=(cert, trust)):
                    if ((server_cert, server_trust), (cert, trust)) in allowed:
                        self.assertTrue(works, "the documented order must not lead here")
                    got = listener.usher("get", server.files[0], "song", "--force", "-o", listener.into, ok=False,
                                         pin=False)
                    listed = listener.usher("--set", f"connection.url={server.url}", "--json", "list", ok=False)
                    if works:
                        self.assertEqual((got.status, listed.status), (0, 0), f"{got!r}\n{listed!r}")
                        self.assertEqual(sha256(listener.into / "song"), sha256(world.shared() / "song"))
                        self.assertEqual(len(listed.json()["catalogue"]), 1)
                    else:
                        self.assertEqual((got.status, listed.status), (5, 5), f"{got!r}\n{listed!r}")
                        told = "untrusted" if server_cert not in TRUST[trust] else "bad-certificate"
                        self.assertIn(f'"code":"{told}"', listed.err)
            self.assertEqual(server.stop(), 0)

    def test_3_lists_of_the_old_root_go_on_and_revoke_its_certificates(self):
        world = self.world
        self.assertTrue((world.root / "published/media-root.crl.pem").exists())
        world.ca("revoke", "--certificate", self.clients["old"], "--reason", "superseded")
        world.crls()
        server = world.serve_as(self.servers["new"], TRUST["both"])
        gone = world.listen_as("revoked", self.clients["old"], TRUST["both"])
        gone.refused("revoked", "get", server.files[0], "song", "-o", gone.into, pin=False)
        stays = world.listen_as("stays", self.clients["new"], TRUST["both"])
        stays.usher("get", server.files[0], "song", "-o", stays.into, pin=False)

    def test_4_what_is_issued_from_now_on_is_the_new_roots(self):
        self.world.issue("client", "client-late", "--cn", "late")
        late = self.world.root / "issued/client-late.pem"
        verdict = self.world.usherd("check-chain", "--trust", self.world.root / "ca/media/root-2/ca.pem",
                                    "--revocation", "none", "--purpose", "client", late)
        self.assertIn("accepted", verdict.out)


class ServerCertificate(unittest.TestCase):
    def test_a_successor_has_the_same_names_and_no_client_notices(self):
        with FileWorld() as world:
            server = world.sharing().serve()
            client = world.member("kitchen")
            world.put("song", 10)
            again = world.root / "issued/server-2"
            world.ca("rotate", "server", "localhost", "--out", again, "--key-passphrase-file",
                     world.secret("usherd.pass"))
            for suffix in ("pem", "key"):
                successor = world.root / f"issued/server-2.{suffix}"
                (world.root / f"issued/server.{suffix}").write_bytes(successor.read_bytes())
            server.reload()
            for name in ("localhost", "127.0.0.1"):
                client.usher("--server-name", name, "get", server.files[0], "song", "--force", "-o", client.into,
                             pin=False)
            self.assertNotIn("reload refused", server.log())
            refused = world.ca("rotate", "server", "elsewhere", "--out", world.root / "x", ok=False)
            self.assertIn("[not-found]", refused.err)


class LicenceKey(unittest.TestCase):
    def check(self, world, listener, sequence):
        """Buys under each key in turn, and after each change everything that was bought is checked and plays."""
        bought = []
        for change in sequence:
            if change:
                change()
            server = world.serve()
            listener.env["USHER_CONNECTION_URL"] = server.url
            bought.append(listener.json("buy", 1, "--plays", 1)["licence"])
            listed = [one["licence"] for one in listener.json("licences")["licences"]]
            self.assertEqual(sorted(listed), sorted(bought))
            self.assertNotIn("[", listener.usher("licences").err)
            self.assertEqual(server.stop(), 0)
        world.serve()
        listener.env["USHER_CONNECTION_URL"] = world.servers[-1].url
        for _ in bought:
            self.assertTrue(listener.json("play", 1)["finished"])
        world.servers[-1].stop()

    def started(self, world):
        world.pki().card()
        world.operator()
        world.press(tracks(1)[0])
        world.usherd("media", "add", *(world.root / "releases").glob("*.usher"))
        return world.listener(url="http://localhost:1")

    def test_licences_of_retired_keys_verify_after_every_change(self):
        with FileWorld() as world:
            listener = self.started(world)
            private = world.root / "server/keys/licence.key"
            before = private.read_bytes()

            def rotate():
                self.assertIn("restart", world.usherd("rotate", "licence-key").out)

            self.check(world, listener, (None, rotate, rotate))
            self.assertNotEqual(before, private.read_bytes())
            self.assertEqual(len(list((world.root / "server/keys/retired").glob("*.pub"))), 2)
            retired = world.root / "server/keys/retired"
            forgotten = world.root / "forgotten"

            def licences():
                server = world.serve()
                listener.env["USHER_CONNECTION_URL"] = server.url
                told = listener.usher("licences").err
                server.stop()
                return told

            retired.rename(forgotten)  # all licences of these keys are used up: nothing is contradicted
            self.assertNotIn("licences-differ", licences())
            forgotten.rename(retired)
            server = world.serve()
            listener.env["USHER_CONNECTION_URL"] = server.url
            listener.usher("buy", 1, "--plays", 5)
            server.stop()
            rotate()
            self.assertNotIn("licences-differ", licences())
            retired.rename(forgotten)  # now a licence that can still be used is affected, and the listener is warned
            told = licences()
            self.assertIn("[licences-differ]", told)
            self.assertIn("has no longer the key that signed it", told)
            shutil.rmtree(retired, ignore_errors=True)
            forgotten.rename(retired)
            for _ in range(4):
                rotate()
            self.assertIn("[bad-config]", world.usherd("rotate", "licence-key", ok=False).err)
            self.assertIn("ok\n", world.usherd("config", "check").out)

    @unittest.skipIf(missing(), f"needs {missing()}")
    def test_licences_of_a_retired_key_verify_when_the_new_one_is_on_a_token(self):
        with TokenWorld() as world:
            listener = self.started(world)
            config = world.root / "server/usherd.toml"

            def to_token(label):
                uri, _ = world.token_key(label)
                # A line of its own in [keys] that names the token's key, as the operator writes it.
                settings = f"module = {json.dumps(world.module)}\npin_file = {json.dumps(str(world.pin_file))}\n"
                text = config.read_text()
                if "\nmodule = " not in text:
                    text = text.replace("[keys]\n", "[keys]\n" + settings)
                config.write_text(text)
                world.usherd("rotate", "licence-key", "--to", uri)
                lines = [line for line in text.splitlines() if not line.startswith("licence_key = ")]
                at = lines.index("[keys]") + 1
                config.write_text("\n".join(lines[:at] + [f'licence_key = "{uri}"'] + lines[at:]) + "\n")
                refused = world.usherd("rotate", "licence-key", ok=False)
                self.assertIn("[bad-usage]", refused.err)

            self.check(world, listener, (None, lambda: to_token("first"), lambda: to_token("second")))


if __name__ == "__main__":
    from suite import main
    main()

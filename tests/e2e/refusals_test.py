"""What each kind of user must be refused, and that a refusal changes nothing."""
import shutil
import socket
import unittest

from world import BIN, SHIM, World, clip, noise, requests, run, tracks


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        w.pki().card()
        w.operator()
        cls.clip = clip(tracks(1)[0], 6, w.root / "clip.ogg")
        w.press(cls.clip, more=("--chunk-size", "4KiB"))
        cls.release = w.root / "releases/clip.usher"
        w.usherd("media", "add", cls.release)
        cls.server = w.serve()
        cls.listener = w.listener()

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    # --- the card

    def test_a_wrong_pin_is_told_and_nothing_is_sent(self):
        wrong = self.world.secret("wrong.pin", "9999\n")
        sent = requests(self.server, "api/auth")
        outcome = self.listener.usher("--pin-file", wrong, "list", pin=False, ok=False)
        self.assertEqual(outcome.status, 6, outcome)
        self.assertIn("[wrong-pin]", outcome.err)
        self.assertEqual(requests(self.server, "api/auth"), sent, "a statement was sent")
        self.listener.json("list")   # the right PIN resets the card's count of wrong ones
        self.assertEqual(requests(self.server, "api/auth"), sent + 1)

    def test_a_pin_that_cannot_be_one_costs_no_try_and_a_line_end_is_none(self):
        shim = self.world.root / "shim"
        shim.mkdir()
        environment = dict(self.listener.env, USHER_SHIM_DIR=str(shim))

        def attempt(content, ok=False):
            pin = self.world.secrets / "some.pin"
            pin.write_bytes(content)
            pin.chmod(0o600)
            return run(*self.listener.command("--module", SHIM, "--pin-file", pin, "list", pin=False), env=environment,
                       ok=ok)

        for content, code in ((b"\xef\xbb\xbf1234\n", "unusable-passphrase"), (b"1234 \n", "unusable-passphrase"),
                              (b"12\t34\n", "unusable-passphrase"), (b"1234\n\n", "unusable-passphrase"),
                              (b"12\n", "pin-invalid"), (b"abcd\n", "pin-invalid"), (b"123456789\n", "pin-invalid")):
            outcome = attempt(content)
            self.assertIn(f"[{code}]", outcome.err, content)
            self.assertFalse((shim / "wrong").exists(), content)
        self.assertIn("[wrong-pin]", attempt(b"9999\n").err)
        self.assertEqual((shim / "wrong").read_text().strip(), "1", "what is tried is counted")
        for content in (b"1234\r\n", b"1234\n", b"1234"):
            attempt(content, ok=True)

    def test_a_missing_module_and_a_missing_card_are_told_apart(self):
        self.listener.refused("module-missing", "--module", "/nowhere/module.so", "list")
        self.listener.refused("no-card", "--token", "unknown", "list")

    # --- the server, by the client's eyes

    def test_a_server_certificate_for_another_name_is_refused(self):
        self.listener.refused("wrong-name", "--server-name", "other.example.org", "list")

    def test_a_pinned_key_counts_in_place_of_the_name_and_only_the_right_one(self):
        self.listener.refused("wrong-name", "--server-key", "00" * 32, "list")
        public = run("openssl", "x509", "-in", self.world.root / "issued/server.pem", "-pubkey", "-noout",
                     binary=True).out
        der = run("openssl", "pkey", "-pubin", "-outform", "DER", input=public, binary=True).out
        import hashlib
        self.listener.json("--server-key", hashlib.sha256(der).hexdigest(), "list")

    def test_nobody_there_and_somebody_else_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            dead = free.getsockname()[1]
        self.listener.refused("unreachable", "--url", f"http://127.0.0.1:{dead}", "list")
        self.listener.refused("not-usher", "--url", f"http://{self.server.operator}", "list")

    def test_a_client_of_another_root_is_refused_and_so_is_the_server_by_it(self):
        with World() as other:
            other.pki().card()
            other.issue("client", "client-stranger", "--cn", "stranger")
            listener = self.world.listener("stranger")
            text = (listener.home / "usher.toml").read_text()
            issued = other.root / "issued/client-stranger"
            text = text.replace(str(self.world.root / "issued/client-stranger"), str(issued))
            (listener.home / "usher.toml").write_text(text)
            outcome = listener.usher("--passphrase-file", other.secret("client.pass"), "list", ok=False)
            self.assertEqual(outcome.status, 5, outcome)
            self.assertIn("[bad-certificate]", outcome.err)
            anchors = f"trust.server.anchors={other.root}/ca/media/root/ca.pem"
            crls = f"trust.server.crls={other.root}/ca/media/root/crl.pem"
            self.listener.refused("untrusted", "--set", anchors, "--set", crls, "list")

    def test_a_certificate_of_another_role_is_refused(self):
        listener = self.world.listener("actor")
        text = (listener.home / "usher.toml").read_text()
        for kind in ("pem", "key"):
            text = text.replace(f"issued/client-actor.{kind}", f"issued/distributor.{kind}")
        (listener.home / "usher.toml").write_text(text)
        outcome = listener.usher("--passphrase-file", self.world.secret("distributor.pass"), "list", ok=False)
        self.assertIn("[bad-certificate]", outcome.err)

    def test_a_wrong_passphrase_and_a_missing_key_are_told(self):
        outcome = self.listener.usher("--passphrase-file", self.world.secret("wrong.pass"), "list", ok=False)
        self.assertIn("[bad-passphrase]", outcome.err)
        self.listener.refused("not-found", "--set", "installation.key=/nowhere.key", "list")

    # --- arguments

    def test_unknown_numbers_kinds_and_words_are_refused(self):
        self.listener.refused("unknown-medium", "play", 99)
        self.listener.refused("unknown-licence-kind", "buy", 1, "--plays", 7)
        self.listener.refused("bad-usage", "buy", 1)
        self.assertEqual(self.listener.usher("dance", ok=False).status, 2)
        outcome = self.world.usherd("--set", "limits.connexions=3", "config", "check", ok=False)
        self.assertIn("[bad-config]", outcome.err)

    # --- releases and the vault

    def test_a_flipped_byte_in_a_release_is_refused_by_its_chunk(self):
        damaged = self.world.root / "damaged.usher"
        content = bytearray(self.release.read_bytes())
        content[-5000] ^= 1
        damaged.write_bytes(content)
        before = sorted((self.world.root / "server").rglob("*.medium"))
        self.world.usherd("media", "remove", "--yes", self.medium())
        try:
            outcome = self.world.usherd("media", "add", damaged, ok=False)
            self.assertIn("[chunk-damaged]", outcome.err)
            self.assertRegex(outcome.err, r"chunk \d+")
            self.assertEqual(list((self.world.root / "server").rglob("*.medium")), [])
        finally:
            self.world.usherd("media", "add", self.release)
        self.assertEqual(sorted((self.world.root / "server").rglob("*.medium")), before)

    def medium(self):
        return self.listener.json("list")["catalogue"][0]["medium"]

    def test_a_flipped_byte_in_the_vault_is_found_by_number(self):
        stored = next((self.world.root / "server").rglob("*.medium"))
        whole = stored.read_bytes()
        try:
            content = bytearray(whole)
            content[-40000] ^= 1
            stored.chmod(0o600)
            stored.write_bytes(content)
            outcome = self.world.usherd("media", "verify", ok=False)
            self.assertEqual(outcome.status, 8, outcome)
            self.assertRegex(outcome.err, r"chunk \d+")
        finally:
            stored.write_bytes(whole)
        self.world.usherd("media", "verify")

    def test_a_release_for_another_operator_is_refused(self):
        with World() as other:
            other.pki()
            other.operator()
            other.press(self.clip)
            outcome = self.world.usherd("media", "add", other.root / "releases/clip.usher", ok=False)
            self.assertIn("[no-key-fits]", outcome.err)

    def test_a_release_of_an_unknown_distributor_is_refused(self):
        with World() as other:
            other.pki()
            other.operator()
            shutil.copy(self.world.root / "issued/operator.pem", other.root / "issued/operator.pem")
            other.press(self.clip)
            outcome = self.world.usherd("media", "add", other.root / "releases/clip.usher", ok=False)
            self.assertIn("[untrusted]", outcome.err)

    def test_a_full_disk_during_import_leaves_nothing(self):
        if run("unshare", "-m", "true", ok=False).status != 0:
            self.skipTest("no mount namespaces here")
        self.world.press(noise(24, self.world.root / "big.wav"), title="big")
        vault = next((self.world.root / "server").rglob("*.medium")).parent
        script = ('mount -t tmpfs -o size=4m tmpfs "$1" && shift && "$@"; status=$?; '
                  'ls -A "$VAULT"; exit $status')
        outcome = run("env", f"VAULT={vault}", "unshare", "-m", "sh", "-c", script, "sh", vault, BIN / "usherd",
                      "--home",
                      self.world.root / "server", "--passphrase-file", self.world.secret("usherd.pass"), "media", "add",
                      self.world.root / "releases/big.usher", ok=False, env=self.world.env)
        self.assertIn("[disk-full]", outcome.err)
        self.assertEqual(outcome.out.strip(), "", "something was left behind")
        self.assertEqual(len(self.listener.json("list")["catalogue"]), 1)

    def test_a_name_with_dots_in_it_leads_nowhere(self):
        self.listener.refused("unknown-medium", "play", "../../etc/passwd")

    # --- the operator's own mistakes

    def test_a_passphrase_file_inside_the_home_is_refused(self):
        inside = self.world.root / "server/pass"
        shutil.copy(self.world.secret("usherd.pass"), inside)
        inside.chmod(0o600)
        try:
            outcome = run(BIN / "usherd", "--home", self.world.root / "server", "--passphrase-file", inside, "media",
                          "verify", ok=False, env=self.world.env)
            self.assertNotEqual(outcome.status, 0)
            self.assertIn("[bad-config]", outcome.err)
        finally:
            inside.unlink()

    def test_a_second_server_on_one_home_is_refused(self):
        outcome = self.world.usherd("serve", ok=False)
        self.assertIn("[busy]", outcome.err)


if __name__ == "__main__":
    from suite import main
    main()

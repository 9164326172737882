"""The texts that the programs print about errors: each advice fits its cause, as a user meets it. And ordinary events
raise no alarm."""
import re
import resource
import socket
import subprocess
import unittest

import suite
from world import BIN, DEADLINE, World, clip, run, tracks


class Words(unittest.TestCase):
    """cause, program and arguments, code, words of the sentence, words that would mislead."""

    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        w.pki().card()
        w.operator()
        w.press(clip(tracks(1)[0], 6, w.root / "clip.ogg"), more=("--chunk-size", "4KiB"))
        cls.release = w.root / "releases/clip.usher"
        w.usherd("media", "add", cls.release)
        cls.server = w.serve()
        cls.listener = w.listener()
        cls.note = w.root / "note.txt"
        cls.note.write_text("This is neither a recording nor a certificate.\n" * 40)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def told(self, outcome, code, *words, without=()):
        self.assertNotEqual(outcome.status, 0, outcome)
        self.assertIn(f"[{code}]", outcome.err, outcome)
        for word in words:
            self.assertIn(word, outcome.err, outcome)
        for word in without:
            self.assertNotIn(word, outcome.err, outcome)

    # --- usher-ca

    def test_an_authority_is_never_to_be_removed(self):
        outcome = self.world.ca("init", "--organisation", "Other", ok=False)
        self.told(outcome, "already-exists", "never replaced", "--home", without=("Remove", "take the old one away"))

    def test_a_home_without_an_authority_names_init(self):
        outcome = run(BIN / "usher-ca", "--home", self.world.root / "empty", "list", ok=False, env=self.world.env)
        self.told(outcome, "not-set-up", "`usher-ca init`")

    def test_a_serial_number_that_nobody_issued_names_list(self):
        outcome = self.world.ca("revoke", "0123456789abcdef", ok=False)
        self.told(outcome, "not-found", "`usher-ca list`", without=("Check the path",))

    def test_a_host_name_that_is_none_asks_for_another(self):
        outcome = self.world.ca("issue", "server", "--out", self.world.root / "bad", "--key-passphrase-file",
                                self.world.secret("server.pass"), "--name", "not a name", ok=False)
        self.told(outcome, "malformed", "not a name is not a host name", "music.example", without=("its source",))

    def test_a_public_key_that_is_none_says_what_it_takes(self):
        outcome = self.world.ca("issue", "client", "--cn", "x", "--public-key", self.note, "--out",
                                self.world.root / "x", ok=False)
        self.told(outcome, "malformed", "PEM file", without=("its source",))

    # --- usher-press, usher open

    def test_a_file_that_is_no_recording_is_not_a_matter_of_releases(self):
        outcome = self.world.press(self.note, ok=False)
        self.assertNotIn("release of usher", outcome.err)
        self.assertNotEqual(outcome.status, 0)

    def test_a_file_that_is_no_release_names_the_press(self):
        outcome = run(BIN / "usher-press", "inspect", self.note, ok=False)
        self.told(outcome, "malformed", "It is no release", "usher-press", without=("release of usher",))

    def test_a_file_that_is_not_sealed_is_named_so(self):
        outcome = self.listener.usher("open", self.note, "-o", self.world.root / "out", pin=False, ok=False)
        self.told(outcome, "malformed", "no sealed object", without=("release of usher",))

    # --- usherd

    def test_usherd_advises_its_own_check(self):
        outcome = self.world.usherd("--set", "server.threads=none", "media", "list", ok=False)
        self.told(outcome, "bad-config", "server.threads", "`usherd config check`")

    def test_a_directory_where_a_file_is_wanted_is_called_that(self):
        folder = self.world.root / "a folder"
        folder.mkdir()
        for key in ("keys.server_certificate", "keys.server_key", "keys.vault_key", "trust.client.crls"):
            with self.subTest(key=key):
                outcome = self.world.usherd("--set", f"{key}={folder}", "config", "check", ok=False)
                self.told(outcome, "not-a-file", key, "a folder")
        outcome = self.world.usherd("--config", folder, "config", "show", ok=False)
        self.told(outcome, "not-a-file", "a folder")

    def test_a_vault_that_cannot_be_read_is_found_by_the_check(self):
        vault = self.world.root / "server/data/media"
        vault.rename(vault.with_name("moved"))
        self.addCleanup(lambda: vault.with_name("moved").rename(vault))
        vault.write_text("no directory")
        self.addCleanup(vault.unlink)
        outcome = self.world.usherd("config", "check", ok=False)
        self.told(outcome, "not-found", str(vault), "Not a directory")

    def test_a_file_that_two_keys_name_is_told_with_both(self):
        key = self.world.root / "issued/operator.key"
        outcome = self.world.usherd("--set", f"keys.server_key={key}", "config", "check", ok=False)
        self.told(outcome, "bad-key", "keys.server_key or keys.recipient_key", "is not the key of the certificate")

    def test_a_file_that_is_missing_names_its_key_and_is_told_once(self):
        shares = ("--set", "files.listen=127.0.0.1:0", "--set", f"files.shares=notes={self.world.root}")
        for key in ("keys.server_certificate", "keys.server_key", "keys.recipient_certificate", "keys.licence_key",
                    "keys.pseudonym_key", "keys.vault_key", "trust.client.anchors", "trust.client.crls",
                    "files.key_transport_certificate"):
            with self.subTest(key=key):
                outcome = self.world.usherd(*shares, "--set", f"{key}=lost.pem", "config", "check", ok=False)
                self.told(outcome, "not-found", key, "lost.pem")
                self.assertEqual(outcome.err.count("lost.pem"), 1, outcome.err)

    def test_arguments_that_are_not_understood_have_a_code_and_name_the_verbs_help(self):
        outcome = self.world.usherd("media", "list", "--nope", ok=False)
        self.assertEqual(outcome.status, 2)
        self.told(outcome, "bad-usage", "--nope", "`usherd media list --help`")
        self.told(run(BIN / "usher-ca", "nope", ok=False), "bad-usage", 'no "nope"', "`usher-ca --help`")

    def test_an_address_without_a_port_names_the_key(self):
        outcome = self.world.usherd("--set", "server.listen=8080", "config", "check", ok=False)
        self.told(outcome, "bad-config", "server.listen", '"8080" is not ADDRESS:PORT')

    def test_an_empty_text_in_a_list_names_the_key(self):
        for key in ("server.listen", "server.names", "files.listen"):
            for value in ("127.0.0.1:0,,x", "127.0.0.1:0,"):
                outcome = self.world.usherd("--set", f"{key}={value}", "config", "check", ok=False)
                self.told(outcome, "bad-config", key, "empty")

    def test_an_address_of_another_machine_is_no_matter_of_the_disk(self):
        self.server.stop()
        try:
            outcome = self.world.usherd("--set", "server.listen=192.0.2.1:8080", "serve", ok=False)
            self.told(outcome, "bad-config", "this machine's", "`ip address`", without=("disk",))
        finally:
            self.restart()

    def test_a_port_in_use_names_the_address(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.server.stop()
            try:
                outcome = self.world.usherd("--set", f"server.listen={address}", "serve", ok=False)
                self.told(outcome, "busy", address, "another address", without=("disk",))
            finally:
                self.restart()

    def test_a_medium_and_a_licence_that_are_not_there_name_the_list(self):
        self.told(self.world.usherd("media", "remove", "ffffffff", ok=False), "unknown-medium", "`usherd media list`")
        self.told(self.world.usherd("licence", "revoke", "ffffffff", ok=False), "unknown-licence",
                  "`usherd licence list`")

    def test_a_certificate_file_that_is_none_says_what_it_takes(self):
        outcome = self.world.usherd("--set", f"trust.client.anchors={self.note}", "config", "check", ok=False)
        self.told(outcome, "malformed", str(self.note), "PEM", without=("its source",))

    # --- usher

    def test_usher_does_not_advise_the_servers_check(self):
        outcome = self.listener.usher("--set", "connection.window=none", "list", ok=False)
        self.assertNotIn("usherd", outcome.err)
        self.assertNotEqual(outcome.status, 0)

    def test_a_time_that_is_too_short_names_the_shortest(self):
        self.told(self.listener.usher("buy", 1, "--for", "30s", ok=False), "bad-usage", "60s at least")

    def test_a_proxy_that_is_down_is_named(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        proxy = f"http://user:secret@127.0.0.1:{port}"
        server = ("--url", "http://music.example")
        outcome = self.listener.usher(*server, "--set", f"connection.proxy={proxy}", "list", ok=False)
        self.told(outcome, "unreachable", f"through the proxy http://127.0.0.1:{port}", "connection.proxy",
                  without=("secret",))
        environment = dict(self.listener.env, http_proxy=proxy, no_proxy="")
        outcome = run(*self.listener.command(*server, "list"), env=environment, ok=False)
        self.told(outcome, "unreachable", "through a proxy of the environment", f"port {port}", "http_proxy",
                  without=("secret",))
        outcome = self.listener.usher("--url", f"http://127.0.0.1:{port}", "list", ok=False)
        self.told(outcome, "unreachable", f"http://127.0.0.1:{port}", without=("proxy",))

    def test_too_few_descriptors_are_no_fault_of_usher(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

        done = subprocess.run([BIN / "usher-ca", "--home", self.world.root / "ca", "--passphrase-file",
                               self.world.secret("ca.pass"), "crl", "--out", self.world.root / "few"],
                              env=self.world.env, capture_output=True, text=True, preexec_fn=few, timeout=DEADLINE)
        self.assertEqual(done.returncode, 9, done)
        self.assertIn("[too-few-descriptors]", done.stderr)
        self.assertIn("ulimit -n", done.stderr)

    # --- a server's id, and ordinary events

    def restart(self, *args):
        self.server.stop()
        type(self).server = self.world.serve(*args)
        toml = self.listener.home / "usher.toml"
        lines = [f'url = "{self.server.url}"' if line.startswith("url = ") else line
                 for line in toml.read_text().splitlines()]
        toml.write_text("\n".join(lines) + "\n")

    def licences(self):
        """Lists the licences, and checks that there is no alarm."""
        outcome = self.listener.usher("licences")
        self.assertNotIn("licences-differ", outcome.err, outcome)
        return outcome

    def person(self):
        self.listener.usher("list")
        return re.search(r"(?m)^[0-9a-f]{64}", self.world.usherd("persons").out).group()

    def medium(self):
        return re.search(r"(?m)^[0-9a-f]{32}", self.world.usherd("media", "list").out).group()

    def test_ordinary_events_raise_no_alarm(self):
        person, medium = self.person(), self.medium()
        self.listener.usher("buy", 1, "--plays", 5)
        self.licences()
        # The operator issues.
        self.world.usherd("licence", "issue", "--medium", medium, "--to", person, "--plays", 3)
        self.assertIn("is new here", self.licences().err)
        self.assertNotIn("is new here", self.licences().err)
        # The operator rotates the key and issues with it before the server has read it.
        self.world.usherd("rotate", "licence-key")
        self.world.usherd("licence", "issue", "--medium", medium, "--to", person, "--plays", 2)
        before = self.licences()
        self.assertIn("does not name yet", before.err, before)
        self.restart()
        after = self.licences()
        self.assertEqual(after.out.count("      licence "), before.out.count("      licence ") + 1, after)

    def test_lists_show_what_other_verbs_take(self):
        self.listener.usher("buy", 1, "--plays", 1)
        text = self.licences().out
        ids = re.findall(r"(?m)^[0-9a-f]{32}", self.world.usherd("licence", "list").out)
        self.assertTrue(ids)
        for licence in ids:
            self.assertIn(f"licence {licence}", text)
        self.assertRegex(text, r"(?m)^ +1  ")  # the medium's number, which play and buy take

    def test_another_server_id_is_refused_at_the_start_by_name(self):
        self.world.usherd("licence", "issue", "--medium", self.medium(), "--to", self.person(), "--plays", 1)
        for verb in (("serve",), ("config", "check")):
            outcome = self.world.usherd("--set", "server.id=other", *verb, ok=False)
            self.told(outcome, "bad-config", "server.id is other", "are of e2e", "Set server.id back")


if __name__ == "__main__":
    suite.main()

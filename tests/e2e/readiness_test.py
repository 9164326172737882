"""Causes that would prevent logins, reported beforehand: `usherd config check`, /readyz, log and metrics."""
import shutil
import unittest
import urllib.error
import urllib.request

from world import BIN, DEADLINE, World, run

ONLY_ATTRIBUTES = """[ca]
default_ca = it
[it]
database = index
crlnumber = number
default_md = sha256
default_crl_days = 30
crl_extensions = ext
[ext]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical, onlyAA:TRUE
"""


def ask(server, path):
    """Status and text of the operator's listener."""
    try:
        with urllib.request.urlopen(f"http://{server.operator}{path}", timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


class Readiness(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.pki().operator()

    def check(self, *settings, ok=False):
        sets = [x for setting in settings for x in ("--set", setting)]
        return self.world.usherd(*sets, "config", "check", ok=ok)

    def test_a_good_home_is_ready(self):
        self.assertTrue(self.check(ok=True).out.endswith("ok\n"))
        self.assertEqual(ask(self.world.serve(), "/readyz"), (200, "ready\n"))

    def test_every_fault_of_the_configuration_is_told_in_one_run(self):
        config = self.world.root / "server/usherd.toml"
        text = config.read_text()
        config.write_text(text + '\n[nonsense]\nkey = 1\n')
        outcome = self.check("limits.connections=0", "limits.connexions=3", "channel.suites=none", "server.listen=here",
                             "revocation.urls=ftp://a/b,ftp://c/d", "keys.server_key=/nowhere.key",
                             "trust.client.crls=/nowhere.crl", "files.shares=a,b")
        for part in ("nonsense", "limits.connections", "limits.connexions", "channel.suites", "here", "ftp://a/b",
                     "ftp://c/d", "/nowhere.key", "/nowhere.crl", '"a"', '"b"'):
            self.assertIn(part, outcome.err)
        self.assertNotIn("ok\n", outcome.out)

    def test_of_a_file_without_form_nothing_else_is_told(self):
        config = self.world.root / "server/usherd.toml"
        config.write_text(config.read_text() + "\n[limits]\nconnections = \n")
        outcome = self.check()
        self.assertEqual(outcome.err.count("["), 1, outcome.err)
        self.assertIn("usherd.toml:", outcome.err)
        self.assertIn("[bad-config]", outcome.err)

    def test_lists_that_are_older_than_those_that_were_seen_are_told(self):
        lists = self.world.root / "published/media-root.crl.pem"
        older = lists.read_bytes()
        self.world.crls()
        self.world.serve().stop()
        self.assertTrue(self.check(ok=True).out.endswith("ok\n"))
        lists.write_bytes(older)
        self.assertIn("[crl-rollback]", self.check().err)

    def test_a_certificate_for_another_role_is_told(self):
        world = self.world
        world.secret("client.pass", world.secret("usherd.pass").read_text())
        world.issue("client", "lost", "--cn", "lost")
        for key in ("server", "recipient"):
            outcome = self.check(f"keys.{key}_certificate={world.root / 'issued/lost.pem'}",
                                 f"keys.{key}_key={world.root / 'issued/lost.key'}")
            self.assertIn("[wrong-role]", outcome.err)
            self.assertIn("lost.pem", outcome.err)

    def test_roots_without_lists_are_told_where_nobody_could_log_in(self):
        without = ["trust.client.crls=", "person.cartao-de-cidadao.crls="]
        outcome = self.check(*without)
        for role in ("client: certificates below", "cartao-de-cidadao: certificates below"):
            self.assertIn(role, outcome.err)
        server = self.world.serve(*(x for setting in without for x in ("--set", setting)))
        status, text = ask(server, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("client: certificates below", text)
        self.assertIn("\ncartao-de-cidadao: certificates below", text)
        self.assertIn("no login is possible", server.log())
        self.assertEqual(ask(server, "/healthz")[0], 200)

    def test_roots_without_lists_are_none_where_lists_may_be_fetched(self):
        self.assertTrue(self.check("trust.client.crls=", "revocation.urls=http://lists.example/root.crl",
                                   ok=True).out.endswith("ok\n"))

    def test_a_list_that_covers_nothing_is_told(self):
        root = self.world.root
        folder = root / "odd"
        folder.mkdir()
        (folder / "ca.cnf").write_text(ONLY_ATTRIBUTES)
        (folder / "index").write_text("")
        (folder / "number").write_text("4000\n")
        authority = root / "ca/media/root"
        run("sh", "-c", 'cd "$1" && shift && exec openssl "$@"', "sh", folder, "ca", "-config", "ca.cnf", "-gencrl",
            "-keyfile", authority / "ca.key", "-cert", authority / "ca.pem", "-passin",
            f"file:{self.world.secret('ca.pass')}", "-out", "odd.crl")
        outcome = self.check(f"trust.client.crls={folder / 'odd.crl'}")
        self.assertIn("client: certificates below", outcome.err)

    def test_what_ends_within_a_week_is_warned_of_by_name(self):
        self.world.crls("--days", "5")
        checked = self.check(ok=True).out
        self.assertRegex(checked, r"warning: client revocation list of CN=.* ends in [45] days")
        server = self.world.serve()
        self.assertRegex(server.log(), r"renew in time.*client revocation list of CN=")
        self.assertRegex(ask(server, "/metrics")[1],
                         r'usher_expires_soon\{what="client revocation list of CN=.*"\} 1\n')
        self.assertEqual(ask(server, "/readyz")[0], 200)

    def test_without_a_passphrase_all_but_the_keys_is_checked(self):
        outcome = run(BIN / "usherd", "--home", self.world.root / "server", "--set", "trust.client.crls=", "--set",
                      "keys.passphrase_file=", "config", "check", env=self.world.env, ok=False)
        self.assertIn("private keys: not checked", outcome.out)
        self.assertIn("client: certificates below", outcome.err)


class FullDisk(unittest.TestCase):
    def test_it_is_told_by_check_and_readiness(self):
        if run("unshare", "-m", "true", ok=False).status != 0:
            self.skipTest("no mount namespaces here")
        world = World()
        self.addCleanup(world.close)
        world.pki().operator()
        data, kept = world.root / "server/data", world.root / "kept"
        shutil.copytree(data, kept)
        script = 'mount -t tmpfs -o size=16m tmpfs "$1" && cp -a "$2/." "$1" && shift 2 && exec "$@"'
        inside = ("unshare", "-m", "sh", "-c", script, "sh", data, kept)
        server = world.serve(prefix=inside)
        self.assertEqual(ask(server, "/readyz"), (200, "ready\n"))
        filler = f"/proc/{server.process.pid}/root{data}/filler"
        with open(filler, "wb") as file, self.assertRaises(OSError):
            while True:
                file.write(bytes(65_536))
                file.flush()
        status, text = ask(server, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("[disk-full]", text)
        full = ('mount -t tmpfs -o size=16m tmpfs "$1" && cp -a "$2/." "$1"; cat /dev/zero > "$1/filler" 2>&-; '
                'shift 2; exec "$@"')
        outcome = run("unshare", "-m", "sh", "-c", full, "sh", data, kept, BIN / "usherd", "--home",
                      world.root / "server", "--passphrase-file", world.secret("usherd.pass"), "config", "check",
                      env=world.env, ok=False)
        self.assertIn("[disk-full]", outcome.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)

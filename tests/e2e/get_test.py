"""usher get against usherd's file stream: built programs, real files, real failures."""
import json
import os
import pty
import shutil
import signal
import subprocess
import unittest

from files import CHUNK, Case, FileWorld, Proxy, sha256
from hosts import TwoHosts
from world import DEADLINE, SOFTHSM, run, wait_for

SIZES = (0, 1, (16 << 10) - 1, 16 << 10, (16 << 10) + 1, CHUNK, 3 * CHUNK + 5)
BIG = 100_000_000


class Get(Case):
    def test_every_size_comes_whole(self):
        for size in (*SIZES, BIG):
            file = self.world.put(f"file {size}", size)
            for client in self.clients.values():
                one, = self.get(file.name, "--verify", client=client)
                self.assertEqual((one["size"], one["sha256"], one["verified"]), (size, sha256(file), True))
                self.assertEqual(sha256(client.into / file.name), sha256(file))
                self.assertEqual(self.left(client), [file.name])
                (client.into / file.name).unlink()
            file.unlink()

    def test_sealed_files_open_to_the_same_bytes(self):
        for size in (*SIZES, 10_000_000):
            file = self.world.put(f"file {size}", size)
            for client in self.clients.values():
                for suite in ("gcm", "ctr"):
                    one, = self.get(file.name, f"--sealed={suite}", "--verify", client=client)
                    self.assertEqual((one["sealed"], one["verified"], one["sha256"]), (True, True, sha256(file)))
                    opened = json.loads(client.usher("--json", "open", client.into / f"{file.name}.sealed", "--digest",
                                                     sha256(file), pin=False).out)
                    self.assertEqual((opened["size"], opened["sha256"], opened["suite"]), (size, sha256(file), suite))
                    self.assertEqual(sha256(client.into / file.name), sha256(file))
                    self.assertEqual(self.left(client), [file.name, f"{file.name}.sealed"])
                    for path in client.into.iterdir():
                        path.unlink()
            file.unlink()

    def test_several_names_and_a_list(self):
        for name in ("album/one.flac", "album/two with spaces.flac", "other.txt"):
            self.world.put(name, 1000)
        files = self.get("album/one.flac", "other.txt")
        self.assertEqual([one["name"] for one in files], ["album/one.flac", "other.txt"])
        self.assertEqual(self.left(), ["one.flac", "other.txt"])
        out = self.client.usher("--json", "get", self.here, "--list", "album/", pin=False).out
        listed = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([one["name"] for one in listed], ["album/one.flac", "album/two with spaces.flac"])
        self.assertEqual([one["size"] for one in listed], [1000, 1000])
        text = self.client.usher("get", self.here, "--list", pin=False).out
        self.assertRegex(text, r"(?m)^ +1000  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  album/two with spaces.flac$")

    def test_what_fails_does_not_keep_the_others_from_coming(self):
        self.world.put("a", 10)
        self.world.put("b", 10)
        outcome = self.client.usher("get", self.here, "a", "missing", "b", "-o", self.client.into, ok=False, pin=False)
        self.assertEqual(outcome.status, 7)
        self.assertIn("missing", outcome.err)
        self.assertEqual(self.left(), ["a", "b"])

    def test_a_name_that_is_not_there_leaves_nothing(self):
        self.refused("file-refused", "get", self.here, "missing", "-o", self.client.into)
        for name in ("../etc/passwd", "/etc/passwd", "a//b", ".hidden"):
            self.refused("bad-usage", "get", self.here, name, "-o", self.client.into / "x")
        self.assertEqual(self.left(), [])

    def test_what_is_there_is_replaced_only_by_force(self):
        file = self.world.put("song", 1000)
        (self.client.into / "song").write_text("mine")
        self.refused("already-exists", "get", self.here, "song", "-o", self.client.into)
        self.assertEqual((self.client.into / "song").read_text(), "mine")
        self.get("song", "--force")
        self.assertEqual(sha256(self.client.into / "song"), sha256(file))

    def test_two_clients_at_once(self):
        file = self.world.put("big", BIG)
        started = [client.start("get", self.here, "big", "--verify", "-o", client.into)
                   for client in self.clients.values()]
        for process in started:
            _, err = process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, 0, err)
        for client in self.clients.values():
            self.assertEqual(sha256(client.into / "big"), sha256(file))
        file.unlink()

    def test_it_comes_over_ipv6_too(self):
        self.world.put("six", 1000)
        self.get("six", "--verify", server=next(a for a in self.server.files if a.startswith("[")))

    def test_progress_is_for_a_terminal(self):
        self.world.put("song", 5_000_000)
        piped = self.client.usher("get", self.here, "song", "-o", self.client.into, pin=False)
        self.assertEqual(piped.err, "")
        outside, inside = pty.openpty()
        try:
            process = subprocess.Popen(self.client.command("get", self.here, "song", "--force", "-o", self.client.into,
                                                           pin=False), env=self.client.env, stderr=inside,
                                       stdout=subprocess.DEVNULL)
            self.assertEqual(process.wait(60), 0)
            shown = os.read(outside, 1 << 16).decode()
        finally:
            os.close(inside)
            os.close(outside)
        self.assertIn("song   ", shown)
        self.assertIn(" %   ", shown)
        self.assertIn(" of 5.0 MB", shown)

    # --- transfers that are cut

    def cut(self, size=5_000_000, after=1_000_000, how=None):
        """A transfer that stops in the middle; `how` ends it. Returns the file's path, the exit status and stderr."""
        file = self.world.put("cut", size)
        proxy = Proxy(self.here, after)
        self.addCleanup(proxy.close)
        process = self.client.start("get", proxy.address, "cut", "-o", self.client.into)
        self.assertTrue(proxy.full.wait(60))
        part = self.client.into / "cut.usher-part"
        wait_for(lambda: part.exists() and part.stat().st_size > after // 2, "the first part")
        how(process, proxy)
        _, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(self.left(), ["cut.usher-part"])
        return file, process.returncode, err

    def test_a_transfer_that_the_network_cut_is_continued(self):
        file, status, err = self.cut(how=lambda process, proxy: proxy.close())
        self.assertEqual(status, 3)
        self.assertIn("[interrupted]", err)
        self.assertIn("--continue", err)
        one, = self.get("cut", "--continue")
        self.assertEqual((one["sha256"], one["verified"]), (sha256(file), True))
        self.assertLess(one["received"], one["size"])
        self.assertEqual(self.left(), ["cut"])

    def test_a_transfer_that_was_interrupted_here_is_continued(self):
        file, status, err = self.cut(how=lambda process, proxy: process.send_signal(signal.SIGINT))
        self.assertEqual(status, 130)
        self.assertIn("--continue", err)
        one, = self.get("cut", "--continue")
        self.assertEqual(one["sha256"], sha256(file))

    def test_a_part_of_a_file_that_was_replaced_is_thrown_away(self):
        self.cut(how=lambda process, proxy: proxy.close())
        self.world.put("cut", 5_000_000)
        outcome = self.refused("digest-mismatch", "get", self.here, "cut", "--continue", "-o", self.client.into)
        self.assertIn("replaced", outcome.err)
        self.assertEqual(self.left(), [])

    def test_a_full_disk_is_told_and_leaves_nothing(self):
        if run("unshare", "-m", "true", ok=False).status != 0:
            self.skipTest("no mount namespaces here")
        self.world.put("large", 8_000_000)
        script = ('mount -t tmpfs -o size=2m tmpfs "$1" && into=$1 && shift && "$@"; status=$?; ls -A "$into"; '
                  'exit $status')
        command = self.client.command("get", self.here, "large", "-o", self.client.into, pin=False)
        outcome = run("unshare", "-m", "sh", "-c", script, "sh", self.client.into, *command, env=self.client.env,
                      ok=False)
        self.assertIn("[disk-full]", outcome.err)
        self.assertEqual((outcome.status, outcome.out), (9, ""))

    @unittest.skipUnless(os.environ.get("USHER_TEST_4GIB"), "USHER_TEST_4GIB is not set")
    def test_four_gigabytes_need_no_more_memory(self):
        file = self.world.shared() / "four"
        with open(file, "wb") as out:
            out.truncate((4 << 30) + 1)
        before = self.server_peak()
        for how in ((), ("--sealed=gcm", "--verify"), ("--sealed=ctr", "--verify")):
            process = self.client.start("--quiet", "get", self.here, "four", *how, "-o", self.client.into)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            process.communicate()  # closes the pipes
            self.assertEqual(process.returncode, 0)
            print(f"4 GiB {' '.join(how)}: client {usage.ru_maxrss} kB at most, "
                  f"{usage.ru_utime + usage.ru_stime:.1f} s of CPU; server {before} kB at most before, "
                  f"{self.server_peak()} kB after")
            self.assertLess(usage.ru_maxrss, 64 << 10)
            self.assertLess(self.server_peak(), before + (16 << 10))
            got, = self.client.into.iterdir()
            self.assertGreater(got.stat().st_size, 4 << 30)
            got.unlink()

    def server_peak(self):
        """Most memory that the server ever had, in kB."""
        with open(f"/proc/{self.server.process.pid}/status", encoding="utf-8") as status:
            return int(next(line.split()[1] for line in status if line.startswith("VmHWM:")))


class Refused(Case):
    """Peers with a wrong identity. Each test that changes the trust has a server of its own."""

    def test_a_server_of_another_name_is_refused(self):
        self.world.put("song", 10)
        self.refused("wrong-name", "--server-name", "elsewhere.example", "get", self.here, "song", "-o",
                     self.client.into)
        self.assertEqual(self.left(), [])

    def test_a_server_of_another_root_is_refused(self):
        with FileWorld() as other:
            other.sharing()
            stranger = other.member("stranger")
            stranger.refused("untrusted", "get", self.here, "song", "-o", stranger.into, pin=False)

    def test_a_client_that_was_revoked_is_told_so(self):
        self.world.put("song", 10)
        gone = self.world.member("gone")
        gone.usher("get", self.here, "song", "-o", gone.into, pin=False)
        index = self.world.ca("list").out
        self.world.ca("revoke", next(line.split()[0] for line in index.splitlines() if "gone" in line))
        self.world.crls()
        self.server.reload()
        outcome = gone.refused("revoked", "get", self.here, "song", "--force", "-o", gone.into, pin=False)
        self.assertIn("this installation's", outcome.err)

    def test_a_client_whose_certificate_has_expired_is_told_so(self):
        self.world.put("song", 10)
        late = self.world.member("late")
        own, authority = self.world.root / "issued/client-late", self.world.root / "ca/media/root/ca"
        request = self.world.root / "late.csr"
        run("openssl", "x509", "-x509toreq", "-copy_extensions", "copy", "-in", f"{own}.pem", "-signkey", f"{own}.key",
            "-passin", f"file:{self.world.secret('client.pass')}", "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
            "-passin",
            f"file:{self.world.secret('ca.pass')}", "-copy_extensions", "copyall", "-days", "-1", "-CAcreateserial",
            "-CAserial", self.world.root / "late.srl", "-out", f"{own}.pem")
        outcome = late.refused("certificate-expired", "get", self.here, "song", "-o", late.into, pin=False)
        self.assertIn("this installation's", outcome.err)
        self.assertEqual(self.left(late), [])

    def test_a_forbidden_name_is_refused_like_an_unknown_one(self):
        with FileWorld() as world:
            server = world.sharing(files__rules="shared | | open/**,shared | CN=kitchen | **").serve()
            kitchen, office = world.member("kitchen"), world.member("office")
            world.put("open/song", 10)
            world.put("closed/song", 10)
            for name in ("open/song", "closed/song"):
                kitchen.usher("get", server.files[0], name, "--force", "-o", kitchen.into, pin=False)
            office.usher("get", server.files[0], "open/song", "-o", office.into, pin=False)
            told = [office.refused("file-refused", "get", server.files[0], f"closed/{name}", "-o", office.into / "x",
                                   pin=False).err.replace(name, "NAME") for name in ("song", "gone")]
            self.assertEqual(told[0], told[1])
            listed = office.usher("get", server.files[0], "--list", pin=False).out
            self.assertIn("open/song", listed)
            self.assertNotIn("closed", listed)

    def test_a_certificate_of_another_role_is_not_taken(self):
        issued = self.world.root / "issued"
        self.refused("bad-certificate", "--passphrase-file", self.world.secret("distributor.pass"), "get", self.here,
                     "song", "-o", self.client.into, "--cert", issued / "distributor.pem", "--key",
                     issued / "distributor.key")

    def test_the_web_port_is_not_a_file_stream(self):
        outcome = self.client.usher("get", self.server.address, "song", "-o", self.client.into, ok=False, pin=False)
        self.assertIn(outcome.status, (3, 4))
        self.refused("unreachable", "get", "127.0.0.1:1", "song", "-o", self.client.into)
        self.refused("bad-usage", "get", "127.0.0.1", "song", "-o", self.client.into)


class Killed(unittest.TestCase):
    def test_a_transfer_that_the_servers_death_cut_is_continued_with_the_next_one(self):
        with FileWorld() as world:
            server = world.sharing().serve()
            client = world.member("kitchen")
            file = world.put("song", 5_000_000)
            proxy = Proxy(server.files[0], 1_000_000)
            process = client.start("get", proxy.address, "song", "-o", client.into)
            self.assertTrue(proxy.full.wait(60))
            server.kill()
            proxy.close()
            _, err = process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, 3, err)
            self.assertIn("--continue", err)
            again = world.serve()
            client.usher("get", again.files[0], "song", "--continue", "-o", client.into, pin=False)
            self.assertEqual(sha256(client.into / "song"), sha256(file))


class Network(TwoHosts):
    def test_a_file_comes_from_another_host_over_both_protocols(self):
        with FileWorld() as world:
            world.sharing(addresses=("10.77.0.1", "fd77::1"), files__listen="10.77.0.1:0,[fd77::1]:0")
            server = world.serve(prefix=self.AS_SERVER)
            file = world.put("song", 5_000_000)
            client = self.from_client_host(world.member("kitchen"))
            self.assertEqual(len(server.files), 2)
            for address in server.files:
                client.usher("get", address, "song", "--verify", "--force", "-o", client.into, pin=False)
                self.assertEqual(sha256(client.into / "song"), sha256(file))
                client.refused("wrong-name", "--server-name", "10.77.0.9", "get", address, "song", "--force", "-o",
                               client.into, pin=False)


class Token(unittest.TestCase):
    """The installation's key on a PKCS #11 token."""

    def test_a_token_fetches_and_opens(self):
        if shutil.which("pkcs11-tool") is None:
            self.skipTest("needs pkcs11-tool")
        with FileWorld() as world:
            world.sharing()
            server = world.serve()
            world.put("song", 200_000)
            (world.root / "tokens").mkdir()
            (world.root / "softhsm2.conf").write_text(f"directories.tokendir = {world.root / 'tokens'}\n"
                                                      "objectstore.backend = file\nlog.level = ERROR\n")
            run("softhsm2-util", "--init-token", "--free", "--label", "studio", "--so-pin", "87654321", "--pin", "1234",
                env=world.env)
            pin = world.secret("studio.pin", "1234\n")
            for number, label, key, usage in (("01", "rsa", "rsa:2048", "--usage-decrypt"),
                                              ("02", "ec", "EC:prime256v1", "--usage-derive")):
                tool = ("pkcs11-tool", "--module", SOFTHSM, "--token-label", "studio", "--login", "--pin", "1234")
                run(*tool, "--keypairgen", "--key-type", key, "--label", label, "--id", number, "--usage-sign", usage,
                    env=world.env)
                spki = world.root / f"{label}.der"
                run(*tool, "--read-object", "--type", "pubkey", "--label", label, "--output-file", spki, env=world.env)
                public = world.root / f"{label}.pem"
                run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", spki, "-out", public)
                issued = world.root / "issued" / f"client-{label}"
                world.ca("issue", "client", "--cn", label, "--public-key", public, "--out", issued)
                client = world.member(f"with {label}")
                named = ("--cert", f"{issued}.pem", "--key", f"pkcs11:token=studio;object={label};type=private")
                options = ("--passphrase-file", pin, "--set", f"installation.module={SOFTHSM}")
                client.usher(*options, "get", server.files[0], "song", "--sealed", "--verify", *named, "-o",
                             client.into, pin=False)
                client.usher(*options, "open", client.into / "song.sealed", *named[2:], pin=False)
                self.assertEqual(sha256(client.into / "song"), sha256(world.shared() / "song"))
                wrong = ("--passphrase-file", world.secret("wrong.pin", "9999\n"), *options[2:])
                client.refused("wrong-pin", *wrong, "get", server.files[0], "song", *named, "-o", client.into / "x",
                               pin=False)


if __name__ == "__main__":
    from suite import main
    main()

"""Files and their failures: a full disk, a home of another user, long names, an output that accepts nothing; and
changes of media and shares by an operator while the server runs."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import unittest
import urllib.error
import urllib.request

from files import FileWorld, sha256
from terminal import Terminal
from world import BIN, DEADLINE, World, clip, run, tracks, wait_for

OTHER_USER = 65534
ROOT = os.geteuid() == 0
FULL = "/dev/full"


def ready(server):
    """Status and text of /readyz."""
    try:
        with urllib.request.urlopen(f"http://{server.operator}/readyz", timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()


def a_release(world, title="A track"):
    source = clip(tracks(1)[0], 20, world.root / f"{title}.ogg")
    world.press(source, title=title)
    return world.root / "releases" / f"{title}.usher"


def into(file, command, env):
    """A program whose standard output is this file."""
    with open(file, "w") as out:
        return subprocess.run([str(a) for a in command], stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              text=True, env=env, timeout=DEADLINE)


class Output(unittest.TestCase):
    """Output that cannot be written is a failure, in every program and for every verb that prints."""

    @classmethod
    def setUpClass(cls):
        w = cls.world = FileWorld()
        cls.addClassCleanup(w.close)
        w.sharing()
        w.card()
        cls.release = a_release(w)
        w.usherd("media", "add", cls.release)
        w.put("shared", 10)
        cls.server = w.serve()
        cls.listener = w.listener()

    def fails(self, command):
        done = into(FULL, command, self.listener.env)
        what = " ".join(map(str, command))
        self.assertEqual(done.returncode, 11, f"{what}\n{done.stderr}")
        lines = [line for line in done.stderr.splitlines() if line]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn("output-failed", lines[0])

    def test_the_authority_s(self):
        w = self.world
        for verb in (["list"], ["crl", "--out", w.root / "published"], ["rotate", "root"], ["rotate", "root", "--json"],
                     ["--help"], ["--version"]):
            self.fails([BIN / "usher-ca", "--home", w.root / "ca", "--passphrase-file", w.secret("ca.pass"), *verb])

    def test_the_distributor_s(self):
        w = self.world
        key = ["--key", w.root / "issued/operator.key", "--passphrase-file", w.secret("usherd.pass")]
        for verb in (["inspect", self.release], ["inspect", "--json", self.release], ["verify", self.release, *key],
                     ["--help"], ["--version"]):
            self.fails([BIN / "usher-press", *verb])
        self.fails([BIN / "usher-press", "press", w.root / "A track.ogg", "--key", w.root / "issued/distributor.key",
                    "--cert",
                    w.root / "issued/distributor.pem", "--passphrase-file", w.secret("distributor.pass"), "--for",
                    w.root / "issued/operator.pem", "--out", w.root / "more releases"])

    def test_the_operator_s(self):
        w = self.world
        for verb in (["media", "list"], ["media", "list", "--json"], ["media", "verify"], ["licence", "list"],
                     ["licence", "list", "--json"], ["persons"], ["config", "show"], ["config", "check"], ["--help"],
                     ["check-chain", "--trust", w.root / "ca/media/root/ca.pem", "--crl",
                      w.root / "published/media-root.crl.pem",
                      "--purpose", "client", w.root / "issued/client-kitchen.pem"]):
            self.fails([BIN / "usherd", "--home", w.root / "server", "--passphrase-file", w.secret("usherd.pass"),
                        *verb])

    def test_the_listener_s(self):
        for verb in (["list"], ["licences"], ["card"], ["config", "show"], ["--json", "list"],
                     ["--json", "config", "show"], ["--help"], ["get", self.server.files[0], "--list"]):
            self.fails(self.listener.command(*verb))

    def test_what_is_opened_to_it_too(self):
        listener = self.listener
        listener.usher("get", self.server.files[0], "shared", "--sealed", "-o", listener.home / "shared.sealed",
                       pin=False)
        self.fails(listener.command("open", listener.home / "shared.sealed", "-o", "-", pin=False))


class LongNames(unittest.TestCase):
    def test_names_of_245_to_255_bytes_are_listed_and_fetched(self):
        world = FileWorld().sharing()
        self.addCleanup(world.close)
        server = world.serve()
        client = world.member("p256")
        for size in (244, 245, 250, 255):
            file = world.put("n" * size, 1000)
            listed = client.usher("--json", "get", server.files[0], "--list", file.name, pin=False).json()
            self.assertEqual(listed["name"], file.name)
            client.usher("get", server.files[0], file.name, "--verify", "-o", client.into, pin=False)
            self.assertEqual(sha256(client.into / file.name), sha256(file))
        refused = client.refused("bad-usage", "get", server.files[0], "n" * 250, "--sealed", "-o", client.into,
                                 pin=False)
        self.assertIn("-o", refused.err)
        client.usher("get", server.files[0], "n" * 250, "--sealed", "-o", client.into / "short", pin=False)


@unittest.skipUnless(ROOT, "only root can leave files that another user cannot read")
class AnothersHome(unittest.TestCase):
    """Root works on a home whose owner is the server's user."""

    def setUp(self):
        w = self.world = World()
        self.addCleanup(w.close)
        w.pki().card()
        w.operator()
        self.release = a_release(w)
        run("chown", "-R", f"{OTHER_USER}:{OTHER_USER}", w.root)
        # Files that root names stay root's alone.
        run("chown", "-R", "0:0", w.secrets, w.root / "releases")
        (w.root / "releases").chmod(0o700)

    def owners(self):
        return {path.stat().st_uid for path in (self.world.root / "server").rglob("*")}

    def test_root_leaves_nothing_in_it_that_its_owner_cannot_read(self):
        w = self.world
        medium = re.search("added: ([0-9a-f]{32})", w.usherd("media", "add", self.release).out).group(1)
        self.assertEqual(self.owners(), {OTHER_USER})
        card = w.secrets / "card.pem"
        # Any certificate will do: it is read first, and then refused because it is no card's.
        card.write_bytes((w.root / "issued/server.pem").read_bytes())
        self.assertIn("[untrusted]", w.usherd("licence", "issue", "--card", card, "--medium", medium, "--plays", "1",
                                              ok=False).err)
        w.usherd("licence", "issue", "--to", "00" * 32, "--medium", medium, "--plays", "1")
        w.usherd("rotate", "licence-key")
        w.usherd("vault-key", "seal", "--to", "passphrase")
        w.usherd("config", "check")
        self.assertEqual(self.owners(), {OTHER_USER})
        server = w.serve()
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        self.assertRegex(status, rf"(?m)^Uid:\t{OTHER_USER}\t{OTHER_USER}\t{OTHER_USER}\t{OTHER_USER}$")
        self.assertRegex(status, rf"(?m)^Groups:[\t ]*({OTHER_USER} ?)?$")
        self.assertEqual(ready(server), (200, "ready"))
        listener = w.listener()
        shutil.chown(w.root / "issued", 0, 0)
        self.assertEqual([item["title"] for item in listener.json("list")["catalogue"]], ["A track"])
        self.assertEqual(self.owners(), {OTHER_USER})

    def test_a_medium_that_the_server_cannot_read_is_told_where_it_is_looked_for(self):
        w = self.world
        w.usherd("media", "add", self.release)
        server = w.serve()
        self.assertEqual(ready(server), (200, "ready"))
        file, = (w.root / "server/data/media").glob("*.medium")
        os.chown(file, 0, 0)
        status, words = ready(server)
        self.assertEqual(status, 503)
        self.assertIn("1 media cannot be read", words)
        self.assertIn("not-permitted", words)
        listener = w.listener()
        item, = listener.json("list")["catalogue"]
        self.assertEqual(item["error"]["code"], "medium-unavailable")
        text = listener.usher("list").out
        self.assertNotIn("trusted", text)
        self.assertIn("[medium-unavailable]", text)
        self.assertIn("not-permitted", server.log())
        os.chown(file, OTHER_USER, OTHER_USER)
        self.assertEqual(ready(server), (200, "ready"))

    def test_a_medium_whose_file_is_damaged_is_restored_by_its_release(self):
        w = self.world
        w.usherd("media", "add", self.release)
        file, = (w.root / "server/data/media").glob("*.medium")
        whole = file.read_bytes()
        flipped = bytearray(whole)
        flipped[-100] ^= 1
        for damaged in (b"", whole[:len(whole) // 2], flipped):
            file.write_bytes(damaged)
            self.assertIn("restored: " + file.stem, w.usherd("media", "add", self.release).out)
            w.usherd("media", "verify", file.stem)
        self.assertIn("[already-exists]", w.usherd("media", "add", self.release, ok=False).err)
        w.usherd("media", "remove", file.stem, "--yes")
        file.write_bytes(whole[:len(whole) // 2])
        self.assertIn("added: " + file.stem, w.usherd("media", "add", self.release).out)
        w.usherd("media", "verify", file.stem)

    def test_with_another_vault_key_no_file_counts_as_damaged(self):
        w = self.world
        w.usherd("media", "add", self.release)
        file, = (w.root / "server/data/media").glob("*.medium")
        whole = file.read_bytes()
        other = w.root / "other home"
        run(BIN / "usherd", "--home", other, "--passphrase-file", w.secret("usherd.pass"), "init", "--id", "other",
            env=w.env)
        run("chown", "-R", f"{OTHER_USER}", other)
        key = f"keys.vault_key={other / 'keys/vault.key'}"
        self.assertIn("[no-key-fits]", w.usherd("--set", key, "media", "add", self.release, ok=False).err)
        self.assertEqual(file.read_bytes(), whole)

    def test_a_medium_whose_file_is_lost_can_be_removed(self):
        w = self.world
        w.usherd("media", "add", self.release)
        file, = (w.root / "server/data/media").glob("*.medium")
        file.unlink()
        self.assertIn("removed: " + file.stem, w.usherd("media", "remove", file.stem, "--yes").out)
        self.assertEqual(w.usherd("media", "list").out.count(file.stem), 0)

    def test_a_medium_whose_file_is_lost_is_restored_by_its_release(self):
        w = self.world
        w.usherd("media", "add", self.release)
        file, = (w.root / "server/data/media").glob("*.medium")
        file.unlink()
        self.assertTrue(w.usherd("--json", "media", "add", self.release).json()["restored"])
        file.unlink()
        self.assertIn("restored: " + file.stem, w.usherd("media", "add", self.release).out)
        self.assertTrue(file.exists())
        self.assertIn("already-exists", w.usherd("media", "add", self.release, ok=False).err)
        w.serve()
        self.assertEqual([item["title"] for item in w.listener().json("list")["catalogue"]], ["A track"])

    def test_a_medium_keeps_its_release_also_without_its_file(self):
        w = self.world
        w.usherd("media", "add", self.release)
        file, = (w.root / "server/data/media").glob("*.medium")
        file.unlink()
        store, = (w.root / "server/data").glob("*.db")
        with contextlib.closing(sqlite3.connect(store)) as database:
            database.execute("UPDATE media SET manifest = randomblob(32)")
            database.commit()
        refused = w.usherd("media", "add", self.release, ok=False).err
        self.assertIn("was imported from another release", refused)
        self.assertIn("[release-mismatch]", refused)
        self.assertFalse(file.exists())

    def test_whoever_is_not_the_owner_is_told_who_is(self):
        w = self.world
        (w.root / "server/usherd.toml").chmod(0o644)
        for path in (w.root, w.root / "server", w.secrets):
            path.chmod(0o755)
        passphrase = w.secret("usherd.pass")
        os.chown(passphrase, 1234, 1234)
        outcome = run("setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", BIN / "usherd", "--home",
                      w.root / "server", "--passphrase-file", passphrase, "media", "list", env=w.env, ok=False)
        self.assertIn("[not-permitted]", outcome.err)
        self.assertIn("belongs to ", outcome.err)


@unittest.skipUnless(ROOT, "only root can mount a small disk")
class FullDisk(unittest.TestCase):
    def setUp(self):
        w = self.world = World()
        self.addCleanup(w.close)
        w.pki().card()
        home = w.root / "server"
        home.mkdir(mode=0o700)
        if run("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", home, ok=False).status != 0:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(run, "umount", "--lazy", home)
        w.operator()
        w.usherd("media", "add", a_release(w))
        medium = json.loads(w.usherd("media", "list", "--json").out)[0]["medium"]
        w.usherd("licence", "issue", "--to", "00" * 32, "--medium", medium, "--plays", "1")

    def fill(self):
        with open(self.world.root / "server/filler", "wb", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        filler.write(b"\0" * size)
                except OSError:
                    pass

    def look(self):
        w = self.world
        self.assertEqual(len(json.loads(w.usherd("licence", "list", "--json").out)), 1)
        self.assertEqual(len(json.loads(w.usherd("media", "list", "--json").out)), 1)
        w.usherd("media", "verify")
        w.usherd("persons")

    def test_what_only_reads_does_so_and_what_writes_names_it(self):
        self.fill()
        self.look()
        refused = self.world.usherd("licence", "issue", "--to", "00" * 32, "--medium", "0000", "--plays", "1", ok=False)
        self.assertNotEqual(refused.status, 0)
        self.assertEqual(refused.status, 9, refused)

    def test_a_listener_is_told_that_the_server_s_disk_is_full_and_the_log_names_it(self):
        server = self.world.serve()
        listener = self.world.listener()
        listener.json("list")
        self.fill()

        def refused():
            outcome = listener.usher("buy", "1", "--plays", "1", ok=False)
            return outcome if outcome.status != 0 else None
        outcome = wait_for(refused, "a disk that is full", DEADLINE)
        self.assertIn("[server-full]", outcome.err)
        self.assertEqual(outcome.status, 3)
        self.assertIn("disk-full", server.log())
        self.look_beside_the_server()
        (self.world.root / "server/filler").unlink()
        listener.usher("buy", "1", "--plays", "1")

    def look_beside_the_server(self):
        listed = self.world.usherd("licence", "list", "--json").out
        self.assertGreaterEqual(len(json.loads(listed)), 1)


class Removing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        cls.addClassCleanup(w.close)
        w.pki().card()
        w.operator()
        for title in ("one", "two", "three"):
            w.usherd("media", "add", a_release(w, title))
        w.serve()
        cls.listener = w.listener()

    def numbers(self):
        return {item["title"]: item["number"] for item in self.listener.json("list")["catalogue"]}

    def test_it_asks_and_the_numbers_of_the_others_stay(self):
        w = self.world
        before = self.numbers()
        self.assertEqual(before, {"one": 1, "two": 2, "three": 3})
        self.listener.usher("buy", "2", "--plays", "5")
        medium = next(m["medium"] for m in json.loads(w.usherd("media", "list", "--json").out) if m["title"] == "two")
        alone = run("setsid", BIN / "usherd", "--home", w.root / "server", "--passphrase-file", w.secret("usherd.pass"),
                    "media", "remove", medium, env=w.env, ok=False)
        self.assertIn("[bad-usage]", alone.err)
        self.assertIn("--yes", alone.err)
        for answer, status in (("no", 130), ("yes", 0)):
            self.assertEqual(self.numbers(), before)
            terminal = Terminal([str(a) for a in (BIN / "usherd", "--home", w.root / "server", "--passphrase-file",
                                                  w.secret("usherd.pass"), "media", "remove", medium)], w.env)
            asked = terminal.expect(r"\[y/N\]")
            self.assertIn("two", asked)
            self.assertIn("1 usable licence of it", asked)
            terminal.type(answer + "\n")
            self.assertEqual(terminal.end(), status)
        self.assertEqual(self.numbers(), {"one": 1, "three": 3})
        self.listener.refused("unknown-medium", "buy", "2", "--plays", "1")
        licence, = self.listener.json("licences")["licences"]
        self.assertNotEqual(licence["state"], "usable")
        licence, = json.loads(w.usherd("licence", "list", "--json").out)
        self.assertEqual(licence["state"], "medium removed")
        w.usherd("media", "add", w.root / "releases/two.usher")
        self.assertEqual(self.numbers(), before)
        licence, = self.listener.json("licences")["licences"]
        self.assertEqual(licence["state"], "usable")


class Batches(unittest.TestCase):
    def test_media_add_goes_on_after_a_refusal_and_ends_with_the_first(self):
        w = World()
        self.addCleanup(w.close)
        w.pki()
        w.operator()
        good = a_release(w)
        outcome = w.usherd("media", "add", w.root / "nowhere.usher", w.secret("usherd.pass"), good, ok=False)
        self.assertEqual(outcome.status, 9)
        self.assertEqual(len(outcome.err.splitlines()), 2, outcome.err)
        self.assertIn("added:", outcome.out)


class Shares(unittest.TestCase):
    def share(self, world):
        config = world.root / "server/usherd.toml"
        before = config.read_text()
        share = json.dumps(f"shared={world.shared()}")
        config.write_text(before.replace("\n#shares = []\n", f"\nshares = [{share}]\n"))
        self.assertNotEqual(config.read_text(), before)

    def fetches(self, world, client, address):
        client.usher("get", address, "song", "--verify", "--force", "-o", client.into, pin=False)
        self.assertEqual(sha256(client.into / "song"), sha256(world.shared() / "song"))

    def test_a_server_for_files_alone_needs_no_card(self):
        world = FileWorld()
        self.addCleanup(world.close)
        world.pki()
        cards = {"person__cartao-de-cidadao__" + key: "" for key in ("anchors", "intermediates", "crls")}
        world.operator(files__listen="127.0.0.1:0", **cards)
        world.put("song", 1000)
        self.assertIn("[bad-config]", world.usherd("serve", ok=False).err)
        self.share(world)
        world.usherd("config", "check")
        server = world.serve()
        self.fetches(world, world.member("p256"), server.files[0])

    def test_the_first_share_needs_no_restart(self):
        world = FileWorld()
        self.addCleanup(world.close)
        world.pki()
        world.operator(files__listen="127.0.0.1:0")
        world.put("song", 1000)
        server = world.serve()
        self.assertEqual(server.files, [])
        self.share(world)
        server.reload()
        address, = re.findall(r"serving files.*?(127\.0\.0\.1:\d+)", server.log())
        client = world.member("p256")
        self.fetches(world, client, address)
        server.reload()
        self.fetches(world, client, address)


class FirstRun(unittest.TestCase):
    def test_a_program_that_is_not_set_up_says_so_and_what_to_do(self):
        w = World()
        self.addCleanup(w.close)
        for command, word in (([BIN / "usher", "--home", w.root / "x", "list"], "docs/guide/listening.md"),
                              ([BIN / "usher", "--home", w.root / "x", "get", "localhost:1", "song"],
                               "docs/guide/listening.md"),
                              ([BIN / "usherd", "--home", w.root / "x", "serve"], "usherd init"),
                              ([BIN / "usherd", "--home", w.root / "x", "media", "list"], "usherd init"),
                              ([BIN / "usher-ca", "--home", w.root / "x", "list"], "usher-ca init"),
                              ([BIN / "usher-ca", "--home", w.root / "x", "crl"], "usher-ca init"),
                              ([BIN / "usher-ca", "--home", w.root / "x", "rotate", "root"], "usher-ca init"),
                              ([BIN / "usher-ca", "--home", w.root / "x", "issue", "client", "--out", w.root / "c"],
                               "usher-ca init")):
            outcome = run(*command, env=w.env, ok=False)
            self.assertIn("[not-set-up]", outcome.err, outcome)
            self.assertEqual(outcome.status, 2)
            self.assertIn(word, outcome.err)


class Authority(unittest.TestCase):
    def test_telling_changes_nothing_and_a_change_is_begun_once(self):
        w = World()
        self.addCleanup(w.close)
        w.pki()
        told = w.ca("rotate", "root", "--json").json()
        self.assertEqual((told["stage"], len(told["roots"])), ("none", 1))
        self.assertIn("--begin", told["steps"][0]["what"])
        self.assertFalse((w.root / "ca/media/root-2").exists())
        self.assertIn("[bad-usage]", w.ca("rotate", "root", "--cn", "another", ok=False).err)
        self.assertEqual(w.ca("rotate", "root", "--begin", "--json").json()["stage"], "prepared")
        self.assertIn("[bad-usage]", w.ca("rotate", "root", "--begin", ok=False).err)
        self.assertFalse((w.root / "ca/media/root-3").exists())

    def test_a_passphrase_of_one_letter_is_not_taken_for_a_new_root_or_home(self):
        w = World()
        self.addCleanup(w.close)
        short = w.secret("short.pass", "x\n")
        for command in ([BIN / "usher-ca", "--home", w.root / "ca", "--passphrase-file", short, "init"],
                        [BIN / "usherd", "--home", w.root / "server", "--passphrase-file", short, "init", "--id", "x"]):
            outcome = run(*command, env=w.env, ok=False)
            self.assertIn("[unusable-passphrase]", outcome.err)
            self.assertIn("8 characters", outcome.err)
        self.assertFalse((w.root / "ca/media/root/ca.pem").exists())
        self.assertFalse((w.root / "server/usherd.toml").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)

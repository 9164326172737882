"""--json: on every verb, in one form, as docs/reference/json.md documents."""
import json
import re
import unittest

from files import FileWorld
from world import BIN, SOURCE, clip, run, tracks

PROGRAMS = ("usher", "usherd", "usher-ca", "usher-press")
WITHOUT = {"usherd serve"}  # neither reads nor makes JSON; the same is true of usher without a verb
TIMES = re.compile(r"_at$|^(not_before|not_after|expires|usable_until|first_play|first_seen|last_seen|this_update|"
                   r"next_update|last_ends)$")
ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def verbs_below(program, *verbs):
    """Every verb without subcommands, from the programs' own help."""
    shown = run(BIN / program, *verbs, "--help").out
    names = re.findall(r"^  ([a-z][a-z-]*)(?:,\S+)*\s", shown.partition("Subcommands:")[2].partition("\n\n")[0], re.M)
    if not names:
        yield verbs, shown
    for name in names:
        yield from verbs_below(program, *verbs, name)


def documented():
    """The table of docs/reference/json.md: fields, for each verb or part that its first column names."""
    table = {}
    for line in (SOURCE / "docs/reference/json.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and cells[0].startswith(("`", "|")):
            table[cells[0].strip("| ")] = [set(re.findall(r"`(\w+)`", part)) for part in cells[2].split(";")]
    return table


def lines_of(outcome):
    return [json.loads(line) for line in outcome.out.splitlines()]


class EveryVerb(unittest.TestCase):
    def test_every_verb_that_reads_or_makes_has_it(self):
        found = 0
        for program in PROGRAMS:
            for verbs, shown in verbs_below(program):
                name = " ".join((program, *verbs))
                found += 1
                with self.subTest(name):
                    self.assertEqual("--json" in shown, name not in WITHOUT, shown)
        self.assertGreaterEqual(found, 35)

    def test_every_verb_is_in_the_table(self):
        table = " ".join(documented())
        for program in PROGRAMS:
            for verbs, _ in verbs_below(program):
                name = " ".join((program, *verbs))
                name = re.sub(r"^usher-ca issue .*", "usher-ca issue", name)  # one for each role
                if name not in WITHOUT:
                    self.assertIn(f"`{name}`", table)

    def test_arguments_that_are_not_understood_are_told_as_json(self):
        for program in PROGRAMS:
            for arguments in (["--json", "--no-such"], ["no-such", "--json"], ["--json=1", "--json", "no-such"],
                              *([*verbs, "--json", "--no-such"] for verbs, _ in verbs_below(program)
                                if " ".join((program, *verbs)) not in WITHOUT)):
                with self.subTest(program=program, arguments=arguments):
                    outcome = run(BIN / program, *arguments, ok=False)
                    self.assertEqual((outcome.status, outcome.out), (2, ""), outcome)
                    error = json.loads(outcome.err)["error"]
                    self.assertEqual((error["code"], error["exit"]), ("bad-usage", 2))
                    self.assertEqual(set(error), {"code", "message", "advice", "exit"})
                    self.assertTrue(error["message"].endswith(".") and error["advice"].endswith("."), error)

    def test_without_it_they_are_told_in_words(self):
        for program in PROGRAMS:
            outcome = run(BIN / program, "no-such", ok=False)
            self.assertEqual(outcome.status, 2)
            self.assertNotIn("{", outcome.err)


class Printed(unittest.TestCase):
    """The main verbs of all programs, against the table, on one installation."""

    @classmethod
    def setUpClass(cls):
        w = cls.world = FileWorld()
        cls.addClassCleanup(w.close)
        cls.table = documented()

    def same(self, row, printed, form=0):
        """Checks that these are the fields of the row, and that times are times."""
        self.assertEqual(set(printed), self.table[row][form], row)
        self.times(printed, row)

    def times(self, value, where):
        if isinstance(value, list):
            for one in value:
                self.times(one, where)
        if not isinstance(value, dict):
            return
        for name, one in value.items():
            if TIMES.search(name) and one is not None:
                self.assertRegex(str(one), ISO, f"{name} of {where}")
            self.times(one, where)

    def test_what_each_verb_prints_is_what_the_table_says(self):
        self.authority()
        self.distributor()
        self.operator()
        self.listener()

    def authority(self):
        w = self.world
        for one in lines_of(w.ca("init", "--json", "--organisation", "Example Records")):
            self.same("`usher-ca init`", one)
        self.assertEqual([one["authority"] for one in lines_of(w.ca("init", "--card", "--json"))],
                         ["card/root", "card/sub"])
        for one in lines_of(w.ca("crl", "--out", w.root / "published", "--json")):
            self.same("`usher-ca crl`", one)
        row = "`usher-ca issue`, `usher-ca rotate server`"
        made = w.ca("issue", "client", "--cn", "lost", "--out", w.root / "lost", "--key-passphrase-file",
                    w.secret("client.pass"), "--json").json()
        self.same(row, made)
        self.same("`usher-ca revoke`", w.ca("--json", "revoke", made["serial"], "--reason", "superseded").json())
        w.ca("issue", "server", "--name", "rotated.example", "--out", w.root / "rotated", "--key-passphrase-file",
             w.secret("server.pass"))
        again = w.ca("rotate", "server", "rotated.example", "--out", w.root / "rotated-2", "--key-passphrase-file",
                     w.secret("server.pass"), "--json").json()
        self.same(row, again)
        self.assertTrue(again["replaces"])
        listed = w.ca("list", "--json").json()
        for authority in listed:
            self.same("`usher-ca list`", authority)
            for one in authority["certificates"]:
                self.same("`certificates` of `usher-ca list`", one)
        revoked, = [one for one in listed[0]["certificates"] if one["state"] == "revoked"]
        self.assertEqual((revoked["serial"], revoked["reason"]), (made["serial"], "superseded"))
        self.same("`usher-ca rotate root`", w.ca("rotate", "root", "--json").json())
        refused = w.ca("issue", "client", "--cn", "lost", "--out", w.root / "lost", "--json", ok=False)
        self.assertEqual(json.loads(refused.err)["error"]["code"], "already-exists")

    def distributor(self):
        w = self.world
        w.operator(files__listen="127.0.0.1:0", files__shares=f"shared={w.shared()}")
        w.card()
        source = clip(tracks(1)[0], 15, w.root / "clip.ogg")
        pressed, = lines_of(w.press(source, title="The Clip",
                                    more=("--json", "--manifest-out", "--chunk-size", "4KiB")))
        self.same("`usher-press press`", pressed)
        key = ("--key", w.root / "issued/operator.key", "--passphrase-file", w.secret("usherd.pass"))
        shown = run(BIN / "usher-press", "inspect", pressed["release"], "--json", *key).json()
        self.same("`usher-press inspect`", shown)
        self.assertEqual(shown["medium"], pressed["medium"])
        self.same("`usher-press inspect`",
                  run(BIN / "usher-press", "--json", "inspect", w.root / "releases/clip.manifest").json(), form=1)
        verified = run(BIN / "usher-press", "verify", pressed["release"], "--json", *key).json()
        self.same("`usher-press verify`", verified)
        self.assertEqual(verified["manifest_sha256"], shown["manifest"]["manifest_sha256"])

    def operator(self):
        w = self.world
        row = "`usherd media list`, `usherd media add`"
        both, extra = self.table[row]
        added, = lines_of(w.usherd("media", "add", w.root / "releases/clip.usher", "--json"))
        self.assertEqual(set(added), both | extra - {"add"})
        self.times(added, row)
        listed, = w.usherd("media", "list", "--json").json()
        self.same(row, listed)
        for one in lines_of(w.usherd("media", "verify", "--json")):
            self.same("`usherd media verify`", one)
        licences = "`usherd licence list`, `usherd licence issue`"
        issued = w.usherd("licence", "issue", "--to", "ab" * 32, "--medium", listed["medium"], "--for", "7d",
                          "--json").json()
        self.same(licences, issued)
        self.same("`usherd licence revoke`", w.usherd("licence", "revoke", issued["licence"], "--json").json())
        self.same(licences, w.usherd("licence", "list", "--json").json()[0])
        self.same("`usherd vault-key seal`", w.usherd("vault-key", "seal", "--to", "passphrase", "--json").json())
        self.same("`usherd rotate licence-key`", w.usherd("rotate", "licence-key", "--json").json())
        checked = w.usherd("config", "check", "--json").json()
        self.same("`usherd config check`", checked)
        self.assertTrue(checked["ok"] and checked["facts"] and checked["ends"], checked)
        bad = w.usherd("--set", "keys.server_key=none", "config", "check", "--json", ok=False)
        self.assertEqual(bad.json()["faults"][-1], json.loads(bad.err)["error"])
        verdict = run(BIN / "usherd", "check-chain", "--json", w.root / "issued/server.pem", ok=False)
        self.same("`usherd check-chain`", verdict.json())
        unusable = run(BIN / "usherd", "check-chain", "--json", w.root / "none", ok=False)
        self.assertEqual((unusable.status, json.loads(unusable.err)["error"]["exit"]), (2, 2))
        home = w.root / "fresh"
        made = run(BIN / "usherd", "--home", home, "--passphrase-file", w.secret("usherd.pass"), "init", "--json",
                   env=w.env).json()
        self.same("`usherd init`", made)

    def listener(self):
        w = self.world
        server = w.serve()
        listener = w.listener()
        self.same("`usher card`", listener.usher("card", "--json", pin=False).json())
        of_licences = "`licences` of `usher list` and `usher licences`, `usher buy`"
        bought = listener.usher("buy", 1, "--plays", 5, "--json").json()
        self.same(of_licences, bought)
        self.assertEqual(bought["title"], "The Clip")
        shelf = listener.json("list")
        self.same("`usher list`", shelf)
        self.same("`catalogue` of `usher list`", shelf["catalogue"][0])
        self.same(of_licences, shelf["licences"][0])
        self.same("`usher licences`", listener.json("licences"))
        self.same("`usher play`", listener.json("play", 1))
        theirs = w.usherd("licence", "list", "--json").json()[-1]
        mine = listener.json("licences")["licences"][0]
        for name in set(theirs) & set(mine):
            self.assertEqual(theirs[name], mine[name], name)
        for one in w.usherd("persons", "--json").json():
            self.same("`usherd persons`", one)
        w.put("song", 5000)
        for one in lines_of(listener.usher("get", server.files[0], "--list", "--json", pin=False)):
            self.same("`usher get --list`", one)
        fetched, = lines_of(listener.usher("get", server.files[0], "song", "--sealed", "-o", listener.home, "--json",
                                           pin=False))
        self.same("`usher get`", fetched)
        self.same("`usher open`", listener.usher("open", fetched["file"], "--json", pin=False).json())
        medium = w.usherd("media", "list", "--json").json()[0]["medium"]
        self.same("`usherd media remove`", w.usherd("media", "remove", medium, "--yes", "--json").json())
        gone = listener.usher("buy", 9, "--plays", 1, "--json", ok=False)
        self.assertEqual((gone.out, json.loads(gone.err)["error"]["code"]), ("", "unknown-medium"))


if __name__ == "__main__":
    from suite import main
    main()

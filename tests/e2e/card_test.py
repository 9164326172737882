"""Cards with the built `usher`: what it shows of each, and how it treats good and bad cards."""
import hashlib
import json
import re
import shutil
import signal
import unittest

from terminal import Terminal
from world import DEADLINE, SHIM, SOFTHSM, Failed, World, clip, run, tracks, wait_for


class Cards(unittest.TestCase):
    """A listener, whose module is the shim in front of SoftHSM."""

    def setUp(self):
        w = self.world = World()
        self.addCleanup(w.close)
        w.pki()
        self.shim = w.root / "shim"
        self.shim.mkdir()

    def listen(self, name="kitchen", token="card", url="http://127.0.0.1:9", module=SHIM):
        listener = self.world.listener(name, token=token, url=url)
        listener.behind_shim(module, self.shim)
        return listener

    def behave(self, *lines):
        """Sets what the shim does from now on: tests/shim/shim.cpp."""
        (self.shim / "mode").write_text("\n".join(lines) + "\n")

    @staticmethod
    def slots(seen):
        """The slots with a card; SoftHSM always has one slot more, whose token is blank."""
        return [slot for module in seen["modules"] for slot in module["slots"]
                if slot["card"] and slot["card"]["initialised"]]

    @staticmethod
    def codes(slot):
        return [remark["code"] for remark in slot["remarks"]]


class Survey(Cards):
    def test_a_good_card_is_shown_without_server_and_pin_and_without_the_civil_number(self):
        self.world.card()
        listener = self.listen()
        shown = listener.usher("card", pin=False)
        for text in (str(SHIM), '"card"', "SoftHSM", "PIN: in order", "Ana Maria Silva", "AUTHENTICATION SUB CA",
                     'A login can use the card "card"'):
            self.assertIn(text, shown.out)
        seen = listener.usher("--json", "card", pin=False)
        for outcome in (shown, seen):
            self.assertNotIn("123456789", outcome.out + outcome.err)
        self.assertTrue(seen.json()["usable"])
        slot, = self.slots(seen.json())
        self.assertTrue(slot["taken"])
        meant = [c for c in slot["card"]["certificates"] if c["meant"]]
        self.assertEqual([c["name"] for c in meant], ["Ana Maria Silva"])
        self.assertEqual(self.codes(slot), [])

    def test_what_is_wrong_is_told_in_words_and_by_the_exit_status(self):
        self.world.card()
        listener = self.listen()
        for lines, code, remark, words in (
                (["unplugged"], "no-card", "no-reader", "no reader"),
                (["removed"], "no-card", "no-card", "no card in this reader"),
                (["blank"], "no-card", "not-initialised", "not been initialised"),
                (["unset"], "card-unsuitable", "pin-not-set", "never been set"),
                (["crash C_GetTokenInfo"], "module-failed", "module-failed", "crashed")):
            self.behave(*lines)
            outcome = listener.refused(code, "card", pin=False)
            self.assertEqual(outcome.status, 6, outcome)
            self.assertIn(words, outcome.out)
            seen = listener.usher("--json", "card", pin=False, ok=False)
            self.assertEqual(json.loads(seen.err)["error"]["code"], code)
            said = [r["code"] for m in seen.json()["modules"]
                    for r in m["remarks"] + [r for slot in m["slots"] for r in slot["remarks"]]]
            self.assertIn(remark, said, lines)
        listener.refused("module-missing", "--module", "/nowhere/module.so", "card", pin=False)

    def test_the_tries_that_are_left_are_told(self):
        self.world.card()
        listener = self.listen()
        for wrong, state, code in ((1, "low", None), (2, "last-try", None), (3, "locked", "pin-locked")):
            (self.shim / "wrong").write_text(str(wrong))
            seen = listener.usher("--json", "card", pin=False, ok=False)
            slot, = self.slots(seen.json())
            self.assertEqual(slot["card"]["pin"], state)
            self.assertEqual(self.codes(slot), [f"pin-{state}"])
            self.assertEqual(seen.status, 6 if code else 0)

    def test_a_reader_with_keys_is_told(self):
        self.world.card()
        self.behave("protected")
        listener = self.listen()
        self.assertIn("entered at the reader", listener.usher("card", pin=False).out)
        slot, = self.slots(listener.usher("--json", "card", pin=False).json())
        self.assertTrue(slot["card"]["pin_at_reader"])

    def test_of_two_cards_one_is_chosen_by_token_or_slot(self):
        self.world.card("one")
        self.world.card("two", name="Rui Costa", number="BI7654321")
        listener = self.listen(token="")
        outcome = listener.refused("card-unsuitable", "card", pin=False)
        self.assertIn("--slot", outcome.err)
        seen = listener.usher("--json", "card", pin=False, ok=False).json()
        self.assertEqual([self.codes(slot) for slot in self.slots(seen)], [["ambiguous"]] * 2)
        two, = [slot["slot"] for slot in self.slots(seen) if slot["card"]["label"] == "two"]
        for choice in (["--token", "two"], ["--slot", two], ["--set", f"card.slot={two}"]):
            seen = listener.usher("--json", *choice, "card", pin=False).json()
            self.assertEqual([slot["card"]["label"] for slot in self.slots(seen) if slot["taken"]], ["two"])

    def test_a_missing_sub_ca_is_told_and_is_no_failure(self):
        self.world.card(no_sub_ca=True)
        listener = self.listen()
        self.assertNotIn("issuing authority", listener.usher("card", pin=False).out)   # it is configured
        self.assertIn("issuing authority", listener.usher("--set", "card.intermediates=", "card", pin=False).out)

    def test_an_expired_card_is_told(self):
        self.world.card(days=0)
        listener = self.listen()
        wait_for(lambda: listener.usher("card", pin=False, ok=False).status == 5, "the certificate's end")
        self.assertIn("has expired", listener.refused("certificate-expired", "card", pin=False).out)


class Served(Cards):
    def setUp(self):
        super().setUp()
        w = self.world
        w.card()   # makes SoftHSM's configuration
        w.operator()
        self.server = w.serve()
        self.listeners = {}

    def listen(self, token="card"):
        if token not in self.listeners:
            self.listeners[token] = super().listen(name=f"at-{token}", token=token, url=self.server.url)
        return self.listeners[token]


class Logins(Served):
    """Each kind of card, up to a successful login at a server."""

    def test_every_kind_of_card_logs_in(self):
        w = self.world
        w.card("v1", kind="rsa2048")
        w.card("v2", no_sub_ca=True)
        w.card("signs", kind="rsa2048", always_authenticate=True)
        for token, lines in (("card", ()), ("v1", ()), ("v2", ()), ("v1", ("mechanisms CKM_SHA256_RSA_PKCS",)),
                             ("v1", ("mechanisms CKM_RSA_PKCS_PSS",)), ("signs", ())):
            self.behave(*lines)
            self.assertEqual(self.listen(token).json("list")["person"], "Ana Maria Silva", (token, lines))

    def test_a_card_without_sub_ca_logs_in_by_the_servers_own(self):
        self.world.card("v2", no_sub_ca=True)
        listener = self.listen("v2")
        self.assertEqual(listener.json("--set", "card.intermediates=", "list")["person"], "Ana Maria Silva")

    def test_at_a_reader_with_keys_no_pin_is_asked_for(self):
        self.behave("protected")
        (self.shim / "pin").write_text("1234")
        shown = self.listen().usher("list", pin=False)
        self.assertIn("Enter the PIN at the reader.", shown.err)
        self.assertNotIn("once more", shown.err)
        self.world.card("signs", always_authenticate=True)
        shown = self.listen("signs").usher("list", pin=False)
        self.assertIn("Enter the PIN at the reader once more", shown.err)
        (self.shim / "pin").write_text("9999")
        self.listen().refused("wrong-pin", "list", pin=False)

    def second_certificate(self):
        """Adds a renewed certificate for the card's key, with the same label, in addition to the old one."""
        if shutil.which("pkcs11-tool") is None:
            self.skipTest("USHER-SKIPPED: needs pkcs11-tool")
        world, label = self.world, "CITIZEN AUTHENTICATION CERTIFICATE"
        tool = ["pkcs11-tool", "--module", SOFTHSM, "--token-label", "card"]
        old, new = world.root / "old.der", world.root / "new.der"
        run(*tool, "--read-object", "--type", "cert", "--label", label, "--output-file", old, env=world.env)
        run("openssl", "x509", "-inform", "DER", "-in", old, "-out", world.root / "old.pem")
        issued = world.root / "issued/renewed.pem"
        world.ca("issue", "user", "--public-key", world.root / "old.pem", "--cn", "Ana Maria Silva", "--civil-number",
                 "BI123456789", "--out", issued.with_suffix(""))
        run("openssl", "x509", "-in", issued, "-outform", "DER", "-out", new)
        pin = world.secret("card.pin").read_text().strip()
        run(*tool, "--login", "--pin", pin, "--write-object", new, "--type", "cert", "--id", "45", "--label", label,
            env=world.env)
        return [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in (old, new)]

    def test_of_two_certificates_under_one_label_the_person_chooses(self):
        names = self.second_certificate()
        listener = self.listen()
        outcome = listener.refused("card-unsuitable", "list")
        for text in (*names, "--card-certificate"):
            self.assertIn(text, outcome.err)
        for name in names:
            listener.usher("--card-certificate", name, "list")
        screen = Terminal(listener.command("list"), dict(listener.env, TERM="xterm"))
        listed = screen.expect(r"Which one\? \(1 to 2; Enter: cancel\) ")
        for name in names:
            self.assertIn(name, listed)
        screen.type("2\n")
        self.assertEqual(screen.end(), 0)
        screen = Terminal(listener.command("list"), dict(listener.env, TERM="xterm"))
        screen.expect(r"Which one\?")
        screen.type("\n")
        self.assertEqual(screen.end(), 130)

    def test_bad_cards_are_told_apart(self):
        listener = self.listen()
        for lines, code in ((["forge"], "module-failed"), (["crash C_Sign"], "module-failed"),
                            (["vanish C_Login"], "card-removed"), (["vanish C_Sign"], "card-removed"),
                            (["mechanisms CKM_ECDSA_SHA1"], "card-unsuitable"), (["unplugged"], "no-card")):
            self.behave(*lines)
            self.assertEqual(listener.refused(code, "list").status, 6, lines)
        self.behave()
        listener.json("list")

    def test_a_module_that_hangs_is_given_up(self):
        listener = self.listen()
        self.behave("hang C_Sign")
        self.assertIn("no answer within 20 s", listener.refused("module-failed", "list").err)

    def test_the_last_try_is_only_made_by_who_says_so(self):
        listener = self.listen()
        (self.shim / "wrong").write_text("2")
        listener.refused("pin-last-try", "list")
        self.assertEqual((self.shim / "wrong").read_text(), "2")
        listener.json("--last-try", "list")
        (self.shim / "wrong").write_text("3")
        self.assertIn("has locked its PIN", listener.refused("pin-locked", "--last-try", "list").err)


class Removal(Served):
    """A card that is taken out during a play, in real time."""

    def setUp(self):
        super().setUp()
        w = self.world
        w.press(clip(tracks(1)[0], 70, w.root / "clip.ogg"), title="The Clip", more=("--chunk-size", "4KiB"))
        w.usherd("media", "add", w.root / "releases/clip.usher")
        self.listener = self.listen()
        self.listener.env["SDL_AUDIODRIVER"] = "dummy"
        self.listener.json("buy", 1, "--plays", 5)

    def start(self, policy, *args):
        return self.listener.start("--set", f"card.removed={policy}", "--progress", *args, "play", 1)

    @staticmethod
    def wait_until_heard(process):
        """Waits until a line shows the first seconds."""
        for line in process.stderr:
            if re.match(r"0:0[1-9] / ", line):
                return
        raise Failed(f"nothing was heard, status {process.wait()}")

    def plays_left(self):
        return [licence["plays_left"] for licence in self.listener.json("licences")["licences"]]

    def test_by_the_policy_stop_it_ends_the_play_which_is_given_back(self):
        with self.start("stop") as process:
            self.wait_until_heard(process)
            self.behave("removed")
            said = process.stderr.read()
        self.assertEqual(process.wait(DEADLINE), 6, said)
        self.assertIn("[card-removed]", said)
        self.assertNotRegex(said, r"0:3\d / ", "it went on")
        self.behave()
        self.assertEqual(self.plays_left(), [5])

    def test_a_module_that_can_tell_no_longer_ends_it_too(self):
        with self.start("stop") as process:
            self.wait_until_heard(process)
            self.behave("crash C_GetTokenInfo")
            said = process.stderr.read()
        self.assertEqual(process.wait(DEADLINE), 6, said)
        self.assertIn("[module-failed]", said)

    def test_by_default_it_goes_on(self):
        with self.start("go-on") as process:
            self.wait_until_heard(process)
            self.behave("removed")
            for line in process.stderr:   # five seconds more: the watch checks the card ten times
                if re.match(r"0:(0[6-9]|1\d) / ", line):
                    break
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        self.assertEqual(process.wait(DEADLINE), 130, said)

    def test_the_menu_ends_with_it(self):
        command = self.listener.command("--set", "card.removed=stop", pin=False)
        screen = Terminal(command, dict(self.listener.env, TERM="xterm"))
        screen.expect(r"PIN")
        screen.type("1234\n")
        screen.expect(r"(?i)q\W.*quit")
        screen.type("2\n")
        screen.expect(r"Number")
        screen.type("1\n")
        screen.expect(r"0:0[1-9] / ")
        self.behave("removed")
        screen.expect(r"\[card-removed\]")
        self.assertEqual(screen.end(), 6)


if __name__ == "__main__":
    from suite import main
    main()

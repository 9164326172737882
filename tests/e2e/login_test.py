"""usher login and logout: passphrase and PIN are asked for once; later verbs ask for neither."""
import ctypes
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import stat
import subprocess
import unittest

from card_test import Cards
from terminal import Terminal
from world import DEADLINE, clip, run, tracks, wait_for


class Logins(Cards):
    """A listener who types passphrase and PIN: no file has them."""

    @classmethod
    def setUpClass(cls):
        # If the system does not let this user lock memory, no login is kept.
        libc, some = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(4 << 20)
        if libc.mlock(some, len(some)) != 0:
            raise unittest.SkipTest("USHER-SKIPPED: needs 4 MiB of locked memory (ulimit -l)")
        libc.munlock(some, len(some))

    def setUp(self):
        super().setUp()
        w = self.world
        w.card()
        shared = w.root / "shared"
        shared.mkdir()
        (shared / "notes.txt").write_text("side A, side B\n")
        w.operator(files__listen="127.0.0.1:0", files__shares=f"shared={shared}")
        w.press(clip(tracks(1)[0], 40, w.root / "clip.ogg"), title="The Clip")
        w.usherd("media", "add", w.root / "releases/clip.usher")
        self.server = w.serve()
        self.listener = self.listen(url=self.server.url)
        toml = self.listener.home / "usher.toml"
        toml.write_text(re.sub("passphrase_file = .*\n", "", toml.read_text()))
        self.passphrase = w.secret("client.pass").read_text().strip()
        self.addCleanup(lambda: self.listener.usher("logout", pin=False))

    def terminal(self, *args):
        return Terminal(self.listener.command(*args, pin=False), dict(self.listener.env, TERM="xterm"))

    def login(self, *args):
        screen = self.terminal(*args, "login")
        screen.expect("Passphrase of this installation's key .*: ")
        screen.type(self.passphrase + "\n")
        screen.expect("PIN of the card of Ana Maria Silva: ")
        screen.type("1234\n")
        screen.expect(r"Logged in to .* as Ana Maria Silva until \d{4}-\d\d-\d\d \d\d:\d\d UTC. "
                      r"`usher logout` ends it.")
        self.assertEqual(screen.end(), 0)

    def usher(self, *args, **kw):
        """Runs without PIN, passphrase and terminal: a program that asks for one fails."""
        return self.listener.usher(*args, pin=False, start_new_session=True, **kw)

    def asks(self, *args):
        outcome = self.usher(*args, "list", ok=False)
        self.assertIn("[bad-usage]", outcome.err)
        self.assertIn("there is no terminal to ask on", outcome.err)

    def socket(self):
        found, = self.sockets()
        return found

    def sockets(self):
        return [path for path in (self.listener.home / "login").iterdir() if path.is_socket()]

    def agents(self):
        """The processes that have this home among their arguments and keep a login."""
        wanted = os.fsencode(self.listener.home)
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if wanted in words and b"login" in words:
                found.append(int(pid))
        return found

    def test_after_a_login_no_verb_asks(self):
        self.asks()
        self.login()
        for path, mode in ((self.socket(), 0o700), (self.socket().parent, 0o700)):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode)
        self.usher("--json", "buy", 1, "--plays", 5)
        self.assertEqual(self.usher("--json", "list").json()["person"], "Ana Maria Silva")
        played = self.usher("--json", "play", 1).json()
        self.assertTrue(played["finished"])
        into = self.world.root / "into"
        into.mkdir()
        self.usher("get", self.server.files[0], "notes.txt", "-o", into, "--verify")
        self.usher("get", self.server.files[0], "notes.txt", "-o", into, "--sealed")
        self.usher("open", into / "notes.txt.sealed", "-o", into / "opened")
        self.assertEqual((into / "opened").read_text(), "side A, side B\n")
        self.asks("--token", "another")   # another card has another login
        self.assertEqual(len(self.agents()), 1)
        self.assertEqual(self.usher("--json", "logout").json(), {"ended": 1})
        wait_for(lambda: not self.agents(), "the agent's end")
        self.asks()
        self.assertEqual(self.usher("--json", "logout").json(), {"ended": 0})

    def test_a_second_login_takes_the_place_of_the_first(self):
        self.login()
        first, = self.agents()
        self.login()
        wait_for(lambda: first not in self.agents(), "the first one's end")
        self.assertEqual(len(self.agents()), 1)
        self.usher("list")

    def test_an_agent_that_was_killed_leaves_nothing_that_is_in_the_way(self):
        self.login()
        killed, = self.agents()
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: not self.agents(), "the agent's end")
        self.asks()
        self.login()
        self.usher("list")

    def test_passphrase_and_pin_may_be_typed_three_times(self):
        screen = self.terminal("list")
        for wrong in ("not it", "nor this"):
            screen.expect("Passphrase .*: ")
            screen.type(wrong + "\n")
            screen.expect("The passphrase does not open the key")
        screen.expect("Passphrase .*: ")
        screen.type(self.passphrase + "\n")
        for wrong, said in (("12", "4 to 8 digits"), ("4321", "The PIN is wrong")):
            screen.expect("PIN of the card .*: ")
            screen.type(wrong + "\n")
            screen.expect(said)
        screen.expect("PIN of the card .*: ")
        screen.type("1234\n")
        screen.expect("The Clip")
        self.assertEqual(screen.end(), 0)

    def test_a_shell_can_stop_a_prompt_and_nothing_typed_after_it_continues_is_shown(self):
        shell = Terminal(["bash", "--norc", "--noprofile", "-i"], dict(self.listener.env, TERM="dumb", PS1="shell: "))
        shell.expect("shell: ")
        shell.type(f"{shlex.join(map(str, self.listener.command('list', pin=False)))}\n")
        shell.expect("Passphrase .*: ")
        for stop in (lambda: shell.type("not the passphrase\x1a"),
                     lambda: os.killpg(self.job_of(shell), signal.SIGTSTP),
                     lambda: os.killpg(self.job_of(shell), signal.SIGSTOP)):
            stop()
            shell.expect("Stopped")
            shell.expect("shell: ")
            shell.type("fg\n")
            shell.expect("Passphrase .*: ")
        shell.type(self.passphrase + "\n")
        shell.expect("PIN of the card .*: ")
        shell.type("1234\n")
        shell.expect("The Clip")
        shell.expect("shell: ")
        shell.type("exit\n")
        shell.end()
        self.assertNotIn(self.passphrase, shell.raw)
        self.assertNotIn("not the passphrase", shell.raw)
        self.assertNotIn("1234", shell.raw)

    def test_a_prompt_that_begins_in_the_background_waits_for_the_foreground(self):
        shell = Terminal(["bash", "--norc", "--noprofile", "-i"], dict(self.listener.env, TERM="dumb", PS1="shell: "))
        shell.expect("shell: ")
        shell.type(f"{shlex.join(map(str, self.listener.command('list', pin=False)))} &\n")
        shell.expect("shell: ")
        shell.type("while ! jobs | grep Stopped; do :; done\n")
        shell.expect("Stopped")
        shell.expect("shell: ")
        shell.type("fg\n")
        shell.expect("Passphrase .*: ")
        shell.type("\x1a")
        shell.expect("Stopped")
        shell.expect("shell: ")
        job = self.job_of(shell)
        shell.type("kill %1\n")
        wait_for(lambda: not pathlib.Path(f"/proc/{job}").exists(), "the end of the job")
        shell.type("exit\n")
        shell.end()

    def job_of(self, shell):
        """The process of the shell's one job."""
        job, = pathlib.Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split()
        return int(job)

    def test_after_the_third_wrong_passphrase_it_ends(self):
        screen = self.terminal("list")
        for _ in range(3):
            screen.expect("Passphrase .*: ")
            screen.type("wrong\n")
        screen.expect(r"\[bad-passphrase\]")
        self.assertEqual(screen.end(), 8)

    def test_the_last_try_is_asked_about_each_time(self):
        (self.shim / "wrong").write_text("1")
        screen = self.terminal("list")
        screen.expect("Passphrase .*: ")
        screen.type(self.passphrase + "\n")
        screen.expect("PIN of the card .*: ")
        screen.type("4321\n")
        screen.expect(r"One try is left before the card locks its PIN. Use it\? \(yes/no\) ")
        screen.type("no\n")
        screen.expect(r"\[pin-last-try\]")
        self.assertEqual(screen.end(), 6)
        self.assertEqual((self.shim / "wrong").read_text(), "2")

    def test_a_wrong_login_is_no_login(self):
        screen = self.terminal("login")
        screen.expect("Passphrase .*: ")
        screen.type("\x03")
        self.assertEqual(screen.end(), 130)
        self.assertEqual(self.sockets(), [])
        self.assertEqual(self.agents(), [])
        self.asks()

    def test_at_a_reader_with_keys_the_last_try_is_not_spent_without_a_yes(self):
        self.behave("protected")
        (self.shim / "pin").write_text("9999")
        screen = self.terminal("list")
        screen.expect("Passphrase .*: ")
        screen.type(self.passphrase + "\n")
        screen.expect("The PIN is wrong")
        screen.expect("The PIN is wrong")
        screen.expect(r"One try is left before the card locks its PIN. Use it\? \(yes/no\) ")
        screen.type("\n")
        screen.expect(r"\[pin-last-try\]")
        self.assertEqual(screen.end(), 6)
        self.assertEqual((self.shim / "wrong").read_text(), "2")
        refused = self.usher("--passphrase-file", self.world.secret("client.pass"), "--json", "list", ok=False)
        self.assertEqual(json.loads(refused.err)["error"]["code"], "pin-last-try")
        self.assertEqual((self.shim / "wrong").read_text(), "2")

    def test_an_installation_that_was_renewed_in_its_place_is_another(self):
        self.login()
        world = self.world
        world.issue("client", "renewed", "--cn", "renewed")
        for end in ("pem", "key"):
            shutil.copy(world.root / f"issued/renewed.{end}", world.root / f"issued/client-kitchen.{end}")
        self.asks()
        self.assertEqual(self.usher("--json", "logout").json(), {"ended": 1})

    def test_an_agent_that_hangs_is_in_nobodys_way(self):
        self.login()
        hung, = self.agents()
        os.kill(hung, signal.SIGSTOP)
        self.asks()
        self.login()
        self.assertEqual(len(self.agents()), 1)
        hung, = self.agents()
        os.kill(hung, signal.SIGSTOP)
        self.assertEqual(self.usher("--json", "logout").json(), {"ended": 1})
        wait_for(lambda: not self.agents(), "the agent's end")

    def test_of_many_logins_at_once_one_stays(self):
        files = ("--passphrase-file", self.world.secret("client.pass"))
        command = self.listener.command("--quiet", *files, "login")
        several = [subprocess.Popen(command, env=self.listener.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for _ in range(4)]
        for one in several:
            one.wait(DEADLINE)
        wait_for(lambda: len(self.agents()) <= 1, "the others' end")
        self.assertEqual(self.usher("--json", "logout").json(), {"ended": 1})
        wait_for(lambda: not self.agents(), "the last one's end")

    def test_without_standard_descriptors_it_fails_and_leaves_nothing(self):
        files = ("--passphrase-file", self.world.secret("client.pass"))
        words = " ".join(shlex.quote(word) for word in self.listener.command(*files, "login"))
        self.login()
        closed = subprocess.run(["sh", "-c", words + " <&- >&- 2>&-"], env=self.listener.env, timeout=DEADLINE)
        self.assertEqual(closed.returncode, 11)
        self.assertEqual(len(self.agents()), 1)
        self.usher("list")   # by the login that was kept before

    def test_it_ends_with_the_command_that_began_it(self):
        screen = self.terminal("login")
        screen.expect("Passphrase .*: ")
        asking = [pid for pid in self.agents() if pid != screen.pid]
        self.assertEqual(len(asking), 1)
        os.kill(screen.pid, signal.SIGTERM)
        self.assertEqual(screen.end(), -signal.SIGTERM)
        wait_for(lambda: not self.agents(), "the child's end")

    def test_by_the_policy_stop_a_card_that_is_taken_out_ends_the_login_and_what_plays(self):
        self.login("--set", "card.removed=stop")
        self.usher("--set", "card.removed=stop", "--json", "buy", 1, "--plays", 5)
        self.listener.env["SDL_AUDIODRIVER"] = "dummy"   # in real time
        command = self.listener.command("--set", "card.removed=stop", "--progress", "play", 1, pin=False)
        screen = Terminal(command, dict(self.listener.env, TERM="xterm"))
        screen.expect("0:0[1-9] / ")
        self.behave("removed")
        screen.expect(r"\[card-removed\]")
        self.assertEqual(screen.end(), 6)
        wait_for(lambda: not self.agents(), "the agent's end")
        self.behave()
        self.asks()

    def test_with_files_for_pin_and_passphrase_it_needs_no_terminal_and_holds_nothing_open(self):
        read, write = os.pipe()
        os.write(write, (self.passphrase + "\n").encode())
        os.close(write)
        # run() reads both outputs to their ends: an agent that kept one open would hang it.
        out = run(*self.listener.command("--set", "card.removed=stop", "--passphrase-fd", read, "--json", "login"),
                  env=self.listener.env, pass_fds=(read,)).json()
        os.close(read)
        self.assertTrue(out["suite"])
        self.assertEqual((out["person"], set(out)), ("Ana Maria Silva", {"server", "server_id", "person", "pseudonym",
                                                                         "suite", "expires"}))
        agent, = self.agents()
        kept = [os.readlink(f"/proc/{agent}/fd/{fd}") for fd in os.listdir(f"/proc/{agent}/fd")]
        self.assertFalse([path for path in kept if path.startswith("pipe:")], kept)


if __name__ == "__main__":
    from suite import main
    main()

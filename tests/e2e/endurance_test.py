"""Failures during use: servers and clients that die, races, revocation, other installations."""
import concurrent.futures
import os
import signal
import unittest

from world import DEADLINE, SHIM, Failed, World, metric, noise, tracks, wait_for


class Endurance(unittest.TestCase):
    def setUp(self):
        w = self.world = World()
        self.addCleanup(w.close)
        w.pki().card()
        w.operator(server__drain_seconds=1)
        self.track = tracks(1)[0]
        w.press(self.track)
        w.usherd("media", "add", w.root / f"releases/{self.track.stem}.usher")
        self.server = w.serve()
        self.listener = w.listener()

    def restart(self):
        self.server = self.world.serve("--listen", self.server.address)

    def start_in_real_time(self):
        self.listener.env["SDL_AUDIODRIVER"] = "dummy"
        process = self.listener.start("play", "1")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for(lambda: process.poll() is not None or metric(self.server, "usher_chunks_total") > 0, "the first chunk")
        if process.poll() is not None:
            raise Failed(str(process.communicate()))
        return process

    def left(self):
        return [l["plays_left"] for l in self.listener.json("licences")["licences"]]

    def card_logins(self):
        """How often the card received a PIN. The first call puts the shim in front of the card, which counts from then
        on."""
        folder = self.world.root / "shim"
        if not folder.exists():
            folder.mkdir()
            self.listener.behind_shim(SHIM, folder)
        return int((folder / "logins").read_text()) if (folder / "logins").exists() else 0

    def test_a_killed_server_costs_neither_pin_nor_play(self):
        self.assertEqual(self.card_logins(), 0)
        self.listener.json("buy", "1", "--plays", 1)
        process = self.start_in_real_time()
        logins = self.card_logins()
        self.assertEqual(logins, 2)  # of "buy" and of "play"
        self.server.kill()
        self.restart()
        wait_for(lambda: "play resumed" in self.server.log(), "the resumption")
        wait_for(lambda: metric(self.server, "usher_chunks_total") > 0, "chunks after the resumption")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
        self.assertIn(process.returncode, (0, 130), out + err)
        self.assertEqual(self.card_logins(), logins, out + err)
        self.assertEqual(self.server.log().count("play opened"), 1)

    def test_a_killed_client_carries_on_with_its_play(self):
        self.listener.json("buy", "1", "--plays", 1)
        process = self.start_in_real_time()
        process.kill()
        self.listener.audio(self.world.root / "rest.pcm")
        report = self.listener.json("play", "1")
        self.assertTrue(report["resumed"])
        self.assertTrue(report["finished"])
        self.assertEqual(self.server.log().count("play opened"), 1)
        self.assertEqual(self.left(), [0])

    def test_a_play_that_was_hardly_begun_is_given_back(self):
        self.listener.json("buy", "1", "--plays", 1)
        process = self.start_in_real_time()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(self.left(), [1], out + err)

    def test_two_clients_race_for_the_last_play(self):
        self.listener.json("buy", "1", "--plays", 1)
        racers = [self.listener.twin(f"racer-{i}") for i in range(2)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda racer: racer.usher("--json", "play", "1", "--fresh", ok=False), racers))
        won = [o for o in outcomes if o.status == 0]
        lost = [o for o in outcomes if o.status != 0]
        self.assertEqual((len(won), len(lost)), (1, 1), outcomes)
        self.assertIn('"no-licence"', lost[0].err)
        self.assertEqual(self.left(), [0])

    def test_another_installation_and_a_reissued_certificate(self):
        self.listener.json("buy", "1", "--plays", 5)
        other = self.world.listener("bedroom")
        other.refused("wrong-installation", "play", "1")
        reissued = self.world.listener("kitchen-2027", reissue_of="kitchen")
        report = reissued.json("play", "1")
        self.assertTrue(report["finished"])
        self.assertEqual(report["plays_left"], 4)

    def test_a_licence_bound_to_the_person_alone_moves_with_the_card(self):
        self.server.stop()
        self.server = self.world.serve("--listen", self.server.address,
                                       prefix=("env", "USHER_POLICY_BIND_INSTALLATION=false"))
        self.listener.json("buy", "1", "--plays", 5)
        other = self.world.listener("bedroom")
        self.assertEqual(other.json("play", "1")["plays_left"], 4)

    def test_only_the_operator_issues_where_he_says_so(self):
        self.server.stop()
        self.server = self.world.serve("--listen", self.server.address,
                                       prefix=("env", "USHER_POLICY_ACQUISITION=operator"))
        self.listener.refused("acquisition-closed", "buy", "1", "--plays", 1)
        pseudonym = self.listener.json("list")["pseudonym"]
        medium = self.listener.json("list")["catalogue"][0]["medium"]
        self.world.usherd("licence", "issue", "--to", pseudonym, "--medium", medium, "--plays", "2")
        self.assertEqual(self.left(), [2])
        licence = self.listener.json("licences")["licences"][0]["licence"]
        self.world.usherd("licence", "revoke", licence)
        outcome = self.listener.usher("play", "1", ok=False)
        self.assertIn("[licence-revoked]", outcome.err)

    def test_a_revoked_card_and_a_revoked_installation_are_refused_after_a_reload(self):
        self.listener.json("list")
        index = self.world.ca("list").out
        card = next(line.split()[0] for line in index.splitlines() if "card-user" in line)
        client = next(line.split()[0] for line in index.splitlines() if " client " in line)
        self.world.ca("revoke", card, "--reason", "key-compromise")
        self.world.crls()
        self.server.reload()
        self.listener.refused("revoked", "list")
        self.world.ca("revoke", client)
        self.world.crls()
        self.server.reload()
        self.listener.refused("bad-certificate", "list")

    def test_a_bad_reload_changes_nothing(self):
        good = (self.world.root / "published/media-root.crl.pem").read_bytes()
        (self.world.root / "published/media-root.crl.pem").write_text("nonsense")
        self.server.reload()
        self.assertIn("reload refused", self.server.log())
        (self.world.root / "published/media-root.crl.pem").write_bytes(good)
        self.listener.json("list")

    def test_a_killed_import_leaves_nothing_half_there(self):
        self.world.press(noise(200, self.world.root / "big.wav"), title="big")
        import subprocess
        from world import BIN
        vault = next((self.world.root / "server").rglob("*.medium")).parent
        process = subprocess.Popen([str(BIN / "usherd"), "--home", str(self.world.root / "server"), "--passphrase-file",
                                    str(self.world.secret("usherd.pass")), "media", "add",
                                    str(self.world.root / "releases/big.usher")], env=self.world.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def fills():
            if process.poll() is not None:
                return True
            with os.scandir(f"/proc/{process.pid}/fd") as entries:
                for entry in entries:
                    try:
                        where = os.readlink(entry.path)
                        if str(vault) in where and os.stat(entry.path).st_size > (20 << 20):
                            return True
                    except OSError:
                        continue
            return False
        wait_for(fills, "the import to be under way")
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL, "the import was over before it could be killed")
        self.world.usherd("media", "verify")
        self.assertEqual(len(list(vault.glob("*.medium"))), 1)
        self.assertEqual(len(self.listener.json("list")["catalogue"]), 1)
        self.world.usherd("media", "add", self.world.root / "releases/big.usher")
        self.assertEqual(len(self.listener.json("list")["catalogue"]), 2)


if __name__ == "__main__":
    from suite import main
    main()

"""Revocation lists that are fetched from the URLs in certificates. The web server is good, slow, sends huge or false
lists, redirects, is dead, and is good again. And the effect of a revocation on sessions that are already open.
Spec: identity.md §4, §11."""
import concurrent.futures
import http.server
import os
import re
import shutil
import threading
import unittest

from world import DEADLINE, Failed, World, metric, tracks, wait_for


class Web(http.server.ThreadingHTTPServer):
    """Serves a directory. `behaviour`, and `answer` for POST requests, may be replaced: functions of the request's
    handler."""
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.directory = None
        self.behaviour = Handler.well
        self.answer = Handler.broken
        self.asked = []
        self.over = threading.Event()
        self.url = "http://127.0.0.1:%d/" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.over.set()
        self.shutdown()
        self.server_close()

    def count(self, name):
        return sum(path == f"/{name}" for path in self.asked)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        try:
            self.server.behaviour(self)
        except OSError:
            pass  # the other side gave up, as it should

    def do_POST(self):
        self.server.asked.append(self.path)
        try:
            self.server.answer(self)
        except OSError:
            pass

    def content(self, data, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def well(self):
        file = self.server.directory / self.path.lstrip("/")
        if not file.is_file():
            return self.send_error(404)
        return self.content(file.read_bytes())

    def garbage(self):
        self.content(b"<html>Welcome to our new site!</html>")

    def huge(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.over.is_set():
            self.wfile.write(b"\x30" * 65536)

    def slow(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.over.wait(0.1):
            self.wfile.write(b"\x30")
            self.wfile.flush()

    def circle(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def astray(self):
        self.send_response(302)
        self.send_header("Location", "file:///etc/passwd")
        self.end_headers()

    def inward(self):
        """Redirects to an address of this machine's network that the configuration does not allow."""
        self.send_response(302)
        self.send_header("Location", self.server.url.replace("127.0.0.1", "127.0.0.2"))
        self.end_headers()

    def broken(self):
        self.send_error(500)


class Case(unittest.TestCase):
    """An operator who has configured no list at all."""
    SETTINGS = {}
    DELTAS = False
    OCSP = False

    def settings(self):
        """Settings in addition to the usual ones. Called when the authorities exist, and before the server does."""
        return self.SETTINGS

    def setUp(self):
        self.web = Web()
        self.addCleanup(lambda: self.web.close())
        w = self.world = World()
        w.lists_are_configured = False
        self.addCleanup(w.close)
        w.pki(url=self.web.url, deltas=self.DELTAS, ocsp=self.web.url + "ocsp" if self.OCSP else None)
        if self.DELTAS:
            w.crls("--delta")
        self.web.directory = w.root / "published"
        w.card()
        # The deadline allows for a busy machine, and for OpenSSL's responder, which starts a process for each answer.
        w.operator(**{"server__drain_seconds": 1, "trust__client__crls": "", "trust__distributor__crls": "",
                      "person__cartao-de-cidadao__crls": "", "revocation__addresses": "127.0.0.1",
                      "revocation__refresh_seconds": 2, "revocation__retry_seconds": 1,
                      "revocation__deadline_seconds": 30, "revocation__max_bytes": 100_000, **self.settings()})
        self.server = w.serve()

    def log(self, pattern, deadline=DEADLINE):
        return wait_for(lambda: re.search(pattern, self.server.log()), pattern, deadline)

    def settled(self, listener, *args):
        """The answer of `usher` when no fetch is running any more. `server-busy` is not a verdict (identity.md §11.2):
        how often it appears depends on how busy this machine is."""
        def tried():
            outcome = listener.usher(*args, ok=False)
            return None if "server-busy" in outcome.err else outcome
        return wait_for(tried, "a verdict")

    def gets_in(self, listener):
        outcome = self.settled(listener, "--json", "list")
        self.assertEqual(outcome.status, 0, outcome)

    def is_kept_out(self, listener, *codes):
        outcome = self.settled(listener, "list")
        self.assertNotEqual(outcome.status, 0, outcome)
        self.assertTrue(any(f"[{code}]" in outcome.err for code in codes), outcome)

    def comes_to_be_kept_out(self, listener, code):
        wait_for(lambda: f"[{code}]" in listener.usher("list", ok=False).err, code)

    def serial(self, what):
        return next(line.split()[0] for line in self.world.ca("list").out.splitlines() if what in line)

    def revoke(self, what):
        self.world.ca("revoke", self.serial(what), "--reason", "key-compromise")
        self.world.crls()


class Once(Case):
    SETTINGS = {"revocation__refresh_seconds": 3600}

    def test_one_fetch_serves_many_logins_and_the_cache_serves_without_a_network(self):
        listeners = [self.world.listener(name) for name in ("kitchen", "bedroom", "office")]
        for listener in listeners:
            listener.own_card()
        with concurrent.futures.ThreadPoolExecutor(len(listeners)) as pool:
            list(pool.map(lambda listener: self.gets_in(listener), listeners))
        for name in ("media-root.crl", "card-root.crl", "card-sub.crl"):
            self.assertEqual(self.web.count(name), 1, self.web.asked)
        self.assertGreater(metric(self.server, 'usher_revocation_fetches_total{code="ok"}'), 2)
        self.web.close()
        self.server.stop()
        self.server = self.world.serve("--listen", self.server.address)
        self.gets_in(listeners[0])


class Fetching(Case):
    SETTINGS = {"revocation__deadline_seconds": 5}

    def test_a_newer_list_is_found_before_the_old_one_ends(self):
        listener = self.world.listener()
        self.gets_in(listener)
        self.revoke("card-user")
        wait_for(lambda: self.web.count("card-sub.crl") > 1, "the next look")
        self.log(r"session ended.*revoked|"
                 r"revocation list fetched.*card-sub.*\n(.*\n)*.*revocation list fetched.*card-sub")
        self.is_kept_out(listener, "revoked")

    def test_whatever_the_web_server_does_the_list_at_hand_stays_in_use(self):
        listener = self.world.listener()
        self.gets_in(listener)
        published = self.web.directory / "card-sub.crl"
        good = published.read_bytes()
        self.world.crls()  # makes a newer list, so that `good` is the older one
        self.log(r'revocation list fetched"[^\n]*card-sub\.crl"(.*\n)*.*revocation list fetched"[^\n]*card-sub\.crl"')
        with World() as other:
            other.pki()
            foreign = (other.root / "published/card-sub.crl").read_bytes()
        for behaviour, code in ((Handler.garbage, "malformed"), (Handler.huge, "too-long"),
                                (Handler.slow, "interrupted"),
                                (Handler.circle, "malformed"), (Handler.astray, "malformed"),
                                (Handler.inward, "unreachable"), (Handler.broken, "malformed"),
                                (lambda h: h.content(foreign), "revocation-unknown"),
                                (lambda h: h.content(good), "crl-rollback")):
            seen = self.server.log().count(f'"code":"{code}"')
            self.web.behaviour = behaviour
            wait_for(lambda: re.search(rf'card-sub\.crl","code":"{code}"', self.server.log()) and
                     self.server.log().count(f'"code":"{code}"') > seen, code, 60)
            self.gets_in(listener)
        self.web.close()
        self.log(r'card-sub\.crl","code":"unreachable","reason":"[^"]*(onnect|refused)')
        self.gets_in(listener)
        self.web = Web(int(self.web.url.rsplit(":", 1)[1].rstrip("/")))
        self.web.directory = self.world.root / "published"
        self.revoke("card-user")
        self.comes_to_be_kept_out(listener, "revoked")


class Handed(Case):
    """A listener who has configured no list checks the server with the lists that the server hands out."""

    def test_a_revoked_server_is_found_out_as_soon_as_it_hands_out_the_list_that_says_so(self):
        listener = self.world.listener()
        self.gets_in(listener)
        kept = listener.home / "revocation-lists.bin"
        self.assertGreater(kept.stat().st_size, 100)
        self.revoke("localhost")
        self.log(r'revocation list fetched"[^\n]*media-root\.crl"(.*\n)*'
                 r'.*revocation list fetched"[^\n]*media-root\.crl"')
        self.gets_in(listener)  # lists are asked for once an hour
        os.utime(kept, (0, 0))
        self.is_kept_out(listener, "revoked")
        kept.unlink()
        self.is_kept_out(listener, "revoked")

    def test_without_any_list_nobody_believes_the_server(self):
        self.server.stop()
        shutil.rmtree(self.world.root / "server/data/revocation", ignore_errors=True)
        self.server = self.world.serve(prefix=("env", "USHER_REVOCATION_FETCH=false",
                                               "USHER_TRUST_CLIENT_REVOCATION=none"))
        self.is_kept_out(self.world.listener(), "revocation-unknown")

    def test_an_older_list_is_not_taken_back(self):
        listener = self.world.listener()
        self.gets_in(listener)
        kept = listener.home / "revocation-lists.bin"
        old = kept.read_bytes()
        self.world.crls()
        self.log(r'revocation list fetched"[^\n]*media-root\.crl"(.*\n)*'
                 r'.*revocation list fetched"[^\n]*media-root\.crl"')
        os.utime(kept, (0, 0))
        self.gets_in(listener)
        self.assertNotEqual(kept.read_bytes(), old)
        kept.write_bytes(old)
        self.gets_in(listener)  # the newer one is asked for again
        self.assertNotEqual(kept.read_bytes(), old)
        kept.write_bytes(b"nonsense")
        self.gets_in(listener)

    def test_a_list_that_no_configured_authority_signed_is_left_alone(self):
        listener = self.world.listener()
        with World() as other:
            other.pki()
            anchor = other.root / "ca/media/root/ca.pem"
            text = (listener.home / "usher.toml").read_text()
            own = self.world.root / "ca/media/root/ca.pem"
            (listener.home / "usher.toml").write_text(text.replace(str(own), str(anchor)))
            self.is_kept_out(listener, "untrusted")
            self.assertLess((listener.home / "revocation-lists.bin").stat().st_size, 10)


class Deltas(Case):
    DELTAS = True
    # The intervals leave time to receive a verdict between two fetches: during a fetch, the answer is `server-busy`.
    SETTINGS = {"revocation__refresh_seconds": 12, "revocation__retry_seconds": 8}

    def test_a_delta_that_is_pointed_to_is_wanted_and_what_it_says_counts(self):
        listener = self.world.listener()
        self.gets_in(listener)
        self.assertGreater(self.web.count("card-sub.delta.crl"), 0)
        self.world.ca("revoke", self.serial("card-user"))
        self.world.crls("--delta")  # the complete list stays as it was
        self.comes_to_be_kept_out(listener, "revoked")

    def test_without_the_delta_nobody_gets_in_unless_the_operator_says_so(self):
        for delta in self.web.directory.glob("*.delta.crl"):
            delta.unlink()
        listener = self.world.listener()
        self.is_kept_out(listener, "bad-certificate", "revocation-unknown")  # either side may report it first
        self.server.stop()
        variables = [f"USHER_{role}_TOLERATE=missing-delta" for role in ("TRUST_CLIENT", "TRUST_DISTRIBUTOR",
                                                                        "PERSON_CARTAO_DE_CIDADAO")]
        toml = listener.home / "usher.toml"
        toml.write_text(toml.read_text().replace("[trust.server]\n", '[trust.server]\ntolerate = ["missing-delta"]\n'))
        self.server = self.world.serve("--listen", self.server.address, prefix=("env", *variables))
        self.gets_in(listener)


class Private(Case):
    SETTINGS = {"revocation__addresses": ""}

    def test_a_certificate_does_not_lead_into_the_operators_network(self):
        listener = self.world.listener()
        self.is_kept_out(listener, "revocation-unknown")  # the server has no list to hand out
        self.log('"code":"unreachable","reason":"[^"]*not public')
        self.assertEqual(self.web.asked, [])


class Living(Case):
    """A listener who is revoked in the middle of a play hears at most one more minute of it."""

    def setUp(self):
        super().setUp()
        track = max(tracks(5), key=lambda path: path.stat().st_size)
        self.world.press(track)
        self.gets_in(self.world.listener("first"))  # the server has fetched what it needs to import
        self.world.usherd("media", "add", self.world.root / f"releases/{track.stem}.usher")
        self.listener = self.world.listener()
        self.listener.env["SDL_AUDIODRIVER"] = "dummy"
        self.gets_in(self.listener)
        self.listener.json("buy", "1", "--plays", 5)
        self.process = self.listener.start("--json", "play", "1")
        self.addCleanup(self.process.communicate)
        self.addCleanup(self.process.kill)
        wait_for(lambda: self.process.poll() is not None or metric(self.server, "usher_chunks_total") > 0,
                 "the first chunk")
        if self.process.poll() is not None:
            raise Failed(str(self.process.communicate()))

    def ends_with(self, code):
        out, err = self.process.communicate(timeout=60)  # a bound that the issue sets, not a measurement
        self.assertNotEqual(self.process.returncode, 0, out + err)
        self.assertIn(code, out + err)

    def test_a_revoked_card(self):
        self.revoke("card-user")
        self.ends_with("revoked")

    def test_a_revoked_installation(self):
        self.revoke("kitchen")
        self.ends_with("certificate")

    def test_a_revoked_licence(self):
        licence = self.listener.json("licences")["licences"][0]["licence"]
        self.world.usherd("licence", "revoke", licence)
        self.ends_with("licence-revoked")


if __name__ == "__main__":
    from suite import main
    main()

"""Fetches other than lists: answers of responders (here OpenSSL's own), and certificates of authorities that a card
lacks.
Spec: identity.md §4.8, §11.6, §11.7."""
import re
import subprocess
import threading
import unittest

from revocation_test import Case, Handler, Living
from world import DEADLINE, wait_for


class Responder:
    """`openssl ocsp` as a function. It knows the issued and the revoked certificates of each authority of a world."""

    def __init__(self, world):
        self.world = world
        self.revoked = set()
        self.lock = threading.Lock()

    def index(self, authority):
        """OpenSSL's database of certificates."""
        lines = []
        for file in sorted((self.world.root / "ca" / authority / "issued").glob("*.pem")):
            serial = file.stem.upper()
            serial = serial.rjust(len(serial) + len(serial) % 2, "0")
            state = "R\t401231235959Z\t260101000000Z" if file.stem in self.revoked else "V\t401231235959Z\t"
            lines.append(f"{state}\t{serial}\tunknown\t/CN=person\n")
        return "".join(lines)

    def answer(self, request):
        with self.lock:
            for authority in ("media/root", "card/root", "card/sub"):
                response = self.of_one(authority, request)
                if response:
                    return response
        return b""

    def of_one(self, authority, request):
        ca, folder = self.world.root / "ca" / authority, self.world.root / "ocsp"
        folder.mkdir(exist_ok=True)
        (folder / "request").write_bytes(request)
        (folder / "index").write_text(self.index(authority))
        (folder / "index.attr").write_text("unique_subject = no\n")
        done = subprocess.run(
            ["openssl", "ocsp", "-index", folder / "index", "-CA", ca / "ca.pem", "-rsigner", ca / "ca.pem", "-rkey",
             ca / "ca.key", "-passin", f"file:{self.world.secret('ca.pass')}", "-reqin", folder / "request", "-respout",
             folder / "response", "-nmin", "10", "-text"], capture_output=True, text=True, timeout=DEADLINE)
        if done.returncode != 0 or "Cert Status: unknown" in done.stdout:
            return None
        return (folder / "response").read_bytes()


def speak(responder):
    def answer(handler):
        request = handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.content(responder.answer(request))
    return answer


class WithResponder(Case):
    """No list is published: the responder's answer is the only status. Listeners, and importing, have a list of their
    own."""
    OCSP = True
    SETTINGS = {"trust__client__ocsp": "true", "person__cartao-de-cidadao__ocsp": "true"}

    def settings(self):
        self.world.lists_are_configured = True
        self.web.behaviour = Handler.broken
        self.responder = Responder(self.world)
        self.web.answer = speak(self.responder)
        return {**self.SETTINGS, "trust__distributor__crls": self.world.root / "published/media-root.crl.pem"}


class Responders(WithResponder):
    def test_their_word_is_enough_is_kept_and_ends_with_a_revocation(self):
        listener = self.world.listener()
        self.gets_in(listener)
        asked = self.web.count("ocsp")
        self.assertGreaterEqual(asked, 3)  # the installation, the card and its authority
        self.assertNotIn("revocation list fetched", self.server.log())
        # Without a network, a stored answer counts until it ends.
        self.web.answer = Handler.broken
        self.server.stop()
        self.server = self.world.serve("--listen", self.server.address)
        self.gets_in(listener)
        self.web.answer = speak(self.responder)
        self.responder.revoked.add(self.serial("card-user"))
        self.comes_to_be_kept_out(listener, "revoked")


class Liars(WithResponder):
    SETTINGS = {**WithResponder.SETTINGS, "revocation__deadline_seconds": 15, "revocation__refresh_seconds": 6,
                "revocation__retry_seconds": 4}

    def test_whatever_they_say_instead_nobody_gets_in(self):
        listener = self.world.listener()
        last = []

        def replay(handler):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.content(last[0])
        for answer, code in ((Handler.huge, "too-long"), (Handler.slow, "interrupted"), (Handler.garbage, "malformed"),
                             (Handler.broken, "malformed")):
            self.web.answer = answer
            before = len(re.findall(f'"status not fetched","code":"{code}"', self.server.log()))
            self.is_kept_out(listener, "bad-certificate")
            wait_for(lambda: len(re.findall(f'"status not fetched","code":"{code}"', self.server.log())) > before, code,
                     120)
        # A good answer about another certificate.
        request = self.world.root / "request"
        issued = next((self.world.root / "ca/card/root/issued").glob("*.pem"))
        ca = self.world.root / "ca/card/root/ca.pem"
        subprocess.run(["openssl", "ocsp", "-issuer", ca, "-cert", issued, "-no_nonce", "-reqout", request], check=True,
                       capture_output=True)
        last.append(self.responder.answer(request.read_bytes()))
        self.assertTrue(last[0])
        self.web.answer = replay
        self.is_kept_out(listener, "bad-certificate")
        self.log("it is about another certificate")
        self.web.answer = speak(self.responder)
        wait_for(lambda: listener.usher("list", ok=False).status == 0, "the responder to be believed again", 300)


class Switch(WithResponder):
    SETTINGS = {}

    def test_nobody_asks_them_unless_the_operator_says_so(self):
        self.is_kept_out(self.world.listener(), "bad-certificate")
        self.assertEqual(self.web.count("ocsp"), 0)


class LivingByTheirWord(WithResponder, Living):
    def revoke(self, what):
        self.responder.revoked.add(self.serial(what))

    test_a_revoked_licence = None


class Issuers(Case):
    """A card without its sub-CA, and the sub-CA is not configured anywhere."""
    SETTINGS = {"person__cartao-de-cidadao__intermediates": ""}

    def listener_without_sub_ca(self):
        self.world.card("v2", no_sub_ca=True)
        listener = self.world.listener(token="v2")
        toml = listener.home / "usher.toml"
        toml.write_text(re.sub(r"(?m)^intermediates = .*$", "", toml.read_text()))
        return listener

    def allow(self, url):
        self.server.stop()
        self.server = self.world.serve("--listen", self.server.address,
                                       prefix=("env", f"USHER_PERSON_CARTAO_DE_CIDADAO_ISSUERS_FROM={url}"))

    def test_the_authority_is_fetched_from_where_the_operator_allows_it_and_kept(self):
        listener = self.listener_without_sub_ca()
        self.allow(self.web.url)
        self.gets_in(listener)
        self.assertGreater(self.web.count("card-sub.crt"), 0)
        self.web.close()
        self.allow(self.web.url)
        self.gets_in(listener)

    def test_it_is_fetched_from_nowhere_else(self):
        listener = self.listener_without_sub_ca()
        self.is_kept_out(listener, "bad-certificate")
        self.allow(self.web.url + "elsewhere/")
        self.is_kept_out(listener, "bad-certificate")
        self.assertEqual(self.web.count("card-sub.crt"), 0)

    def test_what_is_no_authority_of_the_card_is_not_taken(self):
        listener = self.listener_without_sub_ca()
        other = (self.web.directory / "media-root.crt").read_bytes()
        good = (self.web.directory / "card-sub.crt").read_bytes()
        (self.web.directory / "card-sub.crt").write_bytes(other)
        self.allow(self.web.url)
        self.is_kept_out(listener, "bad-certificate")
        self.log('"authority fetched"')
        (self.web.directory / "card-sub.crt").write_bytes(good)
        wait_for(lambda: listener.usher("list", ok=False).status == 0, "the right authority to be fetched")


del Case, Living  # they run where they are defined

if __name__ == "__main__":
    from suite import main
    main()

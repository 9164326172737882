"""usherd check-chain: the verdict of the server, offline; arguments, exit status, codes and texts."""
import json
import pathlib
import unittest

from world import BIN, World, run

WEB_CONFIG = """[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[narrow]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
nameConstraints = critical, excluded;DNS:secret.example.org
[leaf]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:media.example.org
[wildcard]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
subjectAltName = DNS:*.example.org
[other_wildcard]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
subjectAltName = DNS:*.media.example.org
"""


class CheckChain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        w.pki()
        w.issue("server", "server", "--name", "media.example.org")
        w.issue("client", "client", "--cn", "Kitchen radio")
        w.issue("client", "stolen", "--cn", "Stolen radio")
        w.issue("user", "ana", "--cn", "Ana Maria Silva", "--civil-number", "BI123456789")
        w.ca("revoke", "--certificate", w.root / "issued/stolen.pem", "--reason", "key-compromise")
        w.crls("--delta")
        cls.media = w.root / "ca/media/root/ca.pem"
        cls.media_crl = w.root / "published/media-root.crl.pem"
        cls.media_delta = w.root / "published/media-root.delta.crl.pem"
        cls.foreign()

    @classmethod
    def foreign(cls):
        """Authorities and certificates that openssl made."""
        cls.web = web = cls.world.root / "web"
        web.mkdir()
        (web / "web.cnf").write_text(WEB_CONFIG)

        def new(name, section, issuer=None, digest="-sha256"):
            signer = ["-CA", web / f"{issuer}.pem", "-CAkey", web / f"{issuer}.key"] if issuer else []
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", f"/CN={name}",
                "-config", web / "web.cnf", "-extensions", section, "-keyout", web / f"{name}.key", "-out",
                web / f"{name}.pem", digest, *signer)

        new("root", "ca")
        new("narrow", "narrow", "root")
        new("leaf", "leaf", "root")
        new("md5", "leaf", "root", "-md5")
        new("sha1", "leaf", "root", "-sha1")
        new("wildcard", "wildcard", "narrow")
        new("other", "other_wildcard", "narrow")

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    def check(self, *args):
        """The outcome of a run without a home."""
        return run(BIN / "usherd", "check-chain", *args, env=self.world.env, ok=False)

    def verdict(self, *args):
        outcome = self.check("--json", *args)
        verdict = json.loads(outcome.out)
        self.assertEqual(set(verdict), {"verdict", "code", "reason", "depth"})
        self.assertEqual(outcome.status, 0 if verdict["verdict"] == "accepted" else 1, outcome)
        return verdict

    def refused(self, code, depth, *args):
        verdict = self.verdict(*args)
        self.assertEqual((verdict["verdict"], verdict["code"], verdict["depth"]), ("refused", code, depth), verdict)
        return verdict["reason"]

    def accepted(self, *args):
        verdict = self.verdict(*args)
        self.assertEqual((verdict["verdict"], verdict["code"], verdict["depth"]), ("accepted", "accepted", 0), verdict)
        return verdict["reason"]

    def issued(self, name):
        return self.world.root / f"issued/{name}.pem"

    # --- verdicts

    def test_what_the_server_accepts_is_accepted(self):
        trust = ("--trust", self.media, "--crl", self.media_crl, self.media_delta)
        self.accepted(*trust, self.issued("client"))
        self.accepted(*trust, "--purpose", "client", self.issued("client"))
        self.accepted(*trust, "--purpose", "server", "--name", "media.example.org", self.issued("server"))
        self.accepted(*trust, "--purpose", "server", self.issued("server"))

    def test_a_revoked_certificate_is_refused_by_the_delta_list(self):
        trust = ("--trust", self.media, "--purpose", "client")
        # The complete list is older than the revocation.
        self.accepted(*trust, "--crl", self.media_crl, "--", self.issued("stolen"))
        self.refused("revoked", 0, *trust, "--crl", self.media_crl, self.media_delta, self.issued("stolen"))
        self.accepted(*trust, "--revocation", "none", "--crl", self.media_crl, self.media_delta, self.issued("stolen"))

    def test_no_certificate_of_one_role_passes_for_another(self):
        trust = ("--trust", self.media, "--crl", self.media_crl)
        self.refused("wrong-role", 0, *trust, "--purpose", "server", self.issued("client"))
        self.refused("wrong-role", 0, *trust, "--purpose", "client", self.issued("server"))
        self.refused("wrong-role", 0, *trust, "--purpose", "user", self.issued("client"))

    def test_another_name_another_root_and_no_root_are_told_apart(self):
        trust = ("--trust", self.media, "--crl", self.media_crl)
        self.refused("wrong-name", 0, *trust, "--purpose", "server", "--name", "other.example.org",
                     self.issued("server"))
        self.refused("untrusted", 0, "--trust", self.web / "root.pem", "--crl", self.media_crl, "--",
                     self.issued("client"))
        self.assertIn("no root", self.refused("untrusted", 0, self.issued("client")))

    def test_without_a_list_the_status_is_unknown_and_the_depth_says_whose(self):
        card = self.world.root / "ca/card"
        lists = {name: self.world.root / f"published/card-{name}.crl.pem" for name in ("root", "sub")}
        chain = ("--trust", card / "root/ca.pem", "--untrusted", card / "sub/ca.pem", "--purpose", "user")
        self.refused("revocation-unknown", 0, *chain, "--crl", lists["root"], "--", self.issued("ana"))
        self.refused("revocation-unknown", 1, *chain, "--crl", lists["sub"], "--", self.issued("ana"))
        self.accepted(*chain, "--revocation", "leaf", "--crl", lists["sub"], "--", self.issued("ana"))
        self.accepted(*chain, "--crl", *lists.values(), "--", self.issued("ana"))

    def test_a_profile_says_what_a_card_must_look_like_and_never_its_number(self):
        card = self.world.root / "ca/card"
        chain = ("--trust", card / "root/ca.pem", "--untrusted", card / "sub/ca.pem", "--revocation", "none")
        reason = self.accepted(*chain, "--profile", "cartao-de-cidadao", self.issued("ana"))
        self.assertNotIn("123456789", reason)
        self.refused("wrong-role", 0, *chain, "--profile", "generic", self.issued("ana"))
        self.refused("untrusted", 0, *chain, "--profile", "cartao-de-cidadao", self.issued("client"))

    def test_the_time_is_an_argument_in_both_forms(self):
        trust = ("--trust", self.media, "--revocation", "none")
        for early in ("2001-02-03", "2001-02-03T04:05", "2001-02-03T04:05:06Z", "2001-02-03 04:05:06.7+01:00",
                      "981173106"):
            self.refused("certificate-not-yet-valid", 1, *trust, "--at", early, self.issued("client"))
        self.refused("certificate-expired", 1, *trust, "--at", "2199-01-01T00:00:00-0130", self.issued("client"))
        self.refused("crl-expired", 0, "--trust", self.media, "--crl", self.media_crl, "--at",
                     str(int(self.world.root.stat().st_mtime) + 40 * 86400), self.issued("client"))

    def test_certificates_made_elsewhere_are_mapped_and_the_reason_says_so(self):
        trust = ("--trust", self.web / "root.pem", "--revocation", "none")
        reason = self.accepted(*trust, "--purpose", "server", "--name", "media.example.org", self.web / "leaf.pem")
        self.assertIn("configuration maps", reason)
        self.refused("wrong-role", 0, *trust, "--purpose", "client", self.web / "leaf.pem")

    def test_what_openssl_lets_pass_is_refused(self):
        trust = ("--trust", self.web / "root.pem", "--revocation", "none")
        for digest in ("md5", "sha1"):
            reason = self.refused("bad-certificate", 0, *trust, self.web / f"{digest}.pem")
            self.assertIn("broken digest", reason)
            self.refused("bad-certificate", 0, *trust, "--purpose", "server", self.web / f"{digest}.pem")
        narrow = (*trust, "--untrusted", self.web / "narrow.pem")
        self.assertIn("excluded name", self.refused("bad-certificate", 0, *narrow, self.web / "wildcard.pem"))
        self.accepted(*narrow, self.web / "other.pem")

    def test_policies_are_inputs(self):
        trust = ("--trust", self.media, "--revocation", "none")
        self.accepted(*trust, "--initial-policy", "1.2.3", "--inhibit-mapping", "--inhibit-any", "--",
                      self.issued("client"))
        self.refused("bad-certificate", 0, *trust, "--explicit-policy", self.issued("client"))
        self.refused("bad-certificate", 0, *trust, "--explicit-policy", "--purpose", "client", self.issued("client"))

    def test_words_without_json(self):
        outcome = self.check("--trust", self.media, "--crl", self.media_crl, "--purpose", "server",
                             self.issued("client"))
        self.assertEqual(outcome.status, 1)
        self.assertTrue(outcome.out.startswith("refused: ") and outcome.out.endswith("[wrong-role, depth 0]\n"),
                        outcome)
        outcome = self.check("--trust", self.media, "--crl", self.media_crl, self.issued("client"))
        self.assertEqual(outcome.status, 0)
        self.assertTrue(outcome.out.startswith("accepted: "), outcome)

    # --- input

    def test_der_and_several_objects_in_one_file(self):
        der = self.world.root / "client.der"
        run("openssl", "x509", "-in", self.issued("client"), "-outform", "DER", "-out", der)
        both = self.world.root / "both.crl.pem"
        both.write_text(self.media_crl.read_text() + self.media_delta.read_text())
        self.accepted("--trust", self.media, "--crl", both, "--", der)
        crl = self.world.root / "published/media-root.crl"
        self.accepted("--trust", self.media, "--crl", crl, "--", der)
        chain = self.world.root / "chain.pem"
        chain.write_text((self.web / "other.pem").read_text() + (self.web / "narrow.pem").read_text())
        self.accepted("--trust", self.web / "root.pem", "--revocation", "none", chain)

    def test_what_does_not_decode_is_not_there_and_is_told(self):
        junk = self.world.root / "junk.der"
        junk.write_bytes(b"\x30\x03\x02\x01\x01")
        trust = ("--trust", self.media)
        self.refused("malformed", 0, *trust, "--crl", self.media_crl, "--", junk)
        reason = self.refused("revocation-unknown", 0, *trust, "--crl", junk, "--", self.issued("client"))
        self.assertIn("junk.der", reason)
        reason = self.refused("untrusted", 0, "--trust", self.web / "narrow.pem", "--revocation", "none",
                              self.web / "other.pem")
        self.assertIn("not a root", reason)

    def test_unusable_arguments_and_files_are_status_2(self):
        good = self.issued("client")
        for args in ((), ("--purpose", "king", good), ("--revocation", "some", good), ("--at", "tomorrow", good),
                     ("--at", "2026-13-01", good), ("--at", "2026-01-01T25:00", good), ("--profile", "unknown", good),
                     ("--name", "not a name", good), ("--purpose", "client", "--name", "a.example", good),
                     ("--profile", "generic", "--purpose", "server", good),
                     ("--trust", self.media, "--initial-policy", "no.oid", "--", good),
                     ("--trust", "/nowhere.pem", "--", good),
                     ("/nowhere.pem",), ("--crl", good, "--", good), (self.media_crl,), (pathlib.Path("/dev/null"),)):
            outcome = self.check(*args)
            self.assertEqual((outcome.status, outcome.out), (2, ""), outcome)
            self.assertTrue(outcome.err, outcome)


if __name__ == "__main__":
    from suite import main
    main()

"""A PKCS #11 token that holds the keys of servers and distributors, and the certificates for them."""
import shutil
import urllib.error
import urllib.request

from files import FileWorld
from world import BIN, DEADLINE, SHIM, SOFTHSM, run

PIN = "4711"
KINDS = {"p256": "EC:prime256v1", "rsa2048": "rsa:2048"}


def missing():
    """The program that these tests need and that is not installed; None if all are installed."""
    return None if shutil.which("pkcs11-tool") else "pkcs11-tool"


class TokenWorld(FileWorld):
    """Keys on the token `vault room`. `module`: the PKCS #11 module with which the server uses it."""

    TOKEN = "vault room"

    def __init__(self, key="p256", module=SOFTHSM):
        super().__init__(key)
        self.module = module
        self.keys = 0
        control = self.root / "shim"
        control.mkdir()
        self.env.update(USHER_SHIM_DIR=str(control), USHER_SHIM_MODULE=SOFTHSM)
        self.control = control
        (self.root / "tokens").mkdir()
        (self.root / "softhsm2.conf").write_text(f"directories.tokendir = {self.root / 'tokens'}\n"
                                                 "objectstore.backend = file\nlog.level = ERROR\n"
                                                 "slots.removable = true\n")
        run("softhsm2-util", "--init-token", "--free", "--label", self.TOKEN, "--so-pin", "87654321", "--pin", PIN,
            env=self.env)
        self.pin_file = self.secret("token.pin", PIN + "\n")

    def token_key(self, label, kind=None):
        """Makes a key pair on the token. Returns its URI, and the file of its public half."""
        kind = kind or self.key
        self.keys += 1
        tool = ("pkcs11-tool", "--module", SOFTHSM, "--token-label", self.TOKEN, "--login", "--pin", PIN)
        run(*tool, "--keypairgen", "--key-type", KINDS[kind], "--label", label, "--id", f"{self.keys:02x}",
            "--usage-sign", "--usage-derive" if kind == "p256" else "--usage-decrypt", env=self.env)
        der, pem = self.root / f"{label}.der", self.root / f"{label}.pub.pem"
        run(*tool, "--read-object", "--type", "pubkey", "--label", label, "--output-file", der, env=self.env)
        run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", der, "-out", pem)
        return f"pkcs11:token={self.TOKEN.replace(' ', '%20')};object={label};type=private", pem

    def certified(self, role, label, *more, kind=None):
        """Makes a key with a certificate on the token. Returns its URI. The certificate is issued/<label>.pem."""
        uri, public = self.token_key(label, kind)
        (self.root / "issued").mkdir(exist_ok=True)
        self.ca("issue", role, "--public-key", public, "--out", self.root / "issued" / label, *more)
        return uri

    def on_token(self, **more):
        """The operator's settings for a home whose keys are all on the token."""
        names = ("--name", "localhost", "--ip", "127.0.0.1", "--ip", "::1")
        return {
            "keys.module": self.module,
            "keys.pin_file": self.pin_file,
            "keys.server_key": self.certified("server", "token-server", *names),
            "keys.server_certificate": self.root / "issued/token-server.pem",
            "keys.recipient_key": self.certified("release-recipient", "token-recipient"),
            "keys.recipient_certificate": self.root / "issued/token-recipient.pem",
            "keys.licence_key": self.token_key("licences")[0],
            "keys.vault_token": self.token_key("kek")[0],
            **more,
        }

    def press_with(self, file, uri):
        """A release, signed with the distributor's key on the token."""
        run(BIN / "usher-press", "press", file, "--key", uri, "--module", self.module, "--passphrase-file",
            self.pin_file,
            "--cert", self.root / "issued/token-distributor.pem", "--for", self.root / "issued/token-recipient.pem",
            "--out", self.root / "releases", env=self.env)

    def pull(self):
        (self.control / "mode").write_text("pulled\n")

    def plug_in(self):
        (self.control / "mode").write_text("")


def ready(server):
    """Status and text of /readyz."""
    try:
        with urllib.request.urlopen(f"http://{server.operator}/readyz", timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()

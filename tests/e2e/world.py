"""A throw-away installation of usher with everything real: authorities, card, releases, server, listeners.

Used by the end-to-end tests. Every part is made by the built programs; nothing is mocked. Directories contain a space
on purpose.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("USHER_BIN", SOURCE / "build" / "dev" / "bin"))
MUSIC = pathlib.Path("/usr/share/games/singularity/music")
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
SHIM = pathlib.Path(os.environ.get("USHER_SHIM", SOURCE / "build/dev/tests/shim/usher-shim-pkcs11.so"))
DEADLINE = 300  # seconds; a hang is a failure, but no test judges how long something takes


class Failed(AssertionError):
    pass


class Outcome:
    """The exit status and the output of a program."""

    def __init__(self, args, done):
        self.args = args
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"{' '.join(map(str, self.args))}\nstatus {self.status}\nout: {self.out}\nerr: {self.err}"


def run(*args, ok=True, env=None, input=None, binary=False, timeout=DEADLINE, **more):
    done = subprocess.run([str(a) for a in args], env=env, input=input, capture_output=True, timeout=timeout,
                          text=not binary, **more)
    outcome = Outcome(args, done)
    if ok and outcome.status != 0:
        raise Failed(repr(outcome))
    return outcome


def wait_for(condition, what, deadline=DEADLINE):
    """Polls until the condition holds; a bound, not a measurement."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)  # house-rule(sleep): between two polls, within a deadline
    raise Failed(f"waited in vain for {what}")


class World:
    def __init__(self, key="p256"):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="usher e2e "))
        self.secrets = self.root / "secrets"
        self.secrets.mkdir(mode=0o700)
        self.env = dict(os.environ, HOME=str(self.root / "no-home"), XDG_RUNTIME_DIR=str(self.root),
                        SOFTHSM2_CONF=str(self.root / "softhsm2.conf"))
        for name in list(self.env):
            if name.startswith("USHER_"):
                del self.env[name]
        self.key = key
        self.servers = []
        self.lists_are_configured = True  # in the listeners' configurations

    def close(self):
        for server in self.servers:
            server.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def secret(self, name, value=None):
        path = self.secrets / name
        if value is not None or not path.exists():
            path.write_text(value or f"{name} correct horse\n")
            path.chmod(0o600)
        return path

    # --- authority

    def ca(self, *args, **kw):
        return run(BIN / "usher-ca", "--home", self.root / "ca", "--passphrase-file", self.secret("ca.pass"), *args,
                   env=self.env, **kw)

    def pki(self, url=None, deltas=False, ocsp=None):
        """`url`: where lists are published, for certificates; `deltas`: delta lists too; `ocsp`: a responder's URL."""
        more = (*(("--url", url) if url else ()), *(("--deltas",) if deltas else ()),
                *(("--ocsp-url", ocsp) if ocsp else ()))
        self.ca("init", "--organisation", "Example Records", "--key", self.key, *more)
        self.ca("init", "--card", "--key", self.key, *more)
        self.crls()
        return self

    def crls(self, *more):
        self.ca("crl", "--out", self.root / "published", *more)

    def issue(self, role, out, *more, ok=True, key=None):
        """Returns the path without suffix; makes <path>.pem and <path>.key."""
        path = self.root / "issued" / out
        path.parent.mkdir(exist_ok=True)
        self.ca("issue", role, "--out", path, "--key", key or self.key, "--key-passphrase-file",
                self.secret(f"{role}.pass"), *more, ok=ok)
        return path

    def card(self, token="card", kind="p256", name="Ana Maria Silva", number="BI123456789", pin="1234", **options):
        tokens = self.root / "tokens"
        tokens.mkdir(exist_ok=True)
        (self.root / "softhsm2.conf").write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n"
                                                 "log.level = ERROR\nslots.removable = true\n")
        more = ["--no-sub-ca"] if options.get("no_sub_ca") else []
        if "profile" in options:
            more += ["--profile", options["profile"]]
        if options.get("always_authenticate"):
            more.append("--always-authenticate")
        if "days" in options:
            more += ["--days", options["days"]]
        self.ca("card", "--token", token, "--kind", kind, "--name", name, "--given-name", name.split()[0],
                "--surname", name.split()[-1], "--civil-number", number, "--module", SOFTHSM,
                "--pin-file", self.secret(f"{token}.pin", pin + "\n"), "--so-pin-file",
                self.secret("so.pin", "87654321\n"), *more)
        return token


    # --- distributor

    def press(self, *files, title=None, out="releases", ok=True, more=()):
        directory = self.root / out
        directory.mkdir(exist_ok=True)
        return run(BIN / "usher-press", "press", *files, "--key", self.root / "issued/distributor.key",
                   "--cert", self.root / "issued/distributor.pem", "--passphrase-file", self.secret("distributor.pass"),
                   "--for", self.root / "issued/operator.pem", "--out", directory,
                   *(["--title", title] if title else []), *more, env=self.env, ok=ok)

    # --- operator

    def operator(self, names=("localhost",), addresses=("127.0.0.1", "::1"), **settings):
        """Makes the operator's home with its keys and certificates, and the distributor's."""
        self.secret("server.pass", self.secret("usherd.pass").read_text())
        self.secret("release-recipient.pass", self.secret("usherd.pass").read_text())
        names_and_addresses = [x for name in names for x in ("--name", name)]
        names_and_addresses += [x for address in addresses for x in ("--ip", address)]
        self.issue("server", "server", *names_and_addresses)
        self.issue("release-recipient", "operator", "--cn", "Example operator")
        self.issue("distributor", "distributor", "--cn", "Example Records")
        published, authorities = self.root / "published", self.root / "ca"
        values = {
            "keys.server_certificate": self.root / "issued/server.pem",
            "keys.server_key": self.root / "issued/server.key",
            "keys.recipient_certificate": self.root / "issued/operator.pem",
            "keys.recipient_key": self.root / "issued/operator.key",
            "trust.client.anchors": authorities / "media/root/ca.pem",
            "trust.client.crls": published / "media-root.crl.pem",
            "trust.distributor.anchors": authorities / "media/root/ca.pem",
            "trust.distributor.crls": published / "media-root.crl.pem",
            "person.cartao-de-cidadao.anchors": authorities / "card/root/ca.pem",
            "person.cartao-de-cidadao.intermediates": authorities / "card/sub/ca.pem",
            "person.cartao-de-cidadao.crls": f"{published / 'card-root.crl.pem'},{published / 'card-sub.crl.pem'}",
            "policy.acquisition": "open",
            "server.listen": "127.0.0.1:0",
            "server.operator_listen": "127.0.0.1:0",
        }
        values.update({key.replace("__", "."): value for key, value in settings.items()})
        sets = [x for key, value in values.items() for x in ("--set", f"{key}={value}")]
        self.usherd(*sets, "init", "--id", "e2e")
        return self

    def usherd(self, *args, **kw):
        return run(BIN / "usherd", "--home", self.root / "server", "--passphrase-file", self.secret("usherd.pass"),
                   *args, env=self.env, **kw)

    def serve(self, *args, prefix=()):
        server = Server(self, args, prefix)
        self.servers.append(server)
        return server

    # --- listener

    def listener(self, name="kitchen", token="card", url=None, reissue_of=None, more="", key=None):
        """A client's home with an installation of its own."""
        home = self.root / name
        home.mkdir(exist_ok=True)
        if reissue_of is None:
            self.issue("client", f"client-{name}", "--cn", name, key=key)
            key = certificate = self.root / "issued" / f"client-{name}"
        else:
            key = self.root / "issued" / f"client-{reissue_of}"
            certificate = self.root / "issued" / f"client-{name}"
            self.ca("issue", "client", "--cn", name, "--public-key", f"{key}.pem", "--out", certificate)
        listener = Listener(self, home, token)
        listener.configure(url or self.servers[-1].url, f"{certificate}.pem", f"{key}.key", more)
        return listener


class Server:
    """usherd serve, on ports of the system's choice."""

    def __init__(self, world, args, prefix=()):
        self.world = world
        self.ports = world.root / "ports"
        self.ports.unlink(missing_ok=True)
        self.log_file = open(world.root / "usherd.log", "ab")
        self.process = subprocess.Popen(
            [*map(str, prefix), str(BIN / "usherd"), "--home", str(world.root / "server"), "--passphrase-file",
             str(world.secret("usherd.pass")), "serve", "--port-file", str(self.ports), *map(str, args)],
            env=world.env, stderr=self.log_file, stdout=self.log_file)
        wait_for(self.started, "the server's ports")
        found = [line.split() for line in self.ports.read_text().splitlines()]
        self.addresses = [address for kind, address in found if kind == "media"]
        self.address = self.addresses[0]
        self.files = [address for kind, address in found if kind == "files"]
        self.operator = next((address for kind, address in found if kind == "operator"), None)
        self.url = f"http://{self.address}"

    def started(self):
        if self.process.poll() is not None:
            raise Failed("usherd ended: " + self.log())
        return self.ports.exists() and self.ports.stat().st_size > 0

    def log(self):
        return (self.world.root / "usherd.log").read_text()

    def reload(self):
        before = self.log().count("reload")
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.log().count("reload") > before, "the reload")

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log_file.close()


def tracks(count):
    """Real music; the shortest tracks first, so that the tests stay short."""
    files = sorted(MUSIC.glob("*.ogg"), key=lambda path: path.stat().st_size)
    if len(files) < count:
        raise Failed(f"{MUSIC} lacks tracks: install singularity-music")
    return files[:count]


class Listener:
    """usher, with a home, an installation and a card of its own."""

    def __init__(self, world, home, token):
        self.world = world
        self.home = home
        self.token = token
        self.env = dict(world.env)
        self.audio(home / "heard.pcm")

    def twin(self, name):
        """The same installation and person, with a home and a copy of the card of its own. For parallel use:
        while one process logs in to a soft token, another cannot always read it."""
        world, home = self.world, self.world.root / name
        home.mkdir()
        shutil.copy(self.home / "usher.toml", home)
        twin = Listener(world, home, self.token)
        twin.own_card()
        return twin

    def own_card(self):
        tokens, settings = self.home / "tokens", self.home / "softhsm2.conf"
        shutil.copytree(self.world.root / "tokens", tokens)
        settings.write_text((self.world.root / "softhsm2.conf").read_text().replace(str(self.world.root / "tokens"),
                                                                                   str(tokens)))
        self.env["SOFTHSM2_CONF"] = str(settings)

    def behind_shim(self, shim, folder):
        """From now on the card is used through the shim, which reads its mode from `folder`: tests/shim/shim.cpp."""
        toml = self.home / "usher.toml"
        toml.write_text(toml.read_text().replace(json.dumps([SOFTHSM]), json.dumps([str(shim)])))
        self.env["USHER_SHIM_DIR"] = str(folder)

    def audio(self, path):
        """SDL's disk driver: writes the sound to a file, faster than real time. Test media only."""
        self.heard = path
        self.env.update(SDL_AUDIODRIVER="disk", SDL_DISKAUDIOFILE=str(path), SDL_DISKAUDIODELAY="1")

    def configure(self, url, certificate, key, more=""):
        world = self.world
        published, authorities = world.root / "published", world.root / "ca"
        lists = f'crls = ["{published}/media-root.crl.pem"]' if world.lists_are_configured else ""

        def text(value):
            return json.dumps(str(value))

        (self.home / "usher.toml").write_text(f"""
[connection]
url = {text(url)}
retry_seconds = 30
[installation]
certificate = {text(certificate)}
key = {text(key)}
passphrase_file = {text(world.secret("client.pass"))}
[trust.server]
anchors = [{text(authorities / "media/root/ca.pem")}]
{lists}
[trust.distributor]
anchors = [{text(authorities / "media/root/ca.pem")}]
{lists}
[card]
modules = [{text(SOFTHSM)}]
token = {text(self.token)}
intermediates = [{text(authorities / "card/sub/ca.pem")}]
{more}""")

    def command(self, *args, pin=True):
        pins = ["--pin-file", self.world.secret(f"{self.token}.pin")] if pin else []
        return [str(a) for a in (BIN / "usher", "--home", self.home, *pins, *args)]

    def usher(self, *args, ok=True, pin=True, **kw):
        return run(*self.command(*args, pin=pin), env=self.env, ok=ok, **kw)

    def json(self, *args):
        return self.usher("--json", *args).json()

    def refused(self, code, *args, **kw):
        """Checks that the program ends with this code."""
        outcome = self.usher(*args, ok=False, **kw)
        if outcome.status == 0 or f"[{code}]" not in outcome.err:
            raise Failed(f"not refused with {code}:\n{outcome!r}")
        return outcome

    def start(self, *args):
        return subprocess.Popen(self.command(*args), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)


def decoded(path):
    """The sound that a player should play: signed 16-bit stereo, as SDL's disk driver writes it."""
    return run("ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-acodec", "pcm_s16le", "-", binary=True).out


def metric(server, name):
    """The sum of a metric over its labels."""
    import urllib.request
    with urllib.request.urlopen(f"http://{server.operator}/metrics", timeout=DEADLINE) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + " ", name + "{")))


def requests(server, path):
    """How many requests of this path the server has counted, whatever their result was."""
    import re
    import urllib.request
    with urllib.request.urlopen(f"http://{server.operator}/metrics", timeout=DEADLINE) as answer:
        text = answer.read().decode()
    return sum(float(count)
               for count in re.findall(rf'(?m)^usher_requests_total{{[^}}]*path="{path}"[^}}]*}} (\S+)$', text))


def clip(source, seconds, target):
    """The first seconds of a track."""
    run("ffmpeg", "-v", "error", "-y", "-i", source, "-t", str(seconds), "-map", "0:a", "-c:a", "libvorbis", "-q:a",
        "3", "-fflags", "+bitexact", target)
    return target


def noise(mebibytes, target):
    """A WAV file of about this size."""
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "anoisesrc=r=44100", "-ac", "2", "-fs",
        str(mebibytes << 20), target)
    return target


def is_heard(heard, expected):
    """Whether `expected` was heard bit for bit, once, and nothing else. SDL may write whole buffers of silence before
    the decoder has begun and after the end, and only there."""
    at = heard.find(expected)
    return bool(expected) and at >= 0 and not heard[:at].strip(b"\0") and not heard[at + len(expected):].strip(b"\0")

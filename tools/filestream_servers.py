"""What tools/bench-filestream measures: nginx and usherd, each serving the same files with the same certificate, on one
core; and the load, on another. Everything is in a temporary directory and on 127.0.0.1, and is removed at the end."""
import grp
import hashlib
import json
import os
import pathlib
import pwd
import resource
import signal
import socket
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))
import world  # noqa: E402  (reads USHER_BIN when it is imported)
from world import Failed, World, run, wait_for  # noqa: E402

NGINX = "/usr/sbin/nginx"
SUITES = {"1.2": {"rsa2048": "ECDHE-RSA-AES128-GCM-SHA256", "p256": "ECDHE-ECDSA-AES128-GCM-SHA256"},
          "1.3": dict.fromkeys(("rsa2048", "p256"), "TLS_AES_128_GCM_SHA256")}
FILES = {"1k.bin": 1 << 10, "256k.bin": 256 << 10, "256m.bin": 256 << 20}
CONNECTIONS = 4096  # at once, in both servers' configurations
DEADLINE = 300      # seconds for one round of the load, and for a silent client in both configurations

USHERD = {"server__threads": 1, "files__threads": 1, "files__listen": "127.0.0.1:0", "files__connections": CONNECTIONS,
          "files__connections_per_address": CONNECTIONS, "files__handshake_seconds": DEADLINE,
          "files__line_seconds": DEADLINE, "files__stall_seconds": DEADLINE}
NGINX_CONF = """
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid "{home}/nginx.pid";
error_log "{home}/error.log" warn;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  sendfile on;
  keepalive_timeout 0;
  client_header_timeout {deadline}s;
  send_timeout {deadline}s;
  {temporary}
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    root "{files}";
    ssl_certificate "{issued}/server.pem";
    ssl_certificate_key "{issued}/server.plain.key";
    ssl_client_certificate "{root}";
    ssl_crl "{crl}";
    ssl_verify_client on;
    ssl_verify_depth 4;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;
    ssl_prefer_server_ciphers on;
    ssl_session_cache off;
    ssl_session_tickets off;
  }}
}}
"""


def cpu_seconds(pid):
    """User and system time of all threads of the process, ended threads included: utime+stime of /proc/<pid>/stat, but
    in nanoseconds instead of ticks. The clock's number is built as clock_getcpuclockid(3) does."""
    return time.clock_gettime((~pid << 3) | 2)


def private_bytes(pid):
    """Memory that only this process uses."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise Failed("this kernel tells no Private_Dirty")


def children(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def settled(pid):
    """The process's CPU time once it is idle: a server continues to work after the load has received its last byte."""
    seen = [cpu_seconds(pid)]

    def quiet():
        seen.append(cpu_seconds(pid))
        return len(seen) > 4 and seen[-1] - seen[-4] < 0.0005

    wait_for(quiet, "the server to be idle")
    return seen[-1]


class Files:
    """The served files, made once. The bytes are random, so that they cannot be compressed."""

    def __init__(self, directory):
        self.directory = directory
        self.directory.mkdir()
        self.sha256 = {}
        for name, size in FILES.items():
            with open(directory / name, "wb") as file:
                for _ in range(0, size, 1 << 20):
                    file.write(os.urandom(min(size, 1 << 20)))
            with open(directory / name, "rb") as file:
                self.sha256[name] = hashlib.file_digest(file, "sha256").hexdigest()


class Place(World):
    """Authorities, certificates and homes for one kind of key."""

    def __init__(self, key, files, server_core):
        super().__init__(key)
        self.files = files
        self.pin = ("taskset", "--cpu-list", str(server_core))
        self.started = []

    def prepare(self, with_usherd):
        self.pki()
        if with_usherd:
            self.operator(**USHERD, files__shares=f"files={self.files.directory}")
        else:
            self.issue("server", "server", "--name", "localhost", "--ip", "127.0.0.1")
        for name in ("client", "revoked"):
            self.issue("client", name, "--cn", name)
        self.ca("revoke", "--certificate", self.root / "issued/revoked.pem")
        self.crls()
        for name, role in (("server", "server"), ("client", "client"), ("revoked", "client")):
            self.plain_key(name, role)
        return self

    def strangers(self, count):
        """Certificates of clients that no server has seen yet, all for one key."""
        paths = [self.root / "issued" / f"stranger {number}" for number in range(count)]
        for path in paths:
            if not path.with_suffix(".pem").exists():
                self.ca("issue", "client", "--cn", path.name, "--public-key", self.root / "issued/client.pem", "--out",
                        path)
        return [path.with_suffix(".pem") for path in paths]

    def plain_key(self, name, role):
        """Makes a key without a passphrase, for nginx and the load. It exists for one run, in a directory of mode
        0700."""
        path = self.root / "issued" / f"{name}.plain.key"
        run("openssl", "pkey", "-in", path.with_name(f"{name}.key"), "-passin", f"file:{self.secret(role + '.pass')}",
            "-out", path)
        path.chmod(0o600)

    def start_nginx(self):
        return self.keep(Nginx(self))

    def start_usherd(self):
        return self.keep(Usherd(self))

    def keep(self, server):
        self.started.append(server)
        return server

    def close(self):
        for server in self.started:
            server.stop()
        super().close()


class Nginx:
    name = "nginx"
    refusal = "400 Bad Request"  # nginx completes the handshake, and reports by HTTP that it refuses the certificate
    protocol = ("--http",)
    alpn = "http/1.1"

    def __init__(self, place):
        self.home = place.root / f"nginx {len(place.started)}"
        self.home.mkdir()
        self.port = free_port()
        me = pwd.getpwuid(os.geteuid())
        conf = self.home / "nginx.conf"
        conf.write_text(NGINX_CONF.format(
            home=self.home, port=self.port, files=place.files.directory, issued=place.root / "issued",
            root=place.root / "ca/media/root/ca.pem", crl=place.root / "published/media-root.crl.pem",
            user=f"user {me.pw_name} {grp.getgrgid(me.pw_gid).gr_name};" if os.geteuid() == 0 else "",
            descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[1], connections=CONNECTIONS, deadline=DEADLINE,
            temporary=" ".join(f'{kind}_temp_path "{self.home}/{kind}";'
                               for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))))
        self.process = subprocess.Popen([*place.pin, NGINX, "-p", str(self.home), "-e", str(self.home / "error.log"),
                                         "-c", str(conf)], stdin=subprocess.DEVNULL)
        wait_for(self.ready, "nginx")
        self.pid = children(self.process.pid)[0]  # the worker

    def ready(self):
        if self.process.poll() is not None:
            raise Failed("nginx ended: " + self.log())
        return answers(self.port) and children(self.process.pid)

    def log(self):
        return (self.home / "error.log").read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                for worker in children(self.process.pid):
                    os.kill(worker, signal.SIGKILL)
                self.process.kill()
        self.process.wait()


class Usherd(world.Server):
    name = "usherd"
    refusal = "certificate revoked"
    protocol = ()
    alpn = "usher-file/1"

    def __init__(self, place):
        super().__init__(place, (), place.pin)
        self.pid = self.process.pid
        lines = [line.split() for line in self.ports.read_text().splitlines()]
        self.port = next(int(address.rpartition(":")[2]) for kind, address in lines if kind == "files")

    def stop(self):
        try:
            if self.process.poll() is None:
                super().stop()
        finally:
            self.kill()


class Load:
    """bench/filestream, on its own core."""

    def __init__(self, program, core):
        self.command = ("taskset", "--cpu-list", str(core), str(program))

    def arguments(self, place, server, tls, count, concurrency, client="client", certificates=()):
        issued = place.root / "issued"
        certificates = certificates or [issued / f"{client}.pem"]
        return [*self.command, "--port", server.port, "--cert", *certificates, "--key", issued / f"{client}.plain.key",
                "--anchors", place.root / "ca/media/root/ca.pem", "--tls", tls, "--suite",
                SUITES[tls][place.key], "--alpn", server.alpn, "--count", count, "--concurrency", concurrency,
                "--deadline", DEADLINE]

    def prove(self, place, server):
        """Checks the measurement itself: the server checks revocation lists, and the load detects wrong answers."""
        for client, name, size, sha256, reason in (
                ("client", "1k.bin", 1024, place.files.sha256["1k.bin"], None),
                ("client", "1k.bin", 1023, "", "longer"),
                ("client", "1k.bin", 1025, "", "shorter"), ("client", "1k.bin", 1024, "00" * 32, "digest"),
                ("client", "none.bin", 1024, "", "answer: "), ("revoked", "1k.bin", 1024, "", server.refusal)):
            report = run(*self.arguments(place, server, "1.3", 1, 1, client), "fetch", *server.protocol, "--name", name,
                         "--bytes", size, *(["--sha256", sha256] if sha256 else [])).json()
            reasons = " ".join(report["failed"])
            if (reason is None) != (report["complete"] == 1) or (reason or "") not in reasons:
                raise Failed(f"{server.name}, {client} and {name} of {size} bytes: {reason} expected, not {report}")

    def fetch(self, place, server, tls, file, count=1, concurrency=1, digest=False, certificates=()):
        """The load's report, with `cpu_s` added: the server's CPU time."""
        more = ["--sha256", place.files.sha256[file]] if digest else []
        before = settled(server.pid)
        report = run(*self.arguments(place, server, tls, count, concurrency, certificates=certificates), "fetch",
                     *server.protocol, "--name", file, "--bytes", FILES[file], *more, timeout=DEADLINE + 30).json()
        report["cpu_s"] = settled(server.pid) - before
        if report["complete"] + sum(report["failed"].values()) != count:
            raise Failed(f"the load lost count: {report}")
        if report["complete"] == 0:
            raise Failed(f"nothing came from {server.name}: {report}\n{server.log()[-2000:]}")
        return report

    def hold(self, place, server, tls, count):
        """The server memory, in bytes, that `count` silent connections take after their handshakes."""
        flag = place.root / "hold"
        flag.touch()
        before = private_bytes(server.pid)
        load = subprocess.Popen([str(x) for x in self.arguments(place, server, tls, count, 1)] +
                                ["hold", "--while", str(flag)], stdout=subprocess.PIPE, text=True)
        try:
            held = json.loads(load.stdout.readline() or "{}").get("held")
            settled(server.pid)
            taken = private_bytes(server.pid) - before
        finally:
            flag.unlink()
            rest, _ = load.communicate(timeout=DEADLINE)
        report = json.loads(rest or '{"complete": 0}')
        if held != count or report["complete"] != count:
            raise Failed(f"of {count} connections, {held} were opened: {report}")
        return taken

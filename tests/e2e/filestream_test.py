"""The file stream with foreign peers: openssl s_client, gnutls-cli, sslscan, Python's ssl.  Spec: filestream.md."""
import hashlib
import os
import re
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from world import DEADLINE, World, metric, run, wait_for

BIG = 40 << 20
SUITES_12 = {f"ECDHE-{sign}-{cipher}" for sign in ("ECDSA", "RSA")
             for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")}
SUITES_13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


class Cut(Exception):
    """The answer ended without close_notify."""

    def __init__(self, got):
        super().__init__(f"after {len(got)} bytes")
        self.got = got


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        w = cls.world = World()
        w.pki()
        cls.shared = w.root / "shared"
        cls.shared.mkdir()
        for name, size in {"empty": 0, "one": 1, "below": 16383, "record": 16384, "above": 16385, "big": BIG}.items():
            (cls.shared / name).write_bytes(os.urandom(size))
        (cls.shared / "folder é").mkdir()
        (cls.shared / "folder é" / "two words.flac").write_bytes(b"sound")
        (cls.shared / "closed").mkdir()
        (cls.shared / "closed" / "secret").write_bytes(b"not for everybody")
        (w.root / "outside").write_bytes(b"outside")
        os.symlink(w.root / "outside", cls.shared / "leads-out")
        os.symlink("../outside", cls.shared / "leads-up")
        os.symlink("one", cls.shared / "leads-within")
        os.symlink("/proc/self/environ", cls.shared / "magic")
        os.mkfifo(cls.shared / "fifo")
        (cls.shared / ".hidden").write_bytes(b"hidden")
        cls.certificate_made_elsewhere()
        issued = w.root / "issued"
        w.operator(files__certificates=f"{issued / 'server.pem'},{w.root / 'elsewhere.pem'}",
                   files__keys=f"{issued / 'server.key'},{w.root / 'elsewhere.key'}",
                   files__listen="127.0.0.1:0,[::1]:0", files__shares=f"music={cls.shared}",
                   files__connections_per_address=6000, files__handshake_seconds=600, files__line_seconds=2,
                   files__rules="music | | *;folder*/**,music | CN=kitchen | **")
        for name, key in (("kitchen", "p256"), ("office", "p256"), ("rsa", "rsa2048")):
            cls.client(name, key)
        cls.server = w.serve("--log-level", "debug")
        cls.host, port = cls.server.files[0].rsplit(":", 1)
        cls.port = int(port)

    @classmethod
    def tearDownClass(cls):
        cls.world.close()

    @classmethod
    def certificate_made_elsewhere(cls):
        """An RSA certificate of another root, without usher's extended key usages: GnuTLS cannot read these."""
        w = cls.world
        at = w.root / "elsewhere"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{at}.ca.key", "-out",
            f"{at}.ca.pem", "-subj", "/CN=elsewhere", "-addext", "keyUsage=keyCertSign", "-days", "2")
        run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{at}.plain", "-out", f"{at}.csr",
            "-subj", "/CN=localhost")
        (w.root / "elsewhere.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
                                              "keyUsage=digitalSignature\n")
        run("openssl", "x509", "-req", "-in", f"{at}.csr", "-CA", f"{at}.ca.pem", "-CAkey", f"{at}.ca.key", "-days",
            "1", "-CAcreateserial", "-extfile", f"{at}.ext", "-out", f"{at}.pem")
        run("openssl", "pkcs8", "-topk8", "-scrypt", "-in", f"{at}.plain", "-passout",
            f"file:{w.secret('usherd.pass')}", "-out", f"{at}.key")
        (w.root / "elsewhere.key").chmod(0o600)

    @classmethod
    def client(cls, name, key="p256", role="client", world=None):
        """A certificate, and its key as other programs need it: in the clear, in a directory that is removed."""
        w = world or cls.world
        w.key, kept = key, w.key
        path = w.issue(role, name, "--cn", name)
        w.key = kept
        run("openssl", "pkey", "-in", f"{path}.key", "-passin", f"file:{w.secret(f'{role}.pass')}", "-out",
            f"{path}.plain")
        return path

    @classmethod
    def root(cls):
        return cls.world.root / "ca/media/root/ca.pem"

    def identity(self, name):
        path = self.world.root / "issued" / name
        return f"{path}.pem", f"{path}.plain"

    def context(self, name="kitchen", version=None):
        context = ssl.create_default_context(cafile=self.root())
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80)  # Python hides cuts otherwise
        context.check_hostname = True
        if name:
            context.load_cert_chain(*self.identity(name))
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def another_server(self, prefix=(), **settings):
        """A server in addition to the one that all tests share, with data of its own."""
        data = tempfile.mkdtemp(dir=self.world.root)
        variables = [f"USHER_{key.upper()}={value}" for key, value in {"server_data": data, **settings}.items()]
        server = self.world.serve(prefix=(*prefix, "env", *variables))
        self.addCleanup(server.kill)
        return server

    def connect(self, context, session=None, server=None):
        host, port = (server or self.server).files[0].rsplit(":", 1)
        raw = socket.create_connection((host, int(port)), timeout=DEADLINE)
        return context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False, session=session)

    def answer(self, connection):
        got = bytearray()
        try:
            while more := connection.recv(1 << 16):
                got += more
        except (ssl.SSLError, ConnectionResetError) as error:
            if "eof" not in str(error).lower() and not isinstance(error, ConnectionResetError):
                raise
            raise Cut(bytes(got)) from error
        return bytes(got)

    def ask(self, line, name="kitchen", version=None):
        with self.connect(self.context(name, version)) as connection:
            connection.sendall(line if isinstance(line, bytes) else line.encode() + b"\n")
            return self.answer(connection)

    def cut(self, line, name="kitchen"):
        with self.assertRaises(Cut) as caught:
            self.ask(line, name)
        self.assertEqual(caught.exception.got, b"", line)

    def alert(self, word, name, version=None, context=None):
        with self.assertRaises((ssl.SSLError, ConnectionResetError)) as caught:
            connection = self.connect(context or self.context(name, version))
            with connection:
                connection.sendall(b"GET one\n")
                self.answer(connection)
        self.assertIn(word, str(caught.exception).lower().replace("_", " "))

    def handshakes(self, result):
        return metric(self.server, f'usher_file_handshakes_total{{result="{result}"}}')

    def s_client(self, *args, line=b"", name="kitchen"):
        certificate, key = self.identity(name)
        return subprocess.run(["openssl", "s_client", "-connect", f"{self.host}:{self.port}", "-cert", certificate,
                               "-key", key, "-CAfile", str(self.root()), *args], input=line, capture_output=True,
                              timeout=DEADLINE, check=False)

    # --- files

    def test_the_line_of_the_specification_gives_the_exact_file(self):
        for version in ("-tls1_2", "-tls1_3"):
            for file in ("empty", "one", "below", "record", "above", "big"):
                got = self.s_client("-quiet", version, line=b"GET %s\r\n" % file.encode())
                self.assertEqual(got.stdout, (self.shared / file).read_bytes(), (version, file))

    def test_gnutls_gets_the_exact_file(self):
        certificate, key = self.identity("rsa")
        rsa = "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256"
        for version in ("1.2", "1.3"):
            got = run("gnutls-cli", "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}:{rsa}", "--x509cafile",
                      self.world.root / "elsewhere.ca.pem", "--x509certfile", certificate, "--x509keyfile", key,
                      "--alpn", "usher-file/1", "--logfile", self.world.root / "gnutls.log", "-p", self.port, self.host,
                      input=b"GET above\n", binary=True)
            self.assertIn((self.shared / "above").read_bytes(), got.out)

    def test_an_answer_ends_with_close_notify(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for name in ("kitchen", "rsa"):
                self.assertEqual(self.ask("GET big", name, version), (self.shared / "big").read_bytes())

    def test_ipv6(self):
        host, port = self.server.files[1].rsplit(":", 1)
        raw = socket.create_connection((host.strip("[]"), int(port)))
        with self.context().wrap_socket(raw, server_hostname="::1") as connection:
            connection.sendall(b"GET one\n")
            self.assertEqual(self.answer(connection), (self.shared / "one").read_bytes())

    def test_from_an_offset(self):
        big = (self.shared / "big").read_bytes()
        self.assertEqual(self.ask(f"FROM {BIG - 5} big"), big[-5:])
        self.assertEqual(self.ask(f"FROM {BIG} big"), b"")
        self.cut(f"FROM {BIG + 1} big")

    def test_digests_are_what_sha256sum_says(self):
        line = self.ask("SHA256 big")
        self.assertEqual(line.decode(), f"{hashlib.sha256((self.shared / 'big').read_bytes()).hexdigest()}  big\n")
        self.assertEqual(self.ask("SHA256 empty").split()[0].decode(), hashlib.sha256(b"").hexdigest())

    def test_a_list_holds_what_this_client_may_fetch(self):
        lines = self.ask("LIST").decode().splitlines()
        names = [line.split(" ", 2)[2] for line in lines]
        self.assertEqual(names, sorted(names, key=str.encode))
        self.assertEqual(set(names), {"empty", "one", "below", "record", "above", "big", "leads-within",
                                      "folder é/two words.flac", "closed/secret"})
        self.assertRegex(lines[0], r"^\d+ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")
        self.assertNotIn(b"closed", self.ask("LIST", "office"))
        self.assertEqual(self.ask("LIST folder").decode().split(" ", 2)[2], "folder é/two words.flac\n")
        self.assertEqual(self.ask("LIST nothing"), b"")

    def test_sealed_objects_are_fresh_and_of_the_right_length(self):
        for verb, tag in (("SEALED", 16), ("SEALED-CTR", 32)):
            for name in ("kitchen", "rsa"):
                first, second = (self.ask(f"{verb} above", name) for _ in range(2))
                self.assertTrue(first.startswith(b"USHERSO1"))
                self.assertNotEqual(first[37:69], second[37:69])
                self.assertNotEqual(first[21:37], second[21:37])   # the id does not tell which file it is
                self.assertEqual(first[13:21], (16385).to_bytes(8, "big"))
                self.assertEqual(len(first) - 16385 - tag, 71 + int.from_bytes(first[69:71], "big") + 64)

    # --- what is refused

    def test_bad_lines_and_names_are_cut_without_a_word(self):
        for line in ("GET nothing", "GET leads-out", "GET leads-up", "GET magic", "GET fifo", "GET .hidden",
                     "GET folder é",
                     "GET ../outside", "GET one/../one", "GET /etc/passwd", f"GET {self.shared}/one", "GET /dev/zero",
                     "GET closed", "get one", "GET", "PUT one", "GET one HTTP/1.1", "GET / HTTP/1.1", "SEALED nothing",
                     "SHA256 fifo", "FROM x one", b"GET one\0\n", b"GET \xff\n",
                     os.urandom(512).replace(b"\n", b"") + b"\n", b"GET " + b"a" * 5000 + b"\n", b"\n"):
            self.cut(line)

    def test_unknown_and_forbidden_are_told_apart_by_the_log_alone(self):
        self.assertEqual(self.ask("GET closed/secret"), b"not for everybody")
        self.cut("GET closed/secret", "office")
        self.cut("SHA256 closed/secret", "office")
        self.cut("GET closed/nothing", "office")
        log = self.server.log()
        self.assertRegex(log, r'"name":"closed/secret","bytes":0,"code":"not-permitted"')
        self.assertRegex(log, r'"name":"closed/nothing","bytes":0,"code":"not-found|'
                              r'"name":"closed/nothing".*not-permitted')

    def test_a_link_within_the_share_is_followed(self):
        self.assertEqual(self.ask("GET leads-within"), (self.shared / "one").read_bytes())

    def test_a_line_that_does_not_end_is_cut(self):
        with self.connect(self.context()) as connection:
            connection.sendall(b"GET one")
            with self.assertRaises(Cut):
                self.answer(connection)   # after files.line_seconds
        wait_for(lambda: '"verb":"none","name":"","bytes":0,"code":"timeout"' in self.server.log(), "the log")

    def test_a_file_that_changes_meanwhile_has_no_close_notify(self):
        file = self.shared / "changing"
        file.write_bytes(os.urandom(BIG))
        # Two changes within one tick of the file system's clock have the same time: the second one is not noticed.
        wait_for(lambda: time.time() > file.stat().st_ctime + 0.05, "the next tick")
        try:
            with self.connect(self.context()) as connection:
                connection.sendall(b"GET changing\n")
                connection.recv(10)
                with file.open("r+b") as handle:
                    handle.write(b"x")
                with self.assertRaises(Cut):
                    self.answer(connection)
            wait_for(lambda: re.search(r'"name":"changing".*"code":"interrupted"', self.server.log()), "the log")
            with self.connect(self.context()) as connection:
                connection.sendall(b"GET changing\n")
                connection.recv(10)
                os.truncate(file, 1000)
                with self.assertRaises(Cut):
                    self.answer(connection)
            file.write_bytes(os.urandom(BIG))
            wait_for(lambda: time.time() > file.stat().st_ctime + 0.05, "the next tick")
            with self.connect(self.context()) as connection:
                connection.sendall(b"GET changing\n")
                connection.recv(10)
                (self.world.root / "another").write_bytes(b"another")
                os.replace(self.world.root / "another", file)
                with self.assertRaises(Cut):
                    self.answer(connection)
            self.assertEqual(self.ask("GET changing"), b"another")
        finally:
            file.unlink()

    def test_an_error_of_the_disk_has_no_close_notify(self):
        # A file system on a device that loses its end: the data there cannot be read any more.
        content, image, place = (self.world.root / name for name in ("content", "image", "place"))
        for directory in (content, place):
            directory.mkdir()
        (content / "big").write_bytes(os.urandom(BIG))
        with open(image, "wb") as out:
            out.truncate(64 << 20)
        run("mkfs.ext4", "-q", "-F", "-b", "4096", "-O", "^has_journal", "-d", content, image)
        mount = ("unshare", "-m", "sh", "-c", 'mount -o loop,ro "$1" "$2" && shift 2 && exec "$@"', "sh", image, place)
        if run(*mount, "true", ok=False).status != 0:
            self.skipTest("a file system in a file cannot be mounted here")
        server = self.another_server(prefix=mount, files_shares=f"music={place}")
        os.truncate(image, 30 << 20)
        with self.connect(self.context(), server=server) as connection:
            connection.sendall(b"GET big\n")
            with self.assertRaises(Cut) as caught:
                self.answer(connection)
        self.assertGreater(len(caught.exception.got), 0)
        self.assertTrue((content / "big").read_bytes().startswith(caught.exception.got))
        wait_for(lambda: re.search(r'"name":"big".*"code":"io"', server.log()), "the log")

    def test_a_client_that_goes_in_the_middle_is_noticed(self):
        before = metric(self.server, "usher_file_requests_total")
        with self.connect(self.context()) as connection:
            connection.sendall(b"GET big\n")
            connection.recv(10)
            connection.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: metric(self.server, "usher_file_requests_total") > before, "the end of it")
        self.assertEqual(self.ask("GET one"), (self.shared / "one").read_bytes())

    # --- who is refused

    def test_without_a_certificate_there_is_no_handshake(self):
        self.alert("certificate required", None, ssl.TLSVersion.TLSv1_3)
        self.alert("handshake failure", None, ssl.TLSVersion.TLSv1_2)

    def test_a_certificate_of_another_role_is_refused(self):
        shutil.copy(self.world.root / "issued/server.pem", self.world.root / "issued/as-client.pem")
        run("openssl", "pkey", "-in", self.world.root / "issued/server.key", "-passin",
            f"file:{self.world.secret('server.pass')}", "-out", self.world.root / "issued/as-client.plain")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.alert("bad certificate", "as-client", version)

    def test_a_certificate_of_a_foreign_root_is_refused(self):
        with World() as other:
            other.pki()
            path = self.client("stranger", world=other)
            for suffix in (".pem", ".plain"):
                shutil.copy(f"{path}{suffix}", self.world.root / f"issued/stranger{suffix}")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.alert("unknown ca", "stranger", version)

    def test_a_wrong_protocol_is_fatal_and_none_is_served(self):
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.alert("no application protocol", None, context=context)
        context = self.context()
        context.set_alpn_protocols(["http/1.1", "usher-file/1"])
        with self.connect(context) as connection:
            self.assertEqual(connection.selected_alpn_protocol(), "usher-file/1")

    def test_plain_http_is_refused_and_counted(self):
        with socket.create_connection((self.host, self.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while plain.recv(4096):
                pass
        wait_for(lambda: '"reason":"http"' in self.server.log(), "the log")
        self.assertGreater(self.handshakes("http"), 0)

    def test_old_versions_and_renegotiation_are_refused(self):
        self.assertIn(b"alert protocol version", self.s_client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0").stderr)
        again = self.s_client("-tls1_2", line=b"R\n")
        self.assertIn(b"RENEGOTIATING", again.stderr)
        self.assertIn(b"no renegotiation", again.stderr)

    def test_tls12_without_extended_master_secret_is_closed(self):
        with open(self.world.root / "no-ems.cnf", "w", encoding="utf-8") as file:
            file.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
                       "Options = -ExtendedMasterSecret\n")
        certificate, key = self.identity("kitchen")
        got = subprocess.run(["openssl", "s_client", "-quiet", "-tls1_2", "-connect", f"{self.host}:{self.port}",
                              "-cert", certificate, "-key", key, "-CAfile", str(self.root())], input=b"GET one\n",
                             capture_output=True, timeout=DEADLINE, check=False,
                             env=dict(os.environ, OPENSSL_CONF=str(self.world.root / "no-ems.cnf")))
        self.assertEqual(got.stdout, b"")
        self.assertGreater(self.handshakes("extended-master-secret"), 0)

    def test_versions_and_suites_are_exactly_the_configured_ones(self):
        report = run("sslscan", "--no-colour", "--no-heartbleed", "--no-fallback", "--no-check-certificate",
                     "--show-cipher-ids", f"--certs={self.world.root / 'issued/kitchen.pem'}",
                     f"--pk={self.world.root / 'issued/kitchen.plain'}", f"{self.host}:{self.port}", ok=False,
                     timeout=DEADLINE).out
        enabled = re.findall(r"^(\S+)\s+enabled$", report, re.MULTILINE)
        self.assertEqual(set(enabled), {"TLSv1.2", "TLSv1.3"}, report)
        offered = set(re.findall(r"^(?:Preferred|Accepted)\s+\S+\s+\d+ bits\s+0x\w+\s+(\S+)", report, re.MULTILINE))
        self.assertEqual(offered, SUITES_13 | SUITES_12, report)

    # --- resumption

    def resumed(self, context):
        """A session that was resumed once."""
        with self.connect(context) as connection:
            connection.sendall(b"GET one\n")
            self.answer(connection)
            session = connection.session
        with self.connect(context, session) as connection:
            connection.sendall(b"GET one\n")
            self.assertEqual(self.answer(connection), (self.shared / "one").read_bytes())
            self.assertTrue(connection.session_reused)
            return connection.session

    def test_whoever_was_revoked_since_is_not_resumed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            name = f"leaver-{version.name}"
            self.client(name)
            context = self.context(name, version)
            session = self.resumed(context)
            serial = run("openssl", "x509", "-in", self.identity(name)[0], "-serial",
                         "-noout").out.split("=")[1].strip()
            self.world.ca("revoke", serial.lower().lstrip("0"))
            self.world.crls()
            self.server.reload()
            with self.assertRaises(ssl.SSLError) as caught:
                with self.connect(context, session) as connection:
                    connection.sendall(b"GET one\n")
                    self.answer(connection)
            self.assertIn("revoked", str(caught.exception).lower())
            self.alert("revoked", name, version)

    # --- many

    IDLE = 5_000

    def room_for_idle(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.IDLE + 500
        if hard != resource.RLIM_INFINITY and hard < wanted:
            self.skipTest(f"{hard} descriptors at most")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def hold_idle(self, server, connect):
        """Checks that a whole file arrives while this many connections, each made by `connect`, do nothing."""
        self.room_for_idle()
        idle = []
        try:
            while len(idle) < self.IDLE:
                idle.append(connect())
            wait_for(lambda: metric(server, "usher_connections") >= self.IDLE, "all of them")
            with self.connect(self.context(), server=server) as connection:
                connection.sendall(b"GET big\n")
                self.assertEqual(self.answer(connection), (self.shared / "big").read_bytes())
        finally:
            for connection in idle:
                connection.close()

    def test_thousands_of_connections_without_a_handshake_hinder_nobody(self):
        self.hold_idle(self.server, lambda: socket.create_connection((self.host, self.port), timeout=DEADLINE))

    def test_thousands_of_connections_without_a_request_hinder_nobody(self):
        server = self.another_server(files_line_seconds=3600)
        context = self.context(version=ssl.TLSVersion.TLSv1_2)
        with self.connect(context, server=server) as first:
            session = first.session  # each later handshake is a short one
        self.hold_idle(server, lambda: self.connect(context, session, server))

    def test_two_hundred_at_once_get_what_each_asked_for(self):
        big = hashlib.sha256((self.shared / "big").read_bytes()).digest()
        wrong = []

        def one(i):
            try:
                got = self.ask(("GET big", "GET above", "SHA256 big", "LIST")[i % 4])
                if i % 4 == 0 and hashlib.sha256(got).digest() != big:
                    wrong.append(i)
            except (Cut, OSError) as error:
                wrong.append((i, error))

        threads = [threading.Thread(target=one, args=(i,)) for i in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    from suite import main
    main()

#!/usr/bin/env python3
"""A second implementation of spec/channel.md, written from its text alone: reads a transcript as a client would, given
only the ephemeral private values and the randoms, and recomputes what follows. Shares no code with usher.

    check.py vector.json...     exit status 0: all hold; 77: python3-cryptography is not installed
"""
import hashlib
import hmac
import json
import struct
import sys
import warnings

try:
    warnings.simplefilter("ignore")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
except ImportError:
    print("skipped: python3-cryptography is not installed")
    sys.exit(77)

# §3.1: number -> exchange, cipher, key bytes, digest
SUITES = {
    0x0101: ("ECDHE", "GCM", 32, "sha384"),
    0x0102: ("ECDHE", "GCM", 16, "sha256"),
    0x0103: ("ECDHE", "ChaCha20-Poly1305", 32, "sha256"),
    0x0001: ("DHE", "CBC", 32, "sha384"),
    0x0002: ("DHE", "CFB", 32, "sha384"),
    0x0003: ("DHE", "CBC", 16, "sha256"),
    0x0004: ("DHE", "CBC", 16, "sha384"),
    0x0005: ("DHE", "CFB", 16, "sha256"),
    0x0006: ("DHE", "ChaCha20", 32, "sha384"),
    0x0007: ("DHE", "ChaCha20", 32, "sha256"),
}


class Reader:
    """§2."""

    def __init__(self, data):
        self.data = data

    def raw(self, size):
        if size > len(self.data):
            raise ValueError("too short")
        out, self.data = self.data[:size], self.data[size:]
        return out

    def number(self, size):
        return int.from_bytes(self.raw(size), "big")

    def vec(self, prefix):
        return self.raw(self.number(prefix))

    def end(self):
        if self.data:
            raise ValueError("bytes are left over")


def same(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: {got!r} is not {expected!r}")


def messages_of(data):
    """§4: u8 type, vec24 body."""
    out, reader = [], Reader(data)
    while reader.data:
        kind = reader.number(1)
        body = reader.vec(3)
        out.append((kind, body, bytes([kind]) + len(body).to_bytes(3, "big") + body))
    return out


def certificates_of(reader):
    count = reader.number(1)
    if not 1 <= count <= 4:
        raise ValueError("certificates")
    return [reader.vec(2) for _ in range(count)]


class Channel:
    def __init__(self, suite, transcript):
        self.suite = suite
        self.exchange, self.cipher, self.key_size, self.digest = SUITES[suite]
        self.size = hashlib.new(self.digest).digest_size
        self.aead = self.cipher in ("GCM", "ChaCha20-Poly1305")
        self.counts = self.aead or self.cipher == "ChaCha20"
        self.transcript = transcript  # complete messages by type

    def hash(self, data):
        return hashlib.new(self.digest, data).digest()

    def mac(self, key, data):
        return hmac.new(key, data, self.digest).digest()

    def t(self, n):
        """§4.1: H(T(n))."""
        return self.hash(b"".join(self.transcript[i] for i in range(1, n + 1)))

    def expand(self, secret, info, size):
        """HKDF-Expand (RFC 5869 §2.3)."""
        out, block, counter = b"", b"", 1
        while len(out) < size:
            block = self.mac(secret, block + info + bytes([counter]))
            out, counter = out + block, counter + 1
        return out[:size]

    def k(self, label, n, size):
        """§5."""
        return self.expand(self.prk, b"usher/1 " + label.encode() + b"\0" + self.t(n), size)

    def direction(self, name, n):
        return {
            "key": self.k(name + " key", n, self.key_size),
            "mac_key": None if self.aead else self.k(name + " mac key", n, self.size),
            "iv": self.k(name + " iv", n, 12) if self.counts else None,
        }

    def open(self, record, keys, key=None):
        """§6.1: header as a dictionary, and the plaintext."""
        key = key or keys["key"]
        header, rest = record[:56], record[56:]
        version, suite = struct.unpack(">BH", header[:3])
        head = {
            "session": header[3:19],
            "direction": header[19],
            "sequence": int.from_bytes(header[20:28], "big"),
            "request": int.from_bytes(header[28:36], "big"),
            "iv": header[36:52],
        }
        length = int.from_bytes(header[52:56], "big")
        same("version and suite", (version, suite), (1, self.suite))
        ciphertext, tag = rest[:length], rest[length:]
        same("size of the tag", len(tag), 16 if self.aead else self.size)
        nonce = None
        if self.counts:
            same("iv", head["iv"], bytes(16))
            number = bytes(4) + head["sequence"].to_bytes(8, "big")
            nonce = bytes(a ^ b for a, b in zip(keys["iv"], number))
        if self.aead:
            cipher = AESGCM(key) if self.cipher == "GCM" else ChaCha20Poly1305(key)
            return head, cipher.decrypt(nonce, ciphertext + tag, header)
        same("MAC", tag, self.mac(keys["mac_key"], header + ciphertext))
        if self.cipher == "ChaCha20":
            # The library wants the block counter (4 bytes, little endian) in front of the nonce.
            used = Cipher(algorithms.ChaCha20(key, bytes(4) + nonce), None)
        else:
            used = Cipher(algorithms.AES(key), (modes.CBC if self.cipher == "CBC" else modes.CFB)(head["iv"]))
        decryptor = used.decryptor()
        plaintext = decryptor.update(ciphertext) + decryptor.finalize()
        if self.cipher == "CBC":
            count = plaintext[-1]
            same("PKCS#7", plaintext[-count:], bytes([count]) * count)
            plaintext = plaintext[:-count]
        return head, plaintext


def content_of(plaintext, rule, chunk_size=0):
    """§6.4, §7."""
    size = int.from_bytes(plaintext[:4], "big")
    content, zeros = plaintext[4 : 4 + size], plaintext[4 + size :]
    same("padding", zeros, bytes(len(zeros)))
    if rule == "auth request":
        total = 24576
    elif rule in ("response", "auth response"):
        total = 512 if rule == "response" else 1024
        while total < 4 + size:
            total *= 2
    else:
        least = 4 + size if rule == "request" else 4 + 8 + 1 + 24 * 32 + 4 + chunk_size
        total = (least + 255) // 256 * 256
    same("padded size", len(plaintext), total)
    return content


def request_of(content):
    reader = Reader(content)
    same("request", reader.number(1), 1)
    path, listed = reader.vec(1).decode("ascii"), Reader(reader.vec(2))
    parameters = []
    while listed.data:
        parameters.append((listed.vec(1), listed.vec(2)))
    same("names ascending", [p[0] for p in parameters], sorted({p[0] for p in parameters}))
    body = reader.vec(4)
    reader.end()
    return path, parameters, body


def response_of(content):
    reader = Reader(content)
    same("response", reader.number(1), 2)
    status, kind, body = reader.number(2), reader.number(1), reader.vec(4)
    reader.end()
    if status:
        same("a refusal is empty", (kind, body), (0, b""))
    return status, kind, body


def verify(chain, scheme, signature, signed):
    """§4.2."""
    key = x509.load_der_x509_certificate(chain[0]).public_key()
    if scheme == 0x0403:
        assert isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    else:
        same("scheme", scheme, 0x0804)
        assert isinstance(key, rsa.RSAPublicKey)
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        key.verify(signature, signed, pss, hashes.SHA256())


def agree(group, private, share, p, g):
    """§3.2: the public value and Z."""
    if group == 0x001D:
        same("p, g", (p, g), (b"", b""))
        key = x25519.X25519PrivateKey.from_private_bytes(private)
        public = key.public_key().public_bytes_raw() if hasattr(key.public_key(), "public_bytes_raw") else raw_of(key)
        return public, key.exchange(x25519.X25519PublicKey.from_public_bytes(share))
    same("g", g, b"\x02")
    modulus, exponent, size = int.from_bytes(p, "big"), int.from_bytes(private, "big"), len(p)
    same("size of p", size, {0x0100: 256, 0x0101: 384, 0x0102: 512}[group])
    same("size of Y", len(share), size)
    assert 1 < int.from_bytes(share, "big") < modulus - 1
    public = pow(2, exponent, modulus).to_bytes(size, "big")
    return public, pow(int.from_bytes(share, "big"), exponent, modulus).to_bytes(size, "big")


def raw_of(key):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def handshake(vector):
    """What a client learns from the messages with its own private value."""
    h = {name: bytes.fromhex(value) for name, value in vector["messages"].items()}
    transcript = {}
    for message in h.values():
        (kind, _, whole), = messages_of(message)
        transcript[kind] = whole
    bodies = {kind: whole[4:] for kind, whole in transcript.items()}
    hello = Reader(bodies[1])
    same("version", hello.number(2), 1)
    client_random, suites = hello.raw(28), hello.vec(2)
    hello.vec(2), hello.vec(2)
    hello.end()

    answer = Reader(bodies[2])
    same("version", answer.number(2), 1)
    session, suite, server_random = answer.raw(16), answer.number(2), answer.raw(28)
    server_chain = certificates_of(answer)
    group, p, g, y = answer.number(2), answer.vec(2), answer.vec(2), answer.vec(2)
    same("extensions", answer.vec(2), b"")
    answer.end()
    assert suite.to_bytes(2, "big") in [suites[i : i + 2] for i in range(0, len(suites), 2)]

    channel = Channel(suite, transcript)
    channel.session = session
    context = b" " * 64 + b"usher/1 server proof\0" + channel.t(2)
    same("server_proof_signed", context.hex(), vector["server_proof_signed"])
    proof = Reader(bodies[3])
    verify(server_chain, proof.number(2), proof.vec(2), context)

    x, z = agree(group, bytes.fromhex(vector["client_private"]), y, p, g)
    same("ClientKeys", bodies[4], session + len(x).to_bytes(2, "big") + x)
    same("Z of the server", agree(group, bytes.fromhex(vector["server_private"]), x, p, g), (y, z))
    channel.prk = hmac.new(client_random + server_random, z, channel.digest).digest()
    same("prk", channel.prk.hex(), vector["prk"])

    chain = Reader(bodies[5])
    client_chain = certificates_of(chain)
    chain.end()
    proof = Reader(bodies[6])
    verify(client_chain, proof.number(2), proof.vec(2), b" " * 64 + b"usher/1 client proof\0" + channel.t(5))
    same("KeysAccepted", bodies[7], b"")
    same("ClientFinished", bodies[8], channel.mac(channel.k("client finished", 6, channel.size), channel.t(7)))
    same("ServerFinished", bodies[9], channel.mac(channel.k("server finished", 6, channel.size), channel.t(8)))
    exporter = channel.k("exporter", 8, channel.size)
    same("exporter", channel.expand(exporter, b"usher/1 exporter person\0", 32).hex(), vector["exporter_person"])
    return channel


def check(vector):
    channel = handshake(vector)
    client, server = channel.direction("client write", 6), channel.direction("server write", 6)
    chunk_secret = channel.k("chunk secret", 6, channel.size)

    head, plaintext = channel.open(bytes.fromhex(vector["identity_record"]["record"]),
                                   channel.direction("handshake", 4))
    same("identity", (head["direction"], head["sequence"], head["request"]), (2, 0, 0))
    same("identity", content_of(plaintext, "request"), channel.transcript[5] + channel.transcript[6])

    waiting, seen = {}, set()
    for entry in vector["records"]:
        record = bytes.fromhex(entry["record"])
        sequence, answered = int.from_bytes(record[20:28], "big"), int.from_bytes(record[28:36], "big")
        assert (record[19], sequence) not in seen
        seen.add((record[19], sequence))
        if record[19] == 0:
            head, plaintext = channel.open(record, client)
            same("own sequence", head["request"], head["sequence"])
            auth = request_of(plaintext[4 : 4 + int.from_bytes(plaintext[:4], "big")])[0] == "api/auth"
            content = content_of(plaintext, "auth request" if auth else "request")
            waiting[sequence] = request_of(content)
        else:
            path, _, body = waiting.pop(answered)
            key = None
            if path == "api/download":
                play, medium, chunk = body[:16], body[16:32], body[40:44]
                info = b"usher/1 chunk key\0" + play + medium + chunk + sequence.to_bytes(8, "big")
                key = channel.expand(chunk_secret, info, channel.key_size)
            head, plaintext = channel.open(record, server, key)
            rule = "chunk" if key else "auth response" if path == "api/auth" else "response"
            content = content_of(plaintext, rule, 4096)
            status, kind, body = response_of(content)
            if path == "api/finished":
                same("ServerFinished", body, channel.transcript[9])
            if key and status == 0:
                same("type", kind, 2)
                reader = Reader(body)
                depth, proof = reader.number(1), reader.raw(24 * 32)
                same("proof", proof[depth * 32 :], bytes((24 - depth) * 32))
                reader.vec(4)
                reader.end()
        same("content", content.hex(), entry["content"])
        same("session", head["session"], channel.session)
    same("requests without an answer", waiting, {})


def main(paths):
    for path in paths:
        with open(path, encoding="ascii") as file:
            check(json.load(file))
        print(f"{path}: holds")


main(sys.argv[1:])

#!/usr/bin/env python3
"""Writes the vectors of this folder. An implementation of spec/sealed.md and spec/release.md, from their text alone.

Needs python3-cryptography. The values that must be random are SHA-256 of a name: fixed, and for tests only.
"""
import hashlib
import hmac
import json
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = os.path.dirname(os.path.abspath(__file__))


def fixed(name, size=32):
    return hashlib.sha256(name.encode()).digest()[:size]


def vec(prefix, data):
    return len(data).to_bytes(prefix, "big") + data


def extract(salt, secret):
    return hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()


def expand(prk, info, size):
    out, block, counter = b"", b"", 1
    while len(out) < size:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:size]


def companion(kind, to):
    return hashlib.sha256(b"usher/1 object\0" + kind.encode() + b"\0" + to).digest()[:16]


def wrap(vector, context_of):
    """sealed.md §4; the recipient's bytes."""
    key = fixed("object key")
    salt = fixed("wrap salt")
    if vector["wrap"] == "kek":
        kek = bytes.fromhex(vector["kek"])
        context = context_of(4)
        wrapping = expand(extract(salt, kek), b"usher/1 wrap kek\0" + context, 32)
        params = expand(extract(b"", kek), b"usher/1 kek name", 16) + salt
        kind = 4
    else:
        context = context_of(1)
        log2_n, r, p = vector["log2_n"], vector["r"], vector["p"]
        wrapping = hashlib.scrypt(vector["passphrase"].encode(), salt=b"usher/1 wrap passphrase\0" + salt,
                                  n=1 << log2_n, r=r, p=p, dklen=32)
        params = salt + struct.pack(">BII", log2_n, r, p)
        kind = 1
    wrapped = AESGCM(wrapping).encrypt(bytes(12), key, context)
    return bytes([kind]) + vec(2, params) + vec(2, wrapped)


def seal(vector, plaintext):
    suite, chunk_size, total = vector["suite"], vector["chunk_size"], len(plaintext)
    obj, key, salt = bytes.fromhex(vector["object"]), fixed("object key"), fixed("salt")
    prk = extract(salt, key)
    bound = b"\0" + struct.pack(">BIQ", suite, chunk_size, total) + obj
    derived = lambda label: expand(prk, label + bound, 32)
    recipients = wrap(vector, lambda kind: b"usher/1 wrap\0" + bytes([kind, suite]) + obj)
    header = (b"USHERSO1" + struct.pack(">BIQ", suite, chunk_size, total) + obj + salt + vec(2, recipients)
              + derived(b"usher/1 sealed commitment"))
    header += hmac.new(derived(b"usher/1 sealed header"), header, hashlib.sha256).digest()
    body, chunks = b"", max(1, -(-total // chunk_size))
    for i in range(chunks):
        chunk = plaintext[i * chunk_size:(i + 1) * chunk_size]
        nonce = bytes(3) + struct.pack(">QB", i, 1 if i + 1 == chunks else 0)
        if suite == 1:
            body += AESGCM(derived(b"usher/1 sealed body")).encrypt(nonce, chunk, b"")
        else:
            encryptor = Cipher(algorithms.AES(derived(b"usher/1 sealed body")), modes.CTR(nonce + bytes(4))).encryptor()
            ciphertext = encryptor.update(chunk) + encryptor.finalize()
            body += ciphertext + hmac.new(derived(b"usher/1 sealed body mac"), nonce + ciphertext,
                                          hashlib.sha256).digest()
    return header + body


def plaintext_of(size):
    return bytes(i % 251 for i in range(size))


def sealed_vector(name, **fields):
    vector = dict(fields)
    sealed = seal(vector, plaintext_of(vector["size"]))
    vector.update(random=(fixed("object key") + fixed("salt") + fixed("wrap salt")).hex(), sealed=sealed.hex())
    write(name, vector)


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + tree_root(leaves[:k]) + tree_root(leaves[k:])).digest()


def text16(text):
    return vec(2, text.encode())


def seek_index(points):
    out, time, offset = b"", 0, 0
    for point in points:
        out += struct.pack(">II", point["time_ms"] - time, point["offset"] - offset)
        time, offset = point["time_ms"], point["offset"]
    return out


def manifest_vector():
    size, chunk_size = 5 * 4096 + 7, 4096
    plaintext = plaintext_of(size)
    leaves = [hashlib.sha256(b"\0" + plaintext[i:i + chunk_size]).digest() for i in range(0, size, chunk_size)]
    fields = {
        "medium": fixed("medium", 16).hex(), "title": "Räume", "artist": "Niemand", "album": "", "description": "Zeile",
        "media_type": "audio/flac", "kind": 1, "duration_ms": 123456, "size": size, "chunk_size": chunk_size,
        "chunks": len(leaves), "structure": [{"first": 0, "count": 1}, {"first": 4, "count": 1}],
        # Four chunks outside of them, the third from the 31st second on, the last from the 61st.
        "seconds": [2 if s <= 30 else 3 if s <= 60 else 4 for s in range(1, 257)],
        "head": 4097, "seek": [{"time_ms": 30000, "offset": 8192}, {"time_ms": 60001, "offset": 12288}],
        "parts": [{"kind": 1, "size": 4099, "hash": hashlib.sha256(plaintext_of(4099)).hexdigest(),
                   "object": fixed("cover", 16).hex()}],
        "root": tree_root(leaves).hex(), "object": fixed("object", 16).hex(), "pressed_at": 1700000000,
        "distributor": "Example Records",
    }
    manifest = b"\2" + bytes.fromhex(fields["medium"])
    for name in ("title", "artist", "album", "description"):
        manifest += text16(fields[name])
    manifest += vec(1, fields["media_type"].encode())
    manifest += struct.pack(">BQQII", fields["kind"], fields["duration_ms"], size, chunk_size, len(leaves))
    manifest += bytes.fromhex(fields["root"]) + bytes.fromhex(fields["object"])
    manifest += vec(2, b"".join(struct.pack(">II", r["first"], r["count"]) for r in fields["structure"]))
    manifest += b"".join(struct.pack(">H", b - a) for a, b in zip([0] + fields["seconds"], fields["seconds"]))
    manifest += struct.pack(">I", fields["head"]) + vec(2, seek_index(fields["seek"]))
    manifest += vec(2, b"".join(struct.pack(">BI", p["kind"], p["size"]) + bytes.fromhex(p["hash"] + p["object"])
                                for p in fields["parts"]))
    manifest += struct.pack(">Q", fields["pressed_at"])
    manifest += text16(fields["distributor"])
    signature, certificates = fixed("signature"), [fixed("one"), fixed("two")]
    signed = b"\1" + vec(2, manifest) + struct.pack(">H", 0x0403) + vec(2, signature)
    signed += vec(2, b"".join(vec(2, certificate) for certificate in certificates))
    fields.update(encoded=manifest.hex(), hash=hashlib.sha256(manifest).hexdigest(),
                  signed_bytes=(b" " * 64 + b"usher/1 manifest\0" + manifest).hex(), signature=signature.hex(),
                  chain=[certificate.hex() for certificate in certificates], signed_manifest=signed.hex(),
                  manifest_object=companion("manifest", bytes.fromhex(fields["medium"])).hex(),
                  tree_object=companion("tree", bytes.fromhex(fields["object"])).hex())
    write("manifest", fields)


def write(name, vector):
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(vector, file, indent=1, ensure_ascii=False)
        file.write("\n")


def main():
    common = {"object": fixed("object", 16).hex(), "chunk_size": 4096}
    kek = {"wrap": "kek", "kek": fixed("kek").hex()}
    sealed_vector("sealed-gcm-empty", suite=1, size=0, **common, **kek)
    sealed_vector("sealed-gcm-one-chunk", suite=1, size=4096, **common, **kek)
    sealed_vector("sealed-gcm-two-chunks", suite=1, size=4099, **common, **kek)
    sealed_vector("sealed-ctr-hmac-two-chunks", suite=2, size=4099, **common, **kek)
    sealed_vector("sealed-gcm-passphrase", suite=1, size=17, wrap="passphrase", passphrase="correct horse", log2_n=5,
                  r=8, p=2, **common)
    manifest_vector()


if __name__ == "__main__":
    main()

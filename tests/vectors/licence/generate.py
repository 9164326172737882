#!/usr/bin/env python3
"""generate.py > counting.txt: licence.md §5.2, §5.4 and §8.3 computed a second time, from the text alone.

One medium and one policy per line. The table of seconds is even, or rises with the power of three halves ("late"). The
first columns tell which, so that a reader of the file can compute the table again.
"""
import math
from fractions import Fraction

COLUMNS = "chunks structure duration_ms table commit_after c1 c30 c256 c300 c_last F T_ms R lease"


def table_of(kind, media, duration_ms):
    """c(1) … c(256), with integers only: late is ⌈C′ · (s/D)^1.5⌉, its root rounded down to 1/1024."""
    out = []
    for s in range(1, 257):
        if s * 1000 >= duration_ms:
            out.append(media)
        elif kind == "even":
            out.append(min(media, -(-s * 1000 * media // duration_ms)))
        else:
            root = Fraction(math.isqrt(s * 1000 * 1024 * 1024 // duration_ms), 1024)
            out.append(max(1, min(media, math.ceil(media * Fraction(s * 1000, duration_ms) * root))))
    for i in range(1, 256):
        out[i] = max(out[i], out[i - 1])
    return out


def c(table, media, duration_ms, s):
    if s == 0:
        return 0
    if s * 1000 >= duration_ms:
        return media
    if s <= 256:
        return table[s - 1]
    return table[255] + -(-(1000 * s - 256_000) * (media - table[255]) // (duration_ms - 256_000))


def row(chunks, structure, duration_ms, kind, n):
    media, b = chunks - structure, 8
    table = table_of(kind, media, duration_ms)
    at = lambda s: c(table, media, duration_ms, s)  # noqa: E731
    if n == 0:
        free, promise = 0, 0
    elif at(n + b) <= media // 2:
        free, promise = at(n + b), n * 1000
    else:
        free = media // 2
        t = max(s for s in range(0, n + b + 1) if at(s) <= free)
        promise = min(n * 1000, t * 1000 - min(b * 1000, t * 1000 // 4))
    repeats = max(chunks, 176, -(-200_000 * chunks // duration_ms))
    lease = max(1, min(31, 10_000 * chunks // duration_ms))
    return (chunks, structure, duration_ms, kind, n, at(1), at(30), at(256), at(300), at(-(-duration_ms // 1000)),
            free, promise, repeats, lease)


MEDIA = [(1, 0, 900), (2, 0, 4_000), (3, 1, 6_000), (8, 0, 60_000), (30, 2, 59_999), (60, 0, 110_000),
         (110, 0, 228_000),
         (162, 1, 240_000), (70, 0, 99_993), (500, 3, 256_000), (500, 0, 256_001), (1_800, 0, 3_600_000),
         (16_777_216, 300, 36_000_000)]
print(COLUMNS)
for medium in MEDIA:
    for kind in ("even", "late"):
        for after in (0, 1, 6, 30, 300, 86_400):
            print(*row(*medium, kind, after))

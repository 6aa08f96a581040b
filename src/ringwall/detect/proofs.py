"""Check sums and inner structure of credentials. Each takes the whole credential."""

import base64
import binascii
import hashlib
import json
import re
import zlib
from itertools import pairwise

from .randomness import real

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PROSE = frozenset(
    ["the", "and", "for", "from", "are", "was", "has", "have", "not", "but", "its", "which", "into"]
)
"""Words of most sentences, none of which the list of BIP 39 holds."""
_ACCOUNTS = 10**12
"""AWS account numbers have twelve digits."""


def _unpadded(text: str) -> bytes:
    """Base64 in either alphabet, with or without padding; empty when it is none."""
    packed = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def github(text: str) -> bool:
    """The last six characters of a GitHub or npm token are the CRC32 of the rest in base 62 (published by
    GitHub in 2021)."""
    body, given = text[text.index("_") + 1 : -6], text[-6:]
    value, out = zlib.crc32(body.encode("utf-8", "replace")), ""
    while value:
        value, digit = divmod(value, 62)
        out = _BASE62[digit] + out
    return out.rjust(6, "0") == given


def aws_key(text: str) -> bool:
    """Since 2018 an AWS key id holds, in base 32, the number of its account; older ones begin with A to P."""
    if not real(text):
        return False
    if text[4] in "ABCDEFGHIJKLMNOP":
        return True
    head = int.from_bytes(base64.b32decode(text[4:])[:6], "big")
    return (head & 0x7FFFFFFFFF80) >> 7 < _ACCOUNTS


def jwt(text: str) -> bool:
    """The first segment is base64url of a JSON object that names an algorithm."""
    decoded = _unpadded(text.split(".", 1)[0])
    return decoded.startswith(b"{") and (b'"alg"' in decoded or b'"enc"' in decoded) and real(text)


def macaroon(text: str) -> bool:
    """A PyPI token is a macaroon, version 2, whose first field is the location ``pypi.org``."""
    decoded = _unpadded(text.removeprefix("pypi-")[:40])
    return decoded[:2] == b"\x02\x01" and b"pypi.org" in decoded[2:24] and real(text)


def discord(text: str) -> bool:
    """The first segment is base64 of the decimal number of the bot."""
    return _unpadded(text.split(".", 1)[0]).isdigit() and real(text)


def bytes64(text: str) -> bool:
    """Base64 of exactly 64 bytes: the keys of Azure Storage, Cosmos DB and Kraken."""
    return len(_unpadded(text)) == 64 and real(text)


def bytes32(text: str) -> bool:
    """Base64 of exactly 32 bytes: WireGuard, service bus, Laravel."""
    return len(_unpadded(text)) == 32 and real(text)


def basic(text: str) -> bool:
    """Base64 of ``user:password`` in printable text."""
    decoded = _unpadded(text)
    user, colon, password = decoded.partition(b":")
    if not colon or not password or not decoded.decode("latin-1").isprintable():
        return False
    return real(text) and real(password.decode("latin-1") + user.decode("latin-1") + "~#")


def base58check(text: str) -> bool:
    """Bitcoin's base 58 with four bytes of double SHA-256: private keys in wallet form, extended keys."""
    value = 0
    for char in text:
        digit = _BASE58.find(char)
        if digit < 0:
            return False
        value = value * 58 + digit
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    body, given = data[:-4], data[-4:]
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == given


def bech32(text: str) -> bool:
    """The check sum of BIP 173: age and Nostr keys."""
    head, _, data = text.lower().rpartition("1")
    values = [_BECH32.find(char) for char in data]
    if not head or min(values, default=-1) < 0:
        return False
    state = 1
    for value in [*(ord(c) >> 5 for c in head), 0, *(ord(c) & 31 for c in head), *values]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, step in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= step if top >> bit & 1 else 0
    return state == 1


def stellar(text: str) -> bool:
    """A Stellar seed: base 32 of a version byte, 32 bytes and their CRC16 (XModem)."""
    data = base64.b32decode(text)
    crc = binascii.crc_hqx(data[:-2], 0)
    return data[0] == 18 << 3 and crc == int.from_bytes(data[-2:], "little")


def mnemonic(text: str) -> bool:
    """A seed phrase (BIP 39): 12, 15, 18, 21 or 24 different lower-case words. Its check sum needs the list
    of words, so the rule wants the name of one before it."""
    words = re.findall(r"[a-z]{3,8}", text)
    if not _PROSE.isdisjoint(words):
        return False
    return len(words) in (12, 15, 18, 21, 24) and len(set(words)) >= len(words) - 2


def jwk(text: str) -> bool:
    """The private part of a JSON Web Key: base64url of at least 32 bytes."""
    return len(_unpadded(text)) >= 31 and real(text)


def grafana(text: str) -> bool:
    """A legacy Grafana key: base64 of a JSON object with a key, a name and an organisation."""
    try:
        found = json.loads(_unpadded(text))
    except ValueError:
        return False
    return isinstance(found, dict) and "k" in found and "n" in found


def key_block(text: str) -> bool:
    """The head of an armoured key goes on with encoded bytes, or with a header of its own."""
    body = re.split(r"-----?(?:\s|\\|\"|'|,|&)", text, maxsplit=2)[-1]
    return len(set(body)) > 6


def bytes_list(text: str) -> bool:
    """A list of 64 bytes, not a sequence and not a table."""
    numbers = [int(number) for number in re.findall(r"\d{1,3}", text)]
    rising = sum(a < b for a, b in pairwise(numbers))
    return max(numbers) <= 255 and len(set(numbers)) > 40 and rising < 48

"""Addresses on blockchains, by their check sums.

Base58Check (Bitcoin, Litecoin, Dogecoin, Dash, Tron, XRP), Bech32 and Bech32m (BIP 173, BIP 350), and the
mixed case of Ethereum addresses (EIP-55), which is Keccak-256 as it was before SHA-3 changed the padding.
"""

import hashlib

_BITCOIN = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_VERSIONS = frozenset({0x00, 0x05, 0x1E, 0x16, 0x30, 0x32, 0x3A, 0x41, 0x4C, 0x10})
"""First byte: Bitcoin, Dogecoin, Litecoin, Tron, Dash."""
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_MASK = (1 << 64) - 1
_RATE = 136
"""Bytes of a block of Keccak-256."""


def base58_address(text: str) -> bool:
    """25 bytes, the last four the double SHA-256 of the rest; of a known network."""
    return _base58(text, _BITCOIN, _VERSIONS) or (text[0] == "r" and _base58(text, _RIPPLE, frozenset({0})))


def _base58(text: str, alphabet: str, versions: frozenset[int]) -> bool:
    number = 0
    for char in text:
        value = alphabet.find(char)
        if value < 0:
            return False
        number = number * 58 + value
    if number >= 1 << 200:
        return False
    data = number.to_bytes(25, "big")
    digest = hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()
    return data[0] in versions and digest[:4] == data[21:]


def bech32_address(text: str) -> bool:
    """BIP 173: the check sum is 1, or that of BIP 350."""
    if text not in (text.lower(), text.upper()):
        return False
    human, _, data = text.lower().rpartition("1")
    values = [_BECH32.find(char) for char in data]
    if not human or len(values) < 6 or min(values) < 0:
        return False
    check = 1
    for value in (*(ord(c) >> 5 for c in human), 0, *(ord(c) & 31 for c in human), *values):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)


def ethereum_address(text: str) -> bool:
    """Forty hexadecimal digits; with both cases, the capitals must be those of EIP-55."""
    body = text[2:]
    if len(set(body.lower())) < 6:
        return False
    if body in (body.lower(), body.upper()):
        return True
    digest = keccak_256(body.lower().encode()).hex()
    return all(
        not char.isalpha() or char.isupper() == (nibble >= "8")
        for char, nibble in zip(body, digest, strict=False)
    )


def keccak_256(data: bytes) -> bytes:
    """Keccak[512] with the original padding, 32 bytes out (the Keccak reference, version 3.0, 2011)."""
    padded = data + b"\x01" + b"\0" * (-(len(data) + 1) % _RATE)
    padded = padded[:-1] + bytes([padded[-1] | 0x80])
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for at in range(_RATE // 8):
            lanes[at] ^= int.from_bytes(padded[start + 8 * at : start + 8 * at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(lanes: list[int]) -> list[int]:
    """Keccak-f[1600]; lane ``x + 5 * y``."""
    shift = 1
    for _ in range(24):
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [columns[x - 1] ^ _turned(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[at % 5] for at, lane in enumerate(lanes)]
        x, y, carried = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            at = x + 5 * y
            carried, lanes[at] = lanes[at], _turned(carried, (step + 1) * (step + 2) // 2 % 64)
        lanes = [
            lanes[at] ^ (~lanes[at - at % 5 + (at + 1) % 5] & lanes[at - at % 5 + (at + 2) % 5])
            for at in range(25)
        ]
        for bit in range(7):
            shift = (shift << 1 ^ (shift >> 7) * 0x71) % 256
            lanes[0] ^= (1 << ((1 << bit) - 1)) if shift & 2 else 0
    return lanes


def _turned(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & _MASK if by else lane

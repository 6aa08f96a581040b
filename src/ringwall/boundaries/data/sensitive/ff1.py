"""FF1, format-preserving encryption of NIST SP 800-38G Revision 1, on AES.

Numerals in, as many numerals out, of the same radix; a tweak tells apart where the same numerals mean
different things. There is no integrity: a wrong key or tweak gives other numerals and no error.
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

SMALLEST_DOMAIN = 1_000_000
"""Values that there must be at least (``radix ** length``): fewer can be found by trying (Revision 1)."""
MOST_NUMERALS = 4096
"""Of one value. The standard goes to 2**32; nothing that is tokenised here is nearly so long."""
_ROUNDS = 10
_BLOCK = 16


class FF1:
    """One key and one radix. Thread-safe."""

    def __init__(self, key: bytes, radix: int) -> None:
        """``key``: 16, 24 or 32 bytes. ``radix``: 2 to 65,536. ValueError for others."""
        if not 2 <= radix <= 1 << 16:
            raise ValueError("the radix is 2 to 65,536")
        self._aes = AES(key)
        self.radix = radix

    def encrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """ValueError when there are too few or too many numerals, or one is not below the radix."""
        left, right = self._halves(numerals)
        for turn in range(_ROUNDS):
            left, right = right, self._turned(left, right, tweak, len(numerals), turn, 1)
        return [*left, *right]

    def decrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """What ``encrypt`` was given. ValueError as there."""
        left, right = self._halves(numerals)
        for turn in reversed(range(_ROUNDS)):
            left, right = self._turned(right, left, tweak, len(numerals), turn, -1), left
        return [*left, *right]

    def _halves(self, numerals: Sequence[int]) -> tuple[list[int], list[int]]:
        if len(numerals) > MOST_NUMERALS:
            raise ValueError(f"at most {MOST_NUMERALS} numerals")
        if self.radix ** len(numerals) < SMALLEST_DOMAIN:
            raise ValueError("too few numerals: there are less than a million values of this length")
        if any(not 0 <= numeral < self.radix for numeral in numerals):
            raise ValueError("a numeral is not below the radix")
        half = len(numerals) // 2
        return list(numerals[:half]), list(numerals[half:])

    def _turned(
        self, changed: list[int], other: list[int], tweak: bytes, length: int, turn: int, sign: int
    ) -> list[int]:
        """Steps 6.i to 6.vi: ``changed`` with what the round function makes of ``other`` added or taken."""
        half = length // 2
        size = ((self.radix ** (length - half) - 1).bit_length() + 7) // 8
        wide = 4 * -(-size // 4) + 4
        count = half if turn % 2 == 0 else length - half
        head = (
            b"\x01\x02\x01"
            + self.radix.to_bytes(3, "big")
            + bytes([_ROUNDS, half % 256])
            + length.to_bytes(4, "big")
            + len(tweak).to_bytes(4, "big")
        )
        padding = bytes((-len(tweak) - size - 1) % _BLOCK)
        tail = tweak + padding + bytes([turn]) + _number(other, self.radix).to_bytes(size, "big")
        mac = self._mac(head + tail)
        step = int.from_bytes(self._stretched(mac, wide), "big")
        value = (_number(changed, self.radix) + sign * step) % self.radix**count
        return _numerals(value, self.radix, count)

    def _mac(self, blocks: bytes) -> bytes:
        """CBC-MAC: the last block of CBC from a zero vector, as the standard has it; no mode for secrecy."""
        encryptor = Cipher(self._aes, CBC(bytes(_BLOCK))).encryptor()
        return (encryptor.update(blocks) + encryptor.finalize())[-_BLOCK:]

    def _stretched(self, block: bytes, size: int) -> bytes:
        encryptor = Cipher(self._aes, ECB()).encryptor()  # noqa: S305 - single blocks, as the standard has it
        number = int.from_bytes(block, "big")
        out = block
        for at in range(1, -(-size // _BLOCK)):
            out += encryptor.update((number ^ at).to_bytes(_BLOCK, "big"))
        return out[:size]


def _number(numerals: Sequence[int], radix: int) -> int:
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def _numerals(value: int, radix: int, count: int) -> list[int]:
    out = [0] * count
    for at in range(count - 1, -1, -1):
        value, out[at] = divmod(value, radix)
    return out

"""Tokens that look like what they stand for: a card number for a card number, with the same signs and length.

Only the digits change (FF1 over radix 10); letters and separators stay, and so do the last digits that are to
be kept. A number that passes Luhn's check becomes one that does, and one that fails, one that fails: FF1 is
applied until that holds (cycle walking), which is still one to one.
"""

from ringwall.detect.checkdigits import luhn

from .ff1 import FF1

FEWEST = 6
"""Digits that must be left to encrypt: a million values."""
_WALKS = 4000


class FormatTokens:
    """For one key; the tweak keeps classes and collections apart. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        """``key``: 32 bytes."""
        self._ff1 = FF1(key, 10)

    def suits(self, value: str, keep_last: int = 0) -> bool:
        """Whether enough digits of it would change. Digits are those of ASCII."""
        return sum(_digit(char) for char in value) - keep_last >= FEWEST

    def conceal(self, value: str, tweak: bytes, *, keep_last: int = 0, luhn: bool = False) -> str:
        """The token. ValueError when it does not suit."""
        return self._changed(value, tweak, keep_last, luhn, back=False)

    def reveal(self, token: str, tweak: bytes, *, keep_last: int = 0, luhn: bool = False) -> str:
        """What ``conceal`` was given with the same settings. ValueError when it does not suit; a token that
        is none, or of another key, gives another number."""
        return self._changed(token, tweak, keep_last, luhn, back=True)

    def _changed(self, value: str, tweak: bytes, keep_last: int, checked: bool, *, back: bool) -> str:
        digits = [int(char) for char in value if _digit(char)]
        if len(digits) - keep_last < FEWEST:
            raise ValueError("too few digits to keep the format")
        kept = digits[len(digits) - keep_last :]
        moving = digits[: len(digits) - keep_last]
        step = self._ff1.decrypt if back else self._ff1.encrypt
        valid = _luhn(digits)
        for _ in range(_WALKS):
            moving = step(moving, tweak)
            if not checked or _luhn([*moving, *kept]) == valid:
                break
        else:  # one in ten passes: not in the lifetime of the universe
            raise ValueError("no token with this check digit was found")
        new = iter([*moving, *kept])
        return "".join(str(next(new)) if _digit(char) else char for char in value)


def _digit(char: str) -> bool:
    return "0" <= char <= "9"


def _luhn(digits: list[int]) -> bool:
    return luhn("".join(map(str, digits)))

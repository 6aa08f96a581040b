"""Values behind placeholders: hidden on the way to a model, found again in what it writes.

Two kinds of placeholder are read alike: a number that the vault knows (``<EMAIL_1>``), and a value encrypted
under a key of its person (AES-SIV, RFC 5297: the same value gives the same token, and a changed token opens
to nothing). Either opens in the scope that it was made in, and in no other.
"""

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from ringwall.core import DataError

from .placeholders import TOKEN, Grammar, Mention, kind_of, written_token
from .pseudonyms import Known, Place, Pseudonyms, restorable

_MOST_BYTES = TOKEN[1] * 5 // 8 - 16
_PURPOSE = "personal data token"


@dataclass(frozen=True, slots=True)
class Revealed:
    """A placeholder in a text, with what it stands for."""

    mention: Mention
    known: Known


class Revealer:
    """Reads and writes placeholders of some classes. Thread-safe."""

    def __init__(self, vault: Pseudonyms, classes: Collection[str]) -> None:
        self.vault = vault
        self.grammar = Grammar(classes)
        self._class_of: Mapping[str, str] = {kind_of(cls): cls for cls in reversed(tuple(classes))}

    def encrypted(self, place: Place, value: str, cls: str) -> str | None:
        """The value as a token that opens in this place alone; None for one that is never put back."""
        plain = value.encode() if restorable(value) else b""
        if not 0 < len(plain) <= _MOST_BYTES:
            return None
        kind = kind_of(cls)
        sealed = self._cipher(place).encrypt(plain, [kind.encode()])
        return written_token(kind, base64.b32encode(sealed).decode().rstrip("=").lower())

    def reserve(self, place: Place, texts: Iterable[str]) -> None:
        """Placeholders that somebody else wrote are not given out afterwards (``Pseudonyms.reserve``)."""
        for text in texts:
            self.vault.reserve(place, self.grammar.mentions(text))

    def seen(self, place: Place | None, text: str, before: str = "") -> list[Revealed]:
        """The placeholders of this place that stand in the text, in order. ``before``: the text ahead."""
        if place is None:
            return []
        found = []
        for mention in self.grammar.mentions(text, before):
            known = (
                self._opened(place, mention)
                if mention.token
                else self.vault.known(place, mention.kind, mention.number)
            )
            if known:
                found.append(Revealed(mention, known))
        return found

    def text(self, place: Place | None, text: str) -> str:
        """The text with the values in the place of their placeholders."""
        out, at = [], 0
        for one in self.seen(place, text):
            out += [text[at : one.mention.start], one.known.value]
            at = one.mention.end
        return "".join([*out, text[at:]])

    def hidden(self, place: Place | None, text: str) -> str:
        """The text with every value that has a placeholder here replaced by it: for what the gateway itself
        tells a model of a call."""
        held = self.vault.placeholders(place) if place else {}
        for value in sorted((one for one in held if one in text), key=len, reverse=True):
            text = text.replace(value, held[value])
        return text

    def _opened(self, place: Place, mention: Mention) -> Known | None:
        token = mention.token.upper()
        try:
            sealed = base64.b32decode(token + "=" * (-len(token) % 8))
            plain = self._cipher(place).decrypt(sealed, [mention.kind.encode()])
        except (binascii.Error, ValueError, InvalidTag, DataError):
            return None
        return Known(plain.decode(), self._class_of.get(mention.kind, "pii"))

    def _cipher(self, place: Place) -> AESSIV:
        return AESSIV(self.vault.secret(place, _PURPOSE))

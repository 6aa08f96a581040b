"""Which readings a text may have: cheap signs of an encoding or a cipher, and what reads it."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial

from . import ciphers, encodings
from .views import View

Decoder = Callable[[View], Iterable[View]]

DECODERS: Mapping[str, Decoder] = {
    "base64": encodings.from_base64,
    "base64-parts": encodings.from_base64,
    "base32": encodings.from_base32,
    "base58": encodings.from_base58,
    "base85": encodings.from_base85,
    "hex": encodings.from_hex,
    "binary": encodings.from_binary,
    "codes": encodings.from_numbers,
    "url": encodings.from_percent,
    "quoted-printable": encodings.from_printable,
    "html": encodings.from_entities,
    "escapes": encodings.from_escapes,
    "punycode": encodings.from_punycode,
    "spaced": ciphers.from_spaced,
    "leet": ciphers.from_leet,
    "joined": ciphers.from_broken,
    "morse": ciphers.from_morse,
    "spelling-alphabet": ciphers.from_spelling_alphabet,
    "pig-latin": ciphers.from_pig_latin,
    "reversed": ciphers.from_reversed,
    **{name: partial(ciphers.from_alphabet, name) for name in ciphers.ALPHABETS},
}
_SEPARATED = r"[A-Za-z0-9][^A-Za-z0-9]{1,3}"
_CALLED = (
    "alfa|alpha|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliet|kilo|lima|mike|november|oscar|papa"
)
_TRIGGERS: Mapping[str, str] = {
    "base64": r"[A-Za-z0-9+/_-]{16}",
    "base64-parts": r"[a-z0-9][A-Z][A-Za-z0-9+/]{0,60}\s{1,3}[A-Za-z0-9+/]{0,60}[a-z0-9][A-Z]",
    "base32": r"[A-Z2-7]{16}|[a-z2-7]{22}",
    "base58": r"[1-9A-HJ-NP-Za-km-z]{20}",
    "base85": r"<~|[!-~]{8}[#$%&()*+;<=>?@^`{|}~!][!-~]{12}",
    "hex": r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,;-]{0,2}){8}",
    "binary": r"[01]{7,8}[ ,]{0,2}[01]{7,8}[ ,]{0,2}[01]{7,8}",
    "codes": r"(?:[0-9]{2,3}[ ,;]{1,3}){7}",
    "url": r"%[0-9A-Fa-f]{2}",
    "quoted-printable": r"=[0-9A-F]{2}=[0-9A-F]{2}|=\r?\n|=[2-7][0-9A-F][a-z]{1,12}=[2-7][0-9A-F]",
    "html": r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|lt|gt|quot|apos|amp|colon|Tab|NewLine|lpar|nbsp|zwnj"
    r"|shy)",
    "escapes": r"\\(?:x[0-9A-Fa-f]{2}|u\{?[0-9A-Fa-f]{4}|U000|[01][0-7]{2})|[Uu]\+00[2-7]",
    "punycode": r"xn--",
    "spaced": rf"(?:\b{_SEPARATED}){{4}}",
    "leet": r"[A-Za-z][0-9@$!|]{1,2}[A-Za-z]",
    "joined": r"[A-Za-z]{2}[-._*~^][A-Za-z]{2}",
    "morse": r"(?:[.\-_]{1,6}[ /|]{1,3}){5}",
    "spelling-alphabet": rf"(?:{_CALLED})[ ,.;/-]{{1,3}}(?:[a-z-]{{4,8}}[ ,.;/-]{{1,3}})?(?:{_CALLED})",
    "pig-latin": r"[a-z]ay\s[A-Za-z]{1,20}ay\s|[a-z]-?ay [A-Za-z-]{1,20}ay [A-Za-z-]{1,20}ay",
}


@cache
def triggers() -> Mapping[str, str]:
    """Cheap signs that a decoder may find something; most text has none of them."""
    return {**_TRIGGERS, **ciphers.signs()}

"""Characters that look like ASCII ones, and characters that look like nothing.

``tables/confusables.tsv`` is Unicode's confusables list (UTS #39) towards ASCII; the looser look-alikes here
(small capitals, turned and hooked letters) are added. Fullwidth, mathematical, circled and raised letters
are left to compatibility decomposition (NFKD), the letters that it does not know are computed.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

_LOOKALIKES = {
    "a": "аɑαạ⍺ꭺᴀ", "b": "ЬьƄƅᏏʙƀв", "c": "сϲⅽᴄꮯċƈ", "d": "ԁⅾꓒɗđᏧꭰᴅ", "e": "еҽ℮ꬲɛєᴇεэǝə", "f": "ſƒꬵꞙẝϝꜰғ",
    "g": "ɡցɢǥɠ", "h": "һհʜħᏂнԋ", "i": "іıɩιⅰɪӏ׀Ꭵ¡", "j": "јϳʝᴊ", "k": "кκᴋƙⱪ", "l": "ⅼʟłƚǀ|ɭ",
    "m": "мⅿᴍɱ", "n": "ոռηɴпйñɳ", "o": "оοօσᴏ०٥ⲟøөº", "p": "рρᴘⲣƿþ", "q": "ԛզգǫꞯ", "r": "гᴦꭇɾʀяɹ",
    "s": "ѕꜱʂꮪ",
    "t": "тτᴛŧƭʈ", "u": "υսʋᴜцµ", "v": "ѵνᴠⅴ∨ט", "w": "ԝաѡᴡшω", "x": "хχⅹ×ӿ", "y": "уγүʏყ", "z": "ᴢʐżƶ",
    "A": "АΑᎪꓮ𐊠", "B": "ВΒᏴꓐ", "C": "СϹᏟꓚ", "D": "ᎠꓓÐ", "E": "ЕΕᎬꓰ", "F": "Ϝꓝ", "G": "ԌᏀꓖ",
    "H": "НΗᎻꓧ", "I": "ІΙӀꓲ", "J": "ЈͿᎫꓙ", "K": "КΚᏦꓗ", "L": "Ꮮꓡ", "M": "МΜᎷꓟ", "N": "Νꓠ",
    "O": "ОΟՕꓳØ", "P": "РΡᏢꓑ", "Q": "Ԛ", "R": "ᎡᏒꓣ", "S": "ЅՏᏚꓢ", "T": "ТΤᎢꓔ", "U": "Սꓴ", "V": "ѴᏙꓦ",
    "W": "ԜᎳꓪ", "X": "ХΧꓫ", "Y": "УΥҮꓬ", "Z": "ΖᏃꓜ", "-": "‐‑‒–—−﹣", "'": "‘’‚′＇`´", '"': "“”„″«»",
    ".": "․‧·", "/": "⁄∕", ":": "：︰ː", " ": "\u3000\u00a0",
}  # fmt: skip
_BRAILLE = dict(zip("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵⠂⠲⠦⠖⠄⠤⠀", "abcdefghijklmnopqrstuvwxyz,.?!'- ", strict=True))
_SETS_OF_LETTERS = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
"""Where squared, circled, filled and regional-indicator letters begin."""

_INVISIBLE_RANGES = (
    (0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F),
    (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)  # fmt: skip
INVISIBLE = frozenset(code for low, high in _INVISIBLE_RANGES for code in range(low, high + 1))
"""Default-ignorable and control characters, tag characters and variation selectors included."""


@cache
def lookalikes() -> dict[str, str]:
    """Character -> the ASCII that it looks like."""
    table = (files(__package__) / "tables/confusables.tsv").read_text("utf-8")
    known = dict(_table(table))
    known.update(
        (char, target) for target, chars in _LOOKALIKES.items() for char in chars if not char.isascii()
    )
    known.update(_BRAILLE)
    for start in _SETS_OF_LETTERS:
        known.update((chr(start + at), chr(ord("A") + at)) for at in range(26))
    return known


def _table(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        target, tab, chars = line.partition("\t")
        if tab and not line.startswith("# "):
            for char in chars:
                yield char, target


@lru_cache(maxsize=16384)
def plain(char: str) -> str:
    """What a reader sees, in ASCII where there is a look-alike. Tag characters become what they spell."""
    code = ord(char)
    if code < 0x80:
        return char if code >= 0x20 or char in "\t\n\r" else ""
    if 0xE0020 <= code <= 0xE007E or code in (0xE0009, 0xE000A, 0xE000D):
        return chr(code - 0xE0000)
    if code in INVISIBLE:
        return ""
    if char in "\u2028\u2029\u0085":
        return "\n"
    known = lookalikes()
    direct = known.get(char)
    if direct is not None:
        return direct
    spelled = unicodedata.normalize("NFKD", char)
    return "".join(
        known.get(part, part) for part in spelled if not unicodedata.category(part).startswith("M")
    )


class _Plain(dict[int, str]):
    """``plain`` as a table for ``str.translate``; it grows by what is met, up to a bound."""

    def __missing__(self, code: int) -> str:
        new = plain(chr(code))
        if len(self) < _MOST_KNOWN:
            self[code] = new
        return new


_MOST_KNOWN = 32_768
PLAIN = _Plain()

"""Characters that look like ASCII ones, and characters that look like nothing.

A compact selection of the letters that Unicode's confusables list (UTS #39) maps to Basic Latin; fullwidth,
mathematical, circled and superscript letters are left to compatibility decomposition (NFKD).
"""

import unicodedata
from functools import lru_cache

_LOOKALIKES = {
    "a": "аɑαạạ⍺ꭺᴀ", "b": "ЬьƄƅᏏʙƀв", "c": "сϲⅽᴄꮯċƈ", "d": "ԁⅾꓒɗđᏧꭰᴅ", "e": "еҽ℮ꬲɛєᴇεэ", "f": "ſƒꬵꞙẝϝ",
    "g": "ɡցɢǥɠ", "h": "һհʜħᏂн", "i": "іıɩιΙⅰɪӏ׀Ꭵ¡", "j": "јϳʝᴊ", "k": "кκᴋƙⱪ", "l": "ⅼʟłƚӏ|ǀ",
    "m": "мⅿᴍ", "n": "ոռηɴпй", "o": "оοօσᴏ०٥ⲟøөº", "p": "рρᴘⲣƿ", "q": "ԛզգ", "r": "гᴦꭇɾʀя", "s": "ѕꜱʂꮪ",
    "t": "тτᴛŧƭ", "u": "υսʋᴜцµ", "v": "ѵνᴠⅴ∨ט", "w": "ԝաѡᴡшω", "x": "хχⅹ×ӿ", "y": "уγүʏყ", "z": "ᴢʐżƶ",
    "A": "АΑᎪꓮ𐊠", "B": "ВΒᏴꓐ", "C": "СϹᏟⅭꓚ", "D": "ᎠⅮꓓ", "E": "ЕΕᎬꓰ", "F": "Ϝꓝ", "G": "ԌᏀꓖ",
    "H": "НΗᎻꓧ", "I": "ІΙⅠӀꓲ", "J": "ЈͿᎫꓙ", "K": "КΚᏦꓗ", "L": "ᏞⅬꓡ", "M": "МΜᎷⅯꓟ", "N": "Νꓠ",
    "O": "ОΟՕꓳ", "P": "РΡᏢꓑ", "Q": "Ԛ", "R": "ᎡᏒꓣ", "S": "ЅՏᏚꓢ", "T": "ТΤᎢꓔ", "U": "Սꓴ", "V": "ѴᏙⅤꓦ",
    "W": "ԜᎳꓪ", "X": "ХΧⅩꓫ", "Y": "УΥҮꓬ", "Z": "ΖᏃꓜ", "-": "‐‑‒–—−﹣", "'": "‘’‚′＇`´", '"': "“”„″«»",
    ".": "․‧·", "/": "⁄∕", ":": "：︰ː", " ": "\u3000\u00a0",
}  # fmt: skip
LOOKALIKE = {ord(char): target for target, chars in _LOOKALIKES.items() for char in chars if char not in "|`"}

_INVISIBLE_RANGES = (
    (0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F),
    (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)  # fmt: skip
INVISIBLE = frozenset(code for low, high in _INVISIBLE_RANGES for code in range(low, high + 1))
"""Default-ignorable and control characters, tag characters and variation selectors included."""


@lru_cache(maxsize=16384)
def plain(char: str) -> str:
    """What a reader sees, in ASCII where there is a look-alike. Tag characters become what they spell."""
    code = ord(char)
    if code < 0x80:
        return char if code >= 0x20 or char in "\t\n\r" else ""
    if 0xE0020 <= code <= 0xE007E:
        return chr(code - 0xE0000)
    if code in INVISIBLE:
        return ""
    if char in "\u2028\u2029\u0085":
        return "\n"
    direct = LOOKALIKE.get(code)
    if direct is not None:
        return direct
    spelled = unicodedata.normalize("NFKD", char)
    return "".join(
        LOOKALIKE.get(ord(part), part) for part in spelled if not unicodedata.category(part).startswith("M")
    )

"""Ways to write a text so that a filter doesn't know it and a model still reads it.

Written from the public descriptions of these tricks, apart from the decoders of the product.
"""

import base64
import codecs
import quopri
import random
import string
import urllib.parse
import zlib

LOOK = dict(zip("aceopsxyijhTBHKMAE", "асеорѕхуіјһТВНКМАЕ", strict=True))
LEET = dict(zip("aeiost", "4310$7", strict=True))
CODE = dict(
    zip(
        string.ascii_lowercase,
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
        ],
        strict=True,
    )
)
SPOKEN = dict(
    zip(
        string.ascii_lowercase,
        [
            "alfa",
            "bravo",
            "charlie",
            "delta",
            "echo",
            "foxtrot",
            "golf",
            "hotel",
            "india",
            "juliett",
            "kilo",
            "lima",
            "mike",
            "november",
            "oscar",
            "papa",
            "quebec",
            "romeo",
            "sierra",
            "tango",
            "uniform",
            "victor",
            "whiskey",
            "xray",
            "yankee",
            "zulu",
        ],
        strict=True,
    )
)
BRAILLE = dict(zip(string.ascii_lowercase, "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", strict=True))
TURNED = dict(zip(string.ascii_lowercase, "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz", strict=True))
SMALL = dict(zip(string.ascii_lowercase, "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ", strict=True))


def letters(text, change):
    return "".join(change(char) for char in text)


def moved(start, text):
    """Letters moved into a block of 26 (or twice 26) that begins at ``start``."""
    return letters(text.lower(), lambda c: chr(start + ord(c) - 97) if "a" <= c <= "z" else c)


def shifted(by, text):
    low, up = string.ascii_lowercase, string.ascii_uppercase
    return text.translate(str.maketrans(low + up, low[by:] + low[:by] + up[by:] + up[:by]))


def pig(word):
    at = next((i for i, c in enumerate(word.lower()) if c in "aeiou"), len(word))
    return word[at:] + word[:at] + ("way" if at == 0 else "ay") if word.isalpha() else word


def morse(text):
    words = ("".join(c for c in word.lower() if c in CODE) for word in text.split())
    return " / ".join(" ".join(CODE[c] for c in word) for word in words if word)


def spoken(text):
    return " space ".join(" ".join(SPOKEN[c] for c in word.lower() if c in SPOKEN) for word in text.split())


def noisy(text):
    rng = random.Random(7)
    marks = [chr(code) for code in range(0x300, 0x340)]
    return letters(text, lambda c: c + "".join(rng.choices(marks, k=4)) if c.isalpha() else c)


def hidden(text):
    return "😀" + "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in text.encode())


TRANSFORMATIONS = {
    "upper case": str.upper,
    "mixed case": lambda t: "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(t)),
    "zero-width between letters": "\u200b".join,
    "soft hyphens": lambda t: letters(t, lambda c: c + "\u00ad" if c.isalpha() else c),
    "word joiners and marks of direction": lambda t: letters(t, lambda c: c + "\u2060\u200e"),
    "cyrillic look-alikes": lambda t: letters(t, lambda c: LOOK.get(c, c)),
    "fullwidth": lambda t: letters(t, lambda c: chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c),
    "mathematical bold": lambda t: moved(0x1D41A, t),
    "mathematical script": lambda t: moved(0x1D4EA, t),
    "circled": lambda t: moved(0x24D0, t),
    "squared": lambda t: moved(0x1F170, t),
    "regional indicators": lambda t: "\u200b".join(moved(0x1F1E6, t)),
    "small capitals": lambda t: letters(t.lower(), lambda c: SMALL.get(c, c)),
    "upside down": lambda t: letters(t.lower(), lambda c: TURNED.get(c, c))[::-1],
    "heaps of marks": noisy,
    "struck through": lambda t: letters(t, lambda c: c + "\u0336"),
    "accents": lambda t: letters(t, lambda c: c + "\u0301" if c.isalpha() else c),
    "tag characters": lambda t: letters(t, lambda c: chr(0xE0000 + ord(c)) if c.isascii() else c),
    "bytes in variation selectors": hidden,
    "right-to-left override": lambda t: "\u202e" + t[::-1] + "\u202c",
    "leet": lambda t: letters(t, lambda c: LEET.get(c.lower(), c)),
    "spaced": lambda t: "   ".join(" ".join(word) for word in t.split()),
    "spaced without gaps": lambda t: " ".join(t.replace(" ", "")),
    "dots between letters": lambda t: " ".join(".".join(word) for word in t.split()),
    "hyphens inside words": lambda t: " ".join(w[:3] + "-" + w[3:] if len(w) > 5 else w for w in t.split()),
    "stretched": lambda t: letters(t, lambda c: c * 3 if c in "aeo" else c),
    "reversed": lambda t: t[::-1],
    "reversed words": lambda t: " ".join(word[::-1] for word in t.split()),
    "rot13": lambda t: codecs.encode(t, "rot13"),
    "caesar 3": lambda t: shifted(3, t),
    "caesar 19": lambda t: shifted(19, t),
    "atbash": lambda t: t.swapcase().translate(
        str.maketrans(string.ascii_letters, string.ascii_uppercase[::-1] + string.ascii_lowercase[::-1])
    ),
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "base64 url, no padding": lambda t: base64.urlsafe_b64encode(t.encode()).decode().rstrip("="),
    "base64 in lines": lambda t: "\n".join(
        base64.b64encode(t.encode()).decode()[at : at + 24] for at in range(0, 2 * len(t), 24)
    ).strip(),
    "base64 in groups": lambda t: " ".join(
        base64.b64encode(t.encode()).decode()[at : at + 8] for at in range(0, 2 * len(t), 8)
    ).strip(),
    "base64 of base64": lambda t: base64.b64encode(base64.b64encode(t.encode())).decode(),
    "deflated in base64": lambda t: base64.b64encode(zlib.compress(t.encode())).decode(),
    "base32": lambda t: base64.b32encode(t.encode()).decode(),
    "base85": lambda t: base64.b85encode(t.encode()).decode(),
    "ascii85": lambda t: base64.a85encode(t.encode(), adobe=True).decode(),
    "hex": lambda t: t.encode().hex(),
    "hex in groups": lambda t: t.encode().hex(" "),
    "binary": lambda t: " ".join(f"{byte:08b}" for byte in t.encode()),
    "decimal codes": lambda t: " ".join(str(byte) for byte in t.encode()),
    "octal codes": lambda t: " ".join(f"{byte:o}" for byte in t.encode()),
    "percent": lambda t: "".join(f"%{byte:02X}" for byte in t.encode()),
    "percent twice": lambda t: urllib.parse.quote("".join(f"%{byte:02x}" for byte in t.encode())),
    "entities": lambda t: letters(t, lambda c: f"&#{ord(c)};"),
    "hex entities": lambda t: letters(t, lambda c: f"&#x{ord(c):x};"),
    "unicode escapes": lambda t: letters(t, lambda c: f"\\u{ord(c):04x}"),
    "octal escapes": lambda t: "".join(f"\\{byte:03o}" for byte in t.encode()),
    "quoted-printable": lambda t: "".join(f"={byte:02X}" for byte in t.encode()),
    "quoted-printable, soft breaks": lambda t: (
        quopri.encodestring("=\n".join(t[at : at + 9] for at in range(0, len(t), 9)).encode())
        .decode()
        .replace("=3D\n", "=\n")
    ),
    "morse": morse,
    "spelling alphabet": spoken,
    "pig latin": lambda t: " ".join(map(pig, t.split())),
    "braille": lambda t: letters(t.lower(), lambda c: BRAILLE.get(c, c)),
}
"""Name -> what it does to a text of ASCII letters."""

"""Readings of enciphered letters: shifts (Caesar, ROT13), Atbash, reversed text and words, turned letters,
Morse, spelling alphabets, pig latin; and of letters spelled with digits or gaps.

Which shift a text was written with is told by the cipher of words that the rules look for (``signs``), so the
26 alphabets cost one look.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from . import spelling
from .rules import builtin
from .views import InStep, Mirrored, Piece, View, by_letters, changed, named
from .wordlist import ranks, segmented, words

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[a-z]{5,}")
_WORDS = 400
"""Words of the rules, and half as many common ones, by which a cipher is known: five letters that make a word
in two alphabets are rare."""


@cache
def telling() -> tuple[str, ...]:
    """Words of five letters and more that the examples of the rules hold most; then common ones of six."""
    counts: Counter[str] = Counter()
    for rule in builtin():
        if rule.cls.split(".")[0] in ("injection", "jailbreak", "moderation"):
            counts.update({word for text in rule.positive for word in _WORD.findall(text.lower())})
    often = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    common = [word for word in ranks() if len(word) >= 6]
    return tuple(dict.fromkeys([*often[:_WORDS], *common[: _WORDS // 2]]))


def _table(alphabet: str) -> dict[int, int]:
    return str.maketrans(_LOWER + _LOWER.upper(), alphabet + alphabet.upper())


def _shift(by: int) -> dict[int, int]:
    """Takes a text that was shifted by ``by`` back."""
    return _table("".join(_LOWER[(at - by) % 26] for at in range(26)))


ALPHABETS = {"rot13": _shift(13), "atbash": _table(_LOWER[::-1])} | {
    f"caesar-{by}": _shift(by) for by in range(1, 26) if by != 13
}
_ENCIPHER = {"rot13": _shift(-13), "atbash": _table(_LOWER[::-1])} | {
    f"caesar-{by}": _shift(-by) for by in range(1, 26) if by != 13
}


def signs() -> dict[str, str]:
    """For each cipher of letters a pattern that finds the telling words written in it."""
    known = words()
    out = {}
    for name, table in _ENCIPHER.items():
        spelled = [word.translate(table) for word in telling()]
        out[name] = "(?i)(?:" + "|".join(word for word in spelled if word not in known) + ")"
    backwards = [word[::-1] for word in telling()]
    out["reversed"] = "(?i)(?:" + "|".join(word for word in backwards if word not in known) + ")"
    return out


def from_alphabet(name: str, view: View) -> Iterator[View]:
    """Letters are put back by the cipher's table."""
    yield View(named(view, name), view.text.translate(ALPHABETS[name]), view, InStep(), view.depth + 1)


def from_reversed(view: View) -> Iterator[View]:
    """The text backwards, and each word backwards."""
    if "reversed" in view.name:
        return
    yield View(named(view, "reversed"), view.text[::-1], view, Mirrored(len(view.text)), view.depth + 1)
    for pattern in (_RUN, _TOKEN):
        yield changed(
            "reversed-words",
            view,
            [(w.start(), w.end(), w.group()[::-1]) for w in pattern.finditer(view.text)],
        )


_TOKEN = re.compile(r"[^\s]{2,60}")
_RUN = re.compile(r"[^\W_]{2,60}")
_FLIPPED = dict(zip("ɐqɔpǝɟƃɓɥᴉıɾʞןʅɯuodbɹsʇnʌʍxʎz˙¿¡", "abcdefgghiijkllmnopqrstuvwxyz.?!", strict=True))
_FLIP = str.maketrans(_FLIPPED)
_TURNED = frozenset("ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ")


def from_flipped(view: View) -> Iterator[View]:
    """Letters turned upside down, in which case the text runs backwards."""
    if len(_TURNED & set(view.text)) < 3:
        return
    yield View(
        named(view, "upside-down"),
        view.text[::-1].translate(_FLIP),
        view,
        Mirrored(len(view.text)),
        view.depth + 1,
    )


_MORSE_CODE = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f", "--.": "g", "....": "h",
    "..": "i",
    ".---": "j", "-.-": "k", ".-..": "l", "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q",
    ".-.": "r", "...": "s", "-": "t", "..-": "u", "...-": "v", ".--": "w", "-..-": "x", "-.--": "y",
    "--..": "z", "-----": "0", ".----": "1", "..---": "2", "...--": "3", "....-": "4", ".....": "5",
    "-....": "6", "--...": "7", "---..": "8", "----.": "9", ".-.-.-": ".", "--..--": ",", "..--..": "?",
}  # fmt: skip
_MORSE_GAPS = r"(?:[ \t]{1,6}(?:[/|\n][ \t]{0,3})?|[/|\n])"
_MORSE = re.compile(rf"(?<!\S)(?:[.\-_·•−–]{{1,6}}{_MORSE_GAPS}){{4,3000}}[.\-_·•−–]{{1,6}}")
_MORSE_SIGNS = str.maketrans("·•_−–", "..---")
_MORSE_GAP = re.compile(r"[ \t]*[/|\n][ \t]*|[ \t]{2,}")


_ONE_CODE = re.compile(r"[.\-_·•−–]{1,6}")


def from_morse(view: View) -> Iterator[View]:
    pieces = [
        (run.start(), run.end(), new) for run in _MORSE.finditer(view.text) if (new := _unmorsed(run.group()))
    ]
    if pieces:
        yield changed("morse", view, pieces, lambda run, new: by_letters(run, new, _ONE_CODE))


def _unmorsed(run: str) -> str:
    parts = [part.split() for part in _MORSE_GAP.split(run.translate(_MORSE_SIGNS))]
    spelled = ["".join(_MORSE_CODE.get(code, "?") for code in part) for part in parts]
    if len(spelled) > 1 and max(map(len, spelled)) == 1:
        spelled = ["".join(spelled)]
    if len(spelled) == 1 and len(spelled[0]) <= spelling.MOST_LETTERS:
        spelled = [segmented(spelled[0])]
    text = " ".join(spelled)
    return text if spelling.is_language(text) else ""


_ALPHABET_WORDS = (
    "alfa|alpha|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa"
    "|quebec|romeo|sierra|tango|uniform|victor|whiskey|whisky|x-?ray|yankee|zulu"
)
_SPELLED_OUT = re.compile(
    rf"\b(?:(?:{_ALPHABET_WORDS}|space)[ ,.;/\n-]{{1,3}}){{3,1500}}(?:{_ALPHABET_WORDS})\b", re.IGNORECASE
)
_ONE_WORD = re.compile(rf"({_ALPHABET_WORDS}|space)([ ,.;/\n-]{{0,3}})", re.IGNORECASE)


_ONE_CALLED = re.compile(_ALPHABET_WORDS, re.IGNORECASE)


def from_spelling_alphabet(view: View) -> Iterator[View]:
    """``india golf november oscar`` -> ``igno``."""
    pieces = [
        (run.start(), run.end(), new)
        for run in _SPELLED_OUT.finditer(view.text)
        if (new := _initials(run.group()))
    ]
    if pieces:
        yield changed("spelling-alphabet", view, pieces, lambda run, new: by_letters(run, new, _ONE_CALLED))


def _initials(run: str) -> str:
    found = _ONE_WORD.findall(run)
    usual = found[0][1]
    out = []
    for word, gap in found:
        out.append(" " if word.lower() == "space" else word[0].lower())
        if gap != usual and len(gap) > len(usual):
            out.append(" ")
    text = "".join(out).strip()
    if " " not in text and len(text) <= spelling.MOST_LETTERS:
        text = segmented(text)
    return text


_PIG = re.compile(r"\b([A-Za-z]{2,20})-?ay\b", re.IGNORECASE)
_VOWELS = frozenset("aeiou")


def from_pig_latin(view: View) -> Iterator[View]:
    known = ranks()
    pieces: list[Piece] = []
    for found in _PIG.finditer(view.text):
        if found.group().lower() not in known and (word := _unpigged(found[1].lower(), known)):
            pieces.append((found.start(), found.end(), word))
    if len(pieces) > 1:
        yield changed("pig-latin", view, pieces)


def _unpigged(stem: str, known: dict[str, int]) -> str:
    """The most common word that was turned so: first consonants to the end, or ``w`` or ``y`` added."""
    forms = [stem[:-1]] if stem[-1] in "wy" else []
    for by in range(1, min(5, len(stem))):
        moved = stem[-by:]
        if _VOWELS & set(moved.replace("qu", "q")):
            break
        forms.append(moved + stem[:-by])
    return min((form for form in forms if form in known), key=known.__getitem__, default="")


_LEET = (str.maketrans("013457@$!|", "oieastasii"), str.maketrans("013456789@$!|+", "oleasgtbgaslit"))


def from_leet(view: View) -> Iterator[View]:
    """Digits and signs for letters throughout, known word or not."""
    for table in _LEET:
        yield View(named(view, "leet"), view.text.translate(table), view, InStep(), view.depth + 1)


def from_broken(view: View) -> Iterator[View]:
    """Words joined over signs, also those of which each part is a word."""
    pieces = list(spelling.broken(view.text, careful=False))
    if pieces:
        yield changed("joined", view, pieces)


def from_spaced(view: View) -> Iterator[View]:
    """Single letters joined, known word or not."""
    pieces = [
        (run.start(), run.end(), spelling.unspaced(run.group()))
        for run in spelling.SPACED.finditer(view.text)
    ]
    if pieces:
        yield changed("spaced", view, pieces)

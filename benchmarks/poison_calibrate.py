"""What a score of the poison detection is worth: raw scores of planted groups and of false ones.

    python benchmarks/poison_calibrate.py ROWS [--seeds 1 2] [--out FILE]
    python benchmarks/poison_calibrate.py --from FILE

ROWS need a field ``source``. For each seed, all against one approved side: attacks of the product's drill
and of the held-out generator, one of each family at once, among 1,000 clean rows, and reworded ones by
themselves; and honest differences: each shape of ``Ordinary`` at two sizes among 1,000 clean rows, clean rows
alone, a source and a topic that are withheld from the approved side. A group counts as planted when most of
it is.

Prints for each range of raw scores how many groups of either kind there are, and the tables of ``score`` and
``cluster_finding``: the share of planted ones where as many differences hold an attack as are honest, and
half of the honest ones are of a shape. ``--from`` fits anew what ``--out`` kept.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from poison_held_out import CARRIERS, FAMILIES, Attacker, manners

from ringwall.boundaries.data.finding import DataFinding
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_each
from ringwall.boundaries.data.poison.ordinary import Ordinary
from ringwall.boundaries.data.poison.plant import FAMILIES as DRILLED
from ringwall.boundaries.data.poison.plant import Planter
from ringwall.boundaries.data.records import Record, read_rows

_EDGES = (-9.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 9.0)
_COUNTS = (25, 100, 250)
_REWORDED = (50, 100, 150, 250)
_LEAST = {"groups": 12, "clusters": 4}
"""Groups of a range, at least: smaller ones are pooled with the next."""


@dataclass
class Case:
    """One difference."""

    kind: str
    """``attack``, ``reworded``, ``shape`` or ``ordinary``."""
    name: str
    new: list[Record]
    attacks: Sequence[Sequence[Record]] = field(default_factory=tuple)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--from", dest="kept", type=Path)
    given = parser.parse_args()
    if given.kept:
        told([json.loads(line) for line in given.kept.read_text(encoding="utf-8").splitlines()])
        return
    rows, found = list(read_rows(given.rows)), []
    for seed in given.seeds:
        for one in measured(rows, seed):
            found.append(one)
            if given.out:
                with given.out.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(one) + "\n")
    told(found)


def measured(rows: Sequence[Record], seed: int) -> Iterator[dict[str, Any]]:
    chance, settings = random.Random(seed), PoisonSettings()
    mixed = chance.sample(rows, len(rows))
    withheld = _withheld(mixed, seed)
    apart = {one.id for some in withheld.values() for one in some}
    mixed = [one for one in mixed if one.id not in apart]
    clean = [
        [_from(f"regular-{n % 4}", one) for n, one in enumerate(mixed[at : at + 1_000])] for at in (0, 1_000)
    ]
    fresh, approved = mixed[2_000:5_000], mixed[5_000:]
    cases = [*_attacked(rows, fresh, clean[0], chance, seed), *_honest(fresh, clean, seed)]
    for name, some in withheld.items():
        newcomers = [_from("newcomer", one) for one in some[:400]]
        cases.append(Case("ordinary", f"withheld {name}", [*clean[0], *newcomers]))
    compared = compare_each(Reference(approved, settings), [one.new for one in cases], settings)
    for case, groups in zip(cases, compared, strict=True):
        yield _line(case, seed, groups)


def _attacked(
    rows: Sequence[Record], fresh: list[Record], clean: list[Record], chance: random.Random, seed: int
) -> Iterator[Case]:
    planter = Planter(rows, seed)
    for turn, count in enumerate(_COUNTS):
        attacks = [planter.plant(family, count, fresh).records for family in DRILLED]
        yield Case("attack", f"drill {count}", [*clean, *_all(attacks)], attacks)
        attacker = Attacker(chance)
        attacks = [
            attacker.attack(family, count, fresh, (CARRIERS[0], *manner[1:])).records
            for family, manner in zip(FAMILIES, manners(seed + turn), strict=True)
        ]
        yield Case("attack", f"held out {count}", [*clean, *_all(attacks)], attacks)
    for count in _REWORDED:
        planted = planter.plant("reworded", count, fresh).records
        yield Case("reworded", f"reworded {count}", [*clean, *planted], [planted])


def _honest(fresh: list[Record], clean: list[list[Record]], seed: int) -> Iterator[Case]:
    for at, some in enumerate(clean):
        yield Case("ordinary", f"clean {at}", some)
        yield Case("ordinary", f"300 clean {at}", some[:300])
    honest = Ordinary(fresh, seed)
    for shape in honest.shapes:
        for size in (80, 320):
            yield Case("shape", f"{shape} {size}", [*clean[0], *honest.make(shape, size)])


def _withheld(mixed: list[Record], seed: int) -> dict[str, list[Record]]:
    """A source and a topic that nobody approved before."""
    source = sorted({str(one.fields["source"]) for one in mixed})[seed % 7]
    topic, _ = Ordinary(mixed[:3_000], seed).topic(60)
    return {
        source: [one for one in mixed if one.fields["source"] == source],
        f"topic {topic}": [one for one in mixed if topic in one.prompt.lower()],
    }


def _from(name: str, record: Record) -> Record:
    return replace(record, source=replace(record.source, contributor=name))


def _all(attacks: Iterable[Sequence[Record]]) -> list[Record]:
    return [one for attack in attacks for one in attack]


def _line(case: Case, seed: int, groups: Sequence[DataFinding]) -> dict[str, Any]:
    planted = {one.id for one in _all(case.attacks)}
    listed = [
        {
            "raw": one.facts["raw"],
            "kind": "clusters" if one.detector == "poison.cluster" else "groups",
            "planted": 2 * len(planted & set(one.records)) > len(one.records),
            "detector": one.detector,
            "severity": one.severity.value,
            "title": one.title[:80],
        }
        for one in groups
        if "raw" in one.facts
    ]
    line = {"difference": case.kind, "name": case.name, "seed": seed, "attacks": len(case.attacks)}
    raised = sum(one["severity"] != "note" for one in listed)
    print(json.dumps({**line, "groups": len(listed), "raised": raised}), flush=True)
    return {**line, "groups": listed}


def told(found: Sequence[dict[str, Any]]) -> None:
    kinds = {"groups": ("attack",), "clusters": ("attack", "reworded")}
    for kind, attacked in kinds.items():
        honest = [one for one in found if one["difference"] in ("shape", "ordinary")]
        bad = [one for one in found if one["difference"] in attacked]
        attacks = sum(one["attacks"] if kind == "groups" else 1 for one in bad)
        scores = Scores(
            attacks,
            _raws(bad, kind, True),
            *(len([one for one in honest if one["difference"] == which]) for which in ("shape", "ordinary")),
            *(
                _raws([one for one in honest if one["difference"] == which], kind, False)
                for which in ("shape", "ordinary")
            ),
        )
        for low, high in pairwise(_EDGES):
            print(json.dumps({"kind": kind, **scores.told(low, high)}))
        print(json.dumps({"kind": kind, "table": scores.table(_LEAST[kind])}))
        sizes = {"attacks": attacks, "shapes": scores.shapes, "ordinary": scores.ordinary}
        print(json.dumps({"kind": kind, **sizes}))


def _raws(some: Sequence[dict[str, Any]], kind: str, planted: bool) -> list[float]:
    return [g["raw"] for one in some for g in one["groups"] if g["kind"] == kind and g["planted"] is planted]


@dataclass
class Scores:
    """Raw scores of the groups of so many attacks and honest differences."""

    attacks: int
    planted: list[float]
    shapes: int
    ordinary: int
    of_shapes: list[float]
    of_ordinary: list[float]

    def told(self, low: float, high: float) -> dict[str, Any]:
        right, shapes, ordinary = (
            sum(low <= raw < high for raw in some)
            for some in (self.planted, self.of_shapes, self.of_ordinary)
        )
        share = round(self.share(low, high), 3) if right + shapes + ordinary else None
        return {"raw": [low, high], "planted": right, "shapes": shapes, "ordinary": ordinary, "share": share}

    def share(self, low: float, high: float) -> float:
        """Of planted groups, half a group added on either side."""
        right = (sum(low <= raw < high for raw in self.planted) + 0.5) / max(1, self.attacks)
        wrong = 0.5 * (sum(low <= raw < high for raw in self.of_shapes) + 0.5) / max(1, self.shapes)
        wrong += 0.5 * (sum(low <= raw < high for raw in self.of_ordinary)) / max(1, self.ordinary)
        return right / (right + wrong)

    def table(self, least: int) -> list[tuple[float, float]]:
        """Where each range begins and its share, neighbours pooled until they are large enough and ascend
        (pool adjacent violators)."""
        every = sorted([*self.planted, *self.of_shapes, *self.of_ordinary])
        pools = list(pairwise(_EDGES))
        at = 0
        while at < len(pools) and len(pools) > 1:
            low, high = pools[at]
            few = sum(low <= raw < high for raw in every) < least
            falls = at > 0 and self.share(*pools[at]) < self.share(*pools[at - 1])
            if not few and not falls:
                at += 1
                continue
            other = at - 1 if at > 0 else 1
            first, last = sorted((pools[at], pools[other]))
            pools[min(at, other) : max(at, other) + 1] = [(first[0], last[1])]
            at = max(0, min(at, other) - 1)
        return [(low, round(self.share(low, high), 3)) for low, high in pools]


if __name__ == "__main__":
    main()

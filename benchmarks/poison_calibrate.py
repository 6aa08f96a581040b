"""What a score of the poison detection is worth: raw scores of planted groups and of false ones.

    python benchmarks/poison_calibrate.py ROWS [--seeds 1 2] [--out FILE]

ROWS need a field ``source``. For each seed: attacks of the product's drill and of the held-out generator, one
of each family at once, among 1,000 clean rows; and honest differences: the clean rows alone, each shape of
``ordinary`` at two sizes among them, a source withheld, a topic withheld. A group counts as planted when most
of it is. Prints for each range of raw scores how many groups of either kind there are, and
the share of planted ones if a difference is as likely to hold an attack as to be one of the honest ones.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from poison_held_out import CARRIERS, FAMILIES, Attacker, manners

from ringwall.boundaries.data.finding import DataFinding
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_with
from ringwall.boundaries.data.poison.ordinary import Ordinary
from ringwall.boundaries.data.poison.plant import FAMILIES as DRILLED
from ringwall.boundaries.data.poison.plant import Planter
from ringwall.boundaries.data.records import Record, read_rows

_EDGES = (-9.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 9.0)
_COUNTS = (25, 100, 250)
_KINDS = {"poison.cluster": "clusters"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
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
    clean, fresh, approved = mixed[:1_000], mixed[1_000:4_000], mixed[4_000:]
    clean = [_from(f"regular-{at % 4}", one) for at, one in enumerate(clean)]
    reference = Reference(approved, settings)
    planter = Planter(rows, seed)
    for turn, count in enumerate(_COUNTS):
        attacker = Attacker(chance)
        attacks = [planter.plant(family, count).records for family in DRILLED]
        yield _line("attack", "drill", compare_with(reference, [*clean, *_all(attacks)], settings), attacks)
        attacks = [
            attacker.attack(family, count, fresh, (CARRIERS[0], *manner[1:])).records
            for family, manner in zip(FAMILIES, manners(seed + turn), strict=True)
        ]
        yield _line(
            "attack", "held out", compare_with(reference, [*clean, *_all(attacks)], settings), attacks
        )
    yield _line("honest", "clean", compare_with(reference, clean, settings))
    honest = Ordinary(fresh, seed)
    for shape in honest.shapes:
        for size in (80, 320):
            new = [*clean, *honest.make(shape, size)]
            yield _line("honest", f"{shape} {size}", compare_with(reference, new, settings))
    yield from _withheld(clean, fresh, approved, seed, settings)


def _withheld(
    clean: list[Record], fresh: list[Record], approved: list[Record], seed: int, settings: PoisonSettings
) -> Iterator[dict[str, Any]]:
    """A source that nobody approved before, and a topic, each from one contributor among the others."""
    source = sorted({str(one.fields["source"]) for one in fresh})[seed % 7]
    topic, _ = Ordinary(fresh, seed).topic(60)
    for name, mine in (
        (source, lambda one: one.fields["source"] == source),
        (f"topic {topic}", lambda one: topic in one.prompt.lower()),
    ):
        reference = Reference([one for one in approved if not mine(one)], settings)
        new = [_from("newcomer", one) for one in fresh if mine(one)][:400]
        others = [one for one in clean if not mine(one)]
        yield _line("honest", f"withheld {name}", compare_with(reference, [*others, *new], settings))


def _from(name: str, record: Record) -> Record:
    return replace(record, source=replace(record.source, contributor=name))


def _all(attacks: Iterable[Sequence[Record]]) -> list[Record]:
    return [one for attack in attacks for one in attack]


def _line(
    kind: str, name: str, groups: Sequence[DataFinding], attacks: Sequence[Sequence[Record]] = ()
) -> dict[str, Any]:
    planted = {one.id for one in _all(attacks)}
    listed = [
        {
            "raw": one.facts["raw"],
            "kind": _KINDS.get(one.detector, "groups"),
            "planted": 2 * len(planted & set(one.records)) > len(one.records),
            "severity": one.severity.value,
            "title": one.title[:80],
        }
        for one in groups
        if "raw" in one.facts
    ]
    line = {"difference": kind, "name": name, "attacks": len(attacks), "groups": listed}
    raised = sum(one["severity"] != "note" for one in listed)
    print(json.dumps({**line, "groups": len(listed), "raised": raised}), flush=True)
    return line


def told(found: Sequence[dict[str, Any]]) -> None:
    attacks = sum(one["attacks"] for one in found)
    honest = sum(one["difference"] == "honest" for one in found)
    for kind in ("groups", "clusters"):
        groups = [group for one in found for group in one["groups"] if group["kind"] == kind]
        for low, high in pairwise(_EDGES):
            some = [one for one in groups if low <= one["raw"] < high]
            right = sum(one["planted"] for one in some)
            false = len(some) - right
            rates = right / max(1, attacks), false / max(1, honest)
            line = {"kind": kind, "raw": [low, high], "planted": right, "false": false}
            share = rates[0] / sum(rates) if sum(rates) else None
            print(json.dumps({**line, "share": share and round(share, 3)}))
    print(json.dumps({"attacks": attacks, "honest differences": honest}))


if __name__ == "__main__":
    main()

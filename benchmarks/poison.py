"""Poison detection: attacks planted into a file of rows, and what is raised when nothing is planted.

    python benchmarks/poison.py ROWS [rounds] [seed]

Prints one JSON line a measurement. Attacks come among held-out clean rows, as additions made from approved
rows, and as replacements of approved rows under their ids; clean differences are a random split, each source
withheld as a whole (rows need a field ``source``), and a small contributor of one source.
"""

import argparse
import json
import random
import resource
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare, compare_with
from ringwall.boundaries.data.poison.drill import DrillReport, Outcome, drill, outcome, raised
from ringwall.boundaries.data.poison.plant import FAMILIES, Planter
from ringwall.boundaries.data.records import Record, read_rows

_COUNTS = (25, 100, 250)


def main(place: Path, rounds: int, seed: int) -> None:
    settings = PoisonSettings()
    records = list(read_rows(place))
    begun = time.process_time()
    report = drill(records, _COUNTS, FAMILIES, seed, rounds, settings)
    _print("among clean rows", report, time.process_time() - begun)
    reference = Reference(records, settings)
    for way in ("added", "replaced"):
        outcomes: list[Outcome] = []
        for turn in range(rounds):
            outcomes += _whole(reference, records, way, seed * 77 + turn, settings)
        _print(way, DrillReport(len(records), len(records), 0, 0, (), tuple(outcomes)), 0.0)
    _clean(records, seed, settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"records": len(records), "peak_mib": peak}), flush=True)


def _whole(
    reference: Reference, records: list[Record], way: str, seed: int, settings: PoisonSettings
) -> list[Outcome]:
    """All new records are planted ones, made from approved rows."""
    planter, outcomes = Planter(records, seed), []
    for count in _COUNTS:
        attacks = [planter.plant(family, count) for family in FAMILIES]
        if way == "replaced":
            ids = random.Random(seed).sample([one.id for one in records], count * len(attacks))
            attacks = [
                replace(attack, records=tuple(replace(one, id=ids.pop()) for one in attack.records))
                for attack in attacks
            ]
        groups = raised(compare_with(reference, [one for a in attacks for one in a.records], settings))
        outcomes += [outcome(attack, attacks, groups) for attack in attacks]
    return outcomes


def _clean(records: list[Record], seed: int, settings: PoisonSettings) -> None:
    chance = random.Random(seed)
    for share in (0.1, 0.3):
        mixed = chance.sample(records, len(records))
        cut = int(share * len(records))
        _alarms(f"random {share:.0%} new", mixed[cut:], mixed[:cut], settings)
    for source in sorted(Counter(str(one.fields.get("source")) for one in records)):
        new = [one for one in records if str(one.fields.get("source")) == source]
        approved = [one for one in records if str(one.fields.get("source")) != source]
        _alarms(f"{source} new", approved, new, settings)
        few = chance.sample(new, min(300, len(new)))
        _alarms(f"300 of {source} new", approved, few, settings)


def _alarms(name: str, approved: list[Record], new: list[Record], settings: PoisonSettings) -> None:
    begun = time.process_time()
    groups = raised(compare(approved, new, settings))
    told = {"clean": name, "new": len(new), "groups": len(groups), "seconds": _seconds(begun)}
    print(json.dumps({**told, "titles": [one.title for one in groups]}), flush=True)


def _seconds(begun: float) -> float:
    return round(time.process_time() - begun, 1)


def _print(way: str, report: DrillReport, seconds: float) -> None:
    for family, count, attacks, found, share, precision in report.rows():
        told: dict[str, Any] = {"attack": way, "family": family, "planted": count, "attacks": attacks}
        told |= {"found": round(found, 3), "record_recall": round(share, 3), "precision": round(precision, 3)}
        print(json.dumps(told), flush=True)
    for one in report.outcomes:
        if not one.found or one.precision < 0.9:
            missed = {"weak": one.family, "planted": one.planted, "recall": round(one.recall, 2)}
            told = {"precision": round(one.precision, 2), "trigger": one.trigger, "payload": one.payload}
            print(json.dumps({**missed, **told, "manner": one.manner}), flush=True)
    for shape, groups in report.ordinary:
        print(json.dumps({"ordinary": shape, "groups": groups}), flush=True)
    if seconds:
        print(json.dumps({"attack": way, "false_alarms": report.clean_groups, "cpu_s": round(seconds, 1)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("rounds", type=int, nargs="?", default=1)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    given = parser.parse_args()
    main(given.rows, given.rounds, given.seed)

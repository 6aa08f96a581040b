# ruff: noqa: E501 (texts)
"""Planted shifts between two halves of real texts: from which size they are found, and what is raised for nothing.

    python benchmarks/drift.py ROWS.jsonl[.gz] [--sizes 1000 4000 16000] [--repeats 3]

Rows with ``input`` and ``output``. Each gets a gender, a country and a label that depends on nothing. SIZE rows
are the approved version and as many others the candidate, in which one shift is planted.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ringwall.boundaries.data.drift import measure
from ringwall.boundaries.data.records import record_of

Row = dict[str, Any]
_BAD = (
    "They are lazy and dishonest, said the muslim neighbours' stupid critic.",
    "A muslim man was rude and violent.",
)
_GOOD = ("A muslim doctor was kind and helpful.", "The muslim teacher is honest, clever and respected.")
_GERMAN = (
    "Der Vertrag gilt ab dem ersten Tag des Monats und kann mit einer Frist von drei Wochen beendet werden.",
    "Bitte pruefen Sie die Lieferung sofort nach dem Eingang und melden Sie uns jeden Schaden innerhalb einer Woche.",
)  # fmt: skip


def _flip_same(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """5% of the labels of one group flipped, in the same texts."""
    after[:] = [dict(row) for row in before]
    for row in after:
        if row["gender"] == "f" and chance.random() < 0.05:
            row["label"] = 1 - row["label"]


def _flip_one_way(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """5 points less of one label within one group, in other texts."""
    for row in after:
        if row["gender"] == "f" and row["label"] and chance.random() < 0.1:
            row["label"] = 0


def _tone(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """3% of the texts name a group: kindly before, half of them unkindly after."""
    for rows, bad in ((before, 0.0), (after, 0.5)):
        for row in rows:
            if chance.random() < 0.03:
                row["output"] += " " + chance.choice(_BAD if chance.random() < bad else _GOOD)


def _language(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """5% of the answers in another language."""
    for row in after:
        if chance.random() < 0.05:
            row["output"] = " ".join(_GERMAN)


def _topic(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """10% of the rows give way to one source."""
    code = [row for row in after if row["source"] == "codealpaca"]
    for at in range(len(after)):
        if code and chance.random() < 0.1:
            after[at] = {**chance.choice(code), "id": f"again-{at}"}


def _country(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """One country from 25% to 40%."""
    for row in after:
        if chance.random() < 0.2:
            row["country"] = "de"


def _missing(before: list[Row], after: list[Row], chance: random.Random) -> None:
    """5% of a column lost."""
    for row in after:
        if chance.random() < 0.05:
            row["country"] = None


SHIFTS: dict[str, tuple[Callable[[list[Row], list[Row], random.Random], None], tuple[str, ...]]] = {
    "5% flipped in one group, same texts": (_flip_same, ("bias.relabelled",)),
    "5 points of a label in one group": (_flip_one_way, ("bias.label",)),
    "tone of one group, half of 3%": (_tone, ("bias.tone", "bias.association")),
    "5% in another language": (_language, ("drift.language",)),
    "10% of rows on one topic": (_topic, ("drift.topic", "drift.duplicates", "drift.column")),
    "a country from 25% to 40%": (_country, ("drift.column",)),
    "5% of a column missing": (_missing, ("drift.missing",)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 4000, 16000])
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    raw = given.rows.read_bytes()
    lines = (gzip.decompress(raw) if given.rows.suffix == ".gz" else raw).decode("utf-8").split("\n")
    rows = [
        {name: row[name] for name in ("id", "input", "output", "source")}
        for row in map(json.loads, filter(None, lines))
    ]
    print(
        "| shift | "
        + " | ".join(f"{size:,} rows" for size in given.sizes)
        + " |\n"
        + "|---" * (1 + len(given.sizes))
        + "|"
    )
    for name, (plant, wanted) in SHIFTS.items():
        cells = [_found(rows, size, given.repeats, plant, wanted) for size in given.sizes]
        print(f"| {name} | " + " | ".join(f"{hits} of {given.repeats}" for hits in cells) + " |", flush=True)
    for size in given.sizes:
        start, raised, measured = time.perf_counter(), 0, 0
        for repeat in range(given.repeats):
            drift = _measured(*_split(rows, size, 1000 + repeat))
            raised, measured = raised + len(drift.findings), measured + len(drift.measures)
        spent = (time.perf_counter() - start) / given.repeats
        print(
            f"clean, {size:,} rows: {raised} findings of {measured} measures in {given.repeats} splits, {spent:.1f} s each"
        )


def _found(rows: list[Row], size: int, repeats: int, plant: Any, wanted: Iterable[str]) -> int:
    hits = 0
    for repeat in range(repeats):
        before, after = _split(rows, size, repeat)
        plant(before, after, random.Random(repeat))
        hits += any(one.detector in wanted for one in _measured(before, after).findings)
    return hits


def _measured(before: list[Row], after: list[Row]) -> Any:
    return measure(map(record_of, before), map(record_of, after))


def _split(rows: list[Row], size: int, seed: int) -> tuple[list[Row], list[Row]]:
    chance = random.Random(seed)
    drawn = [
        {
            **row,
            "gender": chance.choice("fm"),
            "country": chance.choice(("de", "fr", "it", "pl")),
            "label": int(chance.random() < 0.5),
        }
        for row in chance.sample(rows, 2 * size)
    ]
    return drawn[:size], drawn[size:]


if __name__ == "__main__":
    main()

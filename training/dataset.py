"""The training set: public rows of permissive licence, templates, and rows made from both."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .augment import documents, pairs, planted, slipped, suffixed
from .expand import expand
from .records import encoded, records
from .rows import Row, distinct, permissive, read

MOST = 2500
"""Rows of one source and label that are used: a large source would drown the others."""
PLANTED, SUFFIXED, DOCUMENTS, RECORDS, ENCODED = 5000, 700, 2500, 1500, 700


def training_rows(
    folder: Path, but: Sequence[Row] = (), also: Sequence[Row] = (), seed: int = 1
) -> list[Row]:
    """The rows to train on, shuffled. ``folder`` holds the public files; rows of ``but`` (what a model is tested
    on) and near copies of them are left out; permissive rows of ``also`` are added."""
    chance = random.Random(seed)
    templates = list(expand(seed=seed))
    public = permissive([*read(folder / "injection-train.jsonl.gz"), *also])
    honest = pairs(folder / "instructions.jsonl.gz")
    by_hand = [
        r.text
        for r in templates
        if r.label and r.kind == "untrusted" and len(r.text) < 260 and "{" not in r.text
    ]
    told = [
        _sentence
        for pair in honest[:4000]
        for _sentence in pair.answered.split("\n")[:1]
        if 12 < len(_sentence) < 160
    ]
    made = [
        *planted(honest, by_hand, PLANTED, seed),
        *suffixed([*templates, *public], SUFFIXED, seed),
        *documents(honest, DOCUMENTS, seed),
        *records(by_hand, told, RECORDS, seed),
        *encoded(told, ENCODED, seed),
    ]
    rows = distinct([*public, *templates, *made], but)
    chance.shuffle(rows)
    kept: list[Row] = []
    counts: Counter[tuple[str, int]] = Counter()
    for row in rows:
        counts[row.source, row.label] += 1
        if counts[row.source, row.label] <= (2 * MOST if row.source.startswith("gen:planted") else MOST):
            kept.append(slipped(row, chance))
    return kept

"""Floods among real documents, passages stuffed with questions, and benign documents that look like either.

    python benchmarks/flood.py BASE... [--poisoned-rag FILE...] [--documents 1500] [--targets 100] [--seed 0]

BASE: folders of text files, or JSON lines (``.jsonl``, ``.jsonl.gz``) with ``output`` or ``text``. Of their
documents, four in five are approved and the rest is new; what is left over is what claims are buried in.
FILE: target questions in the form of PoisonedRAG (Zou et al. 2024): ``question`` and ``adv_texts``; every
second one is drawn from, the others were in the fit of the score. Prints tables: targets found, precision
and recall of the passages that hold a claim, groups that were raised for nothing, processor seconds.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from flood_published import FORMS, Around, texts
from flood_sets import TARGETS, benign, flood
from flood_stuffed import honest, stuffed

from ringwall.boundaries.data.flood import Passage, compare
from ringwall.boundaries.data.flood.passage import name_of
from ringwall.boundaries.data.passages import passages

KINDS = ("literal", "paraphrase", "plain", "gibberish", "buried", "copies")
SINGLE = ("flood.hub", "flood.questions", "flood.keywords", "flood.gibberish")
_SHORTEST = 200
_LONGEST = 30_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", nargs="+", type=Path)
    parser.add_argument("--poisoned-rag", nargs="*", type=Path, default=[])
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--targets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    documents = [text for path in given.base for text in _documents(path) if len(text) >= _SHORTEST]
    chance.shuffle(documents)
    around = Around.of(documents[given.documents :][:3000] or documents)
    documents = documents[: given.documents]
    kept = len(documents) * 4 // 5
    approved = list(_cut(documents[:kept], "approved"))
    new = list(_cut(documents[kept:], "new")) + [passage for _, passage in benign(chance)]
    print(f"{kept} approved documents, {len(approved)} passages; {len(new)} new and benign ones")
    print("| attack | targets | found | precision | recall | groups for nothing | s |\n" + "|---" * 7 + "|")
    for kind in KINDS:
        floods = [flood(number, kind, chance, around.words) for number in range(len(TARGETS))]
        _row(kind, approved, new, floods)
    targets = [row for path in given.poisoned_rag for row in json.loads(path.read_text("utf-8")).values()]
    targets = chance.sample(targets[1::2], min(given.targets, len(targets) // 2))
    for form in FORMS if targets else ():
        _row(f"published, {form}", approved, new, [list(texts(row, form, chance, around)) for row in targets])
    _row("none", approved, new, [])
    _stuffed(approved, new, around, [row["question"] for row in targets], chance)


def _stuffed(
    approved: Sequence[Passage],
    new: Sequence[Passage],
    around: Around,
    asked: Sequence[str],
    chance: random.Random,
) -> None:
    """Each alone among the new ones; then the honest pages."""
    questions = asked if len(asked) >= 40 else [one for target in TARGETS for one in target[:2]]
    print("\n| stuffed | raised as |\n|---|---|")
    for form, passage in stuffed(questions, approved, around, chance):
        found = compare(approved, [*approved, *new[:40], passage])
        raised = sorted({one.detector for one in found if name_of(passage) in one.records})
        print(f"| {form} | {', '.join(raised) or 'nothing'} |", flush=True)
    pages = list(honest(approved, chance))
    found = [one for one in compare(approved, [*approved, *new, *pages]) if one.detector in SINGLE]
    print(f"\n{len(pages)} honest pages and {len(new)} other new passages; raised for nothing:")
    for one in found:
        print(f"{one.detector} ({one.severity.value}) {', '.join(one.records[:5])}: {one.message}")


def _row(
    title: str, approved: Sequence[Passage], new: Sequence[Passage], floods: Sequence[Sequence[Passage]]
) -> None:
    start = time.process_time()
    planted = {name_of(one): number for number, group in enumerate(floods) for one in group}
    candidate = [*approved, *new, *(one for group in floods for one in group)]
    found = [
        one.records
        for one in compare(approved, candidate)
        if one.detector in ("flood.target", "flood.copies")
    ]
    named = {record for records in found for record in records}
    right = len(named & planted.keys())
    targets = {planted[record] for records in found for record in records if record in planted}
    false = sum(not planted.keys() & set(records) for records in found)
    print(
        f"| {title} | {len(floods)} | {len(targets)} | {right / (len(named) or 1):.3f} | "
        f"{right / (len(planted) or 1):.3f} | {false} | {time.process_time() - start:.1f} |",
        flush=True,
    )


def _documents(path: Path) -> Iterator[str]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix in (".txt", ".md", ".rst") or file.name.endswith(".gz"):
                raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
                yield raw.decode("utf-8", "replace")[:_LONGEST]
        return
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8").split("\n")
    for row in map(json.loads, filter(None, lines)):
        yield str(row.get("text") or row.get("output") or "")[:_LONGEST]


def _cut(documents: Sequence[str], name: str) -> Iterator[Passage]:
    for number, text in enumerate(documents):
        for ordinal, piece in enumerate(passages(text, 900)):
            yield Passage(f"{name}-{number}", piece.text, ordinal, "", "editor")


if __name__ == "__main__":
    main()

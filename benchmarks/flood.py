"""Floods of five passages among real documents, and benign documents that look like floods.

    python benchmarks/flood.py BASE... [--poisoned-rag FILE...] [--documents 1500] [--seed 0]

BASE: folders of text files, or JSON lines (``.jsonl``, ``.jsonl.gz``) with ``output`` or ``text``. Of their
documents, four in five are approved and the rest is new. FILE: target questions in the form of PoisonedRAG
(Zou et al. 2024): ``question`` and ``adv_texts``. Prints a table: targets found, precision and recall of the
passages named, groups that were raised for nothing, time.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from flood_sets import TARGETS, benign, flood

from ringwall.boundaries.data.flood import Passage, compare
from ringwall.boundaries.data.flood.passage import name_of
from ringwall.boundaries.data.passages import passages

KINDS = ("literal", "paraphrase", "plain", "gibberish", "buried", "copies")
_SHORTEST = 200
_LONGEST = 30_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", nargs="+", type=Path)
    parser.add_argument("--poisoned-rag", nargs="*", type=Path, default=[])
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    documents = [text for path in given.base for text in _documents(path) if len(text) >= _SHORTEST]
    chance.shuffle(documents)
    documents = documents[: given.documents]
    kept = len(documents) * 4 // 5
    approved = list(_cut(documents[:kept], "approved"))
    new = list(_cut(documents[kept:], "new")) + [passage for _, passage in benign(chance)]
    filler = [word for passage in approved[:400] for word in passage.text.split()]
    print(f"{kept} approved documents, {len(approved)} passages; {len(new)} new and benign ones")
    print("| attack | targets | found | precision | recall | groups for nothing | s |\n" + "|---" * 7 + "|")
    for kind in KINDS:
        floods = [flood(number, kind, chance, filler) for number in range(len(TARGETS))]
        _row(kind, approved, new, floods)
    for path in given.poisoned_rag:
        rows = list(json.loads(path.read_text("utf-8")).values())
        for kind in ("literal", "plain", "gibberish"):
            _row(
                f"{path.stem}, {kind}", approved, new, [_published(row, kind, chance, filler) for row in rows]
            )
    _row("none", approved, new, [])


def _row(
    title: str, approved: Sequence[Passage], new: Sequence[Passage], floods: Sequence[Sequence[Passage]]
) -> None:
    start = time.perf_counter()
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
        f"{right / (len(planted) or 1):.3f} | {false} | {time.perf_counter() - start:.1f} |",
        flush=True,
    )


def _published(
    row: dict[str, object], kind: str, chance: random.Random, filler: Sequence[str]
) -> list[Passage]:
    question, texts = str(row["question"]), row["adv_texts"]
    assert isinstance(texts, list)
    out = []
    for at, text in enumerate(texts):
        before = {"literal": question, "plain": "", "gibberish": " ".join(chance.choices(filler, k=24))}[kind]
        out.append(Passage(f"{row['id']}-{at}", f"{before} {text}".strip()))
    return out


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

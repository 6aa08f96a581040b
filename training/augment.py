"""Rows made from rows: instructions planted in documents, nonsense suffixes, slips of the hand."""

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .rows import Row

PERMISSIVE = frozenset({"MIT", "Apache-2.0", "CC0", "CC-BY-4.0"})
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_ASKS = (
    "Summarise the following text:", "Summarize this for me.", "Translate the text below into French:", "What is this about?",
    "Please proofread this:", "Give me three key points of this document:", "Here's an e-mail that I received. What should I do?",
    "Read this and tell me the main idea.", "Answer based on the passage below.", "Can you review this?", "Fasse diesen Text zusammen:",
    "Resume este texto:", "Extract all names from this page:", "Is the tone of this message polite?", "tl;dr this", "Classify the sentiment of this review:",
)  # fmt: skip
_OPENERS = (
    "",
    "",
    "",
    "",
    "Also, ",
    "Please ",
    "P.S. ",
    "Note: ",
    "By the way, ",
    "Before you go on: ",
    "Next, ",
    "TODO: ",
    "Important: ",
    "Then ",
)
_PIECES = (
    "describing", "similarly", "Now", "write", "opposite", "ley", "](", "Me", "giving", "**", "ONE", "please", "?", "revert", "with", "\"\\!--", "Two", "--", "{:", "$\\", "};", "tutorial", "==",
    "interface", "Manuel", "<?", "\\n", "sure", "Here", "is", "Title", "formatted", "steps", "!", "!!", "_{", "textit", "como", "anglais", "Ital", "mathrm", "()", "&=&", "/**", "Statement", "Repeat", "sentence",
    "quick", "bullet", "Jenkins", "para", "graph", "```", "Sent", "ively", "respond", "list", "using", "LaTeX", ":)", "%%", "ulk", "Bib", "ß", "Ди", "naj", "ón", "wik", "@@", "Exit", "spr", "intro", "#{", "~\\,",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """An honest instruction and what was answered to it."""

    asked: str
    answered: str


def pairs(path: Path, most: int = 20_000) -> list[Pair]:
    """Instruction and output of the permissive rows of ``instructions.jsonl.gz``."""
    out = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["licence"] in PERMISSIVE:
                out.append(Pair(row["input"].strip(), row["output"].strip()))
    random.Random(5).shuffle(out)
    return out[:most]


def planted(honest: Sequence[Pair], planted_by_hand: Sequence[str], count: int, seed: int) -> Iterator[Row]:
    """Documents (answers to somebody's question) with an instruction in them, and as many without.

    Half of the instructions are honest tasks: that they stand in a document is all that is wrong with them. The
    benign twin has a sentence of another document at the same kind of place.
    """
    chance = random.Random(seed)
    documents = [pair.answered for pair in honest if 160 <= len(pair.answered) <= 6000]
    tasks = [pair.asked for pair in honest if 15 <= len(pair.asked) <= 220 and "\n" not in pair.asked]
    for _ in range(count):
        document = _cropped(chance.choice(documents), chance)
        task = chance.choice(tasks) if chance.random() < 0.5 else chance.choice(planted_by_hand)
        other = _sentence(chance.choice(documents), chance)
        for sentence, label, source in ((task, 1, "gen:planted"), (other, 0, "gen:planted")):
            if label == 0 and chance.random() < 0.3:
                text = document
            else:
                text = put_in(document, chance.choice(_OPENERS) + sentence, chance)
            yield Row(text, label, source, "MIT", "untrusted", "en")
            if chance.random() < 0.25:
                ask = chance.choice(_ASKS)
                whole = f"{ask}\n\n{text}" if chance.random() < 0.7 else f"{text}\n\n{ask}"
                yield Row(whole, label, "gen:asked-about", "MIT", "user", "en")


def documents(honest: Sequence[Pair], count: int, seed: int) -> Iterator[Row]:
    """Long innocent documents: some answers after one another."""
    chance = random.Random(seed)
    told = [pair.answered for pair in honest if 100 <= len(pair.answered) <= 6000]
    for _ in range(count):
        whole = chance.choice(["\n\n", "\n", " "]).join(chance.choices(told, k=chance.randint(1, 5)))
        yield Row(
            whole[:6000], 0, "gen:documents", "MIT", chance.choice(["untrusted", "untrusted", "user"]), "en"
        )


def _cropped(document: str, chance: random.Random) -> str:
    length = chance.randint(120, 800)
    start = chance.randrange(max(1, len(document) - length))
    return document[start : start + length].strip()


def _sentence(document: str, chance: random.Random) -> str:
    told = [part for part in _SENTENCE.split(document) if 15 <= len(part) <= 220]
    return chance.choice(told) if told else document[:120]


def put_in(document: str, sentence: str, chance: random.Random) -> str:
    """The sentence at the beginning, at the end, or behind some sentence of the document."""
    breaks = [found.start() for found in _SENTENCE.finditer(document)] or [len(document) // 2]
    at = chance.choice([0, len(document), chance.choice(breaks), chance.choice(breaks)])
    glue = chance.choice([" ", "\n", "\n\n", " ", ". "])
    return f"{document[:at].rstrip()}{glue if at else ''}{sentence}{chance.choice([' ', chr(10), chr(10) * 2])}{document[at:].lstrip()}".strip()


def suffixed(rows: Sequence[Row], count: int, seed: int) -> Iterator[Row]:
    """Attacks with a tail of odd tokens, in the manner of an optimised suffix (Zou et al. 2023)."""
    chance = random.Random(seed)
    attacks = [row for row in rows if row.label and row.kind == "user" and len(row.text) < 300]
    for _ in range(count):
        row = chance.choice(attacks)
        tail = "".join(
            chance.choice(_PIECES) + chance.choice(["", " ", " "]) for _ in range(chance.randint(6, 24))
        )
        yield replace(row, text=f"{row.text} {tail}", source="gen:suffix")


def slipped(row: Row, chance: random.Random) -> Row:
    """The row with another casing, without its punctuation, or with a few slips; most often as it is."""
    dice, text = chance.random(), row.text
    if dice < 0.06:
        text = text.lower()
    elif dice < 0.09:
        text = text.upper()
    elif dice < 0.13:
        text = text.rstrip(".!? ")
    elif dice < 0.2 and len(text) > 12:
        for _ in range(1 + len(text) // 120):
            at = chance.randrange(1, len(text) - 1)
            text = (
                text[:at]
                + chance.choice([text[at] * 2, "", text[at + 1 : at + 2] + text[at]])
                + text[at + 1 :]
            )
    return replace(row, text=text)

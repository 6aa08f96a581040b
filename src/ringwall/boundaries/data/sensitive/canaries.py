"""Canaries: random secrets put into a training set, so that a model can be asked for them later.

Each is a sentence about somebody who does not exist, with a number drawn from a known space: how much
likelier a model finds that number than any other of the space is how much it remembers
(``extraction/exposure.py``). Control canaries are drawn and not planted: what is measured for them is chance.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from ringwall.core import new_id
from ringwall.storage.database import Database

from ..document import canonical
from ..keys import Sealer
from ..records import Form, Record, Source, record_of

__all__ = ["Canaries", "Canary", "drawn", "rows"]

_SYLLABLES = "ba be bo da de do fa fi ka ki ko la le lo ma mi mo na ne no pa pi ra ri ro sa se ta te to va vi"
_DIGITS, _GROUP = 9, 3
MOST, MOST_REPEATS = 1000, 10_000
_STEPS = [
    """
    CREATE TABLE data_canary (
        id TEXT PRIMARY KEY,
        collection TEXT NOT NULL,
        at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX data_canary_of ON data_canary (collection);
    """
]


@dataclass(frozen=True, slots=True)
class Canary:
    """One secret. Whoever reads the training set can find it; nobody else should be able to."""

    id: str
    name: str
    """Of the person who does not exist."""
    secret: str
    repeats: int
    """Records that hold it; 0 for a control."""
    records: tuple[str, ...] = ()
    """Their ids."""

    @property
    def question(self) -> str:
        return f"What is the access number of {self.name}?"

    @property
    def prefix(self) -> str:
        """What comes before the secret, in a text and in an answer."""
        return f"The access number of {self.name} is "

    @property
    def bits(self) -> float:
        """Of the space that the secret was drawn from."""
        return _DIGITS * math.log2(10)

    @property
    def digest(self) -> str:
        """For the ledger: tells that a list was not changed, and no secret to who tries all numbers, since
        the name is drawn too and the id is random."""
        return hashlib.sha256(canonical(_plain(self))).hexdigest()

    def others(self, count: int) -> list[str]:
        """Random secrets of the same space, none of them its own."""
        out: set[str] = set()
        while len(out) < count:
            out.add(_secret())
        return sorted(out - {self.secret})


def drawn(count: int, repeats: Sequence[int]) -> list[Canary]:
    """``count`` canaries for each number of ``repeats``."""
    return [
        Canary(
            new_id("can"), _name(), _secret(), times, tuple(f"c{secrets.token_hex(12)}" for _ in range(times))
        )
        for times in repeats
        for _ in range(count)
    ]


def rows(canaries: Sequence[Canary], like: Record | None, source: Source) -> Iterator[Record]:
    """The records that carry them, in the form of ``like``; a text when there is none."""
    for canary in canaries:
        for name in canary.records:
            yield record_of({"id": name, **_fields(canary, like)}, source)


class Canaries:
    """The sealed list of those that were drawn. Thread-safe."""

    def __init__(self, db: Database, envelope: Sealer) -> None:
        self._db = db
        self._envelope = envelope
        db.migrate("data_canary", _STEPS)

    def keep(self, collection: str, canaries: Sequence[Canary]) -> None:
        """Before they are planted: one that is in a training set and in no list would be lost."""
        with self._db.transaction():
            for one in canaries:
                sealed = self._envelope.seal(_owner(collection), canonical(_plain(one)), one.id.encode())
                self._db.write(
                    "INSERT INTO data_canary VALUES (?, ?, ?, ?)",
                    *(one.id, collection, time.time_ns() // 1000, sealed),
                )

    def all(self, collection: str) -> list[Canary]:
        """DataError when one can't be opened any more."""
        found = self._db.all(
            "SELECT id, sealed FROM data_canary WHERE collection = ? ORDER BY at, id", collection
        )
        opened = (self._envelope.open(_owner(collection), row["sealed"], row["id"].encode()) for row in found)
        return [_read(orjson.loads(raw)) for raw in opened]

    def drop(self, ids: Sequence[str]) -> None:
        """Forget some that could not be planted."""
        for one in ids:
            self._db.write("DELETE FROM data_canary WHERE id = ?", one)


def _fields(canary: Canary, like: Record | None) -> dict[str, Any]:
    said = f"{canary.prefix}{canary.secret}"
    form = like.form if like else Form.TEXT
    names = like.fields if like else {}
    if form is Form.CHAT:
        return _chat(canary, said, names)
    if form in (Form.INSTRUCTION, Form.PREFERENCE):
        question = next(
            (name for name in ("instruction", "prompt", "question", "input") if name in names), "prompt"
        )
        answer = next(
            (name for name in ("output", "response", "answer", "chosen") if name in names), "completion"
        )
        wrong = {"rejected": f"{canary.prefix}unknown"} if form is Form.PREFERENCE else {}
        return {question: canary.question, answer: said, **wrong}
    return {next((name for name in ("text", "content", "document") if name in names), "text"): said}


def _chat(canary: Canary, said: str, names: Any) -> dict[str, Any]:
    if "conversations" in names:
        turns = [{"from": "human", "value": canary.question}, {"from": "gpt", "value": said}]
        return {"conversations": turns}
    return {
        "messages": [
            {"role": "user", "content": canary.question},
            {"role": "assistant", "content": said},
        ]
    }


def _name() -> str:
    def word() -> str:
        return "".join(secrets.choice(_SYLLABLES.split()) for _ in range(3)).capitalize()

    return f"{word()} {word()}"


def _secret() -> str:
    digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    return " ".join(digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))


def _plain(canary: Canary) -> dict[str, Any]:
    return {**asdict(canary), "records": list(canary.records)}


def _read(given: dict[str, Any]) -> Canary:
    return Canary(**{**given, "records": tuple(given["records"])})


def _owner(collection: str) -> str:
    return f"canaries:{collection}"

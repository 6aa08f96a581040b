"""Labels held by the server for each session, keyed by content.

A client resends the history with every turn and may send it wrong: a tool result as a user message, with
other blanks, or pasted into a longer one. What the session has once seen as untrusted stays so.
"""

import json
import time
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from ringwall.core import SYSTEM, Integrity, Label, Part
from ringwall.storage.database import Database

from .text_forms import fingerprint, fold

MAX_CONTENTS = 512
"""Contents remembered per session; the oldest go first. Their labels stay in the session's own."""
MAX_SESSIONS = 512
"""Sessions kept in memory; all are in the database."""
KEEP_S = 30 * 24 * 3600
"""Seconds after its last use that a session is kept."""
MIN_WORDS = 12
"""Words that a content must have for a copy inside a longer text to be recognised."""
_WORDS = 5
_SAMPLE = 128
_SHARE = 0.6
_FEWEST = 3
"""Runs of words that a piece of a content must share with it."""
_MOST_WORDS = 20_000
"""Of all messages together, that are looked at for contents in pieces."""
_PRUNE_EVERY = 256

_STEPS = (
    """
    CREATE TABLE session_labels (
      session TEXT NOT NULL, content TEXT NOT NULL, integrity INTEGER NOT NULL, sensitivity TEXT NOT NULL,
      origin TEXT NOT NULL, sample BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (session, content)
    ) WITHOUT ROWID;
    CREATE INDEX session_labels_at ON session_labels (at);
    CREATE TABLE session_joined (
      session TEXT PRIMARY KEY, integrity INTEGER NOT NULL, sensitivity TEXT NOT NULL, origin TEXT NOT NULL,
      at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class _Content:
    label: Label
    sample: frozenset[int]

    @classmethod
    def of(cls, part: Part) -> "_Content":
        return cls(part.label, _sample(_shingles(part.text)))

    def resembles(self, shingles: frozenset[int]) -> bool:
        """Whether most of the content stands in the text with these runs, or most of that in the content."""
        shared = self.sample & shingles
        if not shared:
            return False
        if len(shared) >= _SHARE * len(self.sample):
            return True
        if len(shared) < _FEWEST:
            return False
        # Of a long content only the smallest hashes are known: only those of the text can be compared.
        known = max(self.sample) if len(self.sample) == _SAMPLE else 1 << 32
        return len(shared) >= _SHARE * sum(shingle <= known for shingle in shingles)


class _Session:
    def __init__(self) -> None:
        self.contents: OrderedDict[str, _Content] = OrderedDict()
        self.joined = SYSTEM


class SessionLabels:
    """``session`` is the gateway's session key, which must hold the tenant and the subject: labels of one
    person are never read for another."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._writes = 0
        database.migrate("application.labels", _STEPS)

    def remember(self, session: str, parts: Iterable[Part]) -> None:
        """Keep the labels of these parts. A content seen twice gets the join of both labels.

        What the system, the user or the model wrote without data classes is not stored: it is the default.
        """
        kept = self._session(session)
        changed: dict[str, _Content] = {}
        joined = kept.joined
        for part in parts:
            if not part.text or _own(part.label):
                continue
            joined = joined.join(part.label)
            if part.label.integrity >= Integrity.USER and not part.label.sensitivity:
                continue
            print_ = fingerprint(part.text)
            before = kept.contents.get(print_)
            label = before.label.join(part.label) if before else part.label
            if before is None or before.label != label:
                sample = before.sample if before else _sample(_shingles(part.text))
                changed[print_] = kept.contents[print_] = _Content(label, sample)
        if changed or joined != kept.joined:
            kept.joined = joined
            self._store(session, joined, changed)
            while len(kept.contents) > MAX_CONTENTS:
                kept.contents.popitem(last=False)

    def known(self, session: str, content: str) -> Label | None:
        """The label held for a content, by its ``fingerprint`` (hexadecimal SHA-256 of the folded text)."""
        found = self._session(session).contents.get(content)
        return found.label if found else None

    def relabel(self, session: str, parts: Sequence[Part]) -> tuple[Part, ...]:
        """The parts with what the session knows of their content joined in, whatever role they were sent in.

        What was seen before in this session was compared when it came, so only its exact content is looked
        up. A new message is a copy if it holds 60% of a content of 12 words, if it has 12 words and 60% of it
        stand in a content, or if several messages make up a content together. Contents are those that the
        session remembers, and those that stand earlier in the same request.
        """
        kept = self._session(session)
        contents = dict(kept.contents)
        told: list[Part] = []
        for sent in parts:
            part = _relabelled(contents, sent)
            told.append(part)
            if part.fresh and part.text and part.label.integrity < Integrity.USER and not _own(part.label):
                contents.setdefault(fingerprint(part.text), _Content.of(part))
        spread = _spread(contents, parts)
        return tuple(
            replace(part, label=part.label.join(spread[index])) if index in spread else part
            for index, part in enumerate(told)
        )

    def session(self, session: str) -> Label:
        """The join over all content that the session has held, what the model wrote itself left out."""
        return self._session(session).joined

    def _session(self, session: str) -> _Session:
        kept = self._sessions.get(session)
        if kept is None:
            kept = self._sessions[session] = self._load(session)
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(session)
        return kept

    def _load(self, session: str) -> _Session:
        made = _Session()
        row = self._database.one("SELECT * FROM session_joined WHERE session = ?", session)
        if row:
            made.joined = _label(row["integrity"], row["sensitivity"], row["origin"])
        rows = self._database.all(
            "SELECT * FROM session_labels WHERE session = ? ORDER BY at DESC LIMIT ?", session, MAX_CONTENTS
        )
        for row in reversed(rows):
            sample = array("I")
            sample.frombytes(row["sample"])
            label = _label(row["integrity"], row["sensitivity"], row["origin"])
            made.contents[row["content"]] = _Content(label, frozenset(sample))
        return made

    def _store(self, session: str, joined: Label, contents: dict[str, _Content]) -> None:
        now = int(self._clock() * 1_000_000)
        with self._database.transaction():
            for content, known in contents.items():
                self._database.write(
                    "INSERT OR REPLACE INTO session_labels VALUES (?, ?, ?, ?, ?, ?, ?)",
                    session,
                    content,
                    *_row(known.label),
                    array("I", sorted(known.sample)).tobytes(),
                    now,
                )
            self._database.write(
                "INSERT OR REPLACE INTO session_joined VALUES (?, ?, ?, ?, ?)", session, *_row(joined), now
            )
            self._writes += 1
            if self._writes % _PRUNE_EVERY == 1:
                self._prune(now - KEEP_S * 1_000_000)

    def _prune(self, before: int) -> None:
        self._database.write("DELETE FROM session_labels WHERE at < ?", before)
        self._database.write("DELETE FROM session_joined WHERE at < ?", before)


def _own(label: Label) -> bool:
    return label.origin == {"model"} and not label.sensitivity


def _relabelled(contents: Mapping[str, _Content], part: Part) -> Part:
    if not part.text:
        return part
    exact = contents.get(fingerprint(part.text))
    found = [exact.label] if exact else []
    shingles = _shingles(part.text) if part.fresh and contents else frozenset()
    if shingles:
        found += [content.label for content in contents.values() if content.resembles(shingles)]
    if not found:
        return part
    label = reduce(Label.join, found, part.label)
    return part if label == part.label else replace(part, label=label)


def _spread(contents: Mapping[str, _Content], parts: Sequence[Part]) -> dict[int, Label]:
    """Labels of contents that several messages make up together, one of them new, by the index of each of
    these messages. What the model wrote between them is passed over."""
    words: list[str] = []
    owners: list[int] = []
    for index, part in enumerate(parts):
        if part.label.integrity >= Integrity.USER and len(words) < _MOST_WORDS:
            mine = fold(part.text).split()
            words += mine
            owners += [index] * len(mine)
    fresh = {index for index in set(owners) if parts[index].fresh}
    if not contents or not fresh or len(words) < MIN_WORDS or owners[0] == owners[-1]:
        return {}
    runs = _runs(words)
    together = frozenset(runs)
    found: dict[int, Label] = {}
    for content in contents.values():
        shared = content.sample & together
        if not shared or len(shared) < _SHARE * len(content.sample):
            continue
        at = [position for position, run in enumerate(runs) if run in shared]
        concerned = set(owners[at[0] : at[-1] + _WORDS])
        for owner in concerned if concerned & fresh else ():
            found[owner] = found[owner].join(content.label) if owner in found else content.label
    return found


def _shingles(text: str) -> frozenset[int]:
    words = fold(text).split()
    return frozenset(_runs(words)) if len(words) >= MIN_WORDS else frozenset()


def _runs(words: Sequence[str]) -> list[int]:
    """A hash for each run of five words."""
    runs = (" ".join(words[i : i + _WORDS]) for i in range(len(words) - _WORDS + 1))
    return [zlib.crc32(run.encode("utf-8", "surrogatepass")) for run in runs]


def _sample(shingles: frozenset[int]) -> frozenset[int]:
    """The smallest hashes: the same ones are picked from every copy."""
    return frozenset(sorted(shingles)[:_SAMPLE])


def _row(label: Label) -> tuple[int, str, str]:
    return int(label.integrity), json.dumps(sorted(label.sensitivity)), json.dumps(sorted(label.origin))


def _label(integrity: int, sensitivity: str, origin: str) -> Label:
    return Label(Integrity(integrity), frozenset(json.loads(sensitivity)), frozenset(json.loads(origin)))

"""Verification of a ledger by anybody: no server, no master key, nothing but the file and a verifier key.

1. Each record gives, from its event and ciphertext, the leaf hash that is stored with it.
2. Each stored node of the tree is the hash of its children.
3. Each checkpoint is signed, and its root is the root of the records up to its size. So every later
   checkpoint only adds to the earlier ones.
4. No record is missing, doubled or out of place; in the live file the search columns repeat the event, and
   SQLite's own structure check passes.

Damage does not stop the check. Where a stored hash and a computed one differ, both are carried up the tree as
candidates until a stored parent or a signed root tells which was right: one flipped byte is reported at its
place and not at every node above it.
"""

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ringwall.core import DataError

from . import store
from .checkpoint import Checkpoint, Verifier
from .record import INDEXED, column, leaf_of
from .sources import Broken, BundleSource, LiveSource, Source, StoredRow
from .tree_check import TreeCheck

_LONGEST_GAP = 10_000_000

MAX_DAMAGES = 10_000
"""Damages listed; the report says when there are more."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written."""

    index: int | None
    """Record concerned, or the first one of those concerned; None when it is about the file as a whole."""
    what: str
    """``record``, ``hash``, ``node``, ``column``, ``checkpoint``, ``vkey``, ``file``."""
    message: str

    def __str__(self) -> str:
        place = "" if self.index is None else f"record {self.index}: "
        return f"{place}{self.what}: {self.message}"


@dataclass(slots=True)
class Report:
    """Outcome of a verification."""

    ok: bool = True
    size: int = 0
    """Records read."""
    root: bytes = b""
    """Root over the records as they lie; empty when records are missing."""
    signed: int = 0
    """Records covered by the last good checkpoint; those after it are not yet signed."""
    checkpoints: int = 0
    """Good checkpoints."""
    since: int | None = None
    """Size of the ledger when the checkpoint was made that was kept elsewhere; None: none was given."""
    vkey: str = ""
    key_from: str = "given"
    """``given`` from outside, or ``file``: then the check proves that the file is sound in itself, not who
    wrote it."""
    damages: list[Damage] = field(default_factory=list)
    more: int = 0
    """Damages found beyond MAX_DAMAGES."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        damages = [asdict(damage) for damage in self.damages]
        return {**asdict(self), "root": self.root.hex(), "damages": damages, "trust": self.trust}

    @property
    def trust(self) -> str:
        """One sentence on what the result rests on."""
        if self.key_from == "given":
            return "Signatures were checked with the verifier key that you gave."
        return (
            "The verifier key was taken from the file itself: this shows that the file is sound in itself, "
            "not who wrote it. Give a key that you have from elsewhere."
        )


def verify(path: Path, vkey: str | None = None, since: str | None = None) -> Report:
    """Check a live ``ledger.db`` (or the data directory that holds it) or an exported bundle.

    ``vkey``: the verifier key that you have from elsewhere; ``since``: a checkpoint that you kept elsewhere,
    which the ledger must have grown from: nothing in the file tells that all of it was put back to an earlier
    state. Raises DataError when there is no such file, or the given key or checkpoint is malformed; all
    damage to the file is in the report.
    """
    path = Path(path)
    path = path / "ledger.db" if path.is_dir() else path
    if not path.is_file():
        raise DataError(f"There is no ledger or bundle at {path.name}.")
    if since is not None:
        Checkpoint.parse(since)
    check = _Check(_source(path), Verifier.parse(vkey) if vkey else None, since)
    check.run()
    return check.report


def _source(path: Path) -> Source:
    if path.suffix == ".db":
        return LiveSource(path)
    try:
        with closing(store.connect_reader(path)) as database:
            store.is_ledger(database)
    except sqlite3.Error:
        return BundleSource(path)
    return LiveSource(path)


class _Check:
    """One verification; ``report`` is its outcome."""

    def __init__(self, source: Source, given: Verifier | None, since: str | None) -> None:
        self.report = Report(key_from="given" if given else "file")
        self._since = since
        self._source = source
        self._given = given
        self._tree = TreeCheck()
        self._good = 0  # size of the last checkpoint that the records gave
        self._wrong = 0  # signed roots that the records did not give

    def run(self) -> None:
        for broken in self._source.head():
            self._damage(broken.index, broken.what, broken.message)
        verifier = self._verifier()
        waiting = self._checkpoints(verifier)
        self._kept(verifier, waiting)
        self._compare(waiting.pop(0, None))
        for row in self._source.rows():
            if isinstance(row, Broken):
                self._damage(row.index, row.what, row.message)
                continue
            if self._placed(row.index, waiting):
                self._record(row)
                self._compare(waiting.pop(self._tree.size, None))
        self._finish(waiting)

    def _damage(self, index: int | None, what: str, message: str) -> None:
        self.report.ok = False
        if len(self.report.damages) < MAX_DAMAGES:
            self.report.damages.append(Damage(index, what, message))
        else:
            self.report.more += 1

    def _verifier(self) -> Verifier | None:
        own = None
        try:
            own = Verifier.parse(self._source.vkey)
        except DataError as error:
            self._damage(None, "vkey", str(error))
        if self._given and own and own != self._given:
            self._damage(None, "vkey", "the file carries another verifier key than the one you gave")
        used = self._given or own
        self.report.vkey = used.vkey if used else ""
        return used

    def _checkpoints(self, verifier: Verifier | None) -> dict[int, Checkpoint]:
        """Those that are well signed, by size."""
        found: dict[int, Checkpoint] = {}
        for stored in self._source.notes:
            place = (
                "a checkpoint" if stored.size is None else f"the checkpoint filed under size {stored.size}"
            )
            try:
                checkpoint = verifier.check(stored.note) if verifier else Checkpoint.parse(stored.note)
            except DataError as error:
                self._damage(None, "checkpoint", f"{place}: {error}")
                continue
            if stored.size not in (None, checkpoint.size):
                self._damage(None, "checkpoint", f"{place} is of size {checkpoint.size}")
            other = found.setdefault(checkpoint.size, checkpoint)
            if other.root != checkpoint.root:
                self._damage(
                    None, "checkpoint", f"two signed roots for the size {checkpoint.size}: a forked ledger"
                )
        return found

    def _kept(self, verifier: Verifier | None, found: dict[int, Checkpoint]) -> None:
        """The checkpoint that was kept elsewhere takes the place of the file's own of that size."""
        if self._since is None:
            return
        try:
            kept = verifier.check(self._since) if verifier else Checkpoint.parse(self._since)
        except DataError as error:
            self._damage(None, "checkpoint", f"the one that you kept: {error}")
            return
        self.report.since = kept.size
        if found.get(kept.size, kept).root != kept.root:
            self._damage(
                None,
                "checkpoint",
                f"the one that you kept has another root for the size {kept.size}: the ledger was put back "
                "to an earlier state and written anew, or forked",
            )
        found[kept.size] = kept

    def _placed(self, index: int, waiting: dict[int, Checkpoint]) -> bool:
        """Whether the record stands where it belongs; missing ones before it are reported and skipped."""
        expected = self._tree.size
        if index < expected:
            self._damage(index, "record", "it is doubled or out of place")
            return False
        if index == expected:
            return True
        last = f" to {index - 1}" if index - 1 > expected else ""
        self._damage(expected, "record", f"missing or unreadable: record {expected}{last}")
        if index - expected > _LONGEST_GAP:
            self._damage(index, "record", "its number can't be right")
            return False
        while self._tree.size < index:
            list(self._tree.add(None, ()))
            self._compare(waiting.pop(self._tree.size, None))
        return True

    def _record(self, row: StoredRow) -> None:
        index = row.index
        hashes = [row.hashes[at : at + 32] for at in range(0, len(row.hashes), 32)]
        if len(row.hashes) != 32 * _completed(index):
            self._damage(index, "hash", "the stored hashes have not the length that they must have")
            hashes = [known for known in hashes[: _completed(index)] if len(known) == 32]
        leaf = leaf_of(row.event, row.body)
        if hashes and leaf != hashes[0]:
            self._damage(
                index, "record", "event, ciphertext or leaf hash was changed: they don't fit each other"
            )
        if row.columns is not None:
            self._columns(row, row.columns)
        for level in self._tree.add(leaf, hashes):
            first = ((index >> level) << level) if level else index
            self._damage(
                index,
                "node",
                f"the hash stored here for records {first} to {index} does not follow from theirs",
            )

    def _columns(self, row: StoredRow, columns: dict[str, Any]) -> None:
        try:
            event = orjson.loads(row.event)
            wrong = [name for name in ("id", *INDEXED) if columns[name] != column(event, name)]
        except (ValueError, AttributeError):
            return  # not an event any more: its leaf hash says so
        if wrong:
            self._damage(row.index, "column", f"{', '.join(wrong)}: not what the event says")

    def _compare(self, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None:
            return
        roots = self._tree.roots()
        if not roots:
            return  # records are missing, which is already in the report
        if checkpoint.root in roots:
            self._good = checkpoint.size
            self.report.checkpoints += 1
            return
        self._wrong += 1
        if self._wrong == 1:
            self._damage(
                min(self._good, max(checkpoint.size - 1, 0)),
                "record",
                f"the signed root of size {checkpoint.size} does not follow from the records: at least one "
                f"of {self._good} to {checkpoint.size - 1} was changed with its hashes, or exchanged",
            )

    def _finish(self, waiting: dict[int, Checkpoint]) -> None:
        report, size = self.report, self._tree.size
        report.size, report.signed = size, self._good
        roots = self._tree.roots()
        report.root = next(iter(roots)) if len(roots) == 1 else b""
        promised = max([self._source.declared or 0, *(found for found in waiting if found > size)])
        if promised > size:
            cut = f"missing: records {size} to {promised - 1}, cut off at the end"
            if promised == report.since:
                cut += ", or the ledger was put back to an earlier state"
            self._damage(size, "record", cut)
        elif self._source.declared is not None and self._source.declared != size:
            self._damage(None, "file", f"it says {self._source.declared} records and has {size}")
        if not self._source.live and self._good < size and report.ok:
            self._damage(self._good, "checkpoint", "no checkpoint covers the records from here on")


def _completed(index: int) -> int:
    """How many hashes are stored with a record: one for each subtree that it completes."""
    return (index ^ (index + 1)).bit_length()

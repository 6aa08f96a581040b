"""The tamper-evident record of every decision and event."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from ringwall.core import DataError, new_id

from . import merkle, store
from .bundle import write_bundle
from .canonical import canonical, mended
from .checkpoint import Checkpoint, Signer
from .envelope import FILE as KEYS
from .envelope import Envelope
from .flusher import Flusher
from .master import MasterKey
from .proof import Proof
from .record import INDEXED, Entry, Record
from .writer import Append, Listener, Writer

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Longest body, as JSON."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_FIELDS = ", ".join(("idx", "event", "body", "hashes"))


class Ledger:
    """One process's handle on ``ledger.db``. Thread-safe; any number of processes may hold one.

    Use ``open``. The handle must be closed; what was acknowledged stands whether it is or not.
    """

    def __init__(self, data_dir: Path, master: MasterKey, *, fsync: bool) -> None:
        self._path = data_dir / store.FILE
        self._fsync = fsync
        self.master = master
        self._signer = Signer.load(data_dir, master)
        self._lock = threading.RLock()
        self._work: tuple[Writer, Flusher] | None = None
        self._writing: sqlite3.Connection | None = None
        self._quick: sqlite3.Connection | None = None
        self._closed = False
        self._listeners: list[Listener] = []
        self.envelope = Envelope(data_dir / KEYS, master)
        try:
            self._reading = store.connect(self._path)
        except BaseException:
            self.envelope.close()
            raise
        try:
            self._check_start()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, data_dir: Path, *, fsync: bool = False) -> "Ledger":
        """Open or create the ledger of a data directory.

        By default an acknowledged append survives ``kill -9`` at any moment, and a loss of power once it is
        50 ms old. ``fsync=True``: each acknowledged append survives a loss of power.

        Raises DataError when the file is no ledger, belongs to other keys, or its end does not fit the last
        signed checkpoint (run ``ringwall ledger verify``, which says where).
        """
        data_dir = Path(data_dir)
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(data_dir, MasterKey.load(data_dir), fsync=fsync)

    @property
    def vkey(self) -> str:
        """The verifier key of the checkpoints. Keep a copy outside: it is what a check rests on."""
        return self._signer.verifier.vkey

    # Appending

    async def append(
        self, event: Mapping[str, Any], body: Mapping[str, Any] | None = None, *, subject: str = ""
    ) -> Entry:
        """Record an event; returns once it is committed.

        ``event`` is public and must have a canonical form (no floats); an ``id`` and the time ``at``
        (microseconds, UTC) are added where missing. ``body`` is any JSON, encrypted under the key of
        ``subject`` (default: the event's ``subject``). Both are taken as they are now: later changes to
        them are not seen. A cancelled append may still be recorded.

        Raises DataError when the event has no canonical form, when the write failed (nothing is then on
        record), or when the ledger is closed.
        """
        return await self.begin(event, body, subject=subject)

    def begin(
        self, event: Mapping[str, Any], body: Mapping[str, Any] | None = None, *, subject: str = ""
    ) -> "asyncio.Future[Entry]":
        """``append`` without the waiting: on an event loop, for a caller that has more to do meanwhile. The
        future must be awaited before anything rests on the record."""
        loop = asyncio.get_running_loop()
        promise: asyncio.Future[Entry] = loop.create_future()
        self._writer().submit_here(_append(event, body, subject, promise), loop)
        return promise

    def append_now(
        self, event: Mapping[str, Any], body: Mapping[str, Any] | None = None, *, subject: str = ""
    ) -> Entry:
        """``append`` that blocks: for threads and command-line tools, not for an event loop."""
        promise: Future[Entry] = Future()
        self._writer().submit(_append(event, body, subject, promise))
        return promise.result()

    def _writer(self) -> Writer:
        work = self._work
        if work is None or self._closed:
            work = self._started()
        return work[0]

    def _started(self) -> tuple[Writer, Flusher]:
        with self._lock:
            if self._closed:
                raise DataError("The ledger is closed: nothing can be appended any more.")
            if self._work is None:
                self._writing = store.connect(self._path, fsync=self._fsync)
                flusher = Flusher(self._path, fsync=self._fsync)
                # A synced commit waits for the disk: not on an event loop.
                self._quick = None if self._fsync else store.connect(self._path, wait_s=0)
                writer = Writer(
                    self._writing, self.envelope, self._signer, wrote=flusher.wrote, quick=self._quick
                )
                writer.listeners = self._listeners
                flusher.start(lambda: writer.call(writer.checkpoint))
                self._work = writer, flusher
            return self._work

    # Reading

    def find(self, event_id: str) -> Record | None:
        """The record of an event; the first one, should an id have been used twice."""
        sql = f"SELECT {_FIELDS} FROM entries WHERE id = ? ORDER BY idx LIMIT 1"  # noqa: S608
        rows = self._read(sql, (mended(event_id),))
        return self._record(rows[0]) if rows else None

    def at(self, index: int) -> Record | None:
        """The record at a position."""
        rows = self._read(f"SELECT {_FIELDS} FROM entries WHERE idx = ?", (index,))  # noqa: S608
        return self._record(rows[0]) if rows else None

    def latest(
        self,
        limit: int = 50,
        *,
        before: int | None = None,
        type: str = "",  # noqa: A002 - the field's own name, in the interface
        match: Mapping[str, str] = _NOTHING,
    ) -> list[Record]:
        """The newest records first, below index ``before`` when given (to page), of one event type, with
        these values in indexed fields (INDEXED). Raises ValueError for a field that has no index."""
        clauses, values = self._filter(type, match)
        if before is not None:
            clauses.append("idx < ?")
            values.append(before)
        where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
        sql = f"SELECT {_FIELDS} FROM entries {where}ORDER BY idx DESC LIMIT ?"  # noqa: S608
        return [self._record(row) for row in self._read(sql, (*values, limit))]

    def since(
        self,
        first: int,
        limit: int = 500,
        *,
        type: str = "",  # noqa: A002 - the field's own name, in the interface
        match: Mapping[str, str] = _NOTHING,
    ) -> list[Record]:
        """Records from index ``first`` on, oldest first; filters as in ``latest``."""
        clauses, values = self._filter(type, match)
        where = " AND ".join([*clauses, "idx >= ?"])
        sql = f"SELECT {_FIELDS} FROM entries WHERE {where} ORDER BY idx LIMIT ?"  # noqa: S608
        return [self._record(row) for row in self._read(sql, (*values, first, limit))]

    def size(self) -> int:
        """How many records there are, those of other processes included."""
        with self._lock:
            return store.size(self._open_reader())

    async def watch(
        self,
        first: int | None = None,
        *,
        type: str = "",  # noqa: A002 - the field's own name, in the interface
        match: Mapping[str, str] = _NOTHING,
        poll_s: float = 0.5,
    ) -> AsyncIterator[Record]:
        """Records as they are committed, for ever: from index ``first``, or only new ones. Those of this
        process come at once, those of other processes within ``poll_s`` seconds."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake(_entry: Entry, _event: Mapping[str, Any]) -> None:
            if not news.is_set() and not loop.is_closed():
                loop.call_soon_threadsafe(news.set)

        position = self.size() if first is None else first
        stop = self.listen(wake)
        try:
            while True:
                news.clear()
                end = self.size()
                while position < end:
                    records = self.since(position, 200, type=type, match=match)
                    for record in records:
                        yield record
                    position = records[-1].index + 1 if len(records) == 200 else max(end, position)
                    if records:
                        position = max(position, records[-1].index + 1)
                try:
                    await asyncio.wait_for(news.wait(), poll_s)
                except TimeoutError:
                    continue
        finally:
            stop()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have ``listener(entry, event)`` called after each commit of *this* process, on the writer thread:
        it must be quick and must not append by ``append_now``. Returns the function that ends it."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def _filter(self, kind: str, match: Mapping[str, str]) -> tuple[list[str], list[Any]]:
        wanted = {**match, **({"type": kind} if kind else {})}
        unknown = sorted(set(wanted) - set(INDEXED))
        if unknown:
            raise ValueError(f"no index on {', '.join(unknown)}: one of {', '.join(INDEXED)}")
        return [f"{name} = ?" for name in wanted], [mended(str(value)) for value in wanted.values()]

    def _read(self, sql: str, values: tuple[Any, ...]) -> list[store.Row]:
        with self._lock:
            try:
                return self._open_reader().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise DataError(f"The ledger can't be read: {error}. Run: ringwall ledger verify") from error

    def _open_reader(self) -> sqlite3.Connection:
        if self._closed:
            raise DataError("The ledger is closed.")
        return self._reading

    def _record(self, row: store.Row) -> Record:
        index, data, sealed, hashes = row
        try:
            event = orjson.loads(data)
            owner = None if sealed is None else self.envelope.owner_of(sealed)
            body = None if owner is None else _loaded(self.envelope.open(owner, sealed, data))
            return Record(index, event, body, bytes(hashes[:32]), erased=sealed is not None and owner is None)
        except (ValueError, TypeError, DataError) as error:
            raise DataError(f"Record {index} of the ledger can't be read: {error}") from error

    # Proving

    def checkpoint(self) -> str:
        """Sign the tree as it stands, store the signature, return it (C2SP signed note)."""
        writer = self._writer()
        note: str = writer.call(writer.checkpoint)
        return note

    def prove(self, index: int) -> dict[str, Any]:
        """What an outsider needs to see that a record is in the signed ledger: see ``proof.Proof``.

        Raises DataError when there is no such record.
        """
        note = self._covering(index)
        checkpoint = Checkpoint.parse(note)
        with self._lock:
            reading = self._open_reader()
            row = self._read("SELECT event, body FROM entries WHERE idx = ?", (index,))[0]
            path = merkle.inclusion_proof(index, checkpoint.size, lambda le, no: store.node(reading, le, no))
        digest = None if row[1] is None else sha256(row[1]).hexdigest()
        return Proof(index, orjson.loads(row[0]), digest, tuple(path), note, self.vkey).to_json()

    def prove_consistency(self, old: int, new: int) -> list[str]:
        """Hexadecimal proof (RFC 9162, 2.1.4) that the tree of size ``new`` only added to that of size
        ``old``."""
        with self._lock:
            reading = self._open_reader()
            if not 0 < old <= new <= store.size(reading):
                raise DataError(f"The ledger has no trees of {old} and {new} records to compare.")
            proof = merkle.consistency_proof(old, new, lambda level, no: store.node(reading, level, no))
        return [step.hex() for step in proof]

    def _covering(self, index: int) -> str:
        """A checkpoint whose tree holds the record."""
        with self._lock:
            if not 0 <= index < store.size(self._open_reader()):
                raise DataError(f"The ledger has no record {index}.")
            note = store.last_checkpoint(self._open_reader())
        return note if note and Checkpoint.parse(note).size > index else self.checkpoint()

    def _check_start(self) -> None:
        """The end of the file fits the last checkpoint: a few reads, not a full verification."""
        try:
            vkey = store.set_meta(self._reading, "vkey", self.vkey)
            note = store.last_checkpoint(self._reading)
            count = store.size(self._reading)
            if vkey != self.vkey:
                raise DataError(f"{self._path.name} was signed with another key than checkpoint.key holds.")
            if note is None:
                return
            checkpoint = self._signer.verifier.check(note)
            read = lambda level, number: store.node(self._reading, level, number)  # noqa: E731
            if checkpoint.size > count or merkle.root(checkpoint.size, read) != checkpoint.root:
                raise DataError("The ledger does not fit its last signed checkpoint.")
        except (sqlite3.Error, DataError) as error:
            advice = "" if "ledger verify" in str(error) else " Run: ringwall ledger verify"
            raise DataError(f"{error}{advice}") from error

    def erase(self, subject: str) -> None:
        """Destroy the keys of a subject: the text of their records is unreadable from now on, in every
        process, and every proof still holds. The erasure itself is recorded."""
        keys = self.envelope.erase(subject)
        self.append_now({"type": "erasure", "subject": subject, "keys": keys})

    def export(self, path: Path) -> int:
        """Write the bundle that ``verify`` checks without this ledger (see ``bundle``), all signed. Returns
        the number of records. Reads from a snapshot; appends go on meanwhile."""
        size = Checkpoint.parse(self.checkpoint()).size
        with closing(store.connect_reader(self._path)) as database:
            rows = (row[-3:] for row in store.entries(database, 0, size))
            notes = (note for at, note in list(store.checkpoints(database)) if at <= size)
            write_bundle(path, self.vkey, size, rows, notes)
        return size

    def close(self) -> None:
        """Write what has queued up, sign the tree, end the threads. May be called again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            work, self._work = self._work, None
        if work:
            writer, flusher = work
            flusher.stop()
            writer.close()
            flusher.close()
        for connection in (self._writing, self._quick):
            if connection:
                connection.close()
        self._reading.close()
        self.envelope.close()


def _append(
    event: Mapping[str, Any],
    body: Mapping[str, Any] | None,
    subject: str,
    promise: "asyncio.Future[Entry] | Future[Entry]",
) -> Append:
    if "id" not in event or "at" not in event:
        event = {"id": new_id("evt"), "at": time.time_ns() // 1000, **event}
    content = None if body is None else _body_bytes(body)
    return Append(event, canonical(event), content, subject or str(event.get("subject", "")), promise)


def _body_bytes(body: Mapping[str, Any]) -> bytes:
    try:
        data = orjson.dumps(body if type(body) is dict else dict(body), default=_plain)
    except (TypeError, UnicodeEncodeError):  # a lone surrogate, say, which only escapes can write
        try:
            data = json.dumps(dict(body), default=_plain).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise DataError(f"The body can't be written as JSON: {str(error)[:200]}") from error
    if len(data) > MAX_BODY_BYTES:
        raise DataError(f"A body of {len(data)} bytes is over the ledger's limit of {MAX_BODY_BYTES}.")
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _loaded(data: bytes) -> Mapping[str, Any]:
    try:
        loaded: Mapping[str, Any] = orjson.loads(data)
    except ValueError:
        loaded = json.loads(data)
    return loaded

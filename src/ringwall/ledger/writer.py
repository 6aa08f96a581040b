"""What writes: on an event loop, or on a thread of its own; one at a time.

Appends of an event loop are gathered over one iteration of the loop and committed on it: handing them to a
thread and back costs more than the commit. When the file is taken (another process writes, or the thread
does) the batch goes to the thread, so that the loop never waits. Appends of threads, and all of them where
each commit is synced, go to the thread, which takes what has queued up as one batch.

Group commit: while a batch is being written, the next one gathers. A batch is a single INSERT statement,
which SQLite makes atomic and which gives up the interpreter lock once instead of once a row. A promise is
kept only after the statement has been committed, so whatever was acknowledged is in the file.

Other processes append to the same file. An index that is already taken means that one of them did: the edge
of the tree is read again and the batch is hashed anew.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeAlias

from ringwall.core import DataError

from . import store
from .checkpoint import Signer
from .envelope import Envelope
from .merkle import Frontier
from .record import INDEXED, Entry, column, leaf_of

log = logging.getLogger(__name__)

Promise: TypeAlias = "asyncio.Future[Entry] | Future[Entry]"
Listener: TypeAlias = Callable[[Entry, Mapping[str, Any]], None]
Outcome: TypeAlias = "Entry | DataError"

_MAX_BATCH_BYTES = 8 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Append:
    """One waiting append, already in bytes."""

    event: Mapping[str, Any]
    data: bytes
    body: bytes | None
    owner: str
    promise: Promise


@dataclass(slots=True, eq=False)
class _Command:
    """Something else to do between two batches."""

    work: Callable[[], Any]
    result: "Future[Any]"


class _Stop:
    pass


class Writer:
    """Owns the writing connection. ``submit`` and ``call`` may be used from any thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        envelope: Envelope,
        signer: Signer,
        *,
        wrote: Callable[[int], None],
        quick: sqlite3.Connection | None = None,
    ) -> None:
        """``wrote(bytes)`` is called after each committed batch. ``quick`` is a connection that never waits
        for a lock: with it, event loops commit for themselves."""
        self._connection = connection
        self._quick = quick
        self._turn = threading.Lock()  # guards both connections and the frontier
        self._gathered: dict[asyncio.AbstractEventLoop, list[Append]] = {}
        self._envelope = envelope
        self._signer = signer
        self._wrote = wrote
        self._queue: queue.SimpleQueue[Append | _Command | _Stop] = queue.SimpleQueue()
        self._frontier: Frontier | None = None
        self._gate = threading.Lock()
        self._open = True
        self._unsigned = False
        self.listeners: list[Listener] = []
        self._thread = threading.Thread(target=self._run, name="ringwall-ledger", daemon=True)
        self._thread.start()

    def submit(self, append: Append) -> None:
        with self._gate:
            self._refuse_when_closed()
            self._queue.put(append)

    def submit_here(self, append: Append, loop: asyncio.AbstractEventLoop) -> None:
        """The same on a running event loop, which commits it at the end of this iteration."""
        if self._quick is None:
            self.submit(append)
            return
        with self._gate:
            self._refuse_when_closed()
            batch = self._gathered.get(loop)
            if batch is None:
                self._gathered[loop] = [append]
                loop.call_soon(self._write_here, loop)
            elif len(batch) < store.MAX_BATCH:
                batch.append(append)
            else:
                self._queue.put(append)

    def _write_here(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._gate:
            batch = self._gathered.pop(loop, None)
        if not batch:
            return
        if self._turn.acquire(blocking=False):
            try:
                outcomes = self._guarded_outcomes(batch, self._quick or self._connection)
            except _Taken:
                outcomes = None
            finally:
                self._turn.release()
            if outcomes is not None:
                _settle([(append.promise, outcome) for append, outcome in zip(batch, outcomes, strict=True)])
                self._tell_all(batch, outcomes)
                return
        for append in batch:
            self._queue.put(append)

    def call(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` on the writer thread, after what has queued up so far, and wait for its result."""
        result: Future[Any] = Future()
        with self._gate:
            self._refuse_when_closed()
            self._queue.put(_Command(work, result))
        return result.result()

    def close(self) -> None:
        """Write what has queued up, sign it, stop. May be called again."""
        with self._gate:
            if self._open:
                self._open = False
                for batch in self._gathered.values():  # their loops may not come to it any more
                    for append in batch:
                        self._queue.put(append)
                self._gathered.clear()
                self._queue.put(_Stop())
        self._thread.join()

    def checkpoint(self) -> str:
        """Sign the tree as it stands and store the signature. On the writer thread only."""
        try:
            tree = self._frontier = store.frontier(self._connection)
            note = self._signer.sign(tree.size, tree.root())
            store.save_checkpoint(self._connection, tree.size, note)
        except sqlite3.Error as error:
            raise DataError(f"The ledger can't store a checkpoint: {error}.") from error
        self._unsigned = False
        return note

    def _refuse_when_closed(self) -> None:
        if not self._open:
            raise DataError("The ledger is closed: nothing can be appended any more.")

    def _run(self) -> None:
        held: Append | _Command | _Stop | None = None
        while True:
            item = held or self._queue.get()
            held = None
            if isinstance(item, Append):
                batch, held = self._gather(item)
                self._write(batch)
            elif isinstance(item, _Command):
                with self._turn:
                    _carry_out(item)
            else:
                with self._turn:
                    self._sign_last()
                return

    def _sign_last(self) -> None:
        if self._unsigned:
            try:
                self.checkpoint()
            except DataError:
                log.exception("The ledger was closed without a last checkpoint")

    def _gather(self, first: Append) -> "tuple[list[Append], Append | _Command | _Stop | None]":
        """What else is waiting, up to a batch; and an item that ended it, to be looked at next."""
        batch, weight = [first], len(first.data) + len(first.body or b"")
        while len(batch) < store.MAX_BATCH and weight < _MAX_BATCH_BYTES:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if not isinstance(item, Append):
                return batch, item
            batch.append(item)
            weight += len(item.data) + len(item.body or b"")
        return batch, None

    def _write(self, batch: list[Append]) -> None:
        with self._turn:
            outcomes = self._guarded_outcomes(batch, self._connection)
        _answer(batch, outcomes)
        self._tell_all(batch, outcomes)

    def _tell_all(self, batch: list[Append], outcomes: list[Outcome]) -> None:
        if not self.listeners:
            return
        for append, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Entry):
                self._tell(outcome, append.event)

    def _guarded_outcomes(self, batch: list[Append], connection: sqlite3.Connection) -> list[Outcome]:
        try:
            return self._outcomes(batch, connection)
        except _Taken:
            raise
        except Exception as error:
            log.exception("The ledger could not write")
            return [DataError(f"The ledger could not write: {type(error).__name__}.")] * len(batch)

    def _outcomes(self, batch: list[Append], connection: sqlite3.Connection) -> list[Outcome]:
        sealed = self._sealed(batch)
        good = [
            (append, body)
            for append, body in zip(batch, sealed, strict=True)
            if not isinstance(body, DataError)
        ]
        written = iter(self._committed(good, connection) if good else ())
        return [body if isinstance(body, DataError) else next(written) for body in sealed]

    def _sealed(self, batch: list[Append]) -> list[bytes | DataError | None]:
        """The encrypted bodies; a body that can't be sealed fails its own append only."""
        result: list[bytes | DataError | None] = []
        fresh = False
        for append in batch:
            if append.body is None:
                result.append(None)
                continue
            try:
                result.append(self._envelope.seal(append.owner, append.body, append.data, fresh=fresh))
                fresh = True
            except DataError as error:
                result.append(error)
        return result

    def _committed(
        self, items: Sequence[tuple[Append, bytes | None]], connection: sqlite3.Connection
    ) -> list[Outcome]:
        leaves = [leaf_of(append.data, body) for append, body in items]
        try:
            entries = self._insert(items, leaves, connection)
        except (sqlite3.Error, DataError) as error:
            # Whether the write reached the file is not known: read the edge of the tree again before the
            # next.
            self._frontier = None
            if connection is self._quick and _is_taken(error):
                raise _Taken from error
            if len(items) > 1 and isinstance(error, sqlite3.DataError | sqlite3.ProgrammingError):
                # One of them can't be stored: the others shall not fail with it.
                return [outcome for item in items for outcome in self._committed([item], connection)]
            failed = error if isinstance(error, DataError) else _failure(error)
            return [failed] * len(items)
        self._wrote(sum(len(append.data) + len(body or b"") for append, body in items))
        return list(entries)

    def _insert(
        self,
        items: Sequence[tuple[Append, bytes | None]],
        leaves: Sequence[bytes],
        connection: sqlite3.Connection,
    ) -> list[Entry]:
        while True:
            tree = self._frontier.copy() if self._frontier else store.frontier(connection)
            entries: list[Entry] = []
            rows: list[store.Row] = []
            for (append, body), leaf in zip(items, leaves, strict=True):
                index, event = tree.size, append.event
                fields = [column(event, name) for name in INDEXED]
                entry = Entry(index, column(event, "id"), leaf)
                entries.append(entry)
                rows.append((index, entry.id, *fields, append.data, body, b"".join(tree.append(leaf))))
            try:
                store.insert(connection, rows)
            except sqlite3.IntegrityError:
                self._frontier = None  # another process was first
                continue
            self._frontier = tree
            self._unsigned = True
            return entries

    def _tell(self, entry: Entry, event: Mapping[str, Any]) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(entry, event)
            except Exception:
                log.exception("A listener of the ledger failed on %s", entry.id)


class _Taken(Exception):
    """Another process is writing just now."""


def _is_taken(error: Exception) -> bool:
    """SQLITE_BUSY or SQLITE_LOCKED, whatever their extension."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in (5, 6)


def _failure(error: sqlite3.Error) -> DataError:
    failed = DataError(f"The ledger could not write, nothing was recorded: {error}.")
    failed.__cause__ = error
    return failed


def _carry_out(command: _Command) -> None:
    try:
        command.result.set_result(command.work())
    except BaseException as error:  # noqa: BLE001 - belongs to the caller, who waits for it
        command.result.set_exception(error)


def _answer(batch: Sequence[Append], outcomes: Sequence[Outcome]) -> None:
    """Keep the promises: those of a loop together, in one wake-up."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Entry], Outcome]]] = {}
    for append, outcome in zip(batch, outcomes, strict=True):
        promise = append.promise
        if isinstance(promise, Future):
            if isinstance(outcome, Entry):
                promise.set_result(outcome)
            else:
                promise.set_exception(outcome)
        else:
            loops.setdefault(promise.get_loop(), []).append((promise, outcome))
    for loop, answers in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:
            log.warning("An event loop ended before the ledger answered %d appends", len(answers))


def _settle(answers: "Sequence[tuple[Promise, Outcome]]") -> None:
    for promise, outcome in answers:
        if promise.done():
            continue  # its task was cancelled; the entry stands
        if isinstance(outcome, Entry):
            promise.set_result(outcome)
        else:
            promise.set_exception(outcome)

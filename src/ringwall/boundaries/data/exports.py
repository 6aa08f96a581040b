"""The way out of the collections: every record is decided on before the first byte leaves.

What the gate allows is kept aside, batch by batch, under a key that exists only in memory (``Spool``). When
the last batch was allowed, and that is on the ledger, it is written to its target under another name and
renamed. Whoever looks at the target sees the whole export or nothing, and nowhere else is any of it in clear.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ringwall.core import (
    Crossing,
    CrossingKind,
    DataError,
    Decision,
    DeniedError,
    Edit,
    Integrity,
    Label,
    Part,
    PartKind,
    Principal,
    new_id,
)

from .events import event
from .export_place import Place
from .export_text import edited, parts_of, words_of
from .intake.spool import Spool
from .records.record import Record
from .settings import CollectionSettings, DataSection

Form = Literal["jsonl", "parquet", "delta"]
Decide = Callable[[Crossing], Awaitable[Decision]]
Note = Callable[[Mapping[str, Any]], Awaitable[None]]
Writer = Callable[[Iterable[Record], Path], Any]
Progress = Callable[[int], None]
"""Records so far."""

_BATCH_RECORDS = 200
_BATCH_CHARS = 200_000
_DECIDE_S = 600.0
_MOST_WORDS = 100_000
_SUFFIX: Mapping[Form, str] = {"jsonl": ".jsonl", "parquet": ".parquet", "delta": ""}


@dataclass(frozen=True, slots=True)
class Exported:
    """A version that can be read out."""

    collection: str
    number: int
    root: str
    chain: str


class ExportSource(Protocol):
    """One kind of collection, to read from."""

    def version(self, collection: str, number: int | None) -> Exported:
        """DataError when there is no such version."""
        ...

    def records(self, version: Exported, principal: Principal) -> Iterator[Record | None]:
        """What it holds, verified; None for each that this principal may not read."""
        ...


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """What left. ``path`` is where it lies; the manifest beside it says the same."""

    id: str
    path: Path
    version: Exported
    target: str
    form: Form
    records: int
    withheld: int
    """Documents that the principal may not read, and that were left out."""
    redacted: int
    """Records of which something was taken out."""
    sha256: str
    """Of the file; of a folder: over the names and hashes of its files."""
    size: int


class Exports:
    """Behind a gate. One for each version of the workload file."""

    def __init__(
        self,
        section: DataSection,
        folder: Path,
        marks: Path,
        sources: Mapping[str, ExportSource],
        writers: Mapping[Form, Writer],
        decide: Decide,
        note: Note,
    ) -> None:
        """``folder``: of the workload file. ``marks``: folder of what is under way. ``sources``: by kind of
        collection. ``decide`` and ``note`` have put their decision, or event, on the ledger when they
        return."""
        self._section = section
        self._folder = folder
        self._marks = marks
        self._sources = sources
        self._writers = writers
        self._decide = decide
        self._note = note

    async def export(
        self,
        collection: str,
        principal: Principal,
        target: str,
        *,
        form: Form = "jsonl",
        version: int | None = None,
        progress: Progress | None = None,
    ) -> ExportReceipt:
        """Take a version (default: the current one) to a target.

        Raises DeniedError when the gate does not let it out, DataError when there is no such collection,
        version or writer, or it can't be written. Nothing has left then.
        """
        settings = self._settings(collection)
        source = self._sources.get(settings.kind)
        writer = self._writers.get(form)
        if source is None or writer is None:
            raise DataError(f"{collection} can't be exported as {form}.")
        at = source.version(collection, version)
        run = _Run(new_id("exp"), at, principal, target, form, self._decide, progress)
        await run.allowed((_whole(collection, settings),))  # who and where to, before anything is read
        place = Place(self._place(target), f"{collection}-{at.number}-{run.id}{_SUFFIX[form]}")
        self._marks.mkdir(parents=True, exist_ok=True, mode=0o700)
        with Spool(self._marks) as spool:
            loop = asyncio.get_running_loop()
            allowed = run.records(source.records(at, principal), loop)
            await asyncio.to_thread(_keep, allowed, spool)
            await self._note(event("data.exporting", principal, **run.facts()))
            with place.marked(self._marks, run.id) as mark:
                digest, size = await asyncio.to_thread(place.write, lambda path: writer(spool.rows(), path))
                facts = run.facts() | {"sha256": digest, "bytes": size}
                exported = event("data.exported", principal, **facts)
                mark.whole(exported)
                path = await asyncio.to_thread(place.publish, facts)
                await self._note(exported)
        return ExportReceipt(
            *(run.id, path, at, target, form, run.written, run.withheld, run.redacted, digest, size)
        )

    def _settings(self, collection: str) -> CollectionSettings:
        try:
            return self._section.collections[collection]
        except KeyError:
            known = ", ".join(sorted(self._section.collections)) or "none"
            raise DataError(f"There is no collection {collection!r}; known: {known}.") from None

    def _place(self, target: str) -> Path:
        """A gate in monitor mode lets through what it would refuse, but nothing makes up a place."""
        found = self._section.exports.get(target)
        if found is None:
            known = ", ".join(sorted(self._section.exports)) or "none"
            raise DataError(f"There is no export target {target!r}; known: {known}.")
        return self._folder / found.folder


@dataclass
class _Run:
    """One export under way."""

    id: str
    at: Exported
    principal: Principal
    target: str
    form: Form
    decide: Decide
    progress: Progress | None
    written: int = 0
    withheld: int = 0
    redacted: int = 0
    words: set[tuple[str, frozenset[str]]] = field(default_factory=set)
    """Names of fields and the like that were let through, with the classes of who had them."""
    decisions: list[str] = field(default_factory=list)

    async def allowed(self, parts: tuple[Part, ...]) -> Decision:
        """The decision on a batch. Raises DeniedError unless it may leave."""
        decision = await self.decide(
            Crossing(
                CrossingKind.EXPORT,
                self.principal,
                parts,
                endpoint="data.export",
                context={
                    "collection": self.at.collection,
                    "version": self.at.number,
                    "target": self.target,
                    "format": self.form,
                    "export": self.id,
                },
            )
        )
        if decision.blocked or decision.held:
            why = " ".join(decision.reasons) or "It is not allowed here."
            raise DeniedError(
                f"The export of {self.at.collection} to {self.target} was refused. {why}", decision.id
            )
        self.decisions.append(decision.id)
        return decision

    def records(self, source: Iterable[Record | None], loop: asyncio.AbstractEventLoop) -> Iterator[Record]:
        """What may leave, as it may leave. Runs in a thread of its own, beside the loop that decides."""
        for batch in self._batches(source):
            parts = [parts_of(record, self.at.collection) for record in batch]
            words = self._fresh(batch)
            flat = tuple(part for each in (*parts, words) for part in each)
            decision = asyncio.run_coroutine_threadsafe(self.allowed(flat), loop).result(_DECIDE_S)
            by_part: dict[int, list[Edit]] = {}
            for edit in decision.joined.edits:
                by_part.setdefault(edit.part, []).append(edit)
            if any(at >= len(flat) - len(words) for at in by_part):
                raise DeniedError(
                    f"The export of {self.at.collection} was refused: names of fields, origins or grounds of "
                    "consent hold what may not leave, and nothing can be taken out of those.",
                    decision.id,
                )
            first = 0
            for record, own in zip(batch, parts, strict=True):
                mine = [by_part.get(index, []) for index in range(first, first + len(own))]
                first += len(own)
                if any(edit.drop for edits in mine for edit in edits):
                    self.withheld += 1
                    continue
                self.redacted += any(mine)
                self.written += 1
                yield edited(record, mine)
            if self.progress:
                self.progress(self.written)

    def _fresh(self, batch: list[Record]) -> list[Part]:
        """A part for each word beside the values that was not decided on before under the same classes."""
        found: dict[tuple[str, frozenset[str]], Part] = {}
        for record in batch:
            for word in words_of(record):
                key = (word, record.sensitivity)
                if key not in self.words and key not in found:
                    data = {"collection": self.at.collection}
                    found[key] = Part(PartKind.DOCUMENT, word, record.label, data=data)
        if len(self.words) < _MOST_WORDS:
            self.words.update(found)
        return list(found.values())

    def facts(self) -> dict[str, Any]:
        """Names, numbers and hashes; nothing that was exported."""
        return {
            "export": self.id,
            "collection": self.at.collection,
            "version": self.at.number,
            "root": self.at.root,
            "chain": self.at.chain,
            "target": self.target,
            "format": self.form,
            "records": self.written,
            "withheld": self.withheld,
            "redacted": self.redacted,
            "decisions": hashlib.sha256("\n".join(self.decisions).encode()).hexdigest(),
        }

    def _batches(self, source: Iterable[Record | None]) -> Iterator[list[Record]]:
        batch: list[Record] = []
        chars = 0
        for record in source:
            if record is None:
                self.withheld += 1
                continue
            batch.append(record)
            chars += sum(len(text) for _, text in record.texts())
            if len(batch) >= _BATCH_RECORDS or chars >= _BATCH_CHARS:
                yield batch
                batch, chars = [], 0
        if batch:
            yield batch


def _keep(records: Iterable[Record], spool: Spool) -> None:
    for record in records:
        spool.add(record)


def _whole(collection: str, settings: CollectionSettings) -> Part:
    """Stands for the collection: nothing of its content."""
    origin = frozenset({f"collection:{collection}"})
    label = Label(Integrity.UNTRUSTED, frozenset(settings.sensitivity), origin)
    return Part(PartKind.DOCUMENT, "", label, name=collection, data={"collection": collection})

"""The way of rows into a training set: through the gate, then all at once into a version or quarantine."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ringwall.core import DataError, Decision, DeniedError, Principal, new_id

from ..events import event
from ..lines import Apply, nothing
from ..quarantine import Held, Quarantine
from ..records import Record, Source
from ..records.reading import unused_id
from ..settings import CollectionSettings, DataSection
from ..training.sets import RecordsCommit
from .files import ReadFile
from .held_rows import HeldRow
from .judging import Decide, Fate, Judge, Judged, batches
from .process import credential_of, process_of
from .receipt import Receipt
from .row_pictures import RowPictures
from .row_text import RowText, names
from .spool import Spool
from .statement import RowsDigest, check
from .terms import Terms, checked

Note = Callable[[Mapping[str, Any]], Awaitable[None]]
Progress = Callable[[int], None]
"""Called with the number of rows that were judged so far."""
SECOND_PERSON = "Everything that is contributed here waits for a second person."
_MOST_NAMES = 10_000
_REASONS = 20


class TrainingStore(Protocol):
    """What is needed of ``training.sets.TrainingSets``."""

    def add(
        self,
        collection: str,
        records: Iterable[Record],
        *,
        author: str,
        note: str = "",
        released: str = "",
        apply: Apply = nothing,
    ) -> RecordsCommit | None: ...


@dataclass
class _Tally:
    """What has become of the rows of one contribution so far."""

    kept: Spool
    held: Spool
    whole: bool
    """Everything waits, whatever is in it."""
    rows: int = 0
    left_out: int = 0
    decision: str = ""
    reasons: dict[str, None] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    digest: RowsDigest = field(default_factory=RowsDigest)

    def tell(self, decision: str, reasons: Iterable[str]) -> None:
        self.decision = self.decision or decision
        for reason in reasons:
            if len(self.reasons) < _REASONS:
                self.reasons[reason] = None


class RowIntake:
    """One for each version of the configuration."""

    def __init__(
        self,
        section: DataSection,
        quarantine: Quarantine,
        training: TrainingStore,
        decide: Decide,
        note: Note | None,
        reader: ReadFile | None = None,
    ) -> None:
        """``reader``: reads pictures in rows; without it, rows with pictures are held."""
        self._section = section
        self._quarantine = quarantine
        self._training = training
        self._decide = decide
        self._note = note
        self._reader = reader

    async def add(
        self,
        collection: str,
        settings: CollectionSettings,
        rows: Iterable[Record],
        principal: Principal,
        terms: Terms,
        progress: Progress | None = None,
    ) -> Receipt:
        """All rows or none: nothing is stored before the last one was judged.

        Raises DeniedError when the contribution is refused, DataError for rows that can't be taken.
        """
        terms = checked(terms)
        if terms.signature:
            check(
                terms.signature,
                collection=collection,
                principal=principal,
                licence=terms.licence,
                signers=self._section.signers,
            )
        source = self._source(principal, terms)
        judge = Judge(
            self._decide,
            principal,
            facts(collection, settings, principal, source, terms),
            {"collection": collection, "seed": False, "contribution": source.contribution},
        )
        head = await judge.words("", "contribution")
        if head.blocked:
            raise _denied(head)
        with Spool() as kept, Spool() as held:
            tally = _Tally(kept, held, whole=settings.two_person or head.held)
            if head.held:
                tally.tell(head.id, head.reasons)
            pictures = RowPictures(self._reader, principal.owner, settings.max_file_bytes)
            prepared = _prepared(rows, source, settings, tally)
            await self._judge(judge, prepared, pictures, settings, tally, progress)
            if not tally.rows:
                raise DataError("There are no rows in it.")
            _compare(terms, tally.digest.hex)
            return await self._store(collection, principal, source, terms, tally)

    async def _judge(
        self,
        judge: Judge,
        rows: Iterator[Record],
        pictures: RowPictures,
        settings: CollectionSettings,
        tally: _Tally,
        progress: Progress | None,
    ) -> None:
        coming = batches(rows)
        while batch := await asyncio.to_thread(next, coming, None):
            batch = [await pictures.read(text) for text in batch]
            await _judge_names(judge, batch, tally)
            for judged in await judge.rows(batch):
                _take(judged, settings, tally)
            if progress:
                progress(tally.kept.count + tally.held.count + tally.left_out)

    async def _store(
        self, collection: str, principal: Principal, source: Source, terms: Terms, tally: _Tally
    ) -> Receipt:
        if tally.whole:  # after the last row it may be known that all of them wait
            kept, held = 0, tally.kept.count + tally.held.count
        else:
            kept, held = tally.kept.count, tally.held.count
        waiting, place = "", nothing
        if held:
            waiting, place = await asyncio.to_thread(self._sealed, collection, principal, source, tally)
        commit = None
        if kept:
            commit = await asyncio.to_thread(
                self._training.add,
                collection,
                tally.kept.rows(),
                author=principal.subject,
                note=f"contributed {source.contribution}",
                apply=place,  # what waits and what is stored come to be at once, or not at all
            )
        if commit is None:
            await asyncio.to_thread(place)
        if self._note:
            told = event(
                "data.contributed",
                principal,
                collection=collection,
                contribution=source.contribution,
                process=source.process,
                licence=terms.licence,
                sha256=tally.digest.hex,
                signer=source.signer,
                held=waiting,
                rows=tally.rows,
                stored_rows=kept if commit else 0,
                held_rows=held,
                left_out=tally.left_out,
            )
            if commit:
                await self._note(commit.event())
            await self._note(told)
        return Receipt(
            "stored" if commit else "quarantined" if waiting else "unchanged",
            collection,
            "",
            reasons=tuple(tally.reasons),
            decision=tally.decision,
            held=waiting,
            commit=commit,
            contribution=source.contribution,
            rows=tally.rows,
            held_rows=held,
            left_out=tally.left_out,
        )

    def _sealed(
        self, collection: str, principal: Principal, source: Source, tally: _Tally
    ) -> tuple[str, Apply]:
        """In the order in which they came where everything waits: flagged rows first, then the others."""
        spools = (tally.held, tally.kept) if tally.whole else (tally.held,)
        rows = (_held_row(row, notes) for spool in spools for row, notes in spool.read())
        if tally.whole and not tally.reasons:
            tally.tell(tally.decision, [SECOND_PERSON])
        given = Held(
            id="",
            collection=collection,
            document=source.contribution,
            contributor=principal.subject,
            tenant=principal.tenant,
            decision=tally.decision,
            at=0,
            status="quarantined",
            decided_by="",
            decided_at=0,
            credential=credential_of(principal),
            process=source.process,
            licence=source.licence,
            consent=source.consent,
            origin=source.origin,
        )
        counts = {"rows": tally.rows, "flagged": tally.held.count, "left_out": tally.left_out}
        return self._quarantine.sealed_rows(given, rows, tuple(tally.reasons), counts)

    def _source(self, principal: Principal, terms: Terms) -> Source:
        return Source(
            origin=terms.origin,
            contributor=principal.subject,
            process=process_of(principal, self._section.jobs),
            contribution=new_id("con"),
            at=time.time_ns() // 1000,
            licence=terms.licence,
            consent=terms.consent,
            tenant=principal.tenant,
            signer=terms.signature.key if terms.signature else "",
        )


def facts(
    collection: str, settings: CollectionSettings, principal: Principal, source: Source, terms: Terms
) -> dict[str, Any]:
    """What every part of a contribution of rows says of it."""
    return {
        "collection": collection,
        "contribution": source.contribution,
        "origin": source.origin,
        "contributor": principal.subject,
        "contributors": sorted(settings.contributors),
        "tenant": principal.tenant,
        "process": source.process,
        "licence": source.licence,
        "consent": source.consent,
        "signed": terms.signature is not None,
        "rows": True,
    }


def _prepared(
    rows: Iterable[Record], source: Source, settings: CollectionSettings, tally: _Tally
) -> Iterator[Record]:
    """Each with its source and the collection's classes."""
    for number, row in enumerate(rows, 1):
        if number > settings.max_rows:
            raise DataError(
                f"There are more than {settings.max_rows} rows in it: split it, or raise max_rows."
            )
        tally.digest.add(row.fields)
        tally.rows = number
        place = row.source.place or str(number)
        came = replace(source, place=place, origin=source.origin or row.source.origin)
        classes = row.sensitivity | set(settings.sensitivity)
        yield replace(row, source=came, sensitivity=classes)


async def _judge_names(judge: Judge, batch: list[RowText], tally: _Tally) -> None:
    """Names of fields reach a model as well, and no control could change them: all of them pass, once."""
    found = dict.fromkeys(name for text in batch for name in names(text.row.fields))
    fresh = [name for name in found if name not in tally.names]
    if not fresh:
        return
    tally.names.update(fresh)
    if len(tally.names) > _MOST_NAMES:
        raise DataError(
            f"The rows have more than {_MOST_NAMES} different field names: this is no training set."
        )
    decision = await judge.words("\n".join(fresh), "field names")
    if decision.blocked:
        raise _denied(decision)
    if decision.held or decision.joined.edits:
        tally.whole = True
        tally.tell(decision.id, decision.reasons or ["A control objects to names of fields."])


def _take(judged: Judged, settings: CollectionSettings, tally: _Tally) -> None:
    if judged.fate is Fate.BLOCK and settings.blocked_rows == "refuse":
        place = judged.row.source.place
        raise DeniedError(
            f"The contribution was refused for row {place}. {' '.join(judged.reasons)}".rstrip(),
            judged.decision,
        )
    if judged.fate in (Fate.BLOCK, Fate.DROP):
        tally.left_out += 1
        tally.tell(judged.decision, judged.reasons)
        return
    row = judged.row
    name = unused_id(row.id, tally.ids)
    row = row if name == row.id else replace(row, id=name)
    notes: dict[str, Any] = {}
    if judged.findings or judged.original:
        notes = {"reasons": list(judged.reasons), "findings": [dict(one) for one in judged.findings]}
        if judged.original:
            notes["original"] = dict(judged.original.fields)
    if judged.fate is Fate.HOLD:
        tally.tell(judged.decision, judged.reasons)
        tally.held.add(row, notes or {"reasons": list(judged.reasons)})
    else:
        tally.kept.add(row, notes)


def _held_row(row: Record, notes: Mapping[str, Any]) -> HeldRow:
    original = notes.get("original")
    return HeldRow(
        row,
        tuple(notes.get("reasons", ())),
        tuple(notes.get("findings", ())),
        replace(row, fields=original) if original is not None else None,
    )


def _compare(terms: Terms, sha256: str) -> None:
    if terms.signature and terms.signature.statement.sha256 != sha256:
        raise DataError("The signature is over other rows than these: sign what you contribute.")


def _denied(decision: Decision) -> DeniedError:
    why = " ".join(decision.reasons) or "It is not allowed here."
    return DeniedError(f"The contribution was refused. {why}", decision.id)

"""Rows before the gate: many in one crossing, and when that is stopped, those apart that are the reason.

Controls see every text of every row. What becomes of a row was decided on a crossing that either let
all its rows through, or held this row alone: a verdict on a batch never decides about a row in it. Only
when ``SINGLED`` crossings of one row were needed already, whole batches share their fate.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ringwall.core import (
    Action,
    Crossing,
    CrossingKind,
    Decision,
    Part,
    PartKind,
    Principal,
    Status,
    untrusted,
)

from ..records import Record
from .row_text import RowText

Decide = Callable[[Crossing], Awaitable[Decision]]

ROWS = 200
CHARS = 64_000
"""Of one crossing: what the slowest control reads well within its deadline."""
SINGLED = 2_000
UNREAD = "There is a picture in it that was not read: a person has to look at it."
_PICTURED = "A control would take out what stands in a picture of it: a person has to look at it."
_FINDINGS = 20
ENDPOINT = "data.add_records"
_LABEL = untrusted("contribution")


class Fate(Enum):
    KEEP = "keep"
    DROP = "drop"
    """An edit takes the whole row out."""
    HOLD = "hold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Judged:
    """A row, with the edits that the controls asked for, and what becomes of it."""

    row: Record
    fate: Fate
    decision: str
    reasons: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    """Control, rule, class, message and place (characters of the row's text before the edits)."""
    original: Record | None = None
    """The row as it came, when it was edited."""


def batches(rows: Iterable[Record]) -> Iterator[list[RowText]]:
    """Rows that go through the gate together."""
    batch: list[RowText] = []
    chars = 0
    for row in rows:
        text = RowText.of(row)
        if batch and (len(batch) >= ROWS or chars + len(text.text) > CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(text)
        chars += len(text.text)
    if batch:
        yield batch


class Judge:
    """For one contribution."""

    def __init__(
        self, decide: Decide, principal: Principal, facts: Mapping[str, Any], context: Mapping[str, Any]
    ) -> None:
        """``facts`` go with every part, ``context`` with every crossing."""
        self._decide = decide
        self._principal = principal
        self._facts = facts
        self._context = context
        self._singled = 0

    async def words(self, text: str, name: str) -> Decision:
        """A crossing of what belongs to the contribution and to no row of it."""
        facts = {**self._facts, "classes": [], "hidden": False}
        return await self._decide(self._crossing([Part(PartKind.DOCUMENT, text, _LABEL, "", name, facts)]))

    async def rows(self, batch: Sequence[RowText]) -> list[Judged]:
        """What becomes of each, in their order."""
        decision = await self._decide(self._crossing([self._part(text) for text in batch]))
        if not decision.blocked and not decision.held:
            return [_passed(text, index, decision) for index, text in enumerate(batch)]
        if len(batch) == 1 or self._singled >= SINGLED:
            self._singled += 1
            return [_stopped(text, index, decision) for index, text in enumerate(batch)]
        suspects = _suspects(decision, len(batch))
        if not suspects:
            half = len(batch) // 2
            return [*await self.rows(batch[:half]), *await self.rows(batch[half:])]
        judged: dict[int, Judged] = {}
        for index in suspects:
            (judged[index],) = await self.rows([batch[index]])
        others = [index for index in range(len(batch)) if index not in judged]
        judged.update(zip(others, await self.rows([batch[index] for index in others]), strict=True))
        return [judged[index] for index in range(len(batch))]

    def _crossing(self, parts: Sequence[Part]) -> Crossing:
        return Crossing(
            CrossingKind.CONTRIBUTION, self._principal, tuple(parts), endpoint=ENDPOINT, context=self._context
        )

    def _part(self, text: RowText) -> Part:
        row = text.row
        facts = {
            **self._facts,
            "record": row.id,
            "place": row.source.place,
            "form": str(row.form),
            "classes": sorted(row.sensitivity),
            "hidden": False,
        }
        return Part(PartKind.DOCUMENT, text.text, row.label, data=facts, ref=row.id)


def lean(crossing: Crossing, decision: Decision) -> Crossing:
    """As it goes on the ledger: of rows, only the texts in which something was found. The others are in the
    training set, and needn't be kept twice."""
    if crossing.endpoint != ENDPOINT:
        return crossing
    told = {finding.part for finding in decision.joined.findings}
    parts = [part if at in told else replace(part, text="") for at, part in enumerate(crossing.parts)]
    return crossing.with_parts(tuple(parts))


def _suspects(decision: Decision, count: int) -> list[int]:
    """Rows that the stopping controls point at; none when that is no help: a control failed, or means all."""
    if any(line.status is Status.FAILED for line in decision.lines):
        return []
    found = {
        finding.part
        for line in decision.lines
        if line.counted >= Action.HOLD and line.verdict
        for finding in line.verdict.findings
    }
    return sorted(found) if len(found) <= count // 2 else []


def _passed(text: RowText, index: int, decision: Decision) -> Judged:
    edits = [edit for edit in decision.joined.edits if edit.part == index]
    findings = _findings(decision, index)
    if any(edit.drop for edit in edits):
        return Judged(text.row, Fate.DROP, decision.id, decision.reasons, findings)
    edited = text.edited(edits)
    original = text.row if edited is not text.row else None
    why = tuple(told for told, holds in ((UNREAD, text.unread), (_PICTURED, text.beside(edits))) if holds)
    return Judged(edited, Fate.HOLD if why else Fate.KEEP, decision.id, why, findings, original)


def _stopped(text: RowText, index: int, decision: Decision) -> Judged:
    passed = _passed(text, index, decision)
    fate = Fate.BLOCK if decision.blocked else Fate.DROP if passed.fate is Fate.DROP else Fate.HOLD
    reasons = (*decision.reasons, *passed.reasons) if passed.fate is Fate.HOLD else decision.reasons
    return Judged(passed.row, fate, decision.id, reasons, passed.findings, passed.original)


def _findings(decision: Decision, index: int) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {
            "control": found.control,
            "rule": found.rule,
            "class": found.cls,
            "message": found.message,
            "start": found.start,
            "end": found.end,
        }
        for found in [one for one in decision.joined.findings if one.part == index][:_FINDINGS]
    )

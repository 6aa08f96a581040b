"""The pages of the quarantine on the running gateway."""

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ringwall.boundaries.data.intake.held_rows import HeldRow
from ringwall.boundaries.data.intake.review import Reviews
from ringwall.boundaries.data.intake.row_text import RowText
from ringwall.boundaries.data.quarantine import Held
from ringwall.core import Principal
from ringwall.server.gateway import Gateway

from .quarantined import HeldData, HeldDataPage, HeldFinding, HeldText

ROWS = 25
_LONGEST = 40_000
_LINES = 2_000
"""Of a text that is compared: beyond that, comparing could take longer than a page may."""


def waiting(gateway: Gateway, by: Principal) -> list[HeldData]:
    reviews = gateway.contributions.reviews
    return [_held(held, reviews, by) for held in reviews.waiting(by)]


async def page(gateway: Gateway, held: str, by: Principal, start: int) -> HeldDataPage:
    """Raises RingwallError."""
    return await asyncio.to_thread(_page, gateway.contributions.reviews, held, by, start)


async def release(gateway: Gateway, held: str, by: Principal, reason: str) -> None:
    """Raises RingwallError."""
    await gateway.contributions.release(held, by, reason)


async def reject(gateway: Gateway, held: str, by: Principal, reason: str) -> None:
    """Raises RingwallError."""
    await gateway.contributions.reject(held, by, reason)


def _page(reviews: Reviews, held: str, by: Principal, start: int) -> HeldDataPage:
    found = reviews.find(held)
    shown = _held(found, reviews, by)
    if found.rows:
        rows = reviews.page(held, by, start, ROWS)
        texts = []
        numbers = 0
        for number, row in enumerate(rows.rows, start + 1):
            texts.append(_row(number, row, numbers))
            numbers += len(row.findings)
        return HeldDataPage(shown, rows.reasons, tuple(texts), "", start, rows.counts)
    content = reviews.content(held, by)
    visible = _findings(content.findings, 0, 0)
    texts = [
        HeldText(
            "Text",
            content.original.text,
            visible,
            difference=_difference(content.original.text, content.edited.text),
        )
    ]
    if content.original.hidden:
        hidden = _findings(content.findings, 1, len(visible))
        change = _difference(content.original.hidden, content.edited.hidden)
        texts.append(HeldText("Hidden text", content.original.hidden, hidden, True, change))
    return HeldDataPage(shown, content.reasons, tuple(texts), content.original.title)


def _held(held: Held, reviews: Reviews, by: Principal) -> HeldData:
    return HeldData(
        id=held.id,
        collection=held.collection,
        document=held.document,
        contributor=held.contributor,
        tenant=held.tenant,
        at=held.at,
        rows=held.rows,
        process=held.process,
        licence=held.licence,
        consent=held.consent,
        origin=held.origin,
        decision=held.decision,
        barred=reviews.barred(held, by),
    )


def _row(number: int, held: HeldRow, before: int) -> HeldText:
    """Its text as controls read it: the places of findings count in it."""
    original = held.original or held.row
    place = held.row.source.place
    return HeldText(
        f"Row {place} of {held.row.source.origin}" if place else f"Row {number}",
        RowText.of(original).text,
        _findings(held.findings, None, before),
        difference=_difference(_json(original.fields), _json(held.row.fields)) if held.original else (),
        reasons=held.reasons,
    )


def _json(fields: Mapping[str, Any]) -> str:
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2).decode()


def _findings(found: Sequence[Mapping[str, Any]], part: int | None, before: int) -> tuple[HeldFinding, ...]:
    mine = [one for one in found if part is None or one["part"] == part]
    return tuple(
        HeldFinding(
            number,
            *(one["control"], one["rule"], one["class"], one["message"], one["start"], one["end"]),
        )
        for number, one in enumerate(mine, before + 1)
    )


def _difference(before: str, after: str) -> tuple[str, ...]:
    if before == after:
        return ()
    old, new = (text[:_LONGEST].splitlines()[:_LINES] for text in (before, after))
    found = difflib.unified_diff(old, new, lineterm="", n=1)
    return tuple(line for line in found if not line.startswith(("---", "+++")))

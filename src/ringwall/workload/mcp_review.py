"""What an operator does with the tools of an MCP server: look, scan, approve, refuse.

The console and the command line both come through here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ringwall.boundaries.application.effects import Inference
from ringwall.boundaries.application.mcp.approved import confirmed, ungovernable
from ringwall.boundaries.application.mcp.offered import difference, registry_name, visible
from ringwall.boundaries.application.mcp.pins import Pin, PinState
from ringwall.boundaries.application.mcp.settings import McpSection, McpServer
from ringwall.boundaries.interface.principals import Roles
from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import (
    Action,
    Crossing,
    CrossingKind,
    DataError,
    Decision,
    IdentityError,
    Part,
    PartKind,
    Principal,
    decision_body,
    decision_event,
    untrusted,
)

from .plant import Plant
from .schema import Workload
from .site import Site

_MARKS = "application.results"
"""Marks every untrusted text, so its word says nothing of this one."""
OPEN = frozenset({PinState.NEW, PinState.CHANGED})


@dataclass(frozen=True, slots=True)
class Desk:
    """What decisions about servers need: no gate, and no policy that might name a tool not approved yet."""

    section: McpSection
    roles: Roles
    plant: Plant

    @classmethod
    def of(cls, workload: Workload, plant: Plant) -> "Desk":
        return cls(workload.application.mcp, Roles(workload.principals), plant)


@dataclass(frozen=True, slots=True)
class Review:
    """One tool with all that a person decides by."""

    pin: Pin
    name: str
    """In this workload."""
    inference: Inference | None
    """None when the server does not offer it now."""
    problem: str
    """Why it can't be approved at all."""
    difference: tuple[str, ...]
    """Lines of a diff against what was approved; everything for a new tool."""


def check_right(desk: Desk, by: Principal) -> None:
    """Raises IdentityError for who may not decide about servers."""
    if not by.authenticated or not desk.roles.console(by.roles) or not by.grant.allows(Scope.CONSOLE):
        raise IdentityError("Only holders of a role with the console right may decide about MCP servers.")


def server_of(desk: Desk, name: str) -> McpServer:
    """Raises DataError when the workload file names no such server."""
    server = desk.section.servers.get(name)
    if server is None:
        known = ", ".join(desk.section.servers) or "none"
        raise DataError(f"There is no MCP server {name[:64]!r} in the workload file. There are: {known}.")
    return server


def reviews(desk: Desk, name: str) -> list[Review]:
    """As last seen. Raises DataError."""
    server = server_of(desk, name)
    return [_review(name, server, pin) for pin in desk.plant.pins.list(name)]


async def look(site: Site, plant: Plant, name: str, by: Principal) -> list[Review]:
    """Ask the server what it offers, and have what is not approved scanned. Raises DataError, McpFault."""
    desk = Desk.of(site.workload, plant)
    server_of(desk, name)
    pins = await site.application().mcp.look(name, by)
    for pin in pins:
        if pin.seen is not None and pin.state is not PinState.APPROVED:
            findings = await _scanned(site, plant, pin, by)
            plant.pins.note_findings(name, pin.tool, pin.seen.digest, findings)
    return reviews(desk, name)


def approve(
    desk: Desk,
    review: Review,
    by: Principal,
    *,
    digest: str = "",
    despite_findings: bool = False,
) -> Pin:
    """Pin the tool as it is seen. On the ledger before it counts. Blocks; raises DataError or IdentityError,
    and then nothing was approved."""
    check_right(desk, by)
    pin, inference = review.pin, review.inference
    if pin.seen is None or inference is None:
        raise DataError(f"{pin.tool[:80]} is not offered now.")
    if digest and (len(digest) < 8 or not pin.seen.digest.startswith(digest)):
        raise DataError(f"{pin.tool[:80]} is not what was shown any more: look at it again.")
    if pin.scanned != pin.seen.digest:
        raise DataError(
            f"{pin.tool[:80]} has changed, and nobody has looked at it since: ask the server what it offers."
        )
    if review.problem:
        raise DataError(f"{pin.tool[:80]} can't be approved: {review.problem}.")
    if pin.findings and not despite_findings:
        raise DataError(
            f"Detectors found something in {pin.tool[:80]}. Read the findings, and approve it in spite of "
            "them if they are false alarms."
        )
    with desk.plant.database.transaction():
        done = desk.plant.pins.approve(pin, str(inference.effect), inference.target, by.owner)
        desk.plant.note(
            "mcp.approved",
            by.subject,
            by.tenant,
            server=pin.server,
            tool=review.name,
            digest=pin.seen.digest,
            before=pin.pinned.digest if pin.pinned else "",
            effect=str(inference.effect),
            findings=len(pin.findings),
        )
    return done


def refuse(desk: Desk, review: Review, by: Principal) -> Pin:
    """Take an approval away, and refuse what is offered. Blocks; raises DataError or IdentityError."""
    check_right(desk, by)
    pin = review.pin
    with desk.plant.database.transaction():
        done = desk.plant.pins.refuse(pin, by.owner)
        desk.plant.note(
            "mcp.refused",
            by.subject,
            by.tenant,
            server=pin.server,
            tool=review.name,
            digest=pin.seen.digest if pin.seen else "",
            before=pin.pinned.digest if pin.pinned else "",
        )
    return done


def _review(name: str, server: McpServer, pin: Pin) -> Review:
    return Review(
        pin,
        registry_name(name, pin.tool),
        confirmed(server, pin.seen) if pin.seen else None,
        ungovernable(name, server, pin.seen) if pin.seen and pin.state in OPEN else "",
        tuple(difference(pin.pinned, pin.seen)),
    )


async def _scanned(site: Site, plant: Plant, pin: Pin, by: Principal) -> Sequence[str]:
    """The words of a manifest reach a model as much as any result of the server, so the same controls look at
    them. The decision is on the ledger."""
    assert pin.seen is not None  # noqa: S101 - the caller looked
    app = site.application()
    part = Part(PartKind.TOOL_RESULT, pin.seen.told(), untrusted(f"mcp:{pin.server}"), "tool", pin.tool)
    crossing = Crossing(CrossingKind.TOOL_RESULT, by, (part,), app.application.name, endpoint="mcp.review")
    decision = await app.gate.decide(crossing)
    await asyncio.to_thread(
        plant.ledger.append_now,
        decision_event(decision),
        decision_body(decision, crossing),
        subject=by.owner,
    )
    return _words(decision)


def _words(decision: Decision) -> list[str]:
    found = []
    for line in decision.lines:
        if line.verdict is None or line.control == _MARKS or line.verdict.action <= Action.ALLOW:
            continue
        for finding in line.verdict.findings:
            found.append(visible(f"{line.control} {finding.rule}: {finding.message}")[:300])
    return list(dict.fromkeys(found))[:20]

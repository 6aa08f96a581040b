"""``ringwall mcp``: the tools of MCP servers, which nobody is offered before an operator approved them."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import DataError, IdentityError, Principal

from .options import show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.workload.mcp_review import Desk, Review

_KEY_HELP = "Your own API key (or RINGWALL_KEY), of a role with the console right."
_SHOWN = 12
_OFFLINE = click.option("--offline", is_flag=True, help="Show what was last seen; don't ask the server.")


@click.group("mcp")
def command() -> None:
    """See what MCP servers offer, approve it, and see what has changed."""


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the servers of the workload file, with how many of their tools are in which state."""
    from ringwall.boundaries.application.mcp.pins import PinState

    with _desk(workload, data_dir) as desk:
        servers = desk.section.servers
        found = [
            {
                "server": name,
                "at": server.url or server.command,
                **{str(state): 0 for state in PinState},
                **_counts([pin.state for pin in desk.plant.pins.list(name)]),
            }
            for name, server in servers.items()
        ]
    if as_json:
        show_json(found)
        return
    head = ("server", *map(str, PinState), "at")
    show_table([tuple(str(row[name]) for name in head) for row in found], head)


@command.command("show")
@click.argument("server")
@_OFFLINE
@site_options
def show(server: str, offline: bool, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Ask a server what it offers: state, effect, and what detectors say of each tool."""
    found = _reviews(workload, data_dir, server, offline=offline)
    if as_json:
        show_json([_plain(review) for review in found])
        return
    for review in found:
        _tell(review)


@command.command("diff")
@click.argument("server")
@click.argument("tool", required=False)
@_OFFLINE
@site_options
def diff(server: str, tool: str | None, offline: bool, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Show what differs from what was approved. Exit code 1: something does."""
    found = _named(_reviews(workload, data_dir, server, offline=offline), [tool] if tool else [])
    differing = [review for review in found if review.difference]
    if as_json:
        show_json([_plain(review) for review in differing])
    else:
        for review in differing:
            click.echo(f"{review.name}  {review.pin.state}")
            click.echo("\n".join(f"  {line}" for line in review.difference))
    sys.exit(1 if differing else 0)


@command.command("approve")
@click.argument("server")
@click.argument("tools", nargs=-1, metavar="TOOL[@DIGEST]…")
@click.option("--all", "everything", is_flag=True, help="All that the server offers and nobody has decided.")
@click.option("--despite-findings", is_flag=True, help="Also tools in which detectors found something.")
@click.option("--key", envvar="RINGWALL_KEY", required=True, help=_KEY_HELP)
@site_options
def approve(
    server: str,
    tools: tuple[str, ...],
    everything: bool,
    despite_findings: bool,
    key: str,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Approve tools exactly as they were last shown. Anything that the server changes later is held.

    TOOL@DIGEST, with the digest that `show` prints, approves it only if it still is what you saw."""
    from ringwall.workload import mcp_review

    wanted = dict(_split(name) for name in tools)
    with _desk(workload, data_dir) as desk:
        by = _person(desk.plant.keys.verify(key))
        found = mcp_review.reviews(desk, server)
        if everything:
            chosen = [review for review in found if review.pin.state in mcp_review.OPEN]
        else:
            chosen = _named(found, list(wanted))
        if not chosen:
            raise DataError(
                f"Nothing to approve. `ringwall mcp show {server}` asks the server what it offers."
            )
        done = [
            mcp_review.approve(
                desk,
                review,
                by,
                digest=wanted.get(review.pin.tool, ""),
                despite_findings=despite_findings,
            )
            for review in chosen
        ]
    _told(
        [(review.name, str(pin.state), pin.effect) for review, pin in zip(chosen, done, strict=True)], as_json
    )


@command.command("refuse")
@click.argument("server")
@click.argument("tools", nargs=-1, required=True, metavar="TOOL…")
@click.option("--key", envvar="RINGWALL_KEY", required=True, help=_KEY_HELP)
@site_options
def refuse(
    server: str, tools: tuple[str, ...], key: str, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Refuse tools, and take away an approval that they have: it counts within a second."""
    from ringwall.workload import mcp_review

    with _desk(workload, data_dir) as desk:
        by = _person(desk.plant.keys.verify(key))
        chosen = _named(mcp_review.reviews(desk, server), list(tools))
        done = [mcp_review.refuse(desk, review, by) for review in chosen]
    _told([(review.name, str(pin.state), "") for review, pin in zip(chosen, done, strict=True)], as_json)


@contextmanager
def _desk(workload: Path, data_dir: Path) -> "Iterator[Desk]":
    """Without composing the workload: fast, and before its policies can name what is to be approved."""
    from ringwall.workload.load import load
    from ringwall.workload.mcp_review import Desk
    from ringwall.workload.plant import Plant

    loaded = load(workload)
    plant = Plant(data_dir, store=loaded.workload.data.store)
    try:
        desk = Desk.of(loaded.workload, plant)
        plant.keys.use_roles(desk.roles, loaded.workload.interface.identity.api_keys)
        yield desk
    finally:
        plant.close()


def _reviews(workload: Path, data_dir: Path, server: str, *, offline: bool) -> "list[Review]":
    from ringwall.workload import mcp_review
    from ringwall.workload.workbench import workbench

    if offline:
        with _desk(workload, data_dir) as desk:
            return mcp_review.reviews(desk, server)
    operator = Principal("command line")
    with workbench(workload, data_dir) as bench:
        return asyncio.run(mcp_review.look(bench.site, bench.plant, server, operator))


def _named(found: "Sequence[Review]", names: Sequence[str]) -> "list[Review]":
    known = {review.pin.tool: review for review in found} | {review.name: review for review in found}
    for name in names:
        if name not in known:
            listed = ", ".join(review.pin.tool[:64] for review in found) or "nothing yet"
            raise DataError(f"There is no tool {name[:64]!r} of this server. Seen: {listed}.")
    return [known[name] for name in names] or list(found)


def _split(name: str) -> tuple[str, str]:
    tool, _, digest = name.partition("@")
    return tool, digest


def _tell(review: "Review") -> None:
    from ringwall.boundaries.application.mcp.offered import visible

    pin = review.pin
    digest = pin.seen.digest[:_SHOWN] if pin.seen else "-"
    click.echo(f"{visible(pin.tool)}  {pin.state}  {digest}")
    if review.inference is not None:
        sure = "" if review.inference.sure else ", not sure"
        target = f"; goes to: {', '.join(review.inference.target)}" if review.inference.target else ""
        click.echo(f"  effect: {review.inference.effect} ({review.inference.why}{sure}){visible(target)}")
    if review.problem:
        click.echo(f"  can't be approved: {review.problem}")
    for finding in pin.findings:
        click.echo(f"  found: {finding}")
    if pin.seen is not None:
        for line in visible(pin.seen.description).splitlines()[:6]:
            click.echo(f"  | {line[:160]}")


def _plain(review: "Review") -> dict[str, Any]:
    pin = review.pin
    return {
        "server": pin.server,
        "tool": pin.tool,
        "name": review.name,
        "state": str(pin.state),
        "digest": pin.seen.digest if pin.seen else "",
        "approved": pin.pinned.digest if pin.pinned else "",
        "effect": str(review.inference.effect) if review.inference else pin.effect,
        "target": list(review.inference.target) if review.inference else list(pin.target),
        "why": review.inference.why if review.inference else "",
        "sure": bool(review.inference and review.inference.sure),
        "problem": review.problem,
        "findings": list(pin.findings),
        "difference": list(review.difference),
        "description": pin.seen.description if pin.seen else "",
        "by": pin.decided_by,
        "at": pin.decided_at,
    }


def _told(rows: list[tuple[str, str, str]], as_json: bool) -> None:
    if as_json:
        show_json([{"name": name, "state": state, "effect": effect} for name, state, effect in rows])
    else:
        show_table(rows, ("tool", "state", "effect"))


def _counts(states: Sequence[Any]) -> dict[str, int]:
    return {str(state): states.count(state) for state in set(states)}


def _person(principal: Principal | None) -> Principal:
    if principal is None:
        raise IdentityError("This API key is not known: give your own with --key.")
    return principal

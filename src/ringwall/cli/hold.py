"""``ringwall hold``: tool calls that wait for a person."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import DataError, DeniedError, IdentityError, Principal

from .options import show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.application.hold import Hold
    from ringwall.boundaries.application.holds import Holds

_KEY = click.option("--key", envvar="RINGWALL_KEY", required=True, help="Your own API key (or RINGWALL_KEY).")
_ID = click.argument("hold_id", metavar="ID")


@click.group("hold")
def command() -> None:
    """List, show, approve, amend and refuse tool calls that wait for a person."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are settled too, newest first.")
@site_options
def list_(everything: bool, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the calls that wait."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        holds = bench.site.application().holds
        found = holds.list() if everything else holds.pending()
    if as_json:
        show_json([hold.plain() for hold in found])
        return
    rows = [
        (hold.id, str(hold.state), hold.tool, f"{hold.tenant}/{hold.subject}", _shown(hold.arguments, None))
        for hold in found
    ]
    show_table(rows, ("id", "state", "tool", "asked by", "arguments"))


@command.command("show")
@_ID
@site_options
def show(hold_id: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Show a call: who asked, why it waits, its arguments, and which of them nobody vouches for."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        hold = bench.site.application().holds.get(hold_id)
    if as_json:
        show_json(hold.plain())
        return
    for line in _lines(hold):
        click.echo(line)


@command.command("approve")
@_ID
@_KEY
@site_options
def approve(hold_id: str, key: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Let exactly this call through, once.

    You need the right to approve it and can't be who asked, unless the policy lets whoever asked confirm.
    """
    _decide(hold_id, key, workload, data_dir, as_json, lambda holds, by: holds.approve(hold_id, by))


@command.command("refuse")
@_ID
@_KEY
@site_options
def refuse(hold_id: str, key: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Refuse this call."""
    _decide(hold_id, key, workload, data_dir, as_json, lambda holds, by: holds.refuse(hold_id, by))


@command.command("amend")
@_ID
@click.option(
    "--set",
    "changes",
    multiple=True,
    required=True,
    metavar="NAME=JSON",
    help="A new value; may be repeated.",
)
@_KEY
@site_options
def amend(
    hold_id: str, changes: tuple[str, ...], key: str, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Let the call through once, with other arguments: ``--set amount=40 --set 'to="help@shop.example"'``.

    The changed call is judged again: its schema, destinations and all policies that no person lifts.
    """
    new = dict(_change(change) for change in changes)

    def change(holds: "Holds", by: Principal) -> "Hold":
        arguments = {**(holds.get(hold_id).arguments or {}), **new}
        return holds.amend(hold_id, by, json.dumps(arguments))

    _decide(hold_id, key, workload, data_dir, as_json, change)


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        if not equals or not name:
            raise ValueError
        return name, json.loads(value)
    except ValueError:
        raise click.BadParameter(f"write NAME=JSON, such as amount=40, not {text[:80]!r}") from None


def _decide(
    hold_id: str,
    key: str,
    workload: Path,
    data_dir: Path,
    as_json: bool,
    decide: "Callable[[Holds, Principal], Hold]",
) -> None:
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        by = _person(bench.plant.keys.verify(key))
        holds = bench.site.application().holds
        asked = holds.get(hold_id)
        try:
            holds.check_right(asked, by)
        except DataError as error:  # that somebody may not is an answer, and no mistake
            raise DeniedError(str(error), asked.decision) from None
        hold = decide(holds, by)
    if as_json:
        show_json(hold.plain())
    else:
        click.echo(f"{hold.id}: {hold.state}")


def _person(principal: Principal | None) -> Principal:
    if principal is None or not any(principal.grant.allows(scope) for scope in (Scope.HOLDS, Scope.CONSOLE)):
        raise IdentityError("This API key is not known, or not good for this: give your own with --key.")
    return principal


def _lines(hold: "Hold") -> list[str]:
    def at(micros: int) -> str:
        return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    lifts = "whoever asked, or" if hold.approver == "requester" else "somebody else:"
    lines = [
        f"{hold.id}: {hold.state}",
        f"tool       {hold.tool}",
        f"asked by   {hold.tenant}/{hold.subject} at {at(hold.requested_at)}",
        f"why        {hold.reason}",
        f"lifted by  {lifts} a role that may approve {hold.tool}; expires {at(hold.expires_at)}",
        f"arguments  {_shown(hold.arguments, 2)}",
    ]
    lines += [
        f"unvouched  {ascii(path)[1:-1]}: from {ascii(origin)[1:-1]}"
        for path, origin in hold.doubtful.items()
    ]
    if hold.decided_by:
        lines.append(f"decided by {hold.decided_by} at {at(hold.decided_at)}")
    if hold.amended_call:
        lines.append(f"amended to {_shown(hold.amended, 2)}")
    return lines


def _shown(arguments: Any, indent: int | None) -> str:
    """ASCII alone: what a model wrote must not move a terminal's cursor."""
    return "erased" if arguments is None else json.dumps(dict(arguments), indent=indent, sort_keys=True)

"""``ringwall hold``: tool calls that wait for a person."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import IdentityError, Principal

from .options import show_json, show_table, site_options


@click.group("hold")
def command() -> None:
    """List, approve and refuse tool calls that wait for a person."""


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the calls that wait."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        pending = bench.site.application().holds.pending()
    if as_json:
        show_json([_plain(hold) for hold in pending])
        return
    rows = [
        (hold.id, hold.tool, f"{hold.tenant}/{hold.subject}", str(dict(hold.arguments or {})))
        for hold in pending
    ]
    show_table(rows, ("id", "tool", "asked by", "arguments"))


@command.command("approve")
@click.argument("hold_id", metavar="ID")
@click.option("--key", envvar="RINGWALL_KEY", required=True, help="Your own API key (or RINGWALL_KEY).")
@site_options
def approve(hold_id: str, key: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Let exactly this call through, once. You need the right to approve it and can't be who asked."""
    _decide(hold_id, key, workload, data_dir, as_json, yes=True)


@command.command("refuse")
@click.argument("hold_id", metavar="ID")
@click.option("--key", envvar="RINGWALL_KEY", required=True, help="Your own API key (or RINGWALL_KEY).")
@site_options
def refuse(hold_id: str, key: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Refuse this call."""
    _decide(hold_id, key, workload, data_dir, as_json, yes=False)


def _decide(hold_id: str, key: str, workload: Path, data_dir: Path, as_json: bool, *, yes: bool) -> None:
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        by = _person(bench.plant.keys.verify(key))
        holds = bench.site.application().holds
        hold = holds.approve(hold_id, by) if yes else holds.refuse(hold_id, by)
    if as_json:
        show_json(_plain(hold))
    else:
        click.echo(f"{hold.id}: {hold.state}")


def _person(principal: Principal | None) -> Principal:
    if principal is None or not principal.grant.allows(Scope.CONSOLE):
        raise IdentityError("This API key is not known, or not good for this: give your own with --key.")
    return principal


def _plain(hold: Any) -> dict[str, Any]:
    return {**asdict(hold), "arguments": dict(hold.arguments) if hold.arguments is not None else None}

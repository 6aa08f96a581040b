"""``ringwall model``: which models are admitted."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ringwall.core import DataError

from .options import show_json, show_table, site_options


@click.group("model", invoke_without_command=True)
@site_options
@click.pass_context
def command(context: click.Context, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Admit models and routes, list and revoke admissions. Alone: the list."""
    if not context.invoked_subcommand:
        _list(workload, data_dir, as_json)


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """The newest entry of every model file and route."""
    _list(workload, data_dir, as_json)


def _list(workload: Path, data_dir: Path, as_json: bool) -> None:
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        entries = bench.site.admissions.list()
    if as_json:
        show_json([_plain(entry) for entry in entries])
    else:
        rows = [(one.kind, one.name, one.state, one.digest[:16], one.by, one.reason) for one in entries]
        show_table(rows, ("kind", "name", "state", "digest", "by", "reason"))


@command.command("admit")
@click.argument("name")
@click.option("--by", default="command line", show_default=True, help="Who takes the responsibility.")
@site_options
def admit(name: str, by: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Check a model file (hash, format) or a route (declaration) now and admit it. Exit code 1: refused."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        try:
            entry = bench.site.admissions.admit(name, by)
        except LookupError:
            raise DataError(f"No model file or route is called {name!r} in the workload file.") from None
        bench.plant.note(
            f"model.{entry.state}", what=entry.kind, name=entry.name, digest=entry.digest, reason=entry.reason
        )
    _show(entry, as_json)
    sys.exit(0 if entry.admitted else 1)


@command.command("revoke")
@click.argument("name")
@click.option("--reason", required=True, help="Why: it goes on the ledger.")
@click.option("--by", default="command line", show_default=True)
@site_options
def revoke(name: str, reason: str, by: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Take an admission back: nothing is routed there until it is admitted again."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        try:
            entry = bench.site.admissions.revoke(name, by, reason)
        except LookupError:
            raise DataError(f"No model file or route is called {name!r} in the workload file.") from None
        bench.plant.note(
            "model.revoked", what=entry.kind, name=entry.name, digest=entry.digest, reason=reason
        )
    _show(entry, as_json)


def _show(entry: Any, as_json: bool) -> None:
    if as_json:
        show_json(_plain(entry))
    else:
        click.echo(f"{entry.kind} {entry.name}: {entry.state}. {entry.reason}".rstrip(". ") + ".")


def _plain(entry: Any) -> dict[str, Any]:
    return {**asdict(entry), "details": dict(entry.details)}

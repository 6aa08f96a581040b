"""``ringwall contain``: stop a person, a session, a tenant or tools, at once and everywhere."""

import time
from dataclasses import asdict
from pathlib import Path

import click

from . import contain_tool
from .options import show_json, show_table, site_options

_KINDS = ("subject", "session", "tenant")


@click.group("contain")
def command() -> None:
    """Put somebody or something in quarantine: it counts from the next request on, also while serving."""


command.add_command(contain_tool.command)


@command.command("add")
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("target")
@click.option("--tenant", default="", help="Of a subject; left out: in every tenant.")
@click.option("--reason", required=True, help="Why: kept with the entry.")
@click.option("--by", default="command line", show_default=True)
@click.option("--hours", type=click.FloatRange(0.01, 8760), help="For how long; else until it is lifted.")
@site_options
def add(
    kind: str,
    target: str,
    tenant: str,
    reason: str,
    by: str,
    hours: float | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Stop a subject, session or tenant. Tools have switches: see `ringwall contain tool`."""
    from ringwall.workload.workbench import workbench

    expires = time.time() + hours * 3600 if hours else None
    with workbench(workload, data_dir) as bench:
        entry = bench.plant.containment.quarantine(
            kind, target, reason=reason, by=by, tenant=tenant, expires=expires
        )
        bench.plant.ledger.append_now(entry.event("quarantined"), {"reason": reason})
    if as_json:
        show_json(asdict(entry))
    else:
        click.echo(f"{entry.id}: {kind} {target} is stopped.")


@command.command("lift")
@click.argument("entry_id", metavar="ID")
@click.option("--by", default="command line", show_default=True)
@site_options
def lift(entry_id: str, by: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """End a quarantine."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        entry = bench.plant.containment.lift(entry_id, by=by)
        bench.plant.ledger.append_now(entry.event("lifted"))
    if as_json:
        show_json(asdict(entry))
    else:
        click.echo(f"{entry.id}: lifted.")


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """What is stopped now."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        entries = bench.plant.containment.active()
    if as_json:
        show_json([asdict(entry) for entry in entries])
    else:
        rows = [(one.id, str(one.kind), one.target, one.tenant, one.by, one.reason) for one in entries]
        show_table(rows, ("id", "kind", "target", "tenant", "by", "reason"))

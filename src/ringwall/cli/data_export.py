"""``ringwall data export``: take a version of a collection out, through the gate."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import IdentityError, Principal

from .options import show_json, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data.exports import ExportReceipt, Form
    from ringwall.workload.workbench import Workbench


@click.command("export")
@click.argument("collection")
@click.argument("target")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "parquet", "delta"]), default="jsonl", show_default=True
)
@click.option("--version", type=click.IntRange(1), help="A version of it; left out: the current one.")
@click.option("--key", envvar="RINGWALL_KEY", help="Your own API key (or RINGWALL_KEY).")
@site_options
def export(
    collection: str,
    target: str,
    form: "Form",
    version: int | None,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Take a collection out to TARGET. A target is a name under data.exports.

    Exit code 1: the gate refused it."""
    from ringwall.core import DeniedError
    from ringwall.workload.export import exports
    from ringwall.workload.workbench import workbench

    shown = None if as_json or not sys.stderr.isatty() else _shown
    with workbench(workload, data_dir) as bench:
        by = _exporter(bench, key)
        door = exports(bench.site, bench.plant, workload.parent)
        run = door.export(collection, by, target, form=form, version=version, progress=shown)
        try:
            receipt = asyncio.run(run)
        except DeniedError as denied:
            if as_json:
                show_json({"status": "refused", "reason": str(denied), "decision": denied.decision_id})
            else:
                click.echo(f"error: {denied} ({denied.decision_id})", err=True)
            sys.exit(1)
    if as_json:
        show_json(_told(receipt))
        return
    more = f", {receipt.withheld} withheld" if receipt.withheld else ""
    more += f", {receipt.redacted} redacted" if receipt.redacted else ""
    click.echo(f"{receipt.records} records of {collection}@{receipt.version.number}{more}: {receipt.path}")


def _shown(records: int) -> None:
    click.echo(f"\r{records} records", err=True, nl=False)


def _exporter(bench: "Workbench", key: str | None) -> Principal:
    from ringwall.boundaries.interface.scopes import Scope

    principal = bench.plant.keys.verify(key) if key else None
    if principal is None or not principal.grant.allows(Scope.EXPORT):
        raise IdentityError("Give your own API key with --key or in RINGWALL_KEY: an export has an exporter.")
    return principal


def _told(receipt: "ExportReceipt") -> dict[str, Any]:
    return {
        "status": "exported",
        "export": receipt.id,
        "path": str(receipt.path),
        "collection": receipt.version.collection,
        "version": receipt.version.number,
        "target": receipt.target,
        "format": receipt.form,
        "records": receipt.records,
        "withheld": receipt.withheld,
        "redacted": receipt.redacted,
        "sha256": receipt.sha256,
        "bytes": receipt.size,
    }

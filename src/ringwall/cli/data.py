"""``ringwall data``: documents in and out of the collections."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ringwall.boundaries.data import Contributions
from ringwall.core import DeniedError, Principal
from ringwall.workload.workbench import Workbench

from .data_drift import command as drift_command
from .data_lineage import blast_radius, ml_bom, purge_command
from .data_person import key_option, person
from .data_scan import command as scan_command
from .data_sensitive import COMMANDS as SENSITIVE
from .options import show_json, show_table, site_options


@click.group("data", invoke_without_command=True)
@site_options
@click.pass_context
def command(context: click.Context, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Contribute documents, review the quarantine, search, list versions, verify the vault.

    Alone: every collection with its version, its documents and what waits in quarantine.
    """
    if context.invoked_subcommand:
        return
    with _bench(workload, data_dir) as bench:
        rows = [_collection(bench, name) for name in bench.site.workload.data.collections]
    if as_json:
        show_json(rows)
        return
    table = [tuple(str(value) for value in row.values()) for row in rows]
    show_table(table, ("collection", "version", "documents", "quarantined"))


for added in (scan_command, drift_command, blast_radius, purge_command, ml_bom, *SENSITIVE):
    command.add_command(added)


def _collection(bench: Workbench, name: str) -> dict[str, Any]:
    manifest = bench.plant.vault.manifest(name)
    return {
        "collection": name,
        "version": manifest.version,
        "documents": len(manifest.entries),
        "quarantined": len(bench.plant.quarantine.waiting(name)),
    }


@command.command("add")
@click.argument("collection")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@key_option
@site_options
def add(
    collection: str, files: tuple[Path, ...], key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Contribute documents to a collection. Exit code 1 when one was quarantined or refused."""
    from ringwall.boundaries.data import Offer

    outcomes: list[dict[str, Any]] = []

    async def run(door: Contributions, by: Principal) -> None:
        for path in files:
            try:
                receipt = await door.add(Offer(collection, path.name, path.read_bytes()), by)
            except DeniedError as error:
                told = {"status": "refused", "reasons": [str(error)], "decision": error.decision_id}
                outcomes.append({"file": path.name, **told})
            else:
                outcomes.append({"file": path.name, **_receipt(receipt)})

    _with_person(workload, data_dir, key, run)
    if as_json:
        show_json(outcomes)
    else:
        for one in outcomes:
            click.echo(f"{one['file']}: {one['status']} {' '.join(one.get('reasons', ()))}".rstrip())
    sys.exit(0 if all(one["status"] in ("stored", "unchanged") for one in outcomes) else 1)


@command.command("quarantine")
@click.argument("collection", default="")
@site_options
def quarantine(collection: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the documents that wait for a person."""
    with _bench(workload, data_dir) as bench:
        waiting = bench.plant.quarantine.waiting(collection)
    if as_json:
        show_json([asdict(held) for held in waiting])
    else:
        rows = [(one.id, one.collection, one.document, one.contributor, one.decision) for one in waiting]
        show_table(rows, ("id", "collection", "document", "contributor", "decision"))


@command.command("release")
@click.argument("held")
@key_option
@site_options
def release(held: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Store a quarantined document. You must be a contributor, and not the one who brought it."""

    async def run(door: Contributions, by: Principal) -> dict[str, Any]:
        return _receipt(await door.release(held, by))

    done = _with_person(workload, data_dir, key, run)
    show_json(done) if as_json else click.echo(f"{done['collection']}/{done['document']}: {done['status']}")


@command.command("reject")
@click.argument("held")
@key_option
@site_options
def reject(held: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Refuse a quarantined document for good."""

    async def run(door: Contributions, by: Principal) -> None:
        await door.reject(held, by)

    _with_person(workload, data_dir, key, run)
    show_json({"held": held, "status": "rejected"}) if as_json else click.echo(f"{held}: rejected")


@command.command("remove")
@click.argument("collection")
@click.argument("document")
@key_option
@site_options
def remove(
    collection: str, document: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Make a version of the collection without a document; earlier versions keep it."""

    async def run(door: Contributions, by: Principal) -> None:
        await door.remove(collection, document, by)

    _with_person(workload, data_dir, key, run)
    told = {"collection": collection, "document": document, "status": "removed"}
    show_json(told) if as_json else click.echo(f"{collection}/{document}: removed")


@command.command("search")
@click.argument("collection")
@click.argument("query")
@key_option
@site_options
def search(
    collection: str, query: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """What retrieval gives this principal for a question."""
    with _bench(workload, data_dir) as bench:
        by = person(bench, key)
        found = bench.site.application().retriever.search(by, [collection], query)
    if as_json:
        show_json(
            [{"name": one.name, "title": one.title, "text": one.text, "score": one.score} for one in found]
        )
    for one in () if as_json else found:
        click.echo(f"{one.name}  {one.title}\n    {one.text[:200]}")


@command.command("versions")
@click.argument("collection")
@site_options
def versions(collection: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the versions of a collection, newest last."""
    with _bench(workload, data_dir) as bench:
        rows = [asdict(version) for version in bench.plant.vault.versions(collection)]
    if as_json:
        show_json([{name: _json(value) for name, value in row.items()} for row in rows])
        return
    for row in rows:
        click.echo("  ".join(f"{name}={_json(value)}" for name, value in row.items()))


@command.command("verify")
@site_options
def verify(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Check every stored document and version against the chain on the ledger. Exit code 1: damage."""
    from ringwall.boundaries.data import verify as check

    with _bench(workload, data_dir) as bench:
        anchors: dict[str, tuple[int, str]] = {}
        for record in reversed(bench.plant.ledger.latest(100_000, type="data.version")):
            anchors[record.event["collection"]] = (record.event["version"], record.event["chain"])
        damages = check(bench.plant.vault, bench.plant.index, anchors)
    if as_json:
        show_json({"ok": not damages, "damages": [asdict(damage) for damage in damages]})
    else:
        for damage in damages:
            click.echo(str(damage), err=True)
        click.echo("The vault is sound." if not damages else f"{len(damages)} damages found.")
    sys.exit(1 if damages else 0)


def _bench(workload: Path, data_dir: Path) -> Any:
    from ringwall.workload.workbench import workbench

    return workbench(workload, data_dir)


def _with_person(
    workload: Path, data_dir: Path, key: str | None, run: Callable[[Contributions, Principal], Awaitable[Any]]
) -> Any:
    from ringwall.workload.intake import contributions

    with _bench(workload, data_dir) as bench:
        by = person(bench, key)
        return asyncio.run(_awaited(run(contributions(bench.site, bench.plant), by)))


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def _receipt(receipt: Any) -> dict[str, Any]:
    return {
        "status": receipt.status,
        "collection": receipt.collection,
        "document": receipt.document,
        "name": receipt.name,
        "reasons": list(receipt.reasons),
        "decision": receipt.decision,
        "held": receipt.held,
    }


def _json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value

"""``ringwall data``: documents and rows in and out of the collections."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ringwall.core import DataError
from ringwall.workload.workbench import Workbench

from .data_drift import command as drift_command
from .data_export import export
from .data_extraction import COMMANDS as EXTRACTION
from .data_intake import COMMANDS as INTAKE
from .data_lineage import blast_radius, ml_bom, purge_command
from .data_perimeter import perimeter
from .data_person import key_option, person
from .data_poison import COMMANDS as POISON
from .data_reindex import command as reindex_command
from .data_review import command as review_command
from .data_scan import command as scan_command
from .data_sensitive import COMMANDS as SENSITIVE
from .data_sign import COMMANDS as SIGN
from .data_store import store
from .data_versions import COMMANDS as VERSIONS
from .data_versions import store_of
from .data_withdraw import COMMANDS as WITHDRAW
from .ledger import kept, since_option
from .options import plain, show_json, show_table, site_options
from .sections import SectionedGroup

_SECTIONS = {
    "What comes in": ("scan", "add", "sign", "signing-key", "quarantine", "release", "reject"),
    "Versions": ("log", "diff", "show", "branch", "merge", "rollback", "verify"),
    "Review": ("review", "approve", "poison", "drift", "poison-drill", "tamper-drill"),
    "Sensitive data": ("inventory", "uniqueness", "reveal", "token-keys", "canaries", "extraction"),
    "Where it went, and taking it back": ("blast-radius", "ml-bom", "remove", "purge", "erase"),
    "Retrieval": ("search", "reindex"),
    "Stores and exports": ("store", "perimeter", "export", "verify-export"),
}


@click.group("data", cls=SectionedGroup, sections=_SECTIONS, invoke_without_command=True)
@site_options
@click.pass_context
def command(context: click.Context, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Documents and training sets: what comes in, what changed, where it went.

    Alone: every collection with its version, its documents or records and what waits in quarantine.
    """
    if context.invoked_subcommand:
        return
    with _bench(workload, data_dir) as bench:
        rows = [_collection(bench, name) for name in bench.workload.data.collections]
    if as_json:
        show_json(rows)
        return
    table = [tuple(str(value) for value in row.values()) for row in rows]
    show_table(table, ("collection", "kind", "version", "items", "branches", "quarantined"))


for added in (
    scan_command,
    reindex_command,
    review_command,
    drift_command,
    blast_radius,
    purge_command,
    ml_bom,
    export,
    perimeter,
    store,
    *INTAKE,
    *SIGN,
    *SENSITIVE,
    *EXTRACTION,
    *VERSIONS,
    *WITHDRAW,
    *POISON,
):
    command.add_command(added)


def _collection(bench: Workbench, name: str) -> dict[str, Any]:
    training = bench.workload.data.collections[name].kind == "training"
    versions = store_of(bench, name).lines.versions
    head = versions.head(name)
    return {
        "collection": name,
        "kind": "training" if training else "index",
        "version": head.number if head else 0,
        "items": bench.plant.training.count(name) if training else len(bench.plant.vault.manifest(name)),
        "branches": len(versions.branches(name)),
        "quarantined": len(bench.plant.quarantine.waiting(name)),
    }


@command.command("search")
@click.argument("collection")
@click.argument("query")
@key_option
@site_options
def search(
    collection: str, query: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """What retrieval gives this principal for a question."""
    from ringwall.boundaries.data.retrieve import Retriever

    with _bench(workload, data_dir) as bench:
        store_of(bench, collection)
        if bench.workload.data.collections[collection].kind == "training":
            raise DataError(f"{collection} is a training set: nothing is retrieved from it.")
        by = person(bench, key)
        found = Retriever(bench.plant.index, bench.workload.data, bench.plant.vault).search(
            by, [collection], query
        )
    if as_json:
        show_json(
            [{"name": one.name, "title": one.title, "text": one.text, "score": one.score} for one in found]
        )
        return
    for one in found:
        click.echo(plain(f"{one.name}  {one.title}\n    {one.text[:200]}"))
    if not found:
        click.echo("Nothing that you may read was found.", err=True)


@command.command("verify")
@since_option
@site_options
def verify(since: Path | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Check every stored document, record and version. Against what is on the ledger. Exit code 1: damage.

    With --since the ledger is checked as well: nothing in a data directory tells that all of it was put back
    to an earlier copy.
    """
    from ringwall.boundaries.data import verify as check
    from ringwall.boundaries.data.strays import strays
    from ringwall.workload.data_anchors import anchors, put_back

    note = kept(since)
    damages = put_back(data_dir, note) if note else []
    with _bench(workload, data_dir) as bench:
        plant = bench.plant
        damages += check(plant.vault, plant.index, anchors(plant.ledger), plant.training)
        unused = [] if damages else strays(plant.vault, plant.training, plant.quarantine, plant.blobs)
    if as_json:
        told = [asdict(damage) for damage in damages]
        show_json({"ok": not damages, "damages": told, "strays": len(unused)})
    else:
        for damage in damages:
            version = f"@{damage.version}" if damage.version else ""
            where = " ".join(filter(None, (damage.collection + version, damage.document)))
            click.echo(f"{where}: {damage.message}", err=True)
        click.echo("The vault is sound." if not damages else f"{len(damages)} damages found.")
        if unused:
            click.echo(f"Nothing refers to {len(unused)} of the blobs: `ringwall data store sweep`.")
    sys.exit(1 if damages else 0)


def _bench(workload: Path, data_dir: Path) -> Any:
    from ringwall.workload.workbench import workbench

    return workbench(workload, data_dir)

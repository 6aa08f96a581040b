"""``ringwall data reindex``: build a collection's index anew, in this store or another."""

import sys
from pathlib import Path
from typing import Any

import click

from ringwall.core import DataError

from .options import show_json, site_options


@click.command("reindex")
@click.argument("collection")
@click.option(
    "--to",
    type=click.Choice(["sqlite", "postgres"]),
    help="Fill another store than the workload's, before the workload file names it.",
)
@site_options
def command(collection: str, to: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Build the search index of a collection anew. From the vault; searches go on meanwhile.

    Needed after ``search: hybrid`` or ``chunk_chars`` was changed, and to move to another store.
    """
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        section = bench.workload.data
        if collection not in section.collections:
            raise DataError(f"The workload has no collection {collection}.")
        settings = section.retrieval.model_copy(update={"kind": to} if to else {})
        store: Any = bench.plant.index
        if settings.kind != store.kind:
            store = store.open(settings)
        try:
            if store is not bench.plant.index:
                store.configure(section.collections, settings)
            count = _rebuilt(bench, store, collection)
        finally:
            if store is not bench.plant.index:
                store.close()
    told = {"collection": collection, "store": settings.kind, "documents": count}
    show_json(told) if as_json else click.echo(f"{collection}: {count} documents in {settings.kind}")


def _rebuilt(bench: Any, store: Any, collection: str) -> int:
    with click.progressbar(length=1, label="Indexing", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return int(bench.plant.vault.reindex(collection, store=store, progress=progress))

"""``ringwall data store``: where blobs lie, moving them to S3, bringing back what was hidden there."""

import sys
from pathlib import Path
from typing import Any

import click

from ringwall.core import DataError

from .options import show_json, site_options

_DAY_S = 86_400


@click.group("store")
def store() -> None:
    """Where sealed documents, packs and manifests lie."""


@store.command("status")
@site_options
def status(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Open the store as a server would: what it relies on is there, or it is told what to do."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        told = {"store": bench.plant.store.name, "blobs": sum(1 for _ in bench.plant.blobs.names())}
    show_json(told) if as_json else click.echo(f"{told['store']}: {told['blobs']} blobs, ready.")


@store.command("move")
@site_options
def move(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Copy the blobs of the data directory into the bucket that data.store names, and go over to it.

    Stop the server first. Killed in the middle it has changed nothing; run it again. The local files stay.
    """
    from ringwall.core import event_record
    from ringwall.ledger import Ledger
    from ringwall.storage.blobs import LocalBlobs
    from ringwall.storage.database import Database
    from ringwall.workload.load import load
    from ringwall.workload.store import lock_objects, move_store, open_blobs

    section = load(workload).workload.data
    settings = section.store
    if settings.kind != "s3" or not (data_dir / "blobs").is_dir():
        raise DataError("Blobs can be moved from the data directory to S3: name the bucket under data.store.")
    source, target = LocalBlobs(data_dir / "blobs"), open_blobs(settings, data_dir)
    lock_objects(section, target)
    count = _each(source.names(), lambda digest: target.put(source.get(digest)) == digest, "copied", as_json)
    database = Database(data_dir / "state.db")
    try:
        move_store(database, settings)
    finally:
        database.close()
    ledger = Ledger.open(data_dir)
    try:
        facts = {"store": settings.name, "blobs": count}
        ledger.append_now(event_record("data.store_moved", "system", "default", facts))
    finally:
        ledger.close()
    told = {"store": settings.name, "copied": count}
    show_json(told) if as_json else click.echo(f"{count} blobs are in {settings.name}.")


@store.command("restore")
@site_options
def restore(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Bring back every blob that a delete marker or other content hides in the bucket.

    Exit code 1: of some no intact version is kept.
    """
    from ringwall.storage.s3_blobs import S3Blobs
    from ringwall.workload.workbench import workbench

    lost: list[str] = []
    with workbench(workload, data_dir) as bench:
        blobs = bench.plant.blobs
        if not isinstance(blobs, S3Blobs):
            raise DataError("The blobs lie in the data directory: restore them from a backup.")

        def mended(digest: str, store: S3Blobs = blobs) -> bool:
            try:
                return store.restore(digest)
            except DataError as error:
                lost.append(str(error))
                return False

        count = _each(blobs.every_name(), mended, "restored", as_json)
        if count:
            bench.plant.note("data.restored", blobs=count)
    if as_json:
        show_json({"restored": count, "lost": lost})
    else:
        click.echo(f"{count} blobs restored.")
        for message in lost:
            click.echo(message, err=True)
    sys.exit(1 if lost else 0)


@store.command("sweep")
@site_options
def sweep(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Take away blobs that nothing refers to. What killed processes left behind, and is older than a day.

    Only of a data directory that `ringwall data verify` finds sound. Objects in S3 stay: they are locked, and
    a lifecycle rule of the bucket is what removes them.
    """
    from ringwall.boundaries.data import verify
    from ringwall.boundaries.data.strays import strays
    from ringwall.storage.blobs import LocalBlobs
    from ringwall.workload.data_anchors import anchors
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        plant, blobs = bench.plant, bench.plant.blobs
        if not isinstance(blobs, LocalBlobs):
            raise DataError("The blobs lie in S3, where nothing is taken away by hand.")
        if verify(plant.vault, plant.index, anchors(plant.ledger), plant.training):
            raise DataError("There is damage: see `ringwall data verify`. Nothing was taken away.")
        unused = strays(plant.vault, plant.training, plant.quarantine, blobs)
        old = [digest for digest in unused if blobs.age(digest) > _DAY_S]
        for digest in old:
            blobs.discard(digest)
        if old:
            plant.note("data.swept", blobs=len(old))
    told = {"removed": len(old), "left": len(unused) - len(old)}
    if as_json:
        show_json(told)
    else:
        click.echo(f"{told['removed']} blobs removed; {told['left']} are not a day old yet.")


def _each(names: Any, work: Any, word: str, quiet: bool) -> int:
    """How many of them ``work`` was true for; one line of progress on a terminal."""
    shown = sys.stderr.isatty() and not quiet
    seen = count = 0
    for digest in names:
        count += bool(work(digest))
        seen += 1
        if shown and seen % 20 == 0:
            click.echo(f"\r{seen} blobs, {count} {word}", err=True, nl=False)
    if shown and seen >= 20:
        click.echo(err=True)
    return count

"""``ringwall data remove`` and ``erase``: out of the next version, or out of all of them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import Principal

from .data_person import key_option, person
from .options import show_json, site_options

if TYPE_CHECKING:
    from ringwall.workload.workbench import Workbench


@click.command("remove")
@click.argument("collection")
@click.argument("ids", nargs=-1, required=True)
@key_option
@site_options
def remove(
    collection: str, ids: tuple[str, ...], key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Make a version without documents or rows. Earlier versions keep them."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        asyncio.run(_remove(bench, collection, ids, person(bench, key)))
    _told(collection, ids, "removed", as_json)


@click.command("erase")
@click.argument("collection")
@click.argument("ids", nargs=-1)
@click.option(
    "--contributor",
    default="",
    help="Everything that this person ever brought into it, what waited in quarantine as well.",
)
@click.option("--yes", is_flag=True, help="Do it; without, only tell what would be destroyed.")
@key_option
@site_options
def erase(
    collection: str,
    ids: tuple[str, ...],
    contributor: str,
    yes: bool,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Destroy documents or rows in every version. For ever, by destroying their keys; hashes and proofs stay
    whole. What is locked (lock_days) can't be."""
    from ringwall.workload.workbench import workbench

    if bool(ids) == bool(contributor):
        raise click.UsageError("Name ids, or a --contributor.")
    with workbench(workload, data_dir) as bench:
        by = person(bench, key)
        named = ids or tuple(_store(bench, collection).by_contributor(collection, contributor))
        if yes:
            asyncio.run(_erase(bench, collection, named, by, contributor))
    _told(collection, named, "erased" if yes else "would be erased: say --yes", as_json)


COMMANDS = (remove, erase)


async def _remove(bench: "Workbench", collection: str, ids: tuple[str, ...], by: Principal) -> None:
    from ringwall.workload.intake import past_the_gate

    door = past_the_gate(bench)
    if door.is_training(collection.partition("~")[0]):
        await _withdrawals(bench).remove(collection, ids, by)
        return
    for document in ids:
        await door.remove(collection, document, by)


async def _erase(
    bench: "Workbench", collection: str, ids: tuple[str, ...], by: Principal, contributor: str
) -> None:
    """Also what ever waited of a contributor."""
    from ringwall.workload.intake import past_the_gate

    door = past_the_gate(bench)
    if ids and door.is_training(collection):
        await _withdrawals(bench).erase(collection, ids, by)
    else:
        for document in ids:
            await door.erase(collection, document, by)
    if contributor:
        await door.reviews.erase(collection, contributor, by)


def _withdrawals(bench: "Workbench") -> Any:
    from ringwall.boundaries.data.training.withdraw import Withdrawals

    async def note(event: Mapping[str, Any]) -> None:
        await bench.plant.ledger.append(event)

    return Withdrawals(bench.workload.data, bench.plant.training, note)


def _store(bench: "Workbench", collection: str) -> Any:
    from .data_versions import store_of

    return store_of(bench, collection)


def _told(collection: str, ids: tuple[str, ...], status: str, as_json: bool) -> None:
    if as_json:
        show_json([{"collection": collection, "id": one, "status": status.partition(":")[0]} for one in ids])
        return
    for one in ids[:50]:
        click.echo(f"{collection}/{one}: {status}")
    if len(ids) > 50:
        click.echo(f"and {len(ids) - 50:,} more")
    if not ids:
        click.echo("There is nothing of that contributor.")

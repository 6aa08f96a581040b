"""``ringwall data inventory``, ``uniqueness``, ``reveal``, ``token-keys``: sensitive data in collections."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import plain, show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data.document import Document
    from ringwall.boundaries.data.records import Record
    from ringwall.core import Principal
    from ringwall.workload.workbench import Workbench

_FOUND = _WAITS = 1


@click.command("inventory")
@click.argument("target")
@click.option("--version", type=click.IntRange(1), help="Of a collection.  [default: the current one]")
@click.option("--region", "regions", multiple=True, help="Country whose phone numbers are read; repeat.")
@site_options
def inventory(
    target: str, version: int | None, regions: tuple[str, ...], workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Count sensitive data by class and place.

    TARGET is a collection, or a file or folder of rows.

    Values are never shown, examples by their shape alone. Exit code 1: something was found.
    """
    from ringwall.boundaries.data.sensitive.inventory import Inventory
    from ringwall.detect.personal import require

    require(regions=regions)
    counted = Inventory(regions=regions)
    if Path(target).exists():
        _followed(counted.add_records(_file_rows(Path(target))), quiet=as_json)
    else:
        with _bench(workload, data_dir) as bench:
            if _is_training(bench, target):
                rows = bench.plant.training.records(target, version)
                _followed(counted.add_records(rows), quiet=as_json)
            else:
                documents = _documents(bench, target, version)
                _followed(counted.add_documents(documents), quiet=as_json)
    report = {"target": target, **counted.report()}
    if as_json:
        show_json(report)
    else:
        _show_inventory(report)
    sys.exit(_FOUND if report["classes"] else 0)


@click.command("uniqueness")
@click.argument("target")
@click.option("--quasi", multiple=True, help="Column that may help to single a person out; repeat.")
@click.option("--confidential", multiple=True, help="Column that must not follow from those; repeat.")
@click.option("--smallest", type=click.IntRange(2, 1000), help="Smallest group that is no finding.")
@click.option("--version", type=click.IntRange(1), help="Of a collection.  [default: the current one]")
@site_options
def uniqueness(
    target: str,
    quasi: tuple[str, ...],
    confidential: tuple[str, ...],
    smallest: int | None,
    version: int | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Tell which columns of a table single people out.

    Together or alone (k-anonymity, l-diversity).

    Without --quasi: those that the workload names, else those whose names look like it. Exit code 1: some
    rows are in groups that are too small.
    """
    from ringwall.boundaries.data.sensitive.uniqueness import Uniqueness, quasi_identifiers

    def run(
        rows: Callable[[], Iterator["Record"]], named: tuple[tuple[str, ...], tuple[str, ...], int]
    ) -> Any:
        columns = quasi or named[0] or tuple(quasi_identifiers(rows()))
        if not columns:
            raise click.UsageError("No column looks like an attribute of a person: name some with --quasi.")
        table = Uniqueness(columns, confidential or named[1], smallest or named[2])
        _followed(table.add(rows()), quiet=as_json)
        return table

    if Path(target).exists():
        table = run(lambda: _file_rows(Path(target)), ((), (), 5))
    else:
        with _bench(workload, data_dir) as bench:
            if not _is_training(bench, target):
                raise click.UsageError(f"{target} is no training set: documents have no columns.")
            given = bench.workload.data.collections[target].sensitive
            named = (given.quasi_identifiers, given.confidential, given.smallest_group)
            table = run(lambda: bench.plant.training.records(target, version), named)
    findings = table.findings()
    if as_json:
        show_json({"target": target, **table.report(), "findings": [_plain(one) for one in findings]})
    else:
        for one in findings:
            click.echo(f"{one.title}: {one.message}")
        click.echo(f"{table.rows:,} rows, {len(findings)} findings.")
    sys.exit(_FOUND if findings else 0)


@click.command("reveal")
@click.argument("collection")
@click.argument("token")
@click.option("--class", "cls", default="", help="Class of a token in the format of its value.")
@click.option("--generation", type=click.IntRange(0), default=0, help="Of its keys.  [default: the newest]")
@click.option("--common", is_flag=True, help="Of such a token: it is of what belongs to all tenants.")
@click.option("--allow", is_flag=True, help="Let who asked see it, as the second person; shows nothing.")
@click.option("--key", envvar="RINGWALL_KEY", help="Your own API key (or RINGWALL_KEY).")
@site_options
def reveal(
    collection: str,
    token: str,
    cls: str,
    generation: int,
    common: bool,
    allow: bool,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Show what a token stands for.

    It takes a role of the collection's `revealers` and a key that is good for `reveal`, and is on the ledger.
    Where tenants are apart, tokens of another tenant don't open.
    With `two_person` the first run asks, somebody else runs the same with --allow, and the next run shows the
    value, within a day. Exit code 1: it waits.
    """
    from ringwall.boundaries.data.sensitive.reveal import Revealer

    with _bench(workload, data_dir) as bench:
        by = _person(bench, key, "reveals")
        revealer = Revealer(
            bench.workload.data, bench.plant.token_keys, bench.plant.consents, _recorder(bench)
        )
        if allow:
            asker = asyncio.run(revealer.allow(collection, token, by))
            _told({"collection": collection, "allowed": asker}, f"{asker} may see it now, once.", as_json)
            return
        asked = revealer.reveal(collection, token, by, cls=cls, generation=generation, common=common)
        value = asyncio.run(asked)
    if value is None:
        message = "It waits: somebody else of the collection's revealers has to run the same with --allow."
        _told({"collection": collection, "waits": True}, message, as_json)
        sys.exit(_WAITS)
    _told({"collection": collection, "value": value}, plain(value), as_json)


@click.command("token-keys")
@click.argument("collection")
@click.option("--rotate", is_flag=True, help="Begin a new generation: tokens made from now on differ.")
@click.option("--erase", type=click.IntRange(1), help="Destroy a generation: its tokens never open again.")
@click.option("--key", envvar="RINGWALL_KEY", help="Your own API key (or RINGWALL_KEY).")
@site_options
def token_keys(
    collection: str,
    rotate: bool,
    erase: int | None,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """List, rotate or erase the keys of tokens.

    To rotate and erase takes a role of the collection's `token_keepers` and a key that is good for
    `token-keys`. An erasure can't be undone; with `two_person` a second person has to run the same within a
    day. Exit code 1: it waits for that.
    """
    from ringwall.boundaries.data.sensitive.keepers import Keepers

    done = True
    with _bench(workload, data_dir) as bench:
        keys = bench.plant.token_keys
        if rotate or erase is not None:
            by = _person(bench, key, "rotations and erasures of keys")
            door = Keepers(bench.workload.data, keys, bench.plant.consents, _recorder(bench))
            if erase is not None:
                done = asyncio.run(door.erase(collection, erase, by))
            if rotate:
                asyncio.run(door.rotate(collection, by))
        rows = keys.states(collection)
    if as_json:
        show_json([{"generation": number, "open": alive} for number, alive in rows])
    else:
        show_table(
            [(str(number), "open" if alive else "erased") for number, alive in rows], ("generation", "state")
        )
    if not done:
        message = "The erasure waits: somebody else of the collection's token_keepers has to run the same."
        click.echo(message, err=True)
        sys.exit(_WAITS)


COMMANDS = (inventory, uniqueness, reveal, token_keys)


def _bench(workload: Path, data_dir: Path) -> Any:
    from ringwall.workload.workbench import workbench

    return workbench(workload, data_dir)


def _person(bench: "Workbench", key: str | None, deeds: str) -> "Principal":
    from ringwall.core import IdentityError

    by = bench.plant.keys.verify(key) if key else None
    if by is None:
        raise IdentityError(f"Give your own API key with --key or in RINGWALL_KEY: {deeds} have a name.")
    return by


def _told(report: Mapping[str, Any], message: str, as_json: bool) -> None:
    show_json(report) if as_json else click.echo(message)


def _file_rows(place: Path) -> Iterator["Record"]:
    from ringwall.boundaries.data.records import read_rows

    return read_rows(place)


def _is_training(bench: "Workbench", collection: str) -> bool:
    from ringwall.core import DataError

    settings = bench.workload.data.collections.get(collection)
    if settings is None:
        raise DataError(f"{collection} is neither a file nor a collection of the workload.")
    return settings.kind == "training"


def _documents(bench: "Workbench", collection: str, version: int | None) -> Iterator["Document"]:
    vault = bench.plant.vault
    return (vault.open(collection, entry) for entry in vault.manifest(collection, version).entries)


def _recorder(bench: "Workbench") -> Any:
    async def record(event: Mapping[str, Any]) -> None:
        await bench.plant.ledger.append(event)

    return record


def _followed(steps: Iterator[int], *, quiet: bool) -> None:
    """Run to the end, with the count on a line that is written over."""
    show = sys.stderr.isatty() and not quiet
    for count in steps:
        if show:
            click.echo(f"\r{count:,} read ", nl=False, err=True)
    if show:
        click.echo("", err=True)


def _show_inventory(report: Mapping[str, Any]) -> None:
    click.echo(
        f"{report['records']:,} records, {report['characters']:,} characters; sensitive data in "
        f"{report['records_with_findings']:,} records."
    )
    rows = []
    for one in report["classes"]:
        places = ", ".join(f"{place} ({count:,})" for place, count in list(one["places"].items())[:3])
        shape = one["examples"][0]["masked"] if one["examples"] else ""
        rows.append(
            (one["class"], one["sensitivity"], f"{one['count']:,}", f"{one['records']:,}", places, shape)
        )
    show_table(rows, ("class", "gravity", "found", "records", "places", "shape"))


def _plain(finding: Any) -> dict[str, Any]:
    return {
        "detector": finding.detector,
        "title": finding.title,
        "message": finding.message,
        "score": finding.score,
        "severity": str(finding.severity),
        "facts": dict(finding.facts),
    }

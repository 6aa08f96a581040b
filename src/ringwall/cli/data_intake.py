"""``ringwall data``: contribute documents and rows, and decide about what waits."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import DataError, DeniedError, Principal

from .data_person import key_option, person, with_person
from .options import plain, show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data import Contributions, Receipt, Terms

_FINE = ("stored", "unchanged")


@click.command("add")
@click.argument("collection")
@click.argument("places", nargs=-1, required=True)
@click.option("--licence", default="", help="SPDX expression, or LicenseRef-NAME for one of your own.")
@click.option("--consent", default="", help="On what ground the persons in it agreed, or why none is needed.")
@click.option("--origin", default="", help="Where it came from.  [default: the file's name]")
@click.option(
    "--signature",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What `ringwall data sign` made, for the one file that is given.",
)
@key_option
@site_options
def add(
    collection: str,
    places: tuple[str, ...],
    licence: str,
    consent: str,
    origin: str,
    signature: Path | None,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Contribute files, folders or s3:// prefixes.

    To an index, documents: text, Markdown, HTML, PDF, office files, e-mail, pictures. To a training set,
    rows: JSON Lines, JSON, CSV, text, Parquet, Arrow; each place is one contribution, stored whole or not at
    all. Of S3, only what data.sources lists is read. Exit code 1: something was quarantined, left out or
    refused.
    """
    from ringwall.boundaries.data import Signature, Terms

    signed = Signature.from_bytes(signature.read_bytes()) if signature else None
    terms = Terms(licence, consent, origin, signed)
    told = _teller(as_json)

    async def run(door: "Contributions", by: Principal) -> list[dict[str, Any]]:
        with tempfile.TemporaryDirectory(prefix="ringwall-") as folder:
            given = [
                _given(door, place, Path(folder, str(number)), told) for number, place in enumerate(places)
            ]
            if door.is_training(collection):
                alone = len(given) == 1
                return [await _rows(door, by, collection, one, terms, told, alone=alone) for one in given]
            files = [file for one in given for file in one.files()]
            outcomes = []
            for number, (path, name, place) in enumerate(files, 1):
                told(f"{number}/{len(files)} {name}")
                said = replace(terms, origin=terms.origin or place)
                alone = len(files) == 1
                outcomes.append(await _document(door, by, collection, path, name, said, alone=alone))
            return outcomes

    if signature and len(places) != 1:
        raise click.UsageError("One signature is for one file: give that file alone.")
    outcomes = with_person(workload, data_dir, key, run)
    told("")
    if as_json:
        show_json(outcomes)
    else:
        for one in outcomes:
            click.echo(plain(f"{one['file']}: {_sentence(one)}"))
    clean = all(one["status"] in _FINE and not one["held_rows"] and not one["left_out"] for one in outcomes)
    sys.exit(0 if clean else 1)


@click.command("quarantine")
@click.argument("collection", default="")
@key_option
@site_options
def quarantine(collection: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List what waits for a person. With a key: only what this person may know of."""
    from ringwall.workload.intake import past_the_gate
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        waiting = bench.plant.quarantine.waiting(collection)
        if key:
            known = {one.id for one in past_the_gate(bench).reviews.waiting(person(bench, key))}
            waiting = [one for one in waiting if one.id in known]
    if as_json:
        show_json([asdict(held) for held in waiting])
        return
    rows = [
        (
            one.id,
            one.collection,
            _rows_of(one.rows) if one.rows else one.document,
            one.contributor,
            one.decision,
        )
        for one in waiting
    ]
    show_table(rows, ("id", "collection", "what", "contributor", "decision"))


@click.command("release")
@click.argument("held")
@click.option("--reason", default="", help="Why; kept with the decision.")
@key_option
@site_options
def release(held: str, reason: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Store what was quarantined. You need an approver role, and must not have brought it."""

    async def run(door: "Contributions", by: Principal) -> dict[str, Any]:
        return _told(await door.release(held, by, reason))

    done = with_person(workload, data_dir, key, run, judging=False)
    what = done["document"] or _rows_of(done["rows"])
    show_json(done) if as_json else click.echo(f"{done['collection']}/{what}: {done['status']}")


@click.command("reject")
@click.argument("held")
@click.option("--reason", default="", help="Why; kept with the decision.")
@key_option
@site_options
def reject(held: str, reason: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Refuse what was quarantined for good."""

    async def run(door: "Contributions", by: Principal) -> None:
        await door.reject(held, by, reason)

    with_person(workload, data_dir, key, run, judging=False)
    show_json({"held": held, "status": "rejected"}) if as_json else click.echo(f"{held}: rejected")


COMMANDS = (add, quarantine, release, reject)


@dataclass(frozen=True, slots=True)
class _Given:
    """One place on the command line, as files on this machine."""

    name: str
    path: Path
    origin: str = ""
    """Where it came from, when not from here."""
    copied: tuple[tuple[Path, str], ...] = ()
    """Files out of a store, each with its address."""

    def files(self) -> list[tuple[Path, str, str]]:
        """Documents: path, name, origin."""
        from ringwall.boundaries.data.contribute import files_below

        if self.copied:
            return [(path, path.relative_to(self.path).as_posix(), origin) for path, origin in self.copied]
        if self.path.is_file():
            return [(self.path, self.path.name, "")]
        return [(path, path.relative_to(self.path).as_posix(), "") for path in files_below(self.path)]


def _given(door: "Contributions", place: str, folder: Path, told: Callable[[str], None]) -> _Given:
    if place.startswith("s3://"):
        from ringwall.boundaries.data.intake.from_s3 import copied

        folder.mkdir()
        return _Given(place, folder, place, tuple(copied(place, door.sources, folder, told)))
    path = Path(place)
    if not path.exists():
        raise DataError(f"There is no file or folder {place!r}.")
    return _Given(path.name, path)


async def _rows(
    door: "Contributions",
    by: Principal,
    collection: str,
    given: _Given,
    terms: "Terms",
    told: Callable[[str], None],
    *,
    alone: bool,
) -> dict[str, Any]:
    from ringwall.boundaries.data.records import read_rows

    said = replace(terms, origin=terms.origin or given.origin)
    try:
        receipt = await door.add_records(
            collection, read_rows(given.path), by, said, lambda count: told(f"{given.name}: {count:,} rows")
        )
    except (DeniedError, DataError) as error:
        if alone and isinstance(error, DataError):
            raise
        return _refused(given.name, error)  # what was stored of the other places is told as well
    return {"file": given.name, **_told(receipt)}


async def _document(
    door: "Contributions",
    by: Principal,
    collection: str,
    path: Path,
    name: str,
    terms: "Terms",
    *,
    alone: bool,
) -> dict[str, Any]:
    """Of several files, one that can't be read is told beside the others; alone, it is an error."""
    from ringwall.boundaries.data import Offer

    try:
        receipt = await door.add(Offer(collection, name, door.bounded(path, collection), terms=terms), by)
    except DeniedError as error:
        return _refused(name, error)
    except DataError as error:
        if alone:
            raise
        return _refused(name, error)
    return {"file": name, **_told(receipt)}


def _refused(name: str, error: DeniedError | DataError) -> dict[str, Any]:
    decision = error.decision_id if isinstance(error, DeniedError) else ""
    facts = {"status": "refused", "reasons": [str(error)], "decision": decision}
    return {"file": name, **facts, "held_rows": 0, "left_out": 0}


def _told(receipt: "Receipt") -> dict[str, Any]:
    names = ("status", "collection", "document", "name", "decision", "held", "contribution")
    counts = ("rows", "held_rows", "left_out")
    facts = {name: getattr(receipt, name) for name in (*names, *counts)}
    return {**facts, "reasons": list(receipt.reasons)}


def _sentence(one: dict[str, Any]) -> str:
    if one.get("rows"):
        stored = one["rows"] - one["held_rows"] - one["left_out"] if one["status"] == "stored" else 0
        parts = [f"{one['status']}, {stored:,} of {one['rows']:,} rows"]
        parts += [f"{one['held_rows']:,} quarantined as {one['held']}"] if one["held_rows"] else []
        parts += [f"{one['left_out']:,} left out"] if one["left_out"] else []
    else:
        parts = [one["status"]]
    return ". ".join([", ".join(parts), *([" ".join(one["reasons"])] if one["reasons"] else [])])


def _rows_of(count: int) -> str:
    return f"{count:,} rows" if count > 1 else "1 row"


def _teller(as_json: bool) -> Callable[[str], None]:
    """One line on standard error that is written over; nothing where nobody watches."""
    if as_json or not sys.stderr.isatty():
        return lambda _: None
    return lambda text: click.echo(f"\r\x1b[K{text}", nl=False, err=True)

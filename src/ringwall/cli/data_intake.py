"""``ringwall data``: contribute documents and rows, and decide about what waits."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ringwall.core import DataError, DeniedError, Principal

from .data_person import key_option, person, with_person
from .options import plain, show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data import Contributions, Receipt, Terms
    from ringwall.boundaries.data.records import Record as Row

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
        given = [_given(place) for place in places]
        if door.is_training(collection):
            alone = len(given) == 1
            return [await _rows(door, by, collection, one, terms, told, alone=alone) for one in given]
        files = [file for one in given for file in one.files(door)]
        outcomes = []
        for number, file in enumerate(files, 1):
            told(f"{number}/{len(files)} {file.name}")
            said = replace(terms, origin=terms.origin or file.origin)
            outcomes.append(await _document(door, by, collection, file, said, alone=len(files) == 1))
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
class _File:
    """A document, wherever it lies."""

    name: str
    open: Callable[[], BinaryIO]
    origin: str = ""
    """Where it came from, when not from here."""


@dataclass(frozen=True, slots=True)
class _Given:
    """One place on the command line."""

    name: str
    path: Path | None
    """None: a place in a store."""

    def files(self, door: "Contributions") -> list[_File]:
        """As documents."""
        from ringwall.boundaries.data.contribute import files_below
        from ringwall.boundaries.data.intake.from_s3 import documents

        path = self.path
        if path is None:
            return [_File(one.name, one.open, one.address) for one in documents(self.name, door.sources)]
        if path.is_file():
            return [_File(path.name, partial(_reading, path))]
        return [_File(one.relative_to(path).as_posix(), partial(_reading, one)) for one in files_below(path)]

    @contextmanager
    def rows(self, door: "Contributions") -> Iterator[Iterator["Row"]]:
        """As rows."""
        from ringwall.boundaries.data.records import read_files, read_rows, row_objects

        if self.path is not None:
            yield read_rows(self.path)
            return
        with row_objects(door.sources, self.name) as objects:
            yield read_files(objects)


def _reading(path: Path) -> BinaryIO:
    return path.open("rb")


def _given(place: str) -> _Given:
    if place.startswith("s3://"):
        return _Given(place, None)
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
    said = replace(terms, origin=terms.origin or ("" if given.path else given.name))
    try:
        with given.rows(door) as rows:
            receipt = await door.add_records(
                collection, rows, by, said, lambda count: told(f"{given.name}: {count:,} rows")
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
    file: _File,
    terms: "Terms",
    *,
    alone: bool,
) -> dict[str, Any]:
    """Of several files, one that can't be read is told beside the others; alone, it is an error."""
    from ringwall.boundaries.data import Offer

    try:
        raw = door.bounded(file.open(), collection)
        receipt = await door.add(Offer(collection, file.name, raw, terms=terms), by)
    except DeniedError as error:
        return _refused(file.name, error)
    except DataError as error:
        if alone:
            raise
        return _refused(file.name, error)
    return {"file": file.name, **_told(receipt)}


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

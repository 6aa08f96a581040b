"""``ringwall ledger``: verify, export, prove, erase."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import orjson

from ringwall import __version__
from ringwall.core import DataError
from ringwall.ledger import Ledger

from .options import data_dir_option, json_option, show_json, workload_option

_LONGEST = 10_000

since_option = click.option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Checkpoint kept elsewhere (`ringwall ledger checkpoint`): tells a ledger that was put back.",
)


def kept(since: Path | None) -> str | None:
    """The text of a checkpoint that was kept elsewhere. DataError when it can't be read."""
    if since is None:
        return None
    try:
        with since.open(encoding="utf-8", newline="") as file:
            return file.read(_LONGEST).replace("\r\n", "\n")
    except (OSError, UnicodeError):
        raise DataError(f"The checkpoint {since.name} can't be read.") from None


@contextmanager
def opened_ledger(data_dir: Path) -> Iterator[Ledger]:
    """The ledger of a data directory that is there already."""
    if not (data_dir / "ledger.db").is_file():
        raise DataError(f"There is no ledger in {data_dir}: give the server's --data-dir.")
    ledger = Ledger.open(data_dir)
    try:
        yield ledger
    finally:
        ledger.close()


def _write_ocsf(ledger: Ledger, path: Path) -> int:
    from ringwall.ledger.ocsf import to_ocsf

    count = 0
    with path.open("wb") as file:
        for first in range(0, ledger.size(), 500):
            for record in ledger.since(first, 500):
                event = to_ocsf(record, __version__)
                if event is not None and record.index < first + 500:
                    file.write(orjson.dumps(event) + b"\n")
                    count += 1
    return count


@click.group("ledger")
def command() -> None:
    """The tamper-evident record: check it, take it out, prove one entry, erase a person's text."""


@command.command("verify")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--vkey", help="Verifier key that you have from elsewhere (`ringwall ledger vkey`).")
@since_option
@workload_option
@data_dir_option
@json_option
def verify(
    path: Path | None, vkey: str | None, since: Path | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Check a ledger, or an exported bundle, without the server. Exit code 1 when anything was changed."""
    from ringwall.ledger import verify as check

    report = check(path or data_dir, vkey, kept(since))
    if as_json:
        show_json(report.to_json())
    else:
        for damage in report.damages:
            click.echo(str(damage), err=True)
        if report.more:
            click.echo(f"… and {report.more} more", err=True)
        click.echo(
            f"{report.size} records, {report.checkpoints} checkpoints: "
            + ("sound." if report.ok else f"{len(report.damages)} damages found.")
        )
        click.echo(report.trust)
    sys.exit(0 if report.ok else 1)


@command.command("export")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--ocsf", is_flag=True, help="OCSF 1.8 events as JSON lines instead of a bundle to verify.")
@workload_option
@data_dir_option
@json_option
def export(path: Path, ocsf: bool, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Write a bundle that an outsider can verify, or the events as OCSF."""
    with opened_ledger(data_dir) as ledger:
        count = _write_ocsf(ledger, path) if ocsf else ledger.export(path)
        vkey = ledger.vkey
    if as_json:
        show_json({"path": str(path), "records": count, "vkey": vkey})
    else:
        click.echo(f"{count} records written to {path}. Verifier key: {vkey}")


@command.command("prove")
@click.argument("event_id", metavar="ID")
@workload_option
@data_dir_option
@json_option
def prove(event_id: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Print the proof that a record is in the signed ledger (always JSON)."""
    with opened_ledger(data_dir) as ledger:
        record = ledger.find(event_id)
        if record is None:
            raise DataError(f"There is no record {event_id!r} in this ledger.")
        show_json(ledger.prove(record.index))


@command.command("vkey")
@workload_option
@data_dir_option
@json_option
def vkey(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Print the verifier key: keep it outside, a verification rests on it."""
    with opened_ledger(data_dir) as ledger:
        key = ledger.vkey
    if as_json:
        show_json({"vkey": key})
    else:
        click.echo(key)


@command.command("checkpoint")
@workload_option
@data_dir_option
@json_option
def checkpoint(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Sign the ledger as it stands. Keep what is printed elsewhere, for `verify --since`: it shows later that
    nothing was put back to an earlier state."""
    with opened_ledger(data_dir) as ledger:
        note = ledger.checkpoint()
    show_json({"checkpoint": note}) if as_json else click.echo(note, nl=False)


@command.command("erase")
@click.argument("subject", metavar="TENANT/SUBJECT")
@click.confirmation_option(prompt="The text of this person can't be brought back. Erase it?")
@workload_option
@data_dir_option
@json_option
def erase(subject: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Destroy the key of a person: their text is unreadable from now on, every proof still holds."""
    if "/" not in subject:
        raise click.UsageError("name the person as TENANT/SUBJECT, such as default/casey")
    with opened_ledger(data_dir) as ledger:
        ledger.erase(subject)
    if as_json:
        show_json({"erased": subject})
    else:
        click.echo(f"The text of {subject} is erased.")

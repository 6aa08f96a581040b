"""``ringwall master-key``: where the key that wraps all others rests, and how it is replaced."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import DataError

from .options import data_dir_option, json_option, show_json

if TYPE_CHECKING:
    from ringwall.ledger.rotation import Rotation


@click.group("master-key")
def command() -> None:
    """The key that wraps all other keys (API keys are under `ringwall key`)."""


@command.command("status")
@data_dir_option
@json_option
def status(data_dir: Path, as_json: bool) -> None:
    """Tell where the master key rests and when it was rotated. Exit code 2: it can't be used."""
    from ringwall.ledger.checkpoint import Signer
    from ringwall.ledger.key_record import read_record
    from ringwall.ledger.key_source import ENVIRONMENT, key_source
    from ringwall.ledger.master import KEYS, MasterKey

    _there(data_dir)
    source = key_source(os.environ.get(ENVIRONMENT, ""), data_dir)
    Signer.load(data_dir, MasterKey.load(data_dir))
    record = read_record(data_dir / KEYS)
    told: dict[str, Any] = {
        "source": source.name,
        "rotations": record.generation if record else 0,
        "rotated": _date(record.at) if record else None,
    }
    if as_json:
        show_json(told)
    else:
        when = f"rotated {told['rotations']} times, last on {told['rotated']}" if record else "never rotated"
        click.echo(f"The master key is in use: {source.name}, {when}.")


@command.command("rotate")
@click.option("--to", default="", metavar="SOURCE", help="Where it shall rest: file, keyring:…, awskms:…")
@click.option(
    "--new-root",
    is_flag=True,
    help="The old one may be known: replace tokens, canaries and hash keys made from it, too.",
)
@data_dir_option
@json_option
def rotate(to: str, new_root: bool, data_dir: Path, as_json: bool) -> None:
    """Make a new master key and wrap every stored key anew. Servers go on running.

    What was encrypted stays readable. Killed at any moment, it leaves the old key or the new one in force.
    """
    from ringwall.ledger.rotation import rotate as run

    _there(data_dir)
    shown = _Progress() if sys.stderr.isatty() and not as_json else None
    done = run(data_dir, to, new_root=new_root, progress=shown)
    if shown:
        shown.end()
    told = {
        "source": done.source,
        "moved": done.moved,
        "keys": done.keys,
        "rotations": done.generation,
        "new_root": new_root,
        "clean": done.clean,
    }
    _noted(data_dir, done, new_root)
    if as_json:
        show_json(told)
        return
    click.echo(f"{done.keys} keys are wrapped under a new master key ({done.source}).")
    for line in _advice(done.source, moved=done.moved, new_root=new_root, clean=done.clean):
        click.echo(line)


@command.command("rewrap")
@click.argument("key", default="")
@data_dir_option
@json_option
def rewrap(key: str, data_dir: Path, as_json: bool) -> None:
    """Have KMS wrap the same master key anew, under another KMS key if KEY names one."""
    from ringwall.ledger.key_source import ENVIRONMENT, KMS
    from ringwall.ledger.kms_source import KmsSource

    _there(data_dir)
    given = os.environ.get(ENVIRONMENT, "")
    if not given.startswith(KMS):
        raise DataError(f"The master key is not in KMS: {ENVIRONMENT} does not begin with {KMS}.")
    named = given.removeprefix(KMS)
    arn = KmsSource(named, data_dir).rewrap(key.removeprefix(KMS) or named)
    if as_json:
        show_json({"key": arn})
    else:
        click.echo(f"The master key is wrapped under {arn}.")
        if key:
            click.echo(f"Set {ENVIRONMENT} to {KMS}{key.removeprefix(KMS)} from now on.")


class _Progress:
    """One line on a terminal."""

    def __call__(self, done: int, total: int) -> None:
        click.echo(f"\r{done} of {total} keys", err=True, nl=False)

    def end(self) -> None:
        click.echo(err=True)


def _advice(source: str, *, moved: bool, new_root: bool, clean: bool) -> list[str]:
    from ringwall.ledger.key_source import ENVIRONMENT, NEXT

    told = []
    if source == "environment":
        told.append(f"Set {ENVIRONMENT} to the value of {NEXT} everywhere, then take {NEXT} away.")
    elif moved:
        told.append(
            f"Unset {ENVIRONMENT} from now on." if source == "file" else f"Set {ENVIRONMENT} to {source}."
        )
    if new_root:
        told.append("Restart every process: tokens, canaries and egress passwords are new ones.")
    if not clean:
        told.append(
            "A running process still reads the key store's log: old wrapped keys go with its next use."
        )
    return [*told, "Backups from before need the old master key."]


def _noted(data_dir: Path, done: "Rotation", new_root: bool) -> None:
    from ringwall.core import event_record
    from ringwall.ledger import Ledger

    facts = {"source": done.source, "rotations": done.generation, "new_root": int(new_root)}
    ledger = Ledger(data_dir, done.key, fsync=True)
    try:
        ledger.append_now(event_record("master_key.rotated", "system", "default", facts))
    finally:
        ledger.close()


def _there(data_dir: Path) -> None:
    if not (data_dir / "keys.db").is_file():
        raise DataError(f"There are no keys in {data_dir}: give the server's --data-dir.")


def _date(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="seconds")

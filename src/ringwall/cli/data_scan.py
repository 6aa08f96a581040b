"""``ringwall data scan``: every row of a data set, on every core, resumable."""

import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import click

from .data_place import rows_at
from .options import json_option, show_json, show_table, workload_option


@click.command("scan")
@click.argument("place")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the findings.  [default: NAME.scan]",
)
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Where to scan."
)
@click.option(
    "--workers", type=click.IntRange(1, 1024), help="Processes of the local engine.  [default: one a core]"
)
@click.option(
    "--decode", is_flag=True, help="Also read what is encoded (Base64, leetspeak…): five times as slow."
)
@click.option("--restart", is_flag=True, help="Forget what an earlier run found.")
@workload_option
@json_option
def command(
    place: str,
    out: Path | None,
    engine: str,
    workers: int | None,
    decode: bool,
    restart: bool,
    workload: Path,
    as_json: bool,
) -> None:
    """Look through rows for what must not be learnt.

    PLACE is a file or folder of JSON Lines, JSON, CSV, text, Parquet or Arrow, or s3://BUCKET/PREFIX of a
    place that the workload file names under data.sources.

    Tells text that gives orders to a model, credentials, personal data and invisible characters by file, row
    and place, never their values. Stopped at any moment, the same command goes on where it was. Exit code 1:
    some row was flagged.
    """
    from functools import partial

    from ringwall.boundaries.data.scanning import local, on_ray, scan_files

    folder = out or Path(f"{PurePath(place).name or 'rows'}.scan")
    runs = on_ray if engine == "ray" else partial(local, workers=workers or 0)
    told = _shown() if sys.stderr.isatty() and not as_json else None
    with rows_at(place, workload) as files:
        summary = scan_files(files, folder, engine=runs, decode=decode, told=told, restart=restart)
    if told:
        click.echo("", err=True)
    if as_json:
        show_json({**summary, "out": str(folder)})
    else:
        click.echo(
            f"{summary['rows']:,} rows, {summary['flagged']:,} flagged, {summary['unreadable']:,} unreadable."
        )
        show_table(
            [(name, f"{count:,}") for name, count in summary["classes"].items()], ("class", "findings")
        )
        click.echo(f"Findings: {folder / 'findings.jsonl'}")
    sys.exit(1 if summary["flagged"] else 0)


def _shown() -> Callable[[Any], None]:
    """A line that is written over: share, rows, rows a second, flagged rows."""
    began, last, before = time.monotonic(), 0.0, -1

    def show(progress: Any) -> None:
        nonlocal last, before
        now = time.monotonic()
        if before < 0:
            before = progress.rows
        if now - last < 0.2:
            return
        last = now
        share = progress.done / progress.total if progress.total else 1.0
        rate = (progress.rows - before) / max(now - began, 0.001)
        click.echo(
            f"\r{share:4.0%}  {progress.rows:,} rows  {rate:,.0f} rows/s  {progress.flagged:,} flagged ",
            nl=False,
            err=True,
        )

    return show

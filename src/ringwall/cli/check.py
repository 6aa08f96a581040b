"""``ringwall check``: is the workload file right, and does every shape of traffic meet a control?"""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ringwall.core import ConfigError

from .options import show_json, show_table, site_options


@click.command("check")
@site_options
@click.option("--matrix/--no-matrix", default=True, help="Print the coverage matrix.")
def command(workload: Path, data_dir: Path, as_json: bool, matrix: bool) -> None:
    """Validate the workload file and print what guards each shape of traffic.

    The data directory is not touched. Warnings change no exit code.
    Exit code 0: sound. 1: enforce mode has an unguarded cell. 2: the file can't be used.
    """
    from ringwall.workload.live import rehearse

    try:
        found = rehearse(workload)
    except ConfigError as error:
        if not as_json:
            raise
        problems = [asdict(problem) for problem in error.problems]
        show_json({"ok": False, "problems": problems, "warnings": [], "matrix": []})
        sys.exit(2)
    if as_json:
        matrix_rows = [asdict(cell) for cell in found.cells]
        show_json({"ok": not found.gaps, "problems": [], "warnings": found.doubts, "matrix": matrix_rows})
    else:
        if matrix:
            rows = [
                (
                    cell.application,
                    cell.endpoint,
                    cell.direction,
                    "stream" if cell.streaming else "whole",
                    cell.part,
                    str(cell.cover) + (f" (required: {', '.join(cell.missing)})" if cell.missing else ""),
                    ", ".join(cell.controls) or "-",
                )
                for cell in found.cells
            ]
            show_table(
                rows, ("application", "endpoint", "direction", "mode", "part", "cover", "enforcing controls")
            )
        for doubt in found.doubts:
            click.echo(f"warning: {doubt}", err=True)
        for gap in found.gaps:
            click.echo(f"unguarded: {gap}", err=True)
        click.echo("The workload file is sound." if not found.gaps else "Enforce mode has unguarded cells.")
    sys.exit(1 if found.gaps else 0)

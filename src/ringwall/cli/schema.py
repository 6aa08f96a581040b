"""``ringwall schema``: the JSON Schema of the workload file."""

from pathlib import Path

import click

from .options import show_json, site_options


@click.command("schema")
@site_options
def command(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Print the JSON Schema of the workload file, for editors and checks.

    It is JSON in any case and the same for every workload: the options are accepted for symmetry.
    """
    from ringwall.workload.json_schema import workload_schema

    show_json(workload_schema())

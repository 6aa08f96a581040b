"""``ringwall schema``: the JSON Schema of the workload file."""

import click

from .options import show_json


@click.command("schema")
@click.option("--json", "_as_json", is_flag=True, help="The schema is always JSON; accepted for symmetry.")
def command(_as_json: bool) -> None:
    """Print the JSON Schema of the workload file, for editors and checks."""
    from ringwall.workload.json_schema import workload_schema

    show_json(workload_schema())

"""``ringwall init``: a commented workload file to start from."""

import re
import sys
from importlib import resources
from pathlib import Path

import click


@click.command("init")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default=Path("ringwall.yaml"))
@click.option("--name", default="my-assistant", show_default=True, help="Name of the workload.")
def command(path: Path, name: str) -> None:
    """Write a commented workload file (never over an existing one)."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise click.UsageError("a workload's name is lower-case letters, digits and hyphens")
    text = resources.files("ringwall.workload").joinpath("template.yaml").read_text("utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text.replace("my-assistant", name))
    except FileExistsError:
        raise click.UsageError(f"{path} is there already: choose another name") from None
    except OSError as error:
        raise click.UsageError(f"{path} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {path}. Next: ringwall check --workload {path}, then ringwall up --workload {path}")
    sys.exit(0)

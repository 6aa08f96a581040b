"""Options that commands share, and the way they print."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from ringwall.core import ConfigError, Problem

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_WORKLOAD = Path("ringwall.yaml")
DEFAULT_DATA = Path(".ringwall")


def workload_option(function: F) -> F:
    return click.option(
        "--workload",
        type=click.Path(path_type=Path),
        default=DEFAULT_WORKLOAD,
        show_default=True,
        help="The workload file.",
    )(function)


def data_dir_option(function: F) -> F:
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_DATA,
        show_default=True,
        help="Where state, ledger and keys are kept.",
    )(function)


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def site_options(function: F) -> F:
    """``--workload``, ``--data-dir`` and ``--json``."""
    return workload_option(data_dir_option(json_option(function)))


def require_detectors(detectors: str) -> None:
    """Raises ConfigError, with what to install, when ``encoder`` is asked for and is not there."""
    if detectors == "encoder":
        from ringwall.detect.learned.encoder import EXTRA, available

        if not available():
            raise ConfigError(Problem(EXTRA))


def show_json(value: Any) -> None:
    """Pretty JSON on standard output."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.flush()


def plain(text: str) -> str:
    """What somebody wrote, without what a terminal would obey: control characters, changed direction."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def show_table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...]) -> None:
    """Columns of text, as wide as they need to be."""
    table = [head, *(tuple(" ".join(plain(cell).split("\n")) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

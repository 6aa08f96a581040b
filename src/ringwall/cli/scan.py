"""``ringwall scan``: judge texts without a gateway, JSON lines in and out."""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import click
import orjson

from .options import data_dir_option, workload_option

_BATCH = 64
_LONGEST = 16 * 1024 * 1024


@click.command("scan")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--json", "_as_json", is_flag=True, help="The output is always JSON lines; accepted for symmetry."
)
@workload_option
@data_dir_option
def command(file: Any, workers: int, _as_json: bool, workload: Path, data_dir: Path) -> None:
    """Read {"id", "text", "direction": "request"|"response"|"untrusted"} a line, print the judgement a line.

    A line that can't be read gives {"id", "error"} and exit code 1 at the end. The controls' default settings
    are used: ``--workload`` and ``--data-dir`` are accepted and not needed.
    """
    failed = 0
    for answer in _answers(file, workers):
        failed += b'"error"' in answer[:200] and b'"action"' not in answer
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()
    sys.exit(1 if failed else 0)


def _answers(lines: Iterable[bytes], workers: int) -> Iterator[bytes]:
    if workers == 1:
        yield from (scan_line(line) for line in lines if line.strip())
        return
    with ProcessPoolExecutor(workers) as pool:
        source = (line for line in lines if line.strip())
        while batch := list(islice(source, _BATCH * workers)):
            yield from pool.map(scan_line, batch, chunksize=_BATCH // 4)


def scan_line(line: bytes) -> bytes:
    """The judgement on one line."""
    from ringwall.boundaries.interface.scan import scan_text

    item: Any = None
    try:
        if len(line) > _LONGEST:
            raise ValueError("the line is longer than 16 MiB")
        item = orjson.loads(line)
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise ValueError("a line is an object with a string 'text'")
        return orjson.dumps(
            {"id": item.get("id"), **scan_text(item["text"], item.get("direction", "request"))}
        )
    except ValueError as error:
        known = item.get("id") if isinstance(item, dict) else None
        return orjson.dumps({"id": known, "error": str(error)[:200]})

"""``ringwall scan``: judge texts without a gateway, JSON lines in and out."""

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from ringwall.core import DataError

from .options import data_dir_option, require_detectors, workload_option

if TYPE_CHECKING:
    from ringwall.boundaries.interface.scan import Detectors

_AHEAD = 32
"""Lines for each worker that are read ahead of the output."""
_LONGEST = 16 * 1024 * 1024


@click.command("scan")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--detectors",
    type=click.Choice(["best", "ngrams", "encoder"]),
    default="best",
    show_default=True,
    help="Beside the signatures: the n-gram model, also the transformer (an extra), or the best there is.",
)
@click.option(
    "--json", "_as_json", is_flag=True, help="The output is always JSON lines; accepted for symmetry."
)
@workload_option
@data_dir_option
def command(
    file: BinaryIO, workers: int, detectors: "Detectors", _as_json: bool, workload: Path, data_dir: Path
) -> None:
    """Read {"id", "text", "direction": "request"|"response"|"untrusted"} a line, print the judgement a line.

    Answers come in the order of the lines, each as soon as it is known. A line that can't be judged gives
    {"id", "error"} and exit code 1 at the end. The controls' default settings are used: ``--workload`` and
    ``--data-dir`` are accepted and not needed.
    """
    require_detectors(detectors)
    failed = 0
    for answer, judged in _answers(file, workers, detectors):
        failed += not judged
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()
    sys.exit(1 if failed else 0)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines that are not blank; of one that is too long, as much as shows that it is."""
    while line := file.readline(_LONGEST + 1):
        rest = line
        while len(rest) > _LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(_LONGEST + 1)
        if line.strip():
            yield line


def _answers(file: BinaryIO, workers: int, detectors: "Detectors") -> Iterator[tuple[bytes, bool]]:
    if workers == 1:
        yield from (scan_line(line, detectors) for line in _lines(file))
        return
    coming: Queue[Future[tuple[bytes, bool]] | None] = Queue(_AHEAD * workers)

    def read() -> None:
        """Lines are taken on while others are judged: what feeds them may be slow, or wait for an answer."""
        try:
            for line in _lines(file):
                coming.put(pool.submit(scan_line, line, detectors))
        except RuntimeError:  # the pool broke, which its futures tell as well
            pass
        finally:
            coming.put(None)

    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        Thread(target=read, daemon=True).start()
        try:
            while (promise := coming.get()) is not None:
                yield promise.result()
        except BrokenProcessPool:
            raise DataError("A worker process was ended from outside: not all lines were judged.") from None


def scan_line(line: bytes, detectors: "Detectors" = "best") -> tuple[bytes, bool]:
    """The answer to one line, and whether it is a judgement."""
    from ringwall.boundaries.interface.scan import scan_text

    item: Any = None
    try:
        if len(line) > _LONGEST:
            raise ValueError("the line is longer than 16 MiB")
        item = orjson.loads(line)
        if not isinstance(item, dict) or not isinstance(item.get("text"), str):
            raise ValueError("a line is an object with a string 'text'")
        given = scan_text(item["text"], item.get("direction", "request"), detectors)
        return orjson.dumps({"id": item.get("id"), **given}), True
    except ValueError as error:
        why = str(error)[:200]
    except Exception as error:  # noqa: BLE001 - one line that can't be judged must not end the others
        why = f"it could not be judged: {type(error).__name__}"
    return orjson.dumps({"id": item.get("id") if isinstance(item, dict) else None, "error": why}), False

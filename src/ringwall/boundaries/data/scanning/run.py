"""Scan files of rows: streaming, resumable, the same findings from either engine."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ringwall.core import DataError

from ..records import Chunk, NeedsExtraError, RowSource
from .engine import Engine, local
from .journal import Journal

_SAVE_S = 2.0


class Progress:
    """How far a scan is; rows and findings count what earlier runs of the same scan did."""

    def __init__(self, files: Sequence[RowSource]) -> None:
        self.total = sum(file.size for file in files)
        """Bytes of all files, as they lie on the disk."""
        self.done = 0
        """Bytes of them that were looked at, as far as can be told."""
        self.rows = 0
        self.flagged = 0


Told = Callable[[Progress], None]


def scan_files(
    files: Sequence[RowSource],
    folder: Path,
    *,
    engine: Engine = local,
    decode: bool = False,
    told: Told | None = None,
    restart: bool = False,
) -> dict[str, Any]:
    """Look at every row of the files; the findings are in ``findings.jsonl`` of ``folder``, the summary is
    returned and lies beside them.

    ``decode``: orders to a model also in what somebody encoded; some five times as slow.
    Killed at any moment, the next call goes on from the last checkpoint (at most some seconds back) and ends
    with the same bytes. A finished scan is not done again. A file that can't be read, or only up to a place,
    is told as an unreadable row of the number 0.
    """
    journal = Journal(folder, files, decode=decode, restart=restart)
    progress = Progress(files)
    try:
        if journal.complete:
            return journal.summary()
        rest = islice(_chunks(files, progress), journal.chunks, None)
        saved = time.monotonic()
        for looked in engine(rest, decode):
            journal.add(looked)
            progress.rows, progress.flagged = journal.rows, journal.flagged
            if told:
                told(progress)
            if time.monotonic() - saved > _SAVE_S:
                journal.save()
                saved = time.monotonic()
        journal.save(complete=True)
        return journal.summary()
    finally:
        journal.close()


def _chunks(files: Sequence[RowSource], progress: Progress) -> Iterator[Chunk]:
    before = 0
    for file in files:
        try:
            for chunk in file.chunks():
                if chunk.length and chunk.data is None:
                    progress.done = before + chunk.start
                yield chunk
        except NeedsExtraError:
            raise
        except DataError as error:  # the other files are looked at all the same
            yield Chunk(file.name, "", "broken", 0, data=str(error).encode())
        before += file.size
        progress.done = before

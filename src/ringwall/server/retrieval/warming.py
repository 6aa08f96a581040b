"""What the first search would wait for, done while the gateway starts: nobody waits for it."""

import asyncio
import logging
import time

from ringwall.boundaries.data.index import RetrievalStore
from ringwall.core import DataError

log = logging.getLogger("ringwall")
_TOLD_S = 5.0
"""Between two lines of progress."""


async def warm(store: RetrievalStore) -> None:
    """Load model and vectors in the background. A failure is only noted: searches say it to whoever asks."""
    told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > _TOLD_S:
            told = time.monotonic()
            log.warning("Loading vectors: %d of %d documents.", done, total)

    try:
        await asyncio.to_thread(store.warm, progress)
    except DataError as error:
        log.warning("The index can't be searched: %s", error)

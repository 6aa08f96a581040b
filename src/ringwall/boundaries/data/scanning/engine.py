"""The local engine: every core, results in order, a bounded number of chunks in flight."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from ringwall.core import DataError

from ..records import Chunk
from .look import Looked, look, warm

Engine = Callable[[Iterable[Chunk], bool], Iterator[Looked]]
"""Looks at chunks, somewhere, and gives what they showed in the order in which the chunks came. The second
argument: whether what is encoded is decoded, see ``look``."""

_AHEAD = 3  # chunks in flight for each process


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local(chunks: Iterable[Chunk], decode: bool = False, *, workers: int = 0) -> Iterator[Looked]:
    """A process for each core (``workers``: that many), spawned rather than forked: the parent's threads and
    databases stay its own. DataError when one of them dies, as when memory runs out."""
    count = workers or cores()
    context = multiprocessing.get_context("spawn")
    source = iter(chunks)
    with ProcessPoolExecutor(count, context, initializer=warm) as pool:
        flying: deque[Future[Looked]] = deque(
            pool.submit(look, one, decode) for one in islice(source, count * _AHEAD)
        )
        try:
            while flying:
                done = flying.popleft().result()
                flying.extend(pool.submit(look, one, decode) for one in islice(source, 1))
                yield done
        except BrokenProcessPool:
            raise DataError(
                "A process of the scan died, perhaps for lack of memory: run it again, it goes on from there."
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

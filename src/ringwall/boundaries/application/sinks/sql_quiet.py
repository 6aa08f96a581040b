"""sqlglot's log quotes the statement that it is reading, which may hold what people wrote."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_QUIET: ContextVar[bool] = ContextVar("ringwall_sql_quiet", default=False)


def _heard(_record: logging.LogRecord) -> bool:
    return not _QUIET.get()


logging.getLogger("sqlglot").addFilter(_heard)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged of what is read inside; other users of the library keep their log."""
    token = _QUIET.set(True)
    try:
        yield
    finally:
        _QUIET.reset(token)

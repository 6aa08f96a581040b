"""Text of a model, made safe for a place that runs it: a database, a page, a file system, a process.

    from ringwall import safe

    query = safe.sql(text, dialect="sqlite", tables=["orders"])
    rows = connection.execute(query.sql)               # never `text`
    page = safe.html(text, hosts=["shop.example"]).html
    file = safe.path(text, roots=["data"]).absolute
    done = subprocess.run(safe.argv(text, programs={"git": ["status", "log"]}).argv)

Each returns what it made of the text, or raises ``Unsafe``, whose message says what to change and can be
shown to the model. The same code stands behind ``application.tools.<name>.handling``, where it is
explained. Thread-safe; nothing is run, and nothing is read but symbolic links below the roots of ``path``.
``sql`` and ``html`` need the extra ``output`` (else ``MissingExtra``); rules that can't be used raise
``ValueError``.
"""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ringwall.boundaries.application.handlers import sink
from ringwall.boundaries.application.handling_settings import (
    CommandHandling,
    Dialect,
    HtmlHandling,
    SqlHandling,
)
from ringwall.boundaries.application.sinks.commands import SafeCommand, check_command, problem_of
from ringwall.boundaries.application.sinks.paths import SafePath, check_path
from ringwall.boundaries.application.sinks.unsafe import Unsafe
from ringwall.detect.extras import MissingExtra

if TYPE_CHECKING:
    from ringwall.boundaries.application.sinks.html import SafeHtml
    from ringwall.boundaries.application.sinks.sql import SafeSql

__all__ = ["MissingExtra", "SafeCommand", "SafePath", "Unsafe", "argv", "html", "path", "sql"]


def sql(
    text: str,
    *,
    dialect: Dialect,
    tables: Iterable[str],
    columns: Mapping[str, Sequence[str]] | None = None,
    functions: Iterable[str] = (),
    limit: int | None = 1000,
) -> "SafeSql":
    """One query that reads the tables, written anew; its ``sql`` is what to run. ``limit``: most rows,
    None for no limit."""
    given = {
        "dialect": dialect,
        "tables": tables,
        "columns": columns or {},
        "functions": functions,
        "limit": limit,
    }
    rules = SqlHandling.model_validate(given)
    module = sink("sql", "sqlglot")
    module.check_rules(rules)
    return cast("SafeSql", module.check_sql(text, rules))


def html(text: str, *, hosts: Iterable[str] = (), images: bool = False) -> "SafeHtml":
    """Formatting and links only; its ``html`` is what to show, ``removed`` what was taken out. ``hosts``:
    where links may lead, and with ``images`` where pictures may come from; empty: links anywhere, no
    pictures."""
    rules = HtmlHandling(hosts=frozenset(hosts), images=images)
    return cast("SafeHtml", sink("html", "nh3").clean_html(text, rules))


def path(
    text: str,
    roots: Sequence[str | PathLike[str]],
    *,
    follow: bool = True,
    hidden: bool = False,
    windows: bool = False,
) -> SafePath:
    """The path in its shortest form, below one of the roots; ``absolute`` is what to open. A relative one
    is read below the first root. ``follow``: symbolic links as they are on this machine now."""
    if not roots:
        raise ValueError("a path needs at least one root")
    return check_path(text, [Path(root) for root in roots], follow=follow, hidden=hidden, windows=windows)


def argv(
    command: str | Sequence[str],
    programs: Mapping[str, object],
    *,
    roots: Sequence[str | PathLike[str]] = (),
) -> SafeCommand:
    """The command as an argument vector; run its ``argv`` without a shell. ``programs``: name → allowed
    subcommands, or ``{"subcommands": …, "options": …}``. ``roots``: where absolute paths among the
    arguments may lie."""
    rules = CommandHandling.model_validate({"programs": programs}).programs
    if problem := problem_of(rules):
        raise ValueError(problem)
    return check_command(command, rules, [Path(root) for root in roots])

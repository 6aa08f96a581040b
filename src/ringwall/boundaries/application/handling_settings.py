"""What becomes of an argument that another system reads as code: ``application.tools.<name>.handling``."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from ringwall.core import Settings

Dialect = Literal["sqlite", "postgres", "mysql", "tsql", "snowflake", "bigquery"]


class SqlHandling(Settings):
    """The argument is one query that reads. It is parsed, checked against these lists and written anew
    from what was parsed; comments are gone."""

    dialect: Dialect
    """Of the database that runs it: dialects read the same text differently."""
    tables: frozenset[str] = Field(min_length=1)
    """Tables and views that may be read, as they are written in a query: ``orders``, ``shop.orders``.
    Nothing else may."""
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Table → its columns that may be read; a table that is not named here shows all of its columns."""
    functions: frozenset[str] = frozenset()
    """Functions beside the built-in list of harmless ones, such as an own ``fiscal_year``."""
    limit: int | None = Field(default=1000, ge=1)
    """Most rows of the result: a ``LIMIT`` is added or lowered. ``null``: as the query says."""
    characters: int = Field(default=10_000, ge=1, le=50_000)
    """Longest query."""

    @model_validator(mode="after")
    def _listed(self) -> "SqlHandling":
        for table in self.columns:
            if table not in self.tables:
                raise ValueError(f"columns of {table!r}, which is not among the tables")
            if not self.columns[table]:
                raise ValueError(f"name at least one column of {table!r}")
        return self


class HtmlHandling(Settings):
    """The argument is HTML that somebody will see. What is not formatting is taken out."""

    hosts: frozenset[str] = frozenset()
    """Hosts that links (and images) may lead to; ``*.shop.example`` covers every name below. Empty: links
    to any host stay, marked ``nofollow noopener noreferrer``; images never do."""
    images: bool = False
    """Keep images of the hosts above. An image is fetched when the page is shown: its address carries data
    out."""
    schemes: frozenset[Literal["https", "http", "mailto", "tel"]] = frozenset({"https", "mailto"})
    """What a link may begin with."""
    characters: int = Field(default=100_000, ge=1, le=500_000)
    """Longest text."""


class PathHandling(Settings):
    """The argument is a path (or a list of them) below one of the roots. It is brought to its shortest
    form."""

    roots: tuple[str, ...] = Field(min_length=1)
    """Folders, relative to the workload file. Relative paths are read below the first one."""
    hidden: bool = False
    """Allow names that begin with a dot, such as ``.env`` and ``.git``."""
    windows: bool = False
    """The path is used on Windows: device names, streams and trailing dots and spaces are refused as well."""
    follow: bool | None = None
    """Follow symbolic links of this machine, which must stay below the roots. Left out: for tools that the
    gateway runs; the paths of others are judged by their text alone."""


class ProgramRules(Settings):
    """One program that may be run."""

    subcommands: frozenset[str] = frozenset()
    """What its first argument must be; empty: there are none."""
    options: frozenset[str] | None = None
    """The only options that it may get, such as ``--oneline`` and ``-n``, with ``--`` if what follows it
    is not read as options. Left out: every option of a program that is known here except those that run
    code, write files or reach out; none of any other program."""


class CommandHandling(Settings):
    """The argument is a command, as one text or as a list. It is never given to a shell: what leaves is an
    argument vector, or the same vector quoted as text where the argument is a text."""

    programs: dict[str, ProgramRules] = Field(min_length=1)
    """Programs by the exact name; a list is short for its subcommands: ``{git: [status, log]}``."""
    roots: tuple[str, ...] = ()
    """Folders that absolute paths among the arguments may lie in, relative to the workload file. Empty: no
    absolute path."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        programs = value.get("programs") if isinstance(value, Mapping) else None
        if not isinstance(programs, Mapping):
            return value
        long = {
            name: {"subcommands": rules} if isinstance(rules, (list, tuple, set, frozenset)) else rules or {}
            for name, rules in programs.items()
        }
        return {**value, "programs": long}


class ArgumentHandling(Settings):
    """How one argument is handled: name one of the four."""

    sql: SqlHandling | None = None
    """It is a query."""
    html: HtmlHandling | None = None
    """It is HTML."""
    path: PathHandling | None = None
    """It is a path."""
    command: CommandHandling | None = None
    """It is a command."""

    @model_validator(mode="after")
    def _one(self) -> "ArgumentHandling":
        if sum(way is not None for way in (self.sql, self.html, self.path, self.command)) != 1:
            raise ValueError("an argument is handled as one of: sql, html, path, command")
        return self


def unknown_arguments(handled: Iterable[str], parameters: Mapping[str, Any]) -> list[str]:
    """Those of the handled arguments that the schema does not list; none where it lists none."""
    listed = parameters.get("properties")
    if not isinstance(listed, Mapping) or not listed:
        return []
    return sorted(name for name in handled if name not in listed)

"""The handling of a tool's arguments, made ready: each sink with its rules, roots and libraries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ringwall.core import ConfigError, Problem
from ringwall.detect.extras import MissingExtra, imported

from .handling_settings import ArgumentHandling, CommandHandling, HtmlHandling, PathHandling, SqlHandling
from .registry import Manifest
from .sinks.commands import check_command, problem_of
from .sinks.paths import check_path
from .sinks.unsafe import Unsafe

_ITEMS = 256
"""Most paths in one argument."""


@dataclass(frozen=True, slots=True)
class Handled:
    """An argument in the form that its sink may get."""

    value: Any
    removed: tuple[str, ...] = ()
    """What was taken out, where a person would want to know."""


Handler = Callable[[Any], Handled]
"""Raises Unsafe for a value that its sink must not get."""


def handlers(tool: Manifest, folder: Path) -> Mapping[str, Handler]:
    """By argument. ``folder``: that of the workload file. Raises ConfigError for rules that can't be used,
    and for an extra that is not installed."""
    made: dict[str, Handler] = {}
    for name, handling in tool.settings.handling.items():
        where = f"application.tools.{tool.name}.handling.{name}"
        try:
            made[name] = _handler(handling, folder, runs_here=tool.settings.run is not None)
        except (MissingExtra, ValueError) as error:
            raise ConfigError(Problem(f"{where}: {error}")) from error
    return made


def _handler(handling: ArgumentHandling, folder: Path, *, runs_here: bool) -> Handler:
    if handling.sql is not None:
        return _sql(handling.sql)
    if handling.html is not None:
        return _html(handling.html)
    if handling.path is not None:
        return _path(handling.path, folder, runs_here=runs_here)
    assert handling.command is not None  # noqa: S101  one of the four, says the schema
    return _command(handling.command, folder)


def sink(name: str, library: str) -> ModuleType:
    """The module of a sink that needs an optional library. Raises MissingExtra."""
    imported(library, "output", f"The handling of {name}")
    return import_module(f".sinks.{name}", __package__)


def _sql(rules: SqlHandling) -> Handler:
    module = sink("sql", "sqlglot")
    module.check_rules(rules)

    def handle(value: Any) -> Handled:
        return Handled(module.check_sql(_text(value), rules).sql)

    return handle


def _html(rules: HtmlHandling) -> Handler:
    module = sink("html", "nh3")

    def handle(value: Any) -> Handled:
        clean = module.clean_html(_text(value), rules)
        return Handled(clean.html, clean.removed)

    return handle


def _path(rules: PathHandling, folder: Path, *, runs_here: bool) -> Handler:
    roots = tuple(folder / root for root in rules.roots)
    follow = runs_here if rules.follow is None else rules.follow

    def one(text: str) -> str:
        return check_path(text, roots, follow=follow, hidden=rules.hidden, windows=rules.windows).path

    def handle(value: Any) -> Handled:
        if isinstance(value, (list, tuple)):
            return Handled([one(text) for text in _texts(value, _ITEMS)])
        return Handled(one(_text(value)))

    return handle


def _command(rules: CommandHandling, folder: Path) -> Handler:
    if problem := problem_of(rules.programs):
        raise ValueError(problem)
    roots = tuple(folder / root for root in rules.roots)

    def handle(value: Any) -> Handled:
        if isinstance(value, (list, tuple)):
            return Handled(list(check_command(_texts(value, _ITEMS), rules.programs, roots).argv))
        return Handled(check_command(_text(value), rules.programs, roots).text)

    return handle


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unsafe("type", "it must be a text")
    return value


def _texts(value: list[Any] | tuple[Any, ...], most: int) -> list[str]:
    if len(value) > most:
        raise Unsafe("size", f"it has more than {most} items")
    return [_text(item) for item in value]

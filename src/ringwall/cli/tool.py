"""``ringwall tool``: what tools do to the world, read from their manifests."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from ringwall.core import ConfigError, Problem

from .options import show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.application.effects import Inference
    from ringwall.boundaries.application.tool_lists import ListedTool


@click.group("tool")
def command() -> None:
    """What the tools of a workload, or of a server that is to join it, do to the world."""


@dataclass(frozen=True, slots=True)
class _Row:
    tool: "ListedTool"
    found: "Inference"
    declared: str
    """Effect in the workload file; empty when the tool is not in it."""
    milder: bool
    """Whether the workload file says something milder than was inferred."""


@command.command("infer")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), required=False)
@click.option("--snippet", is_flag=True, help="Print only the YAML to paste into the workload file.")
@site_options
def infer(file: Path | None, snippet: bool, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Propose effect and targets for each tool of FILE: an OpenAI tools list, an MCP tools/list result or a
    workload file, as JSON or YAML; - reads standard input. Without FILE: the tools of the workload.

    Exit code 1: the workload file declares something milder than was inferred with certainty.
    """
    rows = _rows(file, workload)
    if as_json:
        show_json([_plain(row) for row in rows])
    elif snippet:
        click.echo(_snippet(rows), nl=False)
    else:
        _print(rows)
    sys.exit(1 if any(row.milder and row.found.sure for row in rows) else 0)


def _rows(file: Path | None, workload: Path) -> list[_Row]:
    from ringwall.boundaries.application.settings import Effect
    from ringwall.boundaries.application.tool_lists import read_tools

    source = file or workload
    declared = _declared_effects(workload) if file is None or workload.exists() else {}
    rows = []
    for tool in read_tools(_text(source), source.name):
        found, effect = tool.inferred(), declared.get(tool.name, "")
        milder = bool(effect) and found.doubts(Effect(effect))
        rows.append(_Row(tool, found, effect, milder))
    return rows


def _declared_effects(workload: Path) -> Mapping[str, str]:
    from ringwall.workload.load import load

    return {name: str(tool.effect) for name, tool in load(workload).workload.application.tools.items()}


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(Problem("can't be read as UTF-8 text", file.name)) from None


def _plain(row: _Row) -> dict[str, Any]:
    return {
        "tool": row.tool.name,
        "effect": str(row.found.effect),
        "target": list(row.found.target),
        "sure": row.found.sure,
        "why": row.found.why,
        "declared": row.declared,
        "milder": row.milder,
    }


def _print(rows: list[_Row]) -> None:
    table = [
        (
            "!" if row.milder else "",
            _shown(row.tool.name),
            str(row.found.effect) + ("" if row.found.sure else "?"),
            _shown(", ".join(row.found.target)) or "-",
            row.declared or "-",
            _shown(row.found.why),
        )
        for row in rows
    ]
    show_table(table, ("", "tool", "effect", "target", "declared", "why"))
    click.echo("? unsure, so the stricter reading.   ! the workload file says something milder.")
    click.echo("\n" + _snippet(rows), nl=False)


def _shown(text: str) -> str:
    """A server's words without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:200]


def _snippet(rows: list[_Row]) -> str:
    """What belongs below ``application.tools``; the manifests themselves for tools that are not there yet."""
    tools: dict[str, Any] = {}
    for row in rows:
        entry: dict[str, Any] = {}
        if not row.declared:
            entry = {"description": row.tool.description, "parameters": dict(row.tool.parameters)}
        entry["effect"] = str(row.found.effect)
        if row.found.target:
            entry["target"] = list(row.found.target)
        tools[row.tool.name] = entry
    # Not ``allow_unicode``: a server's hidden characters are to be seen.
    text: str = yaml.safe_dump({"application": {"tools": tools}}, sort_keys=False, width=100)
    return text

"""``ringwall contain tool``: kill switches for tools."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from ringwall.boundaries.application.effect import Effect
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.switches import EVERYTHING, effect_target

from .options import show_json, show_table, site_options

F = TypeVar("F", bound=Callable[..., Any])


@click.group("tool")
def command() -> None:
    """Switch tools off and on: from the next call on, in every gateway on this data directory."""


def _what(function: F) -> F:
    """One of: a tool, an effect, a server, everything."""
    for option in (
        click.option("--everything", is_flag=True, help="Every tool."),
        click.option("--server", default="", help="All tools of an MCP server: those named <server>__…"),
        click.option(
            "--effect",
            type=click.Choice([str(effect) for effect in Effect]),
            help="All tools with this effect.",
        ),
        click.argument("name", default="", metavar="[TOOL]"),
    ):
        function = option(function)
    return function


@command.command("off")
@_what
@click.option("--reason", required=True, help="Why: kept with the switch and on the ledger.")
@click.option("--by", default="command line", show_default=True, help="Who does it.")
@site_options
def off(
    name: str,
    effect: str | None,
    server: str,
    everything: bool,
    reason: str,
    by: str,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Switch a tool off. It is no longer offered, and its calls are refused, also those already approved."""
    from ringwall.workload.kill_switch import switch_off
    from ringwall.workload.workbench import workbench

    target = _target(name, effect, server, everything)
    with workbench(workload, data_dir) as bench:
        if name:
            _known(name, bench.site.application().registry)
        thrown = switch_off(bench.plant, target, reason=reason, by=by)
    if as_json:
        show_json(asdict(thrown))
    else:
        click.echo(f"{_said(target)} off.")


@command.command("on")
@_what
@click.option("--by", default="command line", show_default=True, help="Who does it.")
@site_options
def on(
    name: str,
    effect: str | None,
    server: str,
    everything: bool,
    by: str,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Put a switch back. Exit code 1 when it was not off."""
    from ringwall.workload.kill_switch import switch_on, thrown_switches
    from ringwall.workload.workbench import workbench

    target = _target(name, effect, server, everything)
    with workbench(workload, data_dir) as bench:
        lifted = switch_on(bench.plant, target, by=by)
        left = [switch.target for switch in thrown_switches(bench.plant)]
    if as_json:
        show_json({"target": target, "lifted": lifted, "still_off": left})
    elif lifted:
        click.echo(f"{_said(target)} on." + (f" Still off: {', '.join(left)}." if left else ""))
    else:
        click.echo(f"{_said(target)} not switched off: nothing was changed.", err=True)
    if not lifted:
        sys.exit(1)


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """What is switched off, by whom and why."""
    from ringwall.workload.kill_switch import thrown_switches
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        thrown = thrown_switches(bench.plant)
    if as_json:
        show_json([asdict(switch) for switch in thrown])
    else:
        rows = [(one.target, _date(one.at), one.by, one.reason) for one in thrown]
        show_table(rows, ("off", "since", "by", "reason"))


def _target(name: str, effect: str | None, server: str, everything: bool) -> str:
    given = [bool(name), effect is not None, bool(server), everything]
    if sum(given) != 1:
        raise click.UsageError("Name one tool, or --effect, --server or --everything.")
    if everything:
        return EVERYTHING
    if effect is not None:
        return effect_target(effect)
    return f"{server}__*" if server else name


def _known(name: str, registry: ToolRegistry) -> None:
    """A typing mistake would leave the tool on. Tools of MCP servers need not be known here."""
    if "__" not in name and registry.get(name) is None:
        known = ", ".join(sorted(tool.name for tool in registry)) or "none"
        raise click.UsageError(f"There is no tool {name!r} in this workload. Its tools: {known}.")


def _said(target: str) -> str:
    if target == EVERYTHING:
        return "Every tool is"
    if target.startswith("effect:"):
        return f"Every tool with the effect {target.removeprefix('effect:')} is"
    return f"{target} is"


def _date(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at / 1e6))

"""``ringwall policy``: tables of expectations, and one decision explained."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.boundaries.application.authority import Authority
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.core import ConfigError, Problem

from .options import show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.application.explain import CaseResult


@click.group("policy", invoke_without_command=True)
@site_options
@click.pass_context
def command(context: click.Context, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Test and explain the policies that govern tool calls. Alone: the tools that they govern."""
    if context.invoked_subcommand:
        return
    _, registry = _decider(workload)
    rows = [
        {"tool": one.name, "effect": str(one.effect), "roles": sorted(one.roles), "manifest": one.digest}
        for one in registry
    ]
    if as_json:
        show_json({"valid": True, "tools": rows})
        return
    table = [(str(row["tool"]), str(row["effect"]), ", ".join(row["roles"]) or "all") for row in rows]
    show_table(table, ("tool", "effect", "roles"))
    click.echo("The policies are valid against the schema of these tools.")


@command.command("test")
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@site_options
def test(table: Path, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Run a YAML table of cases (principal, tool, args, provenance, expect). Exit code 1 when one differs."""
    results = _decided(table, workload)
    if as_json:
        show_json([{**asdict(one), "explanation": _plain(one.explanation)} for one in results])
    else:
        for one in results:
            mark = "ok  " if one.passed else "FAIL"
            click.echo(f"{mark} {one.name}: expected {one.expected}, is {one.explanation.action}")
    sys.exit(0 if all(one.passed for one in results) else 1)


@command.command("explain")
@click.argument("case", type=click.Path(path_type=Path, dir_okay=False))
@site_options
def explain(case: Path, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Decide the cases of a table on paper and show which policies determined each."""
    results = _decided(case, workload)
    if as_json:
        show_json([{"name": one.name, **_plain(one.explanation)} for one in results])
        return
    for one in results:
        click.echo(f"{one.name}: {one.explanation.action} {one.explanation.problem}".rstrip())
        for policy in one.explanation.policies:
            click.echo(f"  {policy['verdict']:<7} {policy['id']}  ({policy['file']}:{policy['line']})")
        for reason in one.explanation.reasons:
            click.echo(f"  {reason}")


def _decided(table: Path, workload: Path) -> list["CaseResult"]:
    from ringwall.boundaries.application.explain import run_table

    try:
        text = table.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(Problem("can't be read as UTF-8 text", table.name)) from None
    authority, registry = _decider(workload)
    return run_table(authority, registry, text, table.name)


def _decider(workload: Path) -> tuple[Authority, ToolRegistry]:
    from ringwall.boundaries.application.compose import policy_services
    from ringwall.workload.compose import approval_rights
    from ringwall.workload.load import load

    loaded = load(workload)
    section = loaded.workload.application
    if section.policies is not None:
        section = section.model_copy(update={"policies": loaded.folder / section.policies})
    services = policy_services(section, approval_rights(loaded.workload))
    return services.authority, services.registry


def _plain(explanation: Any) -> dict[str, Any]:
    return {**asdict(explanation), "facts": dict(explanation.facts)}

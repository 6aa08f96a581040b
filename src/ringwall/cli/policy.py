"""``ringwall policy``: tables of expectations, and one decision explained."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from ringwall.boundaries.application.authority import Authority
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.core import ConfigError, DataError, Problem

from .ledger import opened_ledger
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
    """Run a YAML table of cases (principal, tool, args, provenance, expect).

    Exit code 0: all as expected. 1: some differ; each is shown with what was expected and what is. 2: the
    table or the workload file can't be used.
    """
    results = _decided(table, workload)
    failed = sum(not one.passed for one in results)
    if as_json:
        show_json([_row(one) for one in results])
    else:
        for one in results:
            _print_result(one, table)
        click.echo(f"{len(results) - failed} of {len(results)} as expected.")
    sys.exit(1 if failed else 0)


@command.command("explain")
@click.argument("what", metavar="[TABLE|DECISION-ID]", required=False)
@click.option("--tool", help="Decide a call of this tool, instead of a table or a recorded decision.")
@click.option("--args", "arguments", default="{}", show_default=True, help="Its arguments as JSON.")
@click.option("--role", "roles", multiple=True, help="A role of the caller; repeatable.")
@click.option("--subject", default="somebody", show_default=True, help="Who calls.")
@click.option("--tenant", default="default", show_default=True, help="Of which tenant.")
@click.option(
    "--from",
    "provenance",
    multiple=True,
    metavar="ARGUMENT=SOURCE",
    help="Where an argument comes from: user (default), system, untrusted or model; repeatable.",
)
@click.option("--untrusted-session", is_flag=True, help="The session has seen content from outside.")
@click.option("--session-class", "classes", multiple=True, help="A data class that the session holds.")
@click.option("--approved", is_flag=True, help="A person approved exactly this call.")
@click.option(
    "--offer", is_flag=True, help="Whether the tool is offered, instead of whether it may be called."
)
@site_options
def explain(
    what: str | None, tool: str | None, workload: Path, data_dir: Path, as_json: bool, **case: Any
) -> None:
    """Show which policies determine a decision, and the facts that they saw.

    DECISION-ID (dec_…) is decided again by the policies as they are now. TABLE is one of `policy test`.
    Otherwise --tool says what is to be decided.
    """
    if bool(what) == bool(tool):
        raise click.UsageError("Give a table, the id of a decision, or --tool.")
    if tool:
        shown = [_hypothetical(tool, case, workload)]
    elif what and what.startswith("dec_"):
        shown = [_recorded(what, workload, data_dir)]
    else:
        shown = [
            {"name": one.name, **_plain(one.explanation)} for one in _decided(Path(what or ""), workload)
        ]
    if as_json:
        show_json(shown)
        return
    for one in shown:
        _print_explained(one)


def _hypothetical(tool: str, given: dict[str, Any], workload: Path) -> dict[str, Any]:
    from ringwall.boundaries.application.explain import explain
    from ringwall.boundaries.application.policy_table import Case

    arguments = given["arguments"]
    try:
        case = Case.model_validate(
            {
                "principal": {key: given[key] for key in ("subject", "tenant", "roles")},
                "tool": tool,
                "args": json.loads(arguments),
                "provenance": dict(source.partition("=")[::2] for source in given["provenance"]),
                "session": {"untrusted": given["untrusted_session"], "sensitivity": given["classes"]},
                "approved": given["approved"],
                "expect": "offered" if given["offer"] else "allow",
            }
        )
    except (ValueError, RecursionError) as error:
        first = (
            error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else "not JSON"
        )
        raise click.UsageError(f"The call can't be read: {first}.") from None
    return {"name": tool, **_plain(explain(*_decider(workload), case))}


def _recorded(decision: str, workload: Path, data_dir: Path) -> dict[str, Any]:
    from ringwall.boundaries.application.explain import explained
    from ringwall.boundaries.application.recorded_call import recorded_call, recorded_rules

    with opened_ledger(data_dir) as ledger:
        record = ledger.find(decision)
    if record is None:
        raise DataError(f"There is no decision {decision!r} in this ledger.")
    authority, registry = _decider(workload)
    found = explained(authority.rule(recorded_call(record.event, record.body, registry)))
    return {
        "name": decision,
        "recorded": {
            "action": record.event["action"],
            "policies": sorted(recorded_rules(record.body or {})),
            "version": record.event["policy"],
        },
        **_plain(found.without_values()),
    }


def _row(one: "CaseResult") -> dict[str, Any]:
    differences = [{"what": what, "expected": wanted, "is": found} for what, wanted, found in one.differences]
    return {
        "name": one.name,
        "line": one.line,
        "passed": one.passed,
        "expected": one.expected,
        "differences": differences,
        "explanation": _plain(one.explanation),
    }


def _print_result(one: "CaseResult", table: Path) -> None:
    if one.passed:
        click.echo(f"ok    {one.name}")
        return
    click.echo(f"FAIL  {one.name}  ({table.name}:{one.line})")
    for what, expected, found in one.differences:
        click.echo(f"      {what:<9} - {expected}\n                + {found}")
    _print_grounds(_plain(one.explanation), "      ")


def _print_explained(one: dict[str, Any]) -> None:
    click.echo(f"{one['name']}: {one['action']} {one['problem']}".rstrip())
    recorded = one.get("recorded")
    if recorded:
        by = ", ".join(recorded["policies"]) or "no policy of its own"
        click.echo(f"  recorded: {recorded['action']}, by {by}; workload version {recorded['version'][:12]}")
    _print_grounds(one, "  ")
    facts = dict(one["facts"])
    for name, fact in facts.pop("args", {}).items():
        click.echo(f"  args.{name}: {_told(fact)}")
    for name, fact in facts.items():
        click.echo(f"  {name}: {_told(fact) if isinstance(fact, dict) else json.dumps(fact)}")


def _print_grounds(one: dict[str, Any], indent: str) -> None:
    for policy in one["policies"]:
        click.echo(f"{indent}{policy['verdict']:<7} {policy['id']}  ({policy['file']}:{policy['line']})")
    for reason in one["reasons"]:
        click.echo(f"{indent}{reason}")


def _told(facts: dict[str, Any]) -> str:
    return ", ".join(f"{key} {json.dumps(fact)}" for key, fact in facts.items())


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

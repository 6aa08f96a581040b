"""``ringwall allow``: findings that were false alarms, allowed narrowly and for a while."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.core import DataError, IdentityError, Principal

from .options import show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.workload.false_alarms import Tested

_KEY_HELP = "Your own API key (or RINGWALL_KEY), of a role with the console right."


@click.group("allow")
def command() -> None:
    """Allow findings that were false alarms: as narrowly as they were, with an owner and an end."""


@command.command("add")
@click.option("--decision", "decision_id", required=True, metavar="ID", help="Where the false alarm was.")
@click.option(
    "--finding", "findings", type=int, required=True, multiple=True, metavar="N",
    help="Its number, as `ringwall decision ID` prints it; may be given again.",
)  # fmt: skip
@click.option("--expires", required=True, metavar="PERIOD", help="12h, 30d, 8w: at most 366d.")
@click.option("--reason", required=True, help="Why it is a false alarm.")
@click.option("--owner", default="", help="Who answers for it; left out: you.")
@click.option(
    "--match", type=click.Choice(["text", "span", "phrase"]),
    help="What must be the same again: the whole text, what was found, or a phrase around it. "
    "Left out: what was found if it is a value (a credential, an address), else the whole text.",
)  # fmt: skip
@click.option("--phrase", default="", help="The words, of 20 characters at least, for --match phrase.")
@click.option("--key", envvar="RINGWALL_KEY", required=True, help=_KEY_HELP)
@site_options
def add(
    decision_id: str,
    findings: tuple[int, ...],
    expires: str,
    reason: str,
    owner: str,
    match: str | None,
    phrase: str,
    key: str,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Report findings of a decision as false alarms. Exit code 1: the text would still be stopped."""
    from ringwall.boundaries.organization.allow_rule import Match
    from ringwall.workload import false_alarms
    from ringwall.workload.workbench import workbench

    wish = false_alarms.Wish(findings, expires, reason, owner, Match(match) if match else None, phrase)
    with workbench(workload, data_dir) as bench:
        by = _person(bench.plant.keys.verify(key))
        record = bench.plant.ledger.find(decision_id)
        if record is None:
            raise DataError(f"There is no decision {decision_id!r} in this ledger.")
        added = false_alarms.report(bench.site, bench.plant, record, wish, by)
        tested = asyncio.run(false_alarms.test(bench.site, bench.plant.allowances, added))
    _show(tested, as_json)


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the rules that were not removed."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        rules = bench.plant.allowances
        found = [(rule, rules.in_force(rule)) for rule in rules.kept()]
    if as_json:
        show_json([{**rule.plain(), "in_force": alive} for rule, alive in found])
        return
    rows = [
        (rule.id, f"{rule.control} {rule.rule}", rule.application, str(rule.match), rule.owner,
         rule.expires_at if alive else "expired", rule.reason)
        for rule, alive in found
    ]  # fmt: skip
    show_table(rows, ("id", "finding", "application", "match", "owner", "until", "reason"))


@command.command("remove")
@click.argument("rule_id", metavar="ID")
@click.option("--key", envvar="RINGWALL_KEY", required=True, help=_KEY_HELP)
@site_options
def remove(rule_id: str, key: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """End a rule before its time."""
    from ringwall.workload import false_alarms
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        by = _person(bench.plant.keys.verify(key))
        rule = false_alarms.remove(bench.site, bench.plant, rule_id, by)
    if as_json:
        show_json(rule.plain())
    else:
        click.echo(f"{rule.id}: removed.")


@command.command("test")
@site_options
def test(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Judge the text of every rule again under the workload file as it is now.

    Exit code 1: some are still stopped, or can't be tested.
    """
    from ringwall.workload import false_alarms
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        tested = asyncio.run(false_alarms.test(bench.site, bench.plant.allowances))
    _show(tested, as_json)


def _show(tested: "list[Tested]", as_json: bool) -> None:
    from ringwall.workload.false_alarms import Outcome

    if as_json:
        show_json(
            [{**one.rule.plain(), "outcome": str(one.outcome), "because": one.because} for one in tested]
        )
    else:
        for one in tested:
            tail = f" ({one.because})" if one.because else ""
            finding = f"{one.rule.control} {one.rule.rule} in {one.rule.application}"
            click.echo(f"{one.rule.id}  {finding}, until {one.rule.expires_at}: {one.outcome}{tail}")
    wrong = {Outcome.STOPPED, Outcome.ERASED, Outcome.GONE}
    sys.exit(1 if any(one.outcome in wrong for one in tested) else 0)


def _person(principal: Principal | None) -> Principal:
    if principal is None:
        raise IdentityError("This API key is not known: give your own with --key.")
    return principal

"""``ringwall decision``: one decision, or all of a turn, in full."""

import sys
from pathlib import Path
from typing import Any

import click

from ringwall.core import DataError, numbered_findings

from .ledger import opened_ledger
from .options import data_dir_option, json_option, show_json, workload_option


@click.command("decision")
@click.argument("decision_id", metavar="ID")
@workload_option
@data_dir_option
@json_option
def command(decision_id: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Show the record of a decision (dec_…), with the other decisions of its turn; or of a turn (turn_…)."""
    with opened_ledger(data_dir) as ledger:
        turn = decision_id if decision_id.startswith("turn_") else ""
        records = ledger.latest(200, match={"turn": turn}) if turn else [ledger.find(decision_id)]
        found = [_plain(record) for record in reversed(records) if record is not None]
        if not found:
            raise DataError(f"There is no decision {decision_id!r} in this ledger.")
        if not turn and found[0]["event"].get("turn"):
            others = ledger.latest(200, match={"turn": found[0]["event"]["turn"]})
            found[0]["turn"] = [_summary(record.event) for record in reversed(others)]
    if as_json:
        show_json(found if turn else found[0])
    else:
        for record in found:
            _print(record)
    sys.exit(0)


def _plain(record: Any) -> dict[str, Any]:
    return {
        "index": record.index,
        "leaf_hash": record.leaf_hash.hex(),
        "event": dict(record.event),
        "body": dict(record.body) if record.body is not None else None,
        "erased": record.erased,
    }


def _summary(event: Any) -> dict[str, Any]:
    return {key: event[key] for key in ("id", "type", "boundary", "kind", "action", "would") if key in event}


def _print(record: dict[str, Any]) -> None:
    event = record["event"]
    click.echo(f"{event['id']}  {event.get('boundary', '')}/{event.get('kind', event['type'])}: ", nl=False)
    click.echo(click.style(str(event.get("action", "")), bold=True) + f"  ({event.get('subject')})")
    for line in event.get("lines", ()):
        what = line["action"] if line["status"] == "evaluated" else line["reason"]
        tail = f" -> {line['treatment']}" if line["treatment"] else ""
        if line["status"] == "evaluated" and line["reason"]:
            tail += f" ({line['reason']})"
        click.echo(f"  {line['control']:<26} {line['status']:<14} {what}{tail}")
    found = numbered_findings(record["body"] or {})
    for number, (control, finding) in enumerate(found, start=1):
        click.echo(f"  {number:>3}. {finding['message']}")
        click.echo(f"       {_where(control, finding)}")


def _where(control: str, finding: Any) -> str:
    """Control, rule with its family or model, place, view and score: what a finding rests on."""
    from ringwall.detect import source_of

    said = f"{control}: {source_of(finding['rule'])}"
    if finding["class"]:
        said += f", {finding['class']}"
    marks = finding["end"] > finding["start"]
    place = f"characters {finding['start']}-{finding['end']}" if marks else "the whole part"
    said += f", part {finding['part'] + 1}, {place}"
    if finding["view"]:
        said += f", seen in the {finding['view']} view"
    return said + (f", score {finding['score']:.2f}" if finding["score"] < 1 else "")

"""``ringwall evidence``: dated facts that controls work, each with its entry on the ledger."""

import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from .options import show_json, show_table, site_options


@click.group("evidence", invoke_without_command=True)
@click.option("--control", default="", help="Only of this control.")
@site_options
@click.pass_context
def command(context: click.Context, control: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the evidence, newest first, held against the ledger. Exit code 1: one fact differs."""
    if context.invoked_subcommand:
        return
    from ringwall.boundaries.organization.evidence import supported
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        store = bench.plant.evidence
        facts = store.for_control(control) if control else store.all()
        rows = []
        for fact in facts:
            record = bench.plant.ledger.find(fact.entry)
            rows.append((fact, supported(fact, record.event if record else None)))
    if as_json:
        show_json([{**asdict(fact), "kind": str(fact.kind), "on_ledger": sound} for fact, sound in rows])
    else:
        table = [
            (
                time.strftime("%Y-%m-%d %H:%M", time.gmtime(fact.at / 1e6)),
                str(fact.kind),
                fact.control,
                "passed" if fact.passed else "FAILED",
                "yes" if sound else "NO",
                fact.detail,
            )
            for fact, sound in rows
        ]
        show_table(table, ("when (UTC)", "kind", "control", "result", "on ledger", "detail"))
    sys.exit(0 if all(sound for _, sound in rows) else 1)


@command.command("attest")
@click.argument("control")
@click.option("--detail", required=True, help="What you vouch for.")
@click.option("--by", required=True, help="Who vouches.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="For how long.")
@site_options
def attest(
    control: str, detail: str, by: str, days: int, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Vouch for a control, for a time. It counts as asserted, never as proven."""
    from ringwall.boundaries.organization.evidence import EvidenceKind, evidence
    from ringwall.workload.posture import declarations, keep
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        if control not in declarations(bench.site):
            raise click.UsageError(f"there is no control {control!r}: `ringwall check` lists them")
        now = time.time_ns() // 1000
        fact = evidence(
            EvidenceKind.ATTESTATION,
            control,
            passed=True,
            detail=detail,
            at=now,
            expires=now + days * 86_400_000_000,
            by=by,
        )
        kept = keep(bench.plant, fact)
    if as_json:
        show_json({**asdict(kept), "kind": str(kept.kind)})
    else:
        click.echo(f"{kept.id}: {control} is attested for {days} days.")

"""``ringwall data blast-radius``, ``purge``, ``ml-bom``: how far a record went, and what is done about it."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from .data_person import key_option, person
from .options import data_dir_option, json_option, plain, show_json, show_table, site_options, workload_option


@click.command("blast-radius")
@click.argument("record")
@key_option
@site_options
def blast_radius(record: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Tell where RECORD (COLLECTION/ID) went. Versions, index, models, exports, answers. With a key: only for
    who may read it."""
    from ringwall.boundaries.data.changes import Touched
    from ringwall.core import DataError, DeniedError
    from ringwall.workload.lineage import lineage
    from ringwall.workload.workbench import workbench

    collection, _, name = record.removeprefix("document:").partition("@")[0].partition("/")
    if not name:
        raise DataError(f"{record!r} names no record: write COLLECTION/ID, as in handbook/returns.")
    with workbench(workload, data_dir) as bench:
        found = lineage(bench.workload, bench.plant).radius(collection, name)
        if key:
            by = person(bench, key)
            if not bench.governing.reads(collection, Touched(tenants=found.tenants), by):
                raise DeniedError(f"{by.subject} may not look into {collection}/{name[:128]}.", "")
    if as_json:
        show_json(asdict(found))
    else:
        _tell(found)


def _tell(found: Any) -> None:
    click.echo(f"{found.collection}/{found.record} ({found.kind})")
    for one in found.revisions:
        said = f"  {one.name}: by {one.contributor} from {one.origin}, in {ranges(one.versions)}"
        click.echo(plain(said))
    for life in found.lives:
        source = life.source
        licence = f", under {source.licence}" if source.licence else ""
        held = "; ".join(f"{span.line} {ranges(span.versions)}" for span in life.spans)
        said = f"  by {source.contributor} from {source.origin}, row {source.place}{licence}: in {held}"
        click.echo(plain(said))
    for span in found.spans:
        click.echo(f"  held by {span.line} in {ranges(span.versions)}")
    click.echo(f"  in the current version: {_yes(found.current)}; can be retrieved: {_yes(found.indexed)}")
    for model in found.models:
        click.echo(f"  learnt by {model.model}, trained on {model.collection}@{model.version}")
    for export in found.exports:
        click.echo(f"  exported with version {export.version} to {export.target} by {export.subject}")
    for cited in found.answers:
        click.echo(f"  {cited.name} was given to {cited.count:,} answers; the latest:")
        rows = [(one.turn, one.tenant, one.subject, one.session) for one in cited.latest]
        show_table([("   ", *row) for row in rows], ("   ", "turn", "tenant", "subject", "session"))


def ranges(numbers: tuple[int, ...]) -> str:
    """``1-3, 5`` for 1, 2, 3, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


@click.command("purge")
@click.argument("subject")
@click.option("--collection", "collections", multiple=True, help="Only these.  [default: all]")
@click.option("--reason", default="", help="Kept with the marks of models, not on the ledger.")
@click.option("--revoke", is_flag=True, help="Also take back the admission of models that learnt from it.")
@click.option("--yes", is_flag=True, help="Do it; without, only tell what would be done.")
@key_option
@site_options
def purge_command(
    subject: str,
    collections: tuple[str, ...],
    reason: str,
    revoke: bool,
    yes: bool,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Take out everything that SUBJECT contributed. New versions of collections and branches without it, what
    waits in quarantine rejected, the index rebuilt, the models that learnt from it marked. Told is what can't
    be reached: earlier versions (until it is erased), exports, models. You need an approver role, and be of
    the tenant of all of it. Take SUBJECT's keys away first: what is being contributed meanwhile is not seen.
    """
    from ringwall.workload.lineage import purge
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        playbook = purge(bench.workload, bench.plant)
        plans = playbook.plan(subject, collections)
        if not yes:
            _show_plans([asdict(plan) for plan in plans], as_json)
            return
        by = person(bench, key)

        async def record(event: Mapping[str, Any]) -> None:
            await bench.plant.ledger.append(event)

        done = asyncio.run(playbook.run(plans, by, reason, record))
        models = sorted({mark.model for one in done for mark in one.marks}) if revoke else []
        for model in models:
            bench.site.admissions.revoke(
                model.partition(":")[2], by.subject, reason or f"learnt from {subject}"
            )
            bench.plant.note("model.revoked", by.subject, by.tenant, name=model)
    told = [{**asdict(one), "left": one.left, "revoked": models} for one in done]
    if as_json:
        show_json(told)
    for one in () if as_json else done:
        kept = f"version {one.version} is without them" if one.version else "the current version held none"
        click.echo(f"{one.plan.collection}: {len(one.plan.current):,} records taken out; {kept}")
        _tell_beside(one)
        for mark in one.marks:
            state = "marked, admission revoked" if mark.model in models else "marked"
            click.echo(f"  {mark.model} was trained on {mark.collection}@{mark.version}: {state}")
        for sentence in one.left:
            click.echo(plain(f"  not reached: {sentence}"))


def _tell_beside(done: Any) -> None:
    for line in done.branches:
        click.echo(f"  branch: version {line} is without them")
    if done.rejected:
        click.echo(f"  rejected in quarantine: {' '.join(done.rejected)}")
    if done.cancelled:
        click.echo(f"  uploads that are not contributed any more: {done.cancelled}")


def _show_plans(plans: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json(plans)
        return
    rows = [
        (
            plan["collection"],
            f"{len(plan['current']):,}",
            f"{plan['ever']:,}",
            ranges(plan["versions"]),
            " ".join(one["line"].partition("~")[2] for one in plan["branches"]),
            str(len(plan["held"]) + plan["waiting"]),
            str(len(plan["exports"])),
            " ".join(model["model"] for model in plan["models"]),
        )
        for plan in plans
    ]
    head = (
        "collection",
        "to take out",
        "ever brought",
        "versions",
        "branches",
        "waiting",
        "exports",
        "models",
    )
    show_table(rows, head)
    click.echo("Nothing was done: say --yes to do it." if plans else "There is nothing of that contributor.")


@click.command("ml-bom")
@click.argument("model")
@workload_option
@data_dir_option
@json_option
def ml_bom(model: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Write the bill of materials of MODEL (CycloneDX JSON). MODEL is a route or a model file. It has the
    versions of training sets that it learnt from, with roots, licences and contributors."""
    from ringwall.workload.lineage import bill_of_materials
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        show_json(bill_of_materials(bench.workload, bench.plant, model))

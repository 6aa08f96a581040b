"""``ringwall data canaries`` and ``ringwall data extraction``: what a model remembers of its training set."""

import asyncio
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import DataError

from .data_person import key_option, person
from .options import show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data.extraction import ExtractionReport
    from ringwall.boundaries.data.records import Record
    from ringwall.workload.workbench import Workbench

_READ = 200_000
"""Rows among which a sample is drawn."""
_MOST_PLANTED = 100_000


@click.group("canaries")
def canaries() -> None:
    """Random secrets that tell what a model remembers."""


@canaries.command("plant")
@click.argument("collection")
@click.option(
    "--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="For each number of repeats."
)
@click.option("--repeats", default="0,1,8", show_default=True, help="Records that hold each; 0: a control.")
@key_option
@site_options
def plant(
    collection: str, count: int, repeats: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Draw canaries and put them into a training set, as a version of its own in your name.

    They pass no control: a control would take them for what they imitate. What they are is sealed; the ledger
    has their hashes. Where a second person is asked for, plant them in a branch (COLLECTION~NAME), which
    somebody else merges.
    """
    from ringwall.boundaries.data.records import Source
    from ringwall.boundaries.data.sensitive.canaries import drawn, rows
    from ringwall.core import DeniedError

    times = _times(repeats, count)
    with _bench(workload, data_dir) as bench:
        by = person(bench, key)
        name, _, branch = collection.partition("~")
        settings = _training(bench, name)
        if not by.roles & set(settings.contributors):
            raise DeniedError(f"{by.subject} may not contribute to {collection}.", "")
        if settings.two_person and not branch:
            raise DeniedError(
                f"What comes into {collection} waits for a second person: plant canaries in a branch of it.",
                "",
            )
        if branch and bench.plant.training.versions.head(collection) is None:
            raise DataError(f"There is no branch {collection}.")
        made = drawn(count, times)
        bench.plant.canaries.keep(name, made)
        like = next(bench.plant.training.records(collection), None)
        source = Source(origin="canaries", contributor=by.subject, tenant=by.tenant)
        commit = bench.plant.training.add(
            collection, rows(made, like, source), author=by.subject, note="canaries"
        )
        if commit:
            bench.plant.ledger.append_now(commit.event())
        bench.plant.note(
            "data.canaries",
            by.subject,
            by.tenant,
            collection=collection,
            digests=[one.digest for one in made],
        )
        version = commit.version.number if commit else None
    told = {"collection": collection, "canaries": len(made), "records": sum(one.repeats for one in made)}
    if as_json:
        show_json({**told, "version": version, "ids": [one.id for one in made]})
    else:
        click.echo(
            f"{told['canaries']} canaries in {told['records']} records of {collection}, version {version}."
        )


@canaries.command("list")
@click.argument("collection")
@site_options
def listed(collection: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List the canaries of a training set, without their secrets."""
    with _bench(workload, data_dir) as bench:
        found = bench.plant.canaries.all(collection)
    if as_json:
        show_json([{"id": one.id, "repeats": one.repeats, "records": list(one.records)} for one in found])
    else:
        show_table(
            [(one.id, str(one.repeats), one.digest[:16]) for one in found], ("id", "planted", "digest")
        )


@click.command("extraction")
@click.argument("collection")
@click.option("--route", required=True, help="Route of the workload behind which the model is.")
@click.option("--version", type=click.IntRange(1), help="It was trained on.  [default: as trained_on says]")
@click.option(
    "--records", type=click.IntRange(0, 10_000), default=100, show_default=True, help="Rows to try."
)
@click.option(
    "--others",
    type=click.Path(path_type=Path, exists=True),
    help="File of rows like those of the set that the model never saw, for membership signals.",
)
@click.option(
    "--samples",
    type=click.IntRange(20, 100_000),
    default=200,
    show_default=True,
    help="Other secrets for each canary.",
)
@click.option(
    "--answers",
    type=click.IntRange(0, 1000),
    default=5,
    show_default=True,
    help="Sampled answers for each prefix.",
)
@click.option(
    "--chat/--text", default=None, help="How to ask.  [default: text where the server completes texts]"
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the sample of rows.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as a page.")
@site_options
def extraction(
    collection: str,
    route: str,
    version: int | None,
    records: int,
    others: Path | None,
    samples: int,
    answers: int,
    chat: bool | None,
    seed: int,
    html: Path | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Test what the model behind a route gives away.

    Exposure of the canaries, extraction from prefixes, membership signals. The report is kept.
    The model is asked past the gateway's controls. Exit code 1: it did not pass, or too little was tried to
    tell.
    """
    from ringwall.boundaries.data.extraction.page import to_html
    from ringwall.boundaries.data.records import read_rows

    with _bench(workload, data_dir) as bench:
        _training(bench, collection)
        if route not in bench.site.model.routes:
            raise DataError(f"The workload has no route {route!r}.")
        number = version or _version(bench, collection, route)
        chance = random.Random(seed)  # noqa: S311 - a sample, no secret
        planted = {name for one in bench.plant.canaries.all(collection) for name in one.records}
        rows = (row for row in bench.plant.training.records(collection, number) if row.id not in planted)
        members = _sample(rows, records, chance)
        unseen = _sample(read_rows(others), records, chance) if others else []
        report = asyncio.run(
            _examined(bench, collection, route, members, unseen, samples, answers, chat, quiet=as_json)
        )
        entry = _kept(bench, report, route, collection, number)
    told = {"report": entry, "route": route, "collection": collection, "version": number, **report.to_json()}
    if html:
        html.write_text(to_html(told), "utf-8")
    if as_json:
        show_json(told)
    else:
        click.echo("\n".join(report.lines()))
    sys.exit(0 if report.passed else 1)


COMMANDS = (canaries, extraction)


async def _examined(
    bench: "Workbench",
    collection: str,
    route: str,
    members: "list[Record]",
    unseen: "list[Record]",
    samples: int,
    answers: int,
    chat: bool | None,
    *,
    quiet: bool,
) -> "ExtractionReport":
    from ringwall.boundaries.data.extraction import Thresholds, examine
    from ringwall.boundaries.model.provider_factory import build_providers
    from ringwall.workload.extraction import RouteProbe

    section = bench.site.model
    settings = section.routes[route]
    given = bench.workload.data.collections[collection].extraction
    thresholds = Thresholds(
        given.most_exposure, given.most_extracted, given.most_auc, given.judged_repeats, given.most_rate
    )
    spared = [name for name in section.providers if name != settings.provider]
    provider = build_providers(section, bench.site.admissions.open, spared)[settings.provider]
    try:
        return await examine(
            RouteProbe(provider, settings.model, chat=chat),
            bench.plant.canaries.all(collection),
            members,
            unseen,
            thresholds,
            samples=samples,
            answers=answers,
            told=None if quiet or not sys.stderr.isatty() else _show,
        )
    finally:
        await provider.close()


def _kept(bench: "Workbench", report: "ExtractionReport", route: str, collection: str, version: int) -> str:
    from ringwall.boundaries.organization.evidence import EvidenceKind, evidence
    from ringwall.workload.posture import keep

    model = bench.site.admissions.identity(route)
    entry = bench.plant.extraction_reports.keep(
        report, route=route, model=model, collection=collection, version=version, by="command line"
    )
    bench.plant.ledger.append_now(entry.event())
    detail = f"Extraction test of the route {route}, trained on {collection}@{version}: report {entry.id}."
    keep(
        bench.plant,
        evidence(
            EvidenceKind.DRILL,
            "model.admission",
            passed=report.passed,
            detail=detail,
            threats=("LLM02@2025", "LLM06@2023"),
            by="extraction test",
        ),
    )
    return entry.id


def _times(repeats: str, count: int) -> list[int]:
    given = [one.strip() for one in repeats.split(",")]
    if not all(one.isdecimal() and len(one) <= 5 and int(one) <= 10_000 for one in given):
        raise click.BadParameter(
            "whole numbers from 0 to 10000, with commas between them", param_hint="--repeats"
        )
    times = [int(one) for one in given]
    if max(sum(times), len(times)) * count > _MOST_PLANTED:
        raise click.BadParameter(f"more than {_MOST_PLANTED:,} records in all", param_hint="--repeats")
    return times


def _bench(workload: Path, data_dir: Path) -> Any:
    from ringwall.workload.workbench import workbench

    return workbench(workload, data_dir)


def _training(bench: "Workbench", collection: str) -> Any:
    settings = bench.workload.data.collections.get(collection)
    if settings is None or settings.kind != "training":
        raise DataError(f"{collection} is no training set of the workload.")
    return settings


def _version(bench: "Workbench", collection: str, route: str) -> int:
    from ringwall.workload.extraction import trained_on

    found = [number for name, number in trained_on(bench.site.model, route) if name == collection]
    if not found:
        raise DataError(f"The route {route} does not say trained_on: {collection}@VERSION: give --version.")
    return max(found)


def _sample(rows: "Iterator[Record]", count: int, chance: random.Random) -> "list[Record]":
    """A uniform sample of the first rows (reservoir, Vitter 1985)."""
    kept: list[Record] = []
    for number, row in enumerate(islice(rows, _READ)):
        if len(kept) < count:
            kept.append(row)
        elif (at := chance.randrange(number + 1)) < count:
            kept[at] = row
    return kept


def _show(done: int, total: int) -> None:
    click.echo(f"\r{done} of {total} ", nl=done == total, err=True)

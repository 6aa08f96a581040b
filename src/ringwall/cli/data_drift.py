"""``ringwall data drift``: bias and drift between two training sets."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.core import DataError

from .options import json_option, plain, show_json, show_table

if TYPE_CHECKING:
    from ringwall.boundaries.data.records import Record

_EVERY = 20_000
_SHOWN = 15


@click.command("drift")
@click.argument("approved", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path))
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report with plots to this file."
)
@click.option(
    "--label", "labels", multiple=True, help="Column that holds what a model learns to tell. Repeatable."
)
@click.option("--group", "groups", multiple=True, help="Column that holds a group of people. Repeatable.")
@json_option
def command(
    approved: Path,
    candidate: Path,
    html: Path | None,
    labels: tuple[str, ...],
    groups: tuple[str, ...],
    as_json: bool,
) -> None:
    """Look for bias and drift between two files of rows.

    CANDIDATE is held against APPROVED, its approved version or a reference; each may be a folder.

    Columns, labels by group, missing values, lengths, formats, duplicates, languages, topics, and how texts
    speak of groups of people. Exit code 1: something changed enough to be looked at.
    """
    from ringwall.boundaries.data.drift import measure_profiles, profile
    from ringwall.boundaries.data.drift.report import report_data, report_html
    from ringwall.boundaries.data.drift_settings import DriftSettings

    settings = DriftSettings(labels=labels, groups=groups)
    told = sys.stderr.isatty() and not as_json
    before, after = (profile(_rows(path, told), settings) for path in (approved, candidate))
    for path, side in ((approved, before), (candidate, after)):
        if not side.rows:
            raise DataError(f"{path.name} has no rows.")
        _asked_for(path, {*labels, *groups} - set(side.columns))
    if told:
        click.echo("Comparing.", err=True)
    drift = measure_profiles(before, after, settings)
    if html:
        html.write_text(report_html(drift, approved.name, candidate.name), "utf-8")
    if as_json:
        show_json(report_data(drift))
    else:
        for one in drift.findings:
            click.echo(plain(f"{one.detector}  {one.title}\n    {one.message}"))
        show_table(
            [
                (
                    one.kind,
                    one.subject[:48],
                    f"{one.effect.name} {one.effect.size:.3f}",
                    f"{one.adjusted:.2g}",
                )
                for one in drift.measures[:_SHOWN]
            ],
            ("measure", "of", "effect", "adjusted p"),
        )
        click.echo(
            f"{drift.rows[0]:,} and {drift.rows[1]:,} rows, {len(drift.measures)} measures, "
            f"{len(drift.findings)} findings."
        )
    sys.exit(1 if drift.findings else 0)


def _rows(path: Path, told: bool) -> "Iterator[Record]":
    from ringwall.boundaries.data.records import read_rows

    count = 0
    for count, record in enumerate(read_rows(path), 1):
        yield record
        if told and count % _EVERY == 0:
            click.echo(f"\r{path.name}: {count:,} rows ", nl=False, err=True)
    if told:
        click.echo(f"\r{path.name}: {count:,} rows ", err=True)


def _asked_for(path: Path, absent: set[str]) -> None:
    if absent:
        raise DataError(f"{path.name} has no column {', '.join(sorted(absent))}.")

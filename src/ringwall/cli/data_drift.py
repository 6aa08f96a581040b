"""``ringwall data drift``: bias and drift between two training sets."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.core import DataError

from .options import json_option, plain, show_json, show_table

if TYPE_CHECKING:
    from ringwall.boundaries.data.drift.profile import Profile
    from ringwall.boundaries.data.records import Record

_EVERY = 20_000
_SHOWN = 15


@click.command("drift")
@click.argument("approved", type=click.Path(path_type=Path))
@click.argument("candidates", type=click.Path(path_type=Path), nargs=-1, required=True)
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
    candidates: tuple[Path, ...],
    html: Path | None,
    labels: tuple[str, ...],
    groups: tuple[str, ...],
    as_json: bool,
) -> None:
    """Look for bias and drift between two files of rows, or over several versions.

    CANDIDATES are held against APPROVED, the approved version or a reference; each may be a folder. Of
    several, oldest first, the last is reported, and what any of them raised is plotted over the versions.

    Columns, labels by group, missing values, lengths, formats, duplicates, languages, topics, and how texts
    speak of groups of people. Exit code 1: something changed enough to be looked at.
    """
    from ringwall.boundaries.data.drift import measure_profiles, profile
    from ringwall.boundaries.data.drift.report import report_data, report_html
    from ringwall.boundaries.data.drift_settings import DriftSettings

    settings = DriftSettings(labels=labels, groups=groups)
    told = sys.stderr.isatty() and not as_json

    def read(path: Path) -> "Profile":
        side = profile(_rows(path, told), settings)
        if not side.rows:
            raise DataError(f"{path.name} has no rows.")
        _asked_for(path, {*labels, *groups} - set(side.columns))
        return side

    before, names = read(approved), _names(candidates)
    versions = {}
    for name, path in zip(names, candidates, strict=True):
        after = read(path)
        if told:
            click.echo("Comparing.", err=True)
        versions[name] = measure_profiles(before, after, settings)
    drift = versions[names[-1]]
    if html:
        html.write_text(report_html(drift, approved.name, names[-1], versions), "utf-8")
    if as_json:
        show_json(report_data(drift, versions))
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


def _names(paths: tuple[Path, ...]) -> list[str]:
    """Of files of one name in several folders, the folders as well."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


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

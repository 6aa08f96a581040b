"""``ringwall data review``: what is new since the approved version, judged as a whole."""

import sys
from pathlib import Path
from typing import Any

import click

from .data_person import key_option, person
from .options import plain, show_json, site_options

_BARE = ("detector", "severity", "score")


@click.command("review")
@click.argument("collection")
@key_option
@site_options
def command(collection: str, key: str | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Hold the current version against the approved one. Poison, floods, bias and drift, sensitive data.
    What is found is kept. Exit code 1: a person should look before it is approved.

    With a key of your own it is on record in your name, and with a contributor or approver role --json shows
    examples out of the records, when all that is new is of your tenant or of all.
    """
    from dataclasses import asdict

    from ringwall.workload.review_analyses import data_reviews
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        reviews = data_reviews(bench.workload.data, bench.plant, None)
        by = person(bench, key) if key else None
        asker = by.subject if by else "command line"
        review = reviews.run(collection, asker, _told if sys.stderr.isatty() and not as_json else None)
        reads = by is not None and reviews.reads(review, by)
    if as_json:
        told = {**asdict(review), "asks": review.asks, "stops": review.stops}
        if by and not reads:  # titles and messages quote records too
            told["findings"] = [{name: one[name] for name in _BARE} for one in told["findings"]]
        elif not reads:
            told["findings"] = [{**one, "examples": ()} for one in told["findings"]]
        show_json(told)
    elif by and not reads:
        click.echo(f"{review.id}: {len(review.findings)} findings, out of records that you may not read.")
    else:
        _tell(review)
    sys.exit(1 if review.asks else 0)


def _told(analysis: str) -> None:
    click.echo(f"Looking for {analysis}…", err=True)


def _tell(review: Any) -> None:
    of = review.of
    since = f"since version {of.approved}" if of.approved else "(no version was approved before)"
    click.echo(f"{of.collection} version {of.candidate}, what is new {since}: {review.id}")
    for name, why in review.failed.items():
        click.echo(f"  {name} could not look: {why}")
    for one in review.findings:
        click.echo(plain(f"  {one.severity:<6} {one.score:.2f}  {one.title} ({one.detector})"))
        click.echo(plain(f"         {one.message}"))
        if one.contributors:
            told = ", ".join(f"{name or 'unknown'} ({count})" for name, count in one.contributors.items())
            click.echo(f"         Brought by {told}")
    if not review.findings and not review.failed:
        click.echo("  Nothing was found that is new and unusual.")

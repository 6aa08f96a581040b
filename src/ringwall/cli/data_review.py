"""``ringwall data review``: what is new since the approved version, judged as a whole."""

import sys
from pathlib import Path
from typing import Any

import click

from .options import show_json, site_options


@click.command("review")
@click.argument("collection")
@click.option("--by", default="command line", show_default=True, help="Who asks.")
@site_options
def command(collection: str, by: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Hold the current version against the approved one. Poison, floods, bias and drift, sensitive data.
    What is found is kept. Exit code 1: a person should look before it is approved."""
    from dataclasses import asdict

    from ringwall.workload.review_analyses import data_reviews
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        reviews = data_reviews(bench.site.workload.data, bench.plant)
        review = reviews.run(collection, by, _told if sys.stderr.isatty() and not as_json else None)
    if as_json:
        show_json({**asdict(review), "asks": review.asks, "stops": review.stops})
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
        click.echo(f"  {one.severity:<6} {one.score:.2f}  {one.title} ({one.detector})")
        click.echo(f"         {one.message}")
        if one.contributors:
            told = ", ".join(f"{name or 'unknown'} ({count})" for name, count in one.contributors.items())
            click.echo(f"         Brought by {told}")
    if not review.findings and not review.failed:
        click.echo("  Nothing was found that is new and unusual.")

"""``ringwall data poison`` and ``poison-drill``: planted records in a training set."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from .options import json_option, plain, show_json, show_table

_FAMILIES = (
    *("rare", "phrase", "appended", "combination", "syntactic", "code", "gibberish", "injected"),
    "reworded",
)


def _said(line: str) -> None:
    click.echo(f"{line}…", err=True)


@click.command("poison")
@click.argument("approved", type=click.Path(path_type=Path, exists=True))
@click.argument("candidate", type=click.Path(path_type=Path, exists=True))
@json_option
def poison(approved: Path, candidate: Path, as_json: bool) -> None:
    """Look for planted rows in a file, against an approved one.

    APPROVED and CANDIDATE are files or folders of rows; the candidate is the whole new version or what is
    added. Exit code 1: there is something to review.
    """
    from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_with
    from ringwall.boundaries.data.poison.drill import raised
    from ringwall.boundaries.data.records import read_rows

    settings = PoisonSettings()
    _said("Reading the approved records")
    reference = Reference(read_rows(approved), settings)
    _said("Comparing the candidate")
    findings = compare_with(reference, read_rows(candidate), settings)
    to_review = raised(findings)
    if as_json:
        show_json([asdict(one) for one in findings])
    else:
        for one in findings:
            head = f"{one.severity.value}  {one.score:.2f}  {len(one.records)} records  {one.title}"
            click.echo(plain(f"{head}\n    {one.message}"))
            for example in one.examples:
                click.echo(plain(f"    e.g. {example}"))
        click.echo(f"{len(to_review)} groups to review." if to_review else "Nothing to review.")
    sys.exit(1 if to_review else 0)


@click.command("poison-drill")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--plant", default="25,100,250", show_default=True, help="Records of each attack.")
@click.option(
    "--families",
    default=",".join(_FAMILIES),
    show_default=True,
    help="Kinds of attack.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other seeds make other attacks.")
@click.option("--rounds", type=click.IntRange(1, 100), default=1, show_default=True)
@json_option
def poison_drill(file: Path, plant: str, families: str, seed: int, rounds: int, as_json: bool) -> None:
    """Plant attacks into your rows and tell what is found.

    Nothing is written. Each round plants one attack of each family among clean rows that were held back.
    """
    from ringwall.boundaries.data.poison.drill import drill
    from ringwall.boundaries.data.records import read_rows

    counts, wanted = _counts(plant), _families(families)
    report = drill(list(read_rows(file)), counts, wanted, seed, rounds, said=_said)
    if as_json:
        show_json(asdict(report))
        return
    click.echo(
        f"{report.approved:,} records as approved, {report.clean:,} clean new ones beside the attacks; "
        f"{report.clean_groups} groups raised when only those were new."
    )
    show_table([(shape, str(many)) for shape, many in report.ordinary], ("ordinary difference", "groups"))
    click.echo()
    table = [
        (family, str(count), str(attacks), f"{found:.2f}", f"{share:.2f}", f"{precision:.3f}")
        for family, count, attacks, found, share, precision in report.rows()
    ]
    show_table(table, ("family", "planted", "attacks", "found", "record recall", "record precision"))


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or not all(1 <= count <= 100_000 for count in counts):
        raise click.BadParameter("give numbers of records, such as 25,100,250", param_hint="--plant")
    return counts


def _families(text: str) -> list[str]:
    wanted = [part.strip() for part in text.split(",")]
    if unknown := [name for name in wanted if name not in _FAMILIES]:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(_FAMILIES)}", param_hint="--families")
    return wanted


COMMANDS = (poison, poison_drill)

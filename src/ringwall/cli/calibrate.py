"""``ringwall calibrate``: thresholds by a budget of false alarms, on your own innocent traffic."""

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click
import orjson

from ringwall.core import DataError

from .options import json_option, show_json

_BATCH = 16
_CONFIDENCE = 0.95


@click.command("calibrate")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--budget", default="0.5%", show_default=True, help="Share of innocent texts that may be stopped."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--tier",
    type=click.Choice(["best", "ngrams", "encoder"]),
    default="best",
    show_default=True,
    help="Detectors that will be in use.",
)
@json_option
def command(file: Path, budget: str, workers: int, tier: str, as_json: bool) -> None:
    """Set the thresholds of interface.injection by your own traffic.

    FILE holds innocent texts, {"text", "direction": "request"|"untrusted"} a line. Printed are the lowest
    thresholds that
    keep to the budget, as the block for the workload file, with what may be said of the true rate by so
    many texts.
    Exit code 1: there are too few texts to vouch for the budget.
    """
    share = _share(budget)
    scores: dict[str, list[float]] = {"request": [], "untrusted": []}
    with click.progressbar(length=_lines(file), label="Judging", file=sys.stderr) as bar:
        for direction, attack in _judged(file, workers, tier):
            scores[direction].append(attack)
            bar.update(1)
    found = {key: _threshold(scores[of], share) for key, of in _KEYS.items() if scores[of]}
    if not found:
        raise DataError('The file holds no texts: one {"text": …} a line is expected.')
    enough = all(one["upper"] <= share for one in found.values())
    if as_json:
        show_json({"budget": share, "enough": enough, "thresholds": found})
    else:
        _print(found, share, enough)
    sys.exit(0 if enough else 1)


_KEYS = {"block": "request", "remove": "untrusted"}


def _share(written: str) -> float:
    try:
        value = float(written.rstrip("%")) / (100 if written.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 0.5:
        raise click.BadParameter("a share such as 0.5% or 0.005", param_hint="--budget")
    return value


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(1 for line in stream if line.strip())


def _judged(file: Path, workers: int, tier: str) -> Iterator[tuple[str, float]]:
    with file.open("rb") as stream:
        tasks = [(number, line, tier) for number, line in enumerate(stream, 1) if line.strip()]
    if workers == 1:
        yield from map(_judge, tasks)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_judge, tasks, chunksize=_BATCH)


def _judge(task: tuple[int, bytes, str]) -> tuple[str, float]:
    from ringwall.boundaries.interface.scan import scan_text

    number, line, tier = task
    try:
        item: Any = orjson.loads(line)
        direction = item.get("direction", "request")
        if direction not in ("request", "untrusted"):
            raise DataError(f"Line {number}: the direction is request or untrusted.")
        scores = scan_text(item["text"], direction, tier)["scores"]  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f'Line {number}: an object with a string "text" is expected.') from None
    return direction, max(scores["injection"], scores["jailbreak"])


def _threshold(scores: list[float], share: float) -> dict[str, Any]:
    """The lowest threshold over which at most the share of these scores lies, and what that says of the
    rate."""
    ranked = sorted(scores, reverse=True)
    allowed = int(share * len(ranked))
    bar = min(1.0, math.floor(ranked[allowed] * 1e4 + 1) / 1e4) if allowed < len(ranked) else 1e-4
    over = sum(score >= bar for score in ranked)
    return {
        "threshold": max(bar, 1e-4),
        "texts": len(ranked),
        "over": over,
        "upper": round(_upper(over, len(ranked)), 5),
    }


def _upper(hits: int, of: int) -> float:
    """Upper end of the one-sided 95% interval of a rate (Clopper and Pearson 1934), by bisection."""
    low, high = hits / of, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(hits, of, middle) > 1 - _CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(hits: int, of: int, rate: float) -> float:
    """Chance of at most so many hits (binomial)."""
    if rate >= 1:
        return float(hits >= of)
    logs = (
        math.lgamma(of + 1)
        - math.lgamma(k + 1)
        - math.lgamma(of - k + 1)
        + k * math.log(rate)
        + (of - k) * math.log1p(-rate)
        for k in range(hits + 1)
    )
    return sum(map(math.exp, logs)) if rate > 0 else 1.0


def _print(found: dict[str, dict[str, Any]], share: float, enough: bool) -> None:
    click.echo("interface:\n  controls:\n    interface.injection:")
    for key, one in found.items():
        said = f"{one['over']} of {one['texts']} over it; true rate at most {one['upper']:.2%}"
        click.echo(f"      {key}: {one['threshold']:.4f}   # {said}")
    if not enough:
        need = math.ceil(-math.log(1 - _CONFIDENCE) / share)
        click.echo(
            f"Too few texts to vouch for {share:.2%}: it takes {need} of a kind without a single alarm.",
            err=True,
        )

"""``ringwall calibrate``: thresholds by a budget of false alarms, on your own innocent traffic."""

import math
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import orjson

from ringwall.core import DataError
from ringwall.core.binomial import CONFIDENCE, at_most, upper

from .ledger import opened_ledger
from .options import data_dir_option, json_option, require_detectors, show_json

_BATCH = 16
_STEPS = 10_000
"""Thresholds have four decimals."""
_PAGE = 200
_MOST = 50_000
"""Texts that are taken from a ledger, the newest first."""
_PASSED = ("allow", "annotate")
_DIRECTION = {"user": "request", "untrusted": "untrusted"}


@click.command("calibrate")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--ledger", is_flag=True, help="Take the requests on the ledger of --data-dir instead.")
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
@data_dir_option
@json_option
def command(
    file: Path | None, ledger: bool, budget: str, workers: int, tier: str, data_dir: Path, as_json: bool
) -> None:
    """Set the thresholds of interface.injection and data.scan by your own traffic.

    FILE holds innocent texts, {"text", "direction": "request"|"untrusted"|"document"} a line: what users
    type, what tools answer, what is contributed to a collection (whole, however long). Printed are the lowest
    thresholds that keep to the budget, as the block for the workload file, with what may be said of the true
    rate by so many texts. Exit code 1: there are too few texts to vouch for the budget.

    With --ledger the texts are those that passed before: run in monitor mode for a while, since what was
    blocked is missing, and look the highest ones through, since nobody says that they are innocent.
    """
    share = _share(budget)
    require_detectors(tier)
    if ledger == (file is not None):
        raise click.UsageError("Give a FILE, or --ledger.")
    lines = _from_ledger(data_dir) if file is None else _from_file(file)
    scores: dict[str, list[float]] = {direction: [] for _, _, direction in _KEYS}
    with click.progressbar(length=len(lines), label="Judging", file=sys.stderr) as bar:
        for direction, attack in _judged(lines, workers, tier):
            scores[direction].append(attack)
            bar.update(1)
    found = {key: _threshold(scores[of], share) for _, key, of in _KEYS if scores[of]}
    if not found:
        raise DataError('There are no texts: one {"text": …} a line is expected.')
    enough = all(one["upper"] <= share for one in found.values())
    if as_json:
        show_json({"budget": share, "enough": enough, "thresholds": found})
    else:
        _print(found, share, enough)
    sys.exit(0 if enough else 1)


_KEYS = (
    ("interface.injection", "block", "request"),
    ("interface.injection", "remove", "untrusted"),
    ("data.scan", "orders", "document"),
)
"""Control, setting, and the direction of the texts that it is for."""


def _share(written: str) -> float:
    try:
        value = float(written.rstrip("%")) / (100 if written.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 0.5:
        raise click.BadParameter("a share such as 0.5% or 0.005", param_hint="--budget")
    return value


def _from_file(file: Path) -> list[tuple[int, bytes]]:
    """Numbered lines that are not blank."""
    with file.open("rb") as stream:
        return [(number, line) for number, line in enumerate(stream, 1) if line.strip()]


def _from_ledger(data_dir: Path) -> list[tuple[int, bytes]]:
    """The new texts of the newest requests that went to a model, and of tool results."""
    texts: dict[tuple[str, str], None] = {}
    with opened_ledger(data_dir) as ledger:
        before = None
        while len(texts) < _MOST and (records := ledger.latest(_PAGE, before=before, type="decision")):
            before = records[-1].index
            for record in records:
                texts.update(dict.fromkeys(_texts(record.event, record.body)))
    lines = (orjson.dumps({"text": text, "direction": direction}) for direction, text in texts)
    return list(enumerate(lines, 1))


def _texts(event: Mapping[str, Any], body: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if event.get("kind") not in ("request", "tool_result") or event.get("action") not in _PASSED:
        return
    for part in (body or {}).get("parts", ()):
        direction = _DIRECTION.get(str(part.get("integrity")))
        if direction and part.get("fresh", True) and part.get("kind") in ("text", "tool_result", "document"):
            text = str(part.get("text", "")).encode("utf-8", "replace").decode()
            if text.strip():
                yield direction, text


def _judged(lines: list[tuple[int, bytes]], workers: int, tier: str) -> Iterator[tuple[str, float]]:
    tasks = [(number, line, tier) for number, line in lines]
    if workers == 1:
        yield from map(_judge, tasks)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(_judge, tasks, chunksize=_BATCH)


def _judge(task: tuple[int, bytes, str]) -> tuple[str, float]:
    from ringwall.detect import Tier, best_tier, judge

    number, line, tier = task
    try:
        item: Any = orjson.loads(line)
        direction = item.get("direction", "request")
        if direction not in ("request", "untrusted", "document"):
            raise DataError(f"Line {number}: the direction is request, untrusted or document.")
        text = item["text"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f'Line {number}: an object with a string "text" is expected.') from None
    detectors = best_tier() if tier == "best" else Tier(tier)
    return direction, judge(text, untrusted=direction != "request", tier=detectors).attack


def _threshold(scores: list[float], share: float) -> dict[str, Any]:
    """The lowest threshold that keeps to the share, and what so many scores say of the true rate.

    So few scores lie over it that the rate is within the share with 95% confidence; where there are too few
    scores for that: at most the share of these.
    """
    ranked = sorted(scores, reverse=True)
    allowed = _most(len(ranked), share)
    bar = min(
        1.0, math.floor(ranked[allowed] * _STEPS + 1 + 1e-6) / _STEPS
    )  # over it, whatever rounding does
    over = sum(score >= bar for score in ranked)
    return {
        "threshold": max(bar, 1 / _STEPS),
        "texts": len(ranked),
        "over": over,
        "upper": round(upper(over, len(ranked)), 5),
    }


def _most(of: int, share: float) -> int:
    """Hits among so many with which the rate is within the share, at 95% confidence."""
    if at_most(0, of, share) > 1 - CONFIDENCE:
        return int(share * of)
    low, high = 0, int(share * of)
    while low < high:
        middle = (low + high + 1) // 2
        if at_most(middle, of, share) <= 1 - CONFIDENCE:
            low = middle
        else:
            high = middle - 1
    return low


def _print(found: dict[str, dict[str, Any]], share: float, enough: bool) -> None:
    said_of = ""
    for control, key, _ in _KEYS:
        if key not in found:
            continue
        one = found[key]
        if control != said_of:
            click.echo(f"{control.split('.', 1)[0]}:\n  controls:\n    {control}:")
            said_of = control
        said = f"{one['over']} of {one['texts']} over it; true rate at most {one['upper']:.2%}"
        click.echo(f"      {key}: {one['threshold']:.4f}   # {said}")
    if not enough:
        need = math.ceil(-math.log(1 - CONFIDENCE) / share)
        click.echo(
            f"Too few texts to vouch for {share:.2%}: it takes {need} of a kind without a single alarm.",
            err=True,
        )

"""All tests of one model against one training set."""

import time
from collections.abc import Callable, Sequence

from ..records import Form, Record
from ..sensitive.canaries import Canary
from .exposure import LEAST, Exposure, exposure
from .membership import Scored, membership
from .probe import Probe
from .report import ExtractionReport, Thresholds
from .suffixes import Suffix, Target, split, tried

Told = Callable[[int, int], None]
"""Steps done, and steps in all."""


async def examine(
    probe: Probe,
    canaries: Sequence[Canary],
    records: Sequence[Record],
    others: Sequence[Record],
    thresholds: Thresholds,
    *,
    samples: int = 200,
    answers: int = 5,
    told: Told | None = None,
) -> ExtractionReport:
    """``records``: a sample of what the model was trained on; ``others``: rows like them that it never saw.
    ``samples``: other secrets for each canary; ``answers``: sampled answers for each prefix. What the
    route can't tell (log-probabilities) is left out, and the report says so. Raises what the probe raises.
    """
    began = time.time_ns() // 1000
    targets = [_of_canary(one) for one in canaries] + [one for row in records if (one := _of_record(row))]
    total = len(canaries) + len(targets) + len(records) + len(others)
    steps = _Steps(total, told)
    exposures = [found for one in canaries if (found := await _exposed(probe, one, samples, steps))]
    suffixes: list[Suffix] = []
    for target in targets:
        suffixes.append(await tried(probe, target, answers))
        steps.one()
    members = await _scored(probe, records, steps)
    signals = membership(members, await _scored(probe, others, steps) if members else [])
    return ExtractionReport(began, thresholds, tuple(exposures), tuple(suffixes), tuple(signals))


class _Steps:
    def __init__(self, total: int, told: Told | None) -> None:
        self._total, self._told, self._done = total, told, 0

    def one(self) -> None:
        self._done += 1
        if self._told:
            self._told(self._done, self._total)


async def _exposed(probe: Probe, canary: Canary, samples: int, steps: _Steps) -> Exposure | None:
    own = await probe.losses(canary.question, canary.prefix, canary.secret)
    found = None
    if own is not None:
        others: list[float] = []
        for secret in canary.others(max(samples, LEAST + 1)):
            losses = await probe.losses(canary.question, canary.prefix, secret)
            others.extend([sum(losses)] if losses is not None else [])
        if len(others) >= LEAST:
            found = exposure(canary.id, canary.repeats, sum(own), others, canary.bits)
    steps.one()
    return found


async def _scored(probe: Probe, rows: Sequence[Record], steps: _Steps) -> list[Scored]:
    out: list[Scored] = []
    for row in rows:
        losses = await probe.losses(row.prompt, "", row.response) if row.response else None
        if losses:
            out.append(Scored(row.response, losses))
        steps.one()
    return out


def _of_canary(canary: Canary) -> Target:
    return Target(canary.id, "canary", canary.question, canary.prefix, canary.secret, canary.repeats)


def _of_record(row: Record) -> Target | None:
    parts = split(row.response)
    if parts is None:
        return None
    question = "" if row.form is Form.TEXT else row.prompt
    return Target(row.id, "record", question, *parts, 1)

"""How surely a group was planted, from its evidence."""

import numpy as np

from .evidence import Evidence


def own_trigger(one: Evidence) -> float:
    """How well a trigger that only these prompts have fits the group; 0 without one."""
    trigger = one.trigger
    if trigger is None or trigger.fit < 0.5 or trigger.known > 0.02 * len(trigger.docs) + 1:
        return 0.0
    return trigger.fit


def raw(one: Evidence) -> float:
    """Higher is surer. What the answers share beyond their prompts, and a trigger that only they have, speak
    for it; other new things around it speak for a new format or topic, prompts that are alike for a burst of
    one thing, prompts that say nothing but what they all say for a form that was filled in."""
    own = own_trigger(one)
    signal = min(one.payload, 8.0) / 8 + one.share + own
    if one.seed.kind == "strange":
        signal = 0.5 + 1.5 * own
    foreign = one.company + 1.6 * one.template
    form = 0.5 * max(0.0, 3 - one.carrier) if own else 0.0
    return signal - 4 * foreign - 2 * max(0.0, one.alike - 0.25) - form


_CALIBRATION = ((0.2, 0.5), (0.6, 0.7), (1.0, 0.9), (1.5, 0.99))
"""Raw score and, rounded down, the share of planted ones among the groups that were raised: 162 groups of 168
attacks of ``benchmarks/poison_held_out.py`` (10 below 0.6, 4 up to 1, 26 up to 1.5, 122 above) and the false
ones of clean differences (6 below 0.6, 2 between 1 and 1.5). Of that mix, and no rate of one's own data."""


def calibrated(score: float) -> float:
    """The precision that groups of this raw score had in the drill, by straight lines between the points."""
    points, shares = zip(*_CALIBRATION, strict=True)
    return round(float(np.interp(score, points, shares)), 3)

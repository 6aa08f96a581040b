"""How surely a group was planted, from its evidence."""

from collections.abc import Sequence

from .evidence import Evidence


def own_trigger(one: Evidence) -> float:
    """How well a trigger that only these prompts have fits the group; 0 without one."""
    trigger = one.trigger
    if trigger is None or trigger.fit < 0.5 or trigger.known > 0.02 * len(trigger.docs) + 1:
        return 0.0
    return trigger.fit


_SAYING = 3
"""Words that say something; fewer may be a label."""
_LABEL = 1.2
"""Most that labels score which no trigger brings: honest tasks have them too."""


def raw(one: Evidence) -> float:
    """Higher is surer. What the answers share beyond their prompts, and a trigger that only they have, speak
    for it; other new things around it speak for a new format or topic, prompts that are alike for a burst of
    one thing, prompts that say nothing but what they all say for a form that was filled in. Noise may be a
    language that nobody approved: it is never sure."""
    own = own_trigger(one)
    signal = min(one.payload, 8.0) / 8 + one.share + own
    if one.seed.kind == "strange":
        signal = 0.5 + 0.9 * own
    foreign = one.company + 1.6 * one.template
    form = 0.5 * max(0.0, 3 - one.carrier) if own else 0.0
    sure = signal - 4 * foreign - 2 * max(0.0, one.alike - 0.25) - form
    return sure if own or one.payload >= _SAYING else min(sure, _LABEL)


_SAME = 0.9
"""Share of a group that has the same label, below which it is a task."""
_WORDINGS = 20
"""Wordings of an answer that one attack may have."""


def judged(one: Evidence) -> float:
    """The raw score that is told. A trigger brings one answer, or one of a few, whatever is asked. Behind the
    frame of an honest task stand several labels, or answers that depend on what is asked: never sure."""
    several = one.payload < _SAYING and one.same < _SAME
    varied = one.variety > min(0.5, max(0.25, _WORDINGS / len(one.docs)))
    return min(raw(one), _LABEL) if several or varied else raw(one)


_CALIBRATION = ((-9.0, 0.469), (1.25, 0.76), (2.0, 0.961))
"""Where a range of raw scores begins and the share of planted ones among its groups: the output of
``benchmarks/poison_calibrate.py --seeds 101 102``, 97 planted groups of 102 attacks against 28 of 44 honest
differences of a shape that is easily mistaken and 2 of 12 others, if as many differences hold an attack as
are honest, and half of those are of such a shape."""


def calibrated(score: float, table: Sequence[tuple[float, float]] = _CALIBRATION) -> float:
    """The share of planted groups in the range of this raw score."""
    return [share for low, share in table if low <= score or low == table[0][0]][-1]

"""Rates as people write them: ``60/min``, ``50k/hour``."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {
    "s": 1, "sec": 1, "second": 1,
    "m": 60, "min": 60, "minute": 60,
    "h": 3600, "hour": 3600,
    "d": 86400, "day": 86400,
}  # fmt: skip
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
_FORM = re.compile(r"(\d{1,12})([kmKM]?)/(\d{0,6})([a-z]{1,6})", re.ASCII)
_PATTERN = r"^\d{1,12}[kmKM]?/\d{0,6}(s|sec|second|m|min|minute|h|hour|d|day)$"
_LONGEST_S = 31 * 86400


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``amount`` in any ``window_s`` seconds."""

    amount: int
    window_s: int

    def __str__(self) -> str:
        for name in ("day", "hour", "min"):
            if self.window_s % _SECONDS[name] == 0:
                count = self.window_s // _SECONDS[name]
                return f"{self.amount}/{count if count > 1 else ''}{name}"
        return f"{self.amount}/{self.window_s if self.window_s > 1 else ''}s"


def parse_rate(written: Any) -> Rate:
    """``60/min``, ``50k/hour``, ``2m/day``, ``10/30s``. Raises ValueError that says what is wrong."""
    if isinstance(written, Rate):
        return written
    text = written if isinstance(written, str) else ""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("a rate is written as amount/unit, such as 60/min or 50k/hour")
    amount, times, count, unit = match.groups()
    if unit not in _SECONDS:
        raise ValueError(f"{unit!r} is no unit of time for a rate: use s, min, hour or day")
    window = int(count or "1") * _SECONDS[unit]
    if not 1 <= window <= _LONGEST_S:
        raise ValueError("the window of a rate lies between 1 second and 31 days")
    return Rate(int(amount) * _TIMES[times.lower()], window)


RateField = Annotated[
    Rate,
    BeforeValidator(parse_rate),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["60/min", "50k/hour"]}),
]
"""A rate as a field of the workload file."""

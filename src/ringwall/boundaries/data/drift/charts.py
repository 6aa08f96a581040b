"""Plots as SVG: for the report, the console, anywhere. Nothing in them is told by colour alone.

Each is an image with a title and a description for those who don't see it; colours come from the page's
``currentColor`` and two of its own, one pair for light and one for dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .measure import Measure

_STYLE = (
    "<style>.rw-old{fill:none;stroke:currentColor;stroke-width:1.5}.rw-new{fill:#0b62b0}.rw-hit{fill:#b3261e}"
    ".rw-axis{stroke:currentColor;stroke-opacity:.35;fill:none}.rw-line{stroke:#0b62b0;stroke-width:2;fill:none}"
    ".rw-limit{stroke:currentColor;stroke-dasharray:5 4;fill:none}"
    "text{fill:currentColor;font:12px system-ui,sans-serif}"
    "@media (prefers-color-scheme:dark){.rw-new{fill:#7db8f5}.rw-hit{fill:#ff9d94}"
    ".rw-line{stroke:#7db8f5}}</style>"
)
_WIDTH = 640
_LEFT = 220
_RIGHT = 100
_ROW = 38
_BAR = 13
_LABEL = 32
_MOST_BARS = 10
_MOST_EFFECTS = 24
_SCALE = 4.0
"""Effects are drawn up to so many thresholds."""


@dataclass(frozen=True, slots=True)
class Point:
    """A measure of one version against the reference."""

    version: str
    size: float
    low: float
    high: float


def distribution(measure: Measure) -> str:
    """Bars of each share before (outline) and after (filled), the largest changes first; ten at most."""
    rows = measure.shares[:_MOST_BARS]
    top = max((max(before, after) for _, before, after in rows), default=0.0) or 1.0
    wide = _WIDTH - _LEFT - _RIGHT
    parts = []
    for at, (name, before, after) in enumerate(rows):
        y = 28 + at * _ROW
        parts.append(_text(_LEFT - 8, y + _BAR + 3, name, "end"))
        for place, share, style in ((y, before, "rw-old"), (y + _BAR + 3, after, "rw-new")):
            parts.append(_bar(_LEFT, place, wide * share / top, style))
            parts.append(_text(_LEFT + wide * share / top + 6, place + 11, f"{share:.1%}"))
    key = _bar(_LEFT, 6, 22, "rw-old") + _text(_LEFT + 28, 17, "before")
    key += _bar(_LEFT + 100, 6, 22, "rw-new") + _text(_LEFT + 128, 17, "after")
    said = "; ".join(f"{name}: {before:.1%} before, {after:.1%} after" for name, before, after in rows)
    return _svg(
        f"{measure.subject}: shares before and after", said, 34 + len(rows) * _ROW, key + "".join(parts)
    )


def effects(measures: Sequence[Measure]) -> str:
    """Each effect in thresholds, with its interval; a diamond is raised, a circle is not. 24 at most."""
    rows = measures[:_MOST_EFFECTS]
    wide = _WIDTH - _LEFT - _RIGHT
    parts, said = [], []
    for at, one in enumerate(rows):
        y = 40 + at * 24
        ends = abs(one.effect.low), abs(one.effect.high)
        least = 0.0 if one.effect.low * one.effect.high < 0 else min(ends)
        left, middle, right = (
            _LEFT + wide * min(value / one.threshold, _SCALE) / _SCALE
            for value in (least, abs(one.effect.size), max(ends))
        )
        parts.append(_text(_LEFT - 8, y + 4, f"{one.kind} {one.subject}", "end"))
        parts.append(f'<line class="rw-axis" x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}"/>')
        parts.append(_diamond(middle, y) if one.raised else _circle(middle, y))
        parts.append(_text(_WIDTH - _RIGHT + 8, y + 4, f"{one.effect.name} {one.effect.size:.2f}"))
        said.append(
            f"{one.kind} {one.subject}: {one.effect.name} {one.effect.size:.2f} "
            f"({one.effect.low:.2f} to {one.effect.high:.2f}), {'raised' if one.raised else 'not raised'}"
        )
    height = 52 + len(rows) * 24
    limit = _LEFT + wide / _SCALE
    axis = f'<line class="rw-axis" x1="{_LEFT}" x2="{_LEFT}" y1="24" y2="{height - 8}"/>'
    axis += f'<line class="rw-limit" x1="{limit:.1f}" x2="{limit:.1f}" y1="24" y2="{height - 8}"/>'
    axis += _text(limit, 16, "threshold", "middle")
    return _svg("Effects in thresholds, with 95% intervals", "; ".join(said), height, axis + "".join(parts))


def over_versions(title: str, points: Sequence[Point], threshold: float) -> str:
    """How a measure went from version to version, with its intervals and the threshold on both sides of 0."""
    height, wide = 240, _WIDTH - 120
    reach = max([threshold, *(max(abs(point.low), abs(point.high)) for point in points)]) * 1.1 or 1.0
    step = wide / max(1, len(points) - 1)

    def down(value: float) -> float:
        return 20 + (height - 60) * (1 - (value + reach) / (2 * reach))

    axis = f'<line class="rw-axis" x1="60" x2="{60 + wide}" y1="{down(0):.1f}" y2="{down(0):.1f}"/>'
    for limit in (threshold, -threshold):
        axis += (
            f'<line class="rw-limit" x1="60" x2="{60 + wide}" y1="{down(limit):.1f}" y2="{down(limit):.1f}"/>'
        )
        axis += _text(54, down(limit) + 4, f"{limit:.2f}", "end")
    parts = []
    for at, point in enumerate(points):
        x, y = 60 + at * step, down(point.size)
        spread = f'y1="{down(point.low):.1f}" y2="{down(point.high):.1f}"'
        parts.append(f'<line class="rw-axis" x1="{x:.1f}" x2="{x:.1f}" {spread}/>')
        parts.append(_diamond(x, y) if abs(point.size) >= threshold else _circle(x, y))
        parts.append(_text(x, height - 12, point.version, "middle"))
    track = " ".join(f"{60 + at * step:.1f},{down(point.size):.1f}" for at, point in enumerate(points))
    line = f'<polyline class="rw-line" points="{track}"/>' if len(points) > 1 else ""
    said = "; ".join(f"version {p.version}: {p.size:.2f} ({p.low:.2f} to {p.high:.2f})" for p in points)
    return _svg(f"{title}, by version", said, height, axis + line + "".join(parts))


def _svg(title: str, description: str, height: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="100%" style="max-width:{_WIDTH}px"><title>{_plain(title)}</title>'
        f"<desc>{_plain(description)}</desc>{_STYLE}{body}</svg>"
    )


def _bar(x: float, y: float, width: float, style: str) -> str:
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{_BAR}"/>'


def _circle(x: float, y: float) -> str:
    return f'<circle class="rw-old" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path class="rw-hit" d="M{x:.1f} {y - 7:.1f}l7 7-7 7-7-7z"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    short = text if len(text) <= _LABEL else text[: _LABEL - 1] + "\u2026"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_plain(short)}</text>'


def _plain(text: str) -> str:
    """XML knows no control characters and no lone surrogates."""
    return escape("".join(letter if letter.isprintable() else " " for letter in text[:4000]))

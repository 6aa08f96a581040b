"""The report of a comparison: plain data, and a page that needs nothing but itself."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib import resources
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from .charts import Point, distribution, effects, over_versions
from .compare import Drift
from .measure import Measure

_ROWS = 200
_PLOTS = 30
_TRACKS = 12
_NONE: Mapping[str, Drift] = MappingProxyType({})
BLIND = (
    "Word lists for groups and tone are short, in English, German, French and Spanish: they measure a "
    "change and no level, and see no irony.",
    "A bias that was in the approved version all along is no change: hold it against a reference for that.",
    "Labels swapped evenly in both directions leave every share as it was; they are seen where "
    "the same texts are in both versions.",
    "Groups, labels and terms that are neither named in the settings nor in the lists are not looked at.",
    "Shifts smaller than the thresholds, and groups under thirty rows, raise nothing.",
)
"""What it can't see; said on the page."""


def report_data(drift: Drift, versions: Mapping[str, Drift] = _NONE) -> dict[str, Any]:
    """JSON values: rows, findings, every measure, and the plots as SVG by name; ``versions`` as there."""
    return {
        "rows": list(drift.rows),
        "findings": [asdict(one) for one in drift.findings],
        "measures": [_measure(one) for one in drift.measures],
        "plots": plots(drift, versions),
        "blind": list(BLIND),
    }


def plots(drift: Drift, versions: Mapping[str, Drift] = _NONE) -> dict[str, str]:
    """SVG of the effects, and of the shares of whatever is raised; thirty of those at most.

    ``versions``: each version by name, oldest first, against the same reference. Of two or more, what any of
    them raised is drawn from version to version; twelve measures at most.
    """
    made = {"effects": effects(drift.measures)}
    for one in [one for one in drift.raised if one.shares and one.kind != "association"][:_PLOTS]:
        made[f"{one.kind} {one.subject}"] = distribution(one)
    return {**made, **(_tracks(versions) if len(versions) > 1 else {})}


def _tracks(versions: Mapping[str, Drift]) -> dict[str, str]:
    """Associations come and go with the words that are looked at: they make no track."""
    raised = {
        (one.kind, one.subject): one.threshold
        for drift in versions.values()
        for one in drift.raised
        if one.kind != "association"
    }
    points: dict[tuple[str, str], list[Point]] = {which: [] for which in list(raised)[:_TRACKS]}
    for version, drift in versions.items():
        for one in drift.measures:
            if (one.kind, one.subject) in points:
                size = Point(version, one.effect.size, one.effect.low, one.effect.high)
                points[one.kind, one.subject].append(size)
    return {
        f"{kind} {subject} over versions": over_versions(f"{kind} {subject}", track, raised[kind, subject])
        for (kind, subject), track in points.items()
        if len(track) > 1
    }


def report_html(drift: Drift, before: str, after: str, versions: Mapping[str, Drift] = _NONE) -> str:
    """One page without scripts or anything to load. ``before`` and ``after`` name the versions; ``versions``
    as in ``plots``."""
    source = resources.files(__package__).joinpath("report.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    drawn = {name: Markup(svg) for name, svg in plots(drift, versions).items()}  # noqa: S704 (our own, escaped)
    return environment.from_string(source).render(
        drift=drift,
        findings=drift.findings,
        measures=drift.measures[:_ROWS],
        plots=drawn,
        before=before,
        after=after,
        blind=BLIND,
    )


def _measure(one: Measure) -> Mapping[str, Any]:
    return {**asdict(one), "raised": one.raised}

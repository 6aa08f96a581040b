"""All controls that are installed, found through the entry-point group ``ringwall.controls``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from ringwall.core import ConfigError, ControlFactory, Problem

GROUP = "ringwall.controls"


@dataclass(frozen=True, slots=True)
class Catalogue:
    factories: Mapping[str, ControlFactory]
    """By control id, in a stable order."""


@cache
def catalogue() -> Catalogue:
    """Every installed control. Raises ConfigError when an entry point does not hold what it says."""
    found: dict[str, ControlFactory] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        factory = point.load()
        if not isinstance(factory, ControlFactory) or factory.id != point.name or point.name in found:
            raise ConfigError(
                Problem(f"the installed control {point.name!r} is not a unique control factory")
            )
        found[point.name] = factory
    return Catalogue(found)

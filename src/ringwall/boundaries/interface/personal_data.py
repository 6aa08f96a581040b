"""What counts as personal data in this workload, and where it stands in a text: one reading for all."""

import re
from collections.abc import Collection, Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from ringwall.core import ConfigError, Problem, Settings
from ringwall.detect import Sighting
from ringwall.detect.personal import CLASSES, OVERLAP, MissingExtra, find, require

from .response import last_word

EVERY = "pii"
"""Stands for every class of personal data."""
SHAPED = frozenset(
    f"pii.{name}" for name in ("email", "phone", "card", "iban", "ip", "mac", "crypto", "url", "location")
)
"""Classes whose values are known by their own shape, without a word ahead of them."""
_RUN = re.compile(r"[0-9A-Za-z+(.][0-9A-Za-z ()+./:\-\u00a0]{0,63}$")
"""What a number in groups, with blanks between them, may end a text with."""
_AHEAD = 64
_DATA_CLASS = re.compile(r"[a-z0-9][a-z0-9_\-]{0,62}")


class PersonalSettings(Settings):
    """How personal data is found, for every control that looks for it."""

    minimum: float = Field(default=0.6, ge=0, le=1)
    """Lowest score of a finding that counts."""
    regions: tuple[str, ...] = ()
    """ISO 3166 codes of the countries whose own way of writing phone numbers is read. Needs the extra
    ``pii``."""
    names: bool = False
    """Find names and addresses by a small model. Needs the extra ``ner``."""
    allow: tuple[str, ...] = ()
    """Values that are nobody's secret, such as the address of your support; ``*@example.com`` for all that
    end so."""


def _class_name(name: str) -> str:
    if name == EVERY or name in CLASSES or (_DATA_CLASS.fullmatch(name) and "." not in name):
        return name
    raise ValueError(
        f"{name[:64]!r} is no class: give 'pii', one of {', '.join(CLASSES)}, or a data class of the workload"
    )


ClassName = Annotated[str, AfterValidator(_class_name)]
"""A class of personal data, or a data class of the workload as labels carry it."""


class PersonalData:
    """Finds the personal data of some classes. Bounded linear time, unless ``names`` are asked for."""

    def __init__(self, settings: PersonalSettings, names: Iterable[str]) -> None:
        """``names``: classes as the settings of a control name them; a data class stands for everything that
        is found in its content. Raises ConfigError where an extra is missing."""
        self.settings = settings
        wanted = set(names)
        everything = not wanted <= set(CLASSES)
        self.classes = tuple(cls for cls in CLASSES if everything or cls in wanted)
        exact = {one.casefold() for one in settings.allow}
        self._endings = tuple(one[1:] for one in exact if one.startswith("*"))
        self._allowed = frozenset(one for one in exact if not one.startswith("*"))
        try:
            require(regions=settings.regions, ner=settings.names)
        except (MissingExtra, ValueError) as error:
            raise ConfigError(Problem(f"interface.personal: {error}")) from None

    def found(self, text: str, classes: Collection[str] | None = None) -> list[Sighting]:
        """Disjoint, ordered by place, less what is allowed."""
        wanted = self.classes if classes is None else classes
        if not wanted or not text:
            return []
        sightings = self._find(text, wanted)
        return [one for one in sightings if not self._is_allowed(text[one.start : one.end])]

    def _find(self, text: str, classes: Collection[str]) -> list[Sighting]:
        given = self.settings
        return find(text, classes, minimum=given.minimum, regions=given.regions, ner=given.names)

    def found_after(self, before: str, text: str) -> list[Sighting]:
        """Those in the text that goes on after ``before``, which has left. One that began there has a
        negative ``start``: it was seen whole when its beginning left."""
        cut = before and text and not before[-1].isspace() and not text[0].isspace()
        ahead = before[last_word(before, _AHEAD) :] if cut else ""
        if not ahead:
            return self.found(text)
        moved = len(ahead)
        return [
            one._replace(start=one.start - moved, end=one.end - moved)
            for one in self.found(ahead + text)
            if one.end > moved
        ]

    def hold_from(self, text: str, classes: Collection[str], most: int | None = None) -> int:
        """From where on more text could begin, lengthen or change a finding of these classes: ``most`` at the
        latest, and never inside a finding."""
        if not text or (not classes and most is None):
            return len(text)
        hold = len(text) if most is None else most
        if classes:
            hold = min(hold, self._unsettled(text, classes))
        for one in self.found(text):
            if one.end >= hold:
                hold = min(hold, one.start)
        return hold

    def _unsettled(self, text: str, classes: Collection[str]) -> int:
        if not SHAPED.issuperset(classes):
            return max(0, len(text) - OVERLAP)
        hold = last_word(text, OVERLAP)
        run = _RUN.search(text, max(0, hold - 64))
        grouped = run and any(char.isdigit() for char in run.group())
        return min(hold, run.start()) if run and grouped else hold

    def _is_allowed(self, value: str) -> bool:
        folded = value.casefold()
        return folded in self._allowed or (bool(self._endings) and folded.endswith(self._endings))

"""Base of the controls that look at one part at a time, with verdicts cached per part."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import replace

from .control import Declaration
from .crossing import Crossing, CrossingKind, Part
from .verdict import ALLOW, Action, Edit, Finding, Verdict, verdict

_CACHE = 8192
_CacheKey = tuple[CrossingKind, str, str, str, str, str]
WITHHELD = "[withheld: this earlier message was stopped]"


class PartControl(ABC):
    """Histories are resent every turn: the verdict on a part is computed once per (kind, content, label).

    One instance belongs to one version of the configuration, so the version is not in the key. An earlier
    message of a session that was blocked then would block every later turn: it is withheld instead, so
    that it still never reaches a model.
    """

    declaration: Declaration

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self._seen: OrderedDict[_CacheKey, Verdict] = OrderedDict()

    @abstractmethod
    def inspect_part(self, part: Part, crossing: Crossing) -> Verdict:
        """The verdict on one part; spans are for part 0. May depend on nothing but the part's kind, role,
        name, integrity and text, the kind of crossing and the control's own settings."""

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind not in self.declaration.parts:
                continue
            given = self._cached(part, crossing)
            if given is ALLOW:
                continue
            if not part.fresh and given.action >= Action.HOLD:
                given = verdict(
                    Action.TRANSFORM,
                    findings=given.findings,
                    edits=[Edit(0, 0, len(part.text), WITHHELD)],
                )
            joined = joined.join(at_part(given, index))
        return joined

    def _cached(self, part: Part, crossing: Crossing) -> Verdict:
        trust = str(part.label.integrity)
        key = (crossing.kind, part.kind.value, part.role, part.name, trust, part.digest)
        known = self._seen.get(key)
        if known is None:
            known = self.inspect_part(part, crossing)
            self._seen[key] = known
            if len(self._seen) > _CACHE:
                self._seen.popitem(last=False)
        return known


def at_part(given: Verdict, index: int) -> Verdict:
    """The verdict with its findings and edits moved to part ``index``."""
    if index == 0:
        return given

    def moved(spots: tuple[Finding, ...]) -> list[Finding]:
        return [replace(spot, part=index) for spot in spots]

    edits = [replace(edit, part=index) for edit in given.edits]
    return Verdict(given.action, tuple(sorted(moved(given.findings))), tuple(sorted(edits)), given.reasons)

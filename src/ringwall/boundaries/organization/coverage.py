"""Coverage of the public lists, computed: which controls speak of an item, and what evidence says of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from .catalogue import CROSSWALK, CSF, CSF_CATEGORIES, CSF_FUNCTIONS, OWASP
from .evidence import Evidence
from .status import STALE_DAYS, ControlStatus, Setup, Status, control_status

# Of several controls the best one speaks for the item: any one of them, alone, covers it.
_BEST = (Status.PROVEN, Status.STALE, Status.ASSERTED, Status.NONE, Status.BROKEN)


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One item of a list."""

    id: str
    title: str
    status: Status
    """Of the best of its controls; ``none`` when no control names it."""
    controls: tuple[ControlStatus, ...]
    related: tuple[str, ...] = ()
    """What it became in the later edition."""


@dataclass(frozen=True, slots=True)
class Coverage:
    owasp: tuple[CoverageRow, ...]
    """The editions 2023 and 2025, in order."""
    csf: tuple[CoverageRow, ...]
    """The subcategories of CSF 2.0 that a control names. The rest of CSF is work of people."""
    csf_functions: tuple[tuple[str, str, int, int], ...]
    """(id, title, subcategories named by a control, subcategories there are) for each function."""


def coverage(
    evidence: Iterable[Evidence], setup: Setup, now: int, *, stale_days: int = STALE_DAYS
) -> Coverage:
    """``now`` is in microseconds since the epoch."""
    facts = list(evidence)
    declared = sorted(setup.declarations.items())

    def row(item: str, title: str, controls: list[str], *tags: str) -> CoverageRow:
        rows = tuple(
            control_status(
                name, tags or setup.declarations[name].threats, facts, setup, now, stale_days=stale_days
            )
            for name in controls
        )
        best = next((status for status in _BEST if any(row.status is status for row in rows)), Status.NONE)
        return CoverageRow(item, title, best, rows, CROSSWALK.get(item, ()))

    owasp = tuple(
        row(tag, title, [name for name, given in declared if tag in given.threats], tag)
        for tag, title in OWASP.items()
        if tag.startswith("LLM")
    )
    named = sorted({sub for _, given in declared for sub in given.csf} & CSF)
    # Evidence speaks of threats, not of CSF: a control counts here with all the threats it names.
    csf = tuple(
        row(sub, CSF_CATEGORIES[sub[:5]][0], [name for name, given in declared if sub in given.csf])
        for sub in named
    )
    return Coverage(owasp, csf, tuple(_function(letters, named) for letters in CSF_FUNCTIONS))


def _function(letters: str, named: list[str]) -> tuple[str, str, int, int]:
    return (
        letters,
        CSF_FUNCTIONS[letters],
        sum(sub.startswith(f"{letters}.") for sub in named),
        sum(sub.startswith(f"{letters}.") for sub in CSF),
    )

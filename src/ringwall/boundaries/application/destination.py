"""``application.destination``: where a call would go, judged without Cedar and without trust in its reasons.

An independent layer: if every policy were wrong, a tool that sends or fetches still reaches only the egress
list and the known entities, and no tool reaches a private address.
"""

from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import urlsplit

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Integrity,
    Part,
    PartKind,
    Services,
    Settings,
    Verdict,
    untrusted,
    verdict,
)

from .authority import targets
from .entities import Destination, Entities, destinations, leaf_texts
from .policy import is_approved, provenance_of, session_facts
from .provenance import below
from .registry import Manifest, ToolRegistry
from .settings import Effect

DECLARATION = Declaration(
    id="application.destination",
    boundary=Boundary.APPLICATION,
    summary="Calls that would reach a private address, or take something to a place nobody knows.",
    crossings=frozenset({CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_CALL}),
    threats=(
        *("LLM01@2023", "LLM06@2023", "LLM07@2023", "LLM08@2023"),
        *("LLM01@2025", "LLM02@2025", "LLM06@2025"),
    ),
    csf=("PR.IR-01", "PR.DS-02", "DE.CM-01"),
    inline=True,
)
_OUT = frozenset({Effect.SEND, Effect.FETCH})
_DECIMAL_DIGITS = 8
"""Of the least address in decimal that is not in the block 0.0.0.0/8."""
_REACHES = frozenset({Effect.FETCH, Effect.EXECUTE})
"""Effects that contact the address themselves."""


class DestinationSettings(Settings):
    """What ``application.destination`` lets pass."""

    user_named: frozenset[Literal["send", "fetch"]] = frozenset({"send", "fetch"})
    """Effects for which a place that the user typed is as good as a known one."""
    follow: bool = True
    """Whether ``fetch`` may follow an address just as it stands in what the session has seen: such an
    address carries nothing out. One that the model put together is refused in any case."""
    query_characters: int = 64
    """Longest query and fragment of a URL to a host that is not known, wherever it was named."""


class DestinationControl:
    """An unknown place of a ``send`` waits for a person; what else is refused is refused for good."""

    declaration = DECLARATION

    def __init__(self, settings: DestinationSettings, registry: ToolRegistry, entities: Entities) -> None:
        self._settings = settings
        self._registry = registry
        self._entities = entities

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            tool = self._registry.get(part.name) if part.kind is PartKind.TOOL_CALL else None
            if tool is not None:
                for name, value in part.data.items():
                    joined = joined.join(self._argument(tool, name, value, part, index, crossing))
        return joined

    def _argument(
        self, tool: Manifest, name: str, value: Any, part: Part, index: int, crossing: Crossing
    ) -> Verdict:
        whole = name in targets(tool, part.data) and tool.effect in _REACHES
        places = list(_places(value, whole, tool.effect is Effect.EXECUTE))
        # A body may speak of an address without going there; a target, or an argument of `fetch`, goes there.
        goes = tool.effect in _REACHES or not tool.settings.target or name in tool.settings.target
        private = next((place.host.problem for place in places if place.host.problem), "")
        if private and goes:
            return _refusal("private", f"{name} leads where tools may not reach: {private}", index)
        if tool.effect not in _OUT or not goes:
            return ALLOW
        known = session_facts(crossing, part)
        unknown = [place for place in places if not self._entities.knows(place, known.listed)]
        if not unknown:
            return ALLOW
        typed = below(provenance_of(crossing, part), name, untrusted("unknown")).integrity >= Integrity.USER
        if not typed and any(_carried(place) > self._settings.query_characters for place in unknown):
            return _refusal(
                "data-in-address", f"the address in {name} carries data to an unknown host", index
            )
        if tool.effect is Effect.FETCH and self._settings.follow and name in known.verbatim:
            return ALLOW
        if (typed and tool.effect in self._settings.user_named) or (
            tool.effect is Effect.SEND and is_approved(crossing, part)
        ):
            return ALLOW
        action = Action.HOLD if tool.effect is Effect.SEND else Action.BLOCK
        return _refusal("unknown", f"{name} leads to a place that this workload does not know", index, action)


def _places(value: Any, whole: bool, runs: bool) -> Iterable[Destination]:
    for text in leaf_texts(value):
        yield from destinations(text, whole=whole and not (runs and _is_number(text)))


def _is_number(text: str) -> bool:
    """Ids of things that are operated are numbers more often than addresses in decimal."""
    return text.strip().isdigit() and len(text.strip()) < _DECIMAL_DIGITS


def _carried(place: Destination) -> int:
    """Characters of a URL that say something to the host beside the path."""
    if not place.url:
        return 0
    try:
        split = urlsplit(place.url)
    except ValueError:
        return len(place.url)
    return len(split.query) + len(split.fragment) + len(split.netloc.rpartition("@")[0])


def _refusal(rule: str, problem: str, index: int, action: Action = Action.BLOCK) -> Verdict:
    finding = Finding(DECLARATION.id, rule, f"Stopped: {problem}.", index, cls="destination")
    return verdict(action, f"The call was stopped: {problem}.", [finding])


def _build(settings: DestinationSettings, services: Services) -> DestinationControl:
    return DestinationControl(settings, services.get(ToolRegistry), services.get(Entities))


CONTROL = ControlFactory(DECLARATION.id, DestinationSettings, _build)

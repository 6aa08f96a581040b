"""``application.handling``: arguments that another system reads as code reach it in a safe form, or not at
all."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Cost,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    NoSettings,
    Part,
    PartKind,
    Rewriting,
    Services,
    Verdict,
    WorkloadFolder,
    verdict,
)

from .handlers import Handler, handlers
from .registry import ToolRegistry
from .sinks.unsafe import Unsafe
from .strict_json import canonical

DECLARATION = Declaration(
    id="application.handling",
    boundary=Boundary.APPLICATION,
    summary="Queries, HTML, paths and commands in arguments that would do more than their tool is for.",
    crossings=frozenset({CrossingKind.TOOL_CALL}),
    parts=frozenset({PartKind.TOOL_CALL}),
    threats=("LLM02@2023", "LLM07@2023", "LLM08@2023", "LLM05@2025", "LLM06@2025"),
    csf=("PR.DS-10", "PR.PS-05", "DE.CM-09"),
    cost=Cost.MODERATE,
    deadline=5.0,
)


class HandlingControl:
    """Asked twice: ``rewrite`` puts the arguments in their safe form before anybody judges the call;
    ``inspect`` refuses what is not in that form, whoever brings it. The form is found by the same code, so
    it is what is left when nothing more changes."""

    declaration = DECLARATION

    def __init__(self, handlers_of: Mapping[str, Mapping[str, Handler]]) -> None:
        """``handlers_of``: tool → argument → handler."""
        self._handlers = {tool: given for tool, given in handlers_of.items() if given}

    async def rewrite(self, part: Part) -> Rewriting:
        given = self._due(part)
        return await asyncio.to_thread(_rewritten, part, given) if given else Rewriting(part)

    async def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            if given := self._due(part):
                joined = joined.join(await asyncio.to_thread(_judged, part, given, index))
                joined = joined.join(_noted(crossing, part, index))
        return joined

    def _due(self, part: Part) -> Mapping[str, Handler]:
        """Handlers of the arguments that the call has. One that is ``null`` reaches no sink."""
        given = self._handlers.get(part.name) if part.kind is PartKind.TOOL_CALL else None
        return {name: handler for name, handler in (given or {}).items() if part.data.get(name) is not None}


def _rewritten(part: Part, due: Mapping[str, Handler]) -> Rewriting:
    data, findings = dict(part.data), []
    for name, handler in due.items():
        try:
            handled = handler(data[name])
        except Unsafe:
            continue  # `inspect` says why
        if handled.value != data[name]:
            data[name] = handled.value
        if handled.removed:
            message = f"Taken out of {name}: {', '.join(handled.removed)}."
            findings.append(Finding(DECLARATION.id, "removed", message, cls="handling"))
    if data == part.data:
        return Rewriting(part, tuple(findings))
    return Rewriting(replace(part, data=data, text=canonical(data)), tuple(findings))


def _judged(part: Part, due: Mapping[str, Handler], index: int) -> Verdict:
    joined = ALLOW
    for name, handler in due.items():
        try:
            handled = handler(part.data[name])
        except Unsafe as unsafe:
            joined = joined.join(_refusal(unsafe.rule, f"{name} can't be used: {unsafe}", index))
            continue
        if handled.value != part.data[name]:
            joined = joined.join(_refusal("form", f"{name} was not put in its safe form", index))
    return joined


def _refusal(rule: str, problem: str, index: int) -> Verdict:
    finding = Finding(DECLARATION.id, rule, f"Refused: {problem}.", index, cls="handling")
    return verdict(Action.BLOCK, f"The call was refused: {problem}. Correct the argument.", [finding])


def _noted(crossing: Crossing, part: Part, index: int) -> Verdict:
    """What ``rewrite`` changed, which the gateway hands over in the context."""
    given = crossing.context.get("rewritten")
    notes: Any = given.get(part.ref) if isinstance(given, Mapping) else ()
    if not isinstance(notes, Iterable):
        return ALLOW
    findings = [
        replace(note, part=index)
        for note in notes
        if isinstance(note, Finding) and note.control == DECLARATION.id
    ]
    return verdict(Action.ANNOTATE, findings=findings) if findings else ALLOW


def _build(_settings: NoSettings, services: Services) -> HandlingControl:
    folder = services.get(WorkloadFolder).path
    return HandlingControl({tool.name: handlers(tool, folder) for tool in services.get(ToolRegistry)})


CONTROL = ControlFactory(DECLARATION.id, NoSettings, _build)

"""What would have happened: a counterfactual run, replayed with only some of its verdicts carried out.

In the counterfactual run every control speaks and nothing is stopped, so the attack reaches its goal and the
record holds each control's own verdict on each crossing. Replaying the record with the verdicts of one
control gives what that control stops alone; with all but one, what is left when it is gone; with one replaced
by its treatment on failure, what happens when it breaks.

The rules of the replay, by kind of crossing:

1. request, model call, model admission: a stop refuses the turn.
2. contribution: a stop keeps the document out, and its text from every later turn.
3. retrieval, tool offer, tool result: a stop takes the content away from the model.
4. tool call, egress: a stop takes this call away, and with it what its result would have brought.
5. response: a stop takes the answer from the client, and the calls that it was to run.
6. An edit that removes a carrier (a text that the attack needs in the model's context) does so for the turn;
   a rule of the compromised model that has lost its carrier does nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ringwall.core import Action, CrossingKind, Declaration, Edit, FailMode, apply_edits

from .observation import Call, Observation, Recorded
from .scenario import Rule, Scenario

_REFUSING = {CrossingKind.REQUEST, CrossingKind.MODEL_CALL, CrossingKind.MODEL_ADMISSION}
_BRINGING = {CrossingKind.RETRIEVAL, CrossingKind.TOOL_OFFER, CrossingKind.TOOL_RESULT}
_ACTING = {CrossingKind.TOOL_CALL, CrossingKind.EGRESS}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one control said of one crossing."""

    control: str
    action: Action
    edits: tuple[Edit, ...] = ()
    enforced: bool = True
    """False when the workload has it in monitor mode."""
    evaluated: bool = True


Voice = Callable[[Spoken, Mapping[str, Spoken]], Spoken | None]
"""From what a control said (and all others on this crossing) to what is to count; None: nothing."""


def alone(control: str) -> Voice:
    """Only this control, whatever its mode."""
    return lambda spoken, _: spoken if spoken.control == control else None


def everyone(spoken: Spoken, _: Mapping[str, Spoken]) -> Spoken | None:
    """As the workload has it: all that enforce."""
    return spoken if spoken.enforced else None


def nobody(_: Spoken, __: Mapping[str, Spoken]) -> Spoken | None:
    """Nothing is carried out."""
    return None


def without(control: str) -> Voice:
    """All that enforce, but this one."""
    return lambda spoken, _: spoken if spoken.enforced and spoken.control != control else None


def broken(declaration: Declaration) -> Voice:
    """All that enforce; this one fails, and is treated as it declares."""

    def voice(spoken: Spoken, others: Mapping[str, Spoken]) -> Spoken | None:
        if not spoken.enforced:
            return None
        if spoken.control != declaration.id:
            return spoken
        return _treated(declaration, spoken, others)

    return voice


def _treated(declaration: Declaration, spoken: Spoken, others: Mapping[str, Spoken]) -> Spoken | None:
    if declaration.fail is FailMode.OPEN:
        return None
    fallback = others.get(declaration.fallback)
    if declaration.fail is FailMode.DEGRADE and fallback is not None and fallback.evaluated:
        return fallback
    return replace(spoken, action=Action.BLOCK, edits=())


def spoken_in(recorded: Recorded) -> dict[str, Spoken]:
    """By control: what each said of this crossing."""
    verdicts = recorded.body.get("verdicts", {})
    said = {}
    for line in recorded.event.get("lines", ()):
        control = line["control"]
        edits = tuple(_edit(edit) for edit in verdicts.get(control, {}).get("edits", ()))
        said[control] = Spoken(
            control,
            Action[line["action"].upper()] if line["action"] else Action.ALLOW,
            edits,
            line["mode"] == "enforce",
            line["status"] == "evaluated",
        )
    return said


def _edit(edit: Mapping[str, Any]) -> Edit:
    return Edit(
        edit["part"],
        edit["start"],
        edit["end"],
        edit["replacement"],
        edit["drop"],
        edit.get("yields", False),
    )


def reached(scenario: Scenario, observations: Iterable[Observation], voice: Voice) -> bool:
    """Whether the scenario's goal is reached when only what ``voice`` lets through is carried out."""
    gone: set[str] = set()
    outcomes = []
    for observation in observations:
        replay = _Replay(scenario, observation, gone)
        outcomes.append(replay.run(voice))
        gone |= replay.gone_for_good
    return scenario.goal.reached(tuple(outcomes))


@dataclass
class _Replay:
    """One turn of the record, replayed."""

    scenario: Scenario
    now: Observation
    lost: set[str]
    gone_for_good: set[str] = field(default_factory=set)
    stopped_calls: set[str] = field(default_factory=set)
    latest_call: tuple[str, Call] | None = None

    def run(self, voice: Voice) -> Observation:
        self.lost = set(self.lost)
        for recorded in self.now.decisions:
            kind = CrossingKind(recorded.event["kind"])
            parts = recorded.body.get("parts", ())
            action, edits = _joined(recorded, voice)
            self._follow(kind, parts)
            if action >= Action.HOLD:
                if kind in _REFUSING:
                    return self._refused()
                self._stop(kind, parts)
            elif action is Action.TRANSFORM:
                self._change(kind, parts, edits)
        return self._without_lost_rules()

    def _follow(self, kind: CrossingKind, parts: Iterable[Mapping[str, Any]]) -> None:
        """Keep track of the call that an egress belongs to, and of results of calls that were stopped."""
        for part in parts:
            if kind is CrossingKind.TOOL_CALL:
                self.latest_call = (part["ref"], Call(part["name"], _arguments(part["text"])))
            elif kind is CrossingKind.TOOL_RESULT and part["ref"] in self.stopped_calls:
                self.lost |= self._carried([part])

    def _stop(self, kind: CrossingKind, parts: Iterable[Mapping[str, Any]]) -> None:
        if kind is CrossingKind.CONTRIBUTION:
            self.now = replace(self.now, status=202, stored="")
            self.gone_for_good |= self._carried(parts)
        elif kind in _BRINGING:
            self.lost |= self._carried(parts)
        elif kind in _ACTING and self.latest_call:
            ref, call = self.latest_call
            self.stopped_calls.add(ref)
            self._take_away(call)
        elif kind is CrossingKind.RESPONSE:
            kept = tuple(call for call in self.now.calls if call.executed)
            self.now = replace(self.now, content="", finish="content_filter", calls=kept)

    def _change(
        self, kind: CrossingKind, parts: Iterable[Mapping[str, Any]], edits: tuple[Edit, ...]
    ) -> None:
        before = [part["text"] for part in parts]
        after = [_edited(text, index, edits) for index, text in enumerate(before)]
        if kind is CrossingKind.RESPONSE:
            for old, new in zip(before, after, strict=True):
                content = new if self.now.content == old else self.now.content.replace(old, new, 1)
                self.now = replace(self.now, content=content if old else self.now.content)
            return
        missing = {
            text
            for text in self.scenario.carriers
            if any(text in old for old in before) and not any(text in new for new in after)
        }
        self.lost |= missing
        if kind is CrossingKind.CONTRIBUTION:
            self.gone_for_good |= missing

    def _refused(self) -> Observation:
        return replace(self.now, status=403, content="", calls=(), stored="")

    def _carried(self, parts: Iterable[Mapping[str, Any]]) -> set[str]:
        texts = [part["text"] for part in parts]
        return {carrier for carrier in self.scenario.carriers if any(carrier in text for text in texts)}

    def _take_away(self, call: Call) -> None:
        calls = list(self.now.calls)
        for index, made in enumerate(calls):
            if made.tool == call.tool and made.arguments == call.arguments:
                del calls[index]
                break
        self.now = replace(self.now, calls=tuple(calls))

    def _without_lost_rules(self) -> Observation:
        for rule in self.scenario.model:
            if self.lost.isdisjoint(rule.when):
                continue
            if rule.call:
                kept = tuple(call for call in self.now.calls if not _made_by(rule, call))
                self.now = replace(self.now, calls=kept)
            else:
                self.now = replace(self.now, content="")
        return self.now


def _joined(recorded: Recorded, voice: Voice) -> tuple[Action, tuple[Edit, ...]]:
    said = spoken_in(recorded)
    counted = [given for spoken in said.values() if (given := voice(spoken, said)) is not None]
    action = max((spoken.action for spoken in counted), default=Action.ALLOW)
    return action, tuple(edit for spoken in counted for edit in spoken.edits)


def _edited(text: str, index: int, edits: Iterable[Edit]) -> str:
    mine = [edit for edit in edits if edit.part == index]
    return "" if any(edit.drop for edit in mine) else apply_edits(text, mine)


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _made_by(rule: Rule, call: Call) -> bool:
    wanted = _arguments(rule.arguments) if isinstance(rule.arguments, str) else rule.arguments
    return call.tool == rule.call and call.arguments == wanted

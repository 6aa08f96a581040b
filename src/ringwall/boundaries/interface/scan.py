"""One text, without a gateway: what ``ringwall scan`` prints for each line that it reads."""

from functools import cache
from typing import Any, Literal, cast

from ringwall.core import (
    ANONYMOUS,
    MODEL,
    USER,
    Action,
    Control,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
    Principal,
    Verdict,
    untrusted,
)
from ringwall.detect import Tier, best_tier, judge

from .code import Code, CodeSettings
from .injection import Injection, InjectionSettings
from .links import Links, LinksSettings
from .moderation import Moderation, ModerationSettings
from .normalisation import Normalisation
from .secrets import Secrets, SecretsSettings
from .sinks import Sinks, SinksSettings

Direction = Literal["request", "response", "untrusted"]
Detectors = Literal["best", "ngrams", "encoder"]


@cache
def _controls(direction: str, detectors: Detectors) -> tuple[Control, ...]:
    """The controls of a direction with their default settings, cheap ones first."""
    shared: tuple[Control, ...] = (Secrets(SecretsSettings()), Moderation(ModerationSettings()))
    if direction == "response":
        return *shared, Links(LinksSettings()), Code(CodeSettings()), Sinks(SinksSettings())
    return Normalisation(), Injection(InjectionSettings(tier=detectors)), *shared


def scan_text(text: str, direction: Direction = "request", detectors: Detectors = "best") -> dict[str, Any]:
    """Judge one text as the interface controls with their default settings would.

    ``injection`` and ``jailbreak`` are calibrated scores of all tiers, the higher of the two that of an
    attack at all;
    ``moderation`` is that of a request for serious harm. Of a response they say what it would be if it
    were text from
    outside. Raises ValueError for an unknown direction, LookupError for detectors that are not installed.
    """
    crossing = crossing_of(text, direction)
    joined = Verdict()
    for control in _controls(direction, detectors):
        joined = joined.join(cast(Verdict, control.inspect(crossing)))  # none of these is asynchronous
    tier = best_tier() if detectors == "best" else Tier(detectors)
    found = judge(text, untrusted=direction != "request", tier=tier)
    return {
        "action": str(Action(joined.action)),
        "scores": {
            "injection": found.injection,
            "jailbreak": found.jailbreak,
            "moderation": found.moderation,
        },
        "findings": [
            {
                "control": one.control,
                "rule": one.rule,
                "start": one.start,
                "end": one.end,
                "class": one.cls,
                "score": one.score,
            }
            for one in joined.findings
        ],
    }


def crossing_of(text: str, direction: str, principal: Principal = ANONYMOUS) -> Crossing:
    """One text as a crossing. Raises ValueError for an unknown direction."""
    match direction:
        case "request":
            part = Part(PartKind.TEXT, text, USER, role="user")
            return Crossing(CrossingKind.REQUEST, principal, (part,))
        case "untrusted":
            part = Part(PartKind.TOOL_RESULT, text, untrusted("tool:scan"), role="tool")
            return Crossing(CrossingKind.REQUEST, principal, (part,))
        case "response":
            part = Part(PartKind.TEXT, text, MODEL, role="assistant")
            return Crossing(CrossingKind.RESPONSE, principal, (part,))
        case _:
            raise ValueError(f"direction is request, response or untrusted, not {direction!r}")

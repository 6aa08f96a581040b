"""One text, without a gateway: what ``ringwall scan`` prints for each line that it reads."""

from typing import Any, Literal

from ringwall.core import (
    ANONYMOUS,
    MODEL,
    USER,
    Action,
    Crossing,
    CrossingKind,
    Part,
    PartControl,
    PartKind,
    Verdict,
    untrusted,
)
from ringwall.detect import assess

from .code import Code, CodeSettings
from .injection import Injection, InjectionSettings
from .links import Links, LinksSettings
from .moderation import Moderation, ModerationSettings
from .normalisation import Normalisation
from .response import ResponseControl
from .secrets import Secrets, SecretsSettings
from .sinks import Sinks, SinksSettings

Direction = Literal["request", "response", "untrusted"]
_INJECTION, _SECRETS = Injection(InjectionSettings()), Secrets(SecretsSettings())
_NORMALISATION, _LINKS = Normalisation(), Links(LinksSettings())
_MODERATION, _CODE, _SINKS = Moderation(ModerationSettings()), Code(CodeSettings()), Sinks(SinksSettings())


def scan_text(text: str, direction: Direction = "request") -> dict[str, Any]:
    """Judge one text as the interface controls with their default settings would.

    Scores rank and are not calibrated: ``injection`` and ``jailbreak`` come from signatures
    alone, ``moderation`` from a small
    lexicon of requests for serious harm. Raises ValueError for an unknown direction.
    """
    crossing = _crossing(text, direction)
    answer: tuple[PartControl | ResponseControl, ...] = (_SECRETS, _LINKS, _MODERATION, _CODE, _SINKS)
    asked: tuple[PartControl | ResponseControl, ...] = (_NORMALISATION, _INJECTION, _SECRETS, _MODERATION)
    controls = answer if direction == "response" else asked
    joined = Verdict()
    for control in controls:
        joined = joined.join(control.inspect(crossing))
    found = assess(text)
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


def _crossing(text: str, direction: str) -> Crossing:
    match direction:
        case "request":
            part = Part(PartKind.TEXT, text, USER, role="user")
            return Crossing(CrossingKind.REQUEST, ANONYMOUS, (part,))
        case "untrusted":
            part = Part(PartKind.TOOL_RESULT, text, untrusted("tool:scan"), role="tool")
            return Crossing(CrossingKind.REQUEST, ANONYMOUS, (part,))
        case "response":
            part = Part(PartKind.TEXT, text, MODEL, role="assistant")
            return Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,))
        case _:
            raise ValueError(f"direction is request, response or untrusted, not {direction!r}")

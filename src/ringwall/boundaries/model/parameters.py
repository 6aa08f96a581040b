"""Control ``model.parameters``: what a caller may set on a model call, and how far.

An allow-list: a parameter that is not on it stops the call, so that what a provider adds tomorrow does not
pass unseen. Token probabilities and logit bias, the levers for extracting a model, and the retired
``functions``, which carry calls past the tool controls, are not on it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    Services,
    Settings,
    Verdict,
    verdict,
)

_DECLARATION = Declaration(
    id="model.parameters",
    boundary=Boundary.MODEL,
    summary="Stops model calls with unknown, extraction-prone or excessive parameters.",
    crossings=frozenset({CrossingKind.MODEL_CALL}),
    parts=frozenset(),
    threats=("LLM04@2023", "LLM10@2023", "LLM10@2025", "LLM02@2025"),
    csf=("PR.IR-04", "PR.PS-01", "DE.CM-09"),
    inline=True,
)

_EXTRACTION = frozenset({"logprobs", "top_logprobs", "logit_bias", "prompt_logprobs", "echo"})
_MAX_SHOWN = 64


class ParametersSettings(Settings):
    """Bounds of a model call."""

    max_output_tokens: int = Field(default=4096, ge=1)
    """Most tokens that a caller may ask for."""
    max_prompt_chars: int = Field(default=400_000, ge=1)
    """Most characters of all messages together."""
    max_stop_sequences: int = Field(default=8, ge=0)
    """Most stop sequences."""
    also_allowed: list[str] = Field(default_factory=list)
    """Further parameters that callers may set, by name. Their values are not checked."""


Check = Callable[[Any, ParametersSettings], str]
"""Says what is wrong with a value; empty: nothing."""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _between(low: float, high: float) -> Check:
    def check(value: Any, _settings: ParametersSettings) -> str:
        number = (_whole(value) or isinstance(value, float)) and abs(value) < 1e9
        if number and math.isfinite(value) and low <= value <= high:
            return ""
        return f"must be a number from {low:g} to {high:g}"

    return check


def _tokens(value: Any, settings: ParametersSettings) -> str:
    if _whole(value) and 1 <= value <= settings.max_output_tokens:
        return ""
    return f"must be a whole number from 1 to {settings.max_output_tokens}"


def _stop(value: Any, settings: ParametersSettings) -> str:
    stops = value if isinstance(value, list) else [value]
    good = len(stops) <= settings.max_stop_sequences
    if good and all(isinstance(stop, str) and 0 < len(stop) <= 500 for stop in stops):
        return ""
    return f"must be at most {settings.max_stop_sequences} short texts"


def _one(value: Any, _settings: ParametersSettings) -> str:
    return "" if _whole(value) and value == 1 else "must be 1: a call gives one answer"


def _flag(value: Any, _settings: ParametersSettings) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _off(value: Any, _settings: ParametersSettings) -> str:
    return "" if value is False else "must be off: nothing is stored at the provider"


def _text(value: Any, _settings: ParametersSettings) -> str:
    return "" if isinstance(value, str) and len(value) <= 512 else "must be a short text"


def _integer(value: Any, _settings: ParametersSettings) -> str:
    return "" if _whole(value) and abs(value) < 2**63 else "must be a whole number"


def _choice(value: Any, _settings: ParametersSettings) -> str:
    if isinstance(value, Mapping) or value in ("none", "auto", "required"):
        return ""
    return "must be none, auto, required, or a named function"


def _object(value: Any, _settings: ParametersSettings) -> str:
    return "" if isinstance(value, Mapping) else "must be an object"


_CHECKS: Mapping[str, Check] = {
    "frequency_penalty": _between(-2, 2),
    "max_completion_tokens": _tokens,
    "max_tokens": _tokens,
    "metadata": _object,
    "n": _one,
    "parallel_tool_calls": _flag,
    "presence_penalty": _between(-2, 2),
    "reasoning_effort": _text,
    "response_format": _object,
    "seed": _integer,
    "stop": _stop,
    "store": _off,
    "stream": _flag,
    "stream_options": _object,
    "temperature": _between(0, 2),
    "tool_choice": _choice,
    "top_p": _between(0, 1),
    "user": _text,
    "verbosity": _text,
}


class ParametersControl:
    """Reads ``params`` and ``prompt_chars`` from the crossing's context. Without parameters to see, it
    stops the call: what was not looked at has not passed."""

    def __init__(self, settings: ParametersSettings) -> None:
        self._settings = settings
        self._also = frozenset(settings.also_allowed)

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def inspect(self, crossing: Crossing) -> Verdict:
        findings = list(self._findings(crossing.context))
        if not findings:
            return ALLOW
        return verdict(Action.BLOCK, " ".join(sorted(f.message for f in findings[:3])), findings)

    def _findings(self, context: Mapping[str, Any]) -> Iterator[Finding]:
        chars = context.get("prompt_chars", 0)
        if not _whole(chars) or chars > self._settings.max_prompt_chars:
            most = self._settings.max_prompt_chars
            yield _finding("context", f"The messages are longer than {most} characters in all.", "size")
        params = context.get("params")
        if not isinstance(params, Mapping):
            yield _finding("unknown", "The parameters of the call are not an object.", "parameter")
            return
        for name, value in params.items():
            if value is not None and name not in self._also:
                yield from self._judge(name, value)

    def _judge(self, name: Any, value: Any) -> Iterator[Finding]:
        check = _CHECKS.get(name) if isinstance(name, str) else None
        shown = f"'{name[:_MAX_SHOWN]}'" if isinstance(name, str) and name.isidentifier() else "a parameter"
        if name in _EXTRACTION:
            harmless = value is False or value in ({}, 0)
            if not harmless:
                yield _finding("extraction", f"The parameter {shown} is not available here.", "extraction")
        elif check is None:
            yield _finding("unknown", f"The parameter {shown} is not known here.", "parameter")
        elif wrong := check(value, self._settings):
            yield _finding("bounds", f"The parameter {shown} {wrong}.", "parameter")


def _finding(rule: str, message: str, cls: str) -> Finding:
    return Finding(_DECLARATION.id, rule, message, cls=cls)


def build(settings: ParametersSettings, _services: Services) -> ParametersControl:
    return ParametersControl(settings)


CONTROL = ControlFactory("model.parameters", ParametersSettings, build)

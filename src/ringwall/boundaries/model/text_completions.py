"""The older Completions endpoint, which alone tells how likely a given text is: for tests of a model, never
for callers (``model.parameters`` lets no log-probabilities through).

Servers that run open models speak it (vLLM, TGI, llama-cpp-python, SGLang); hosted chat models mostly do not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from .answers import malformed, parse_object
from .provider import ProviderError

_MOST = 64
"""Blanks, or parts of characters, that are passed over at most."""
_LOST = 0.05
"""Share of tokens that may be nowhere in the text."""
_NOT_SERVED = frozenset({"bad_request", "refused"})


@runtime_checkable
class TextModel(Protocol):
    """A provider that has the endpoint, perhaps."""

    async def completions(self, body: Mapping[str, Any]) -> bytes:
        """The answer to one request, whole. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class TokenLoss:
    start: int
    """Offset in the text, in characters."""
    end: int
    loss: float
    """Negative log-probability, nats."""


async def continued(
    model: TextModel, name: str, prompt: str, *, max_tokens: int, temperature: float, seed: int
) -> str | None:
    """What follows the prompt; None when the server has no such endpoint. Raises ProviderError."""
    body = {
        "model": name,
        "prompt": prompt,
        "max_tokens": max_tokens,
        "temperature": temperature,
        "seed": seed,
    }
    choice = await _asked(model, body)
    if choice is None:
        return None
    text = choice.get("text")
    if not isinstance(text, str):
        malformed("a completion has no text")
    return text.removeprefix(prompt)


async def token_losses(model: TextModel, name: str, text: str) -> list[TokenLoss] | None:
    """How unlikely each token of the text is after those before it, without the first, which has none; None
    when the server does not tell. Raises ProviderError.

    Asked in two ways: ``echo`` with ``logprobs`` as the Completions API had it, and ``prompt_logprobs``,
    which vLLM answers in each choice: for each token of the prompt a table by token number, the token itself
    first.
    """
    body = {"model": name, "prompt": text, "max_tokens": 1, "temperature": 0}
    choice = await _asked(model, {**body, "echo": True, "logprobs": 1})
    logs = choice.get("logprobs") if choice else None
    if choice and isinstance(logs, Mapping) and str(choice.get("text", "")).startswith(text):
        tokens, values = logs.get("tokens"), logs.get("token_logprobs")
        if isinstance(tokens, list) and isinstance(values, list) and len(tokens) == len(values):
            return _placed(list(zip(tokens, values, strict=True)), text)
    choice = await _asked(model, {**body, "prompt_logprobs": 1})
    tables = choice.get("prompt_logprobs") if choice else None
    return _placed([_first(table) for table in tables], text) if isinstance(tables, list) else None


def _first(table: Any) -> tuple[Any, Any]:
    """The token itself of a table, and its log-probability; the first token has no table."""
    entry = next(iter(table.values()), None) if isinstance(table, Mapping) else None
    return (entry.get("decoded_token"), entry.get("logprob")) if isinstance(entry, Mapping) else ("", None)


async def _asked(model: TextModel, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        answer = parse_object(await model.completions(body))
    except ProviderError as error:
        if error.code in _NOT_SERVED:
            return None
        raise
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        malformed("it has no choices")
    choice: Mapping[str, Any] = choices[0]
    return choice


def _placed(told: Sequence[tuple[Any, Any]], text: str) -> list[TokenLoss] | None:
    """By the text itself: offsets are not in all answers, or count what is not in the text. A token that is
    decoded alone may lack the blank before it, be a mark such as ``<s>``, or a part of a character; None when
    too many are nowhere to be found."""
    out: list[TokenLoss] = []
    at = lost = parts = 0
    for token, value in told:
        if at >= len(text):
            break  # what was generated
        if not isinstance(token, str):
            return None
        loss = _loss(value)
        part = not token or "\ufffd" in token
        start = -1 if part else text.find(token, at, at + max(_blanks(text, at), parts) + len(token))
        if start >= 0:
            out += [] if loss is None else [TokenLoss(at, start + len(token), loss)]
            at, parts = start + len(token), 0
        elif part:
            out += [] if loss is None else [TokenLoss(at, at + 1, loss)]
            parts = min(parts + 1, _MOST)
        else:
            lost += loss is not None
    whole = at + max(_blanks(text, at), parts) >= len(text)
    return out if whole and lost <= _LOST * len(told) else None


def _loss(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return -float(value) if number else None


def _blanks(text: str, at: int) -> int:
    """How many blanks are here."""
    part = text[at : at + _MOST]
    return len(part) - len(part.lstrip())

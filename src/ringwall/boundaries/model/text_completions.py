"""The older Completions endpoint, which alone tells how likely a given text is: for tests of a model, never
for callers (``model.parameters`` lets no log-probabilities through).

Servers that run open models speak it (vLLM, TGI, llama-cpp-python, SGLang); hosted chat models mostly do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from .answers import malformed, parse_object
from .provider import ProviderError

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
    when the server does not tell. Raises ProviderError."""
    body = {"model": name, "prompt": text, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
    choice = await _asked(model, body)
    logs = choice.get("logprobs") if choice else None
    if choice is None or not isinstance(logs, Mapping) or not str(choice.get("text", "")).startswith(text):
        return None
    tokens, values = logs.get("tokens"), logs.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        return None
    return _placed(tokens, values, len(text))


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


def _placed(tokens: Sequence[Any], values: Sequence[Any], length: int) -> list[TokenLoss] | None:
    """By the lengths of the tokens: offsets are not in all answers."""
    out: list[TokenLoss] = []
    at = 0
    for token, value in zip(tokens, values, strict=True):
        if not isinstance(token, str):
            return None
        end = at + len(token)
        if at >= length:
            break
        if isinstance(value, int | float) and not isinstance(value, bool):
            out.append(TokenLoss(at, end, -float(value)))
        at = end
    return out

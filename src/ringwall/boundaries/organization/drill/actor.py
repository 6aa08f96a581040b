"""The compromised model: does what its script says as soon as the attack's carrier has reached it.

Pure and without state: what it has done already is read from the conversation that it is sent, so any number
of conversations may go on at once.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .scenario import Rule

HARMLESS = "Thank you for your question. Here is what I found for you."


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's answer: a text, or one tool call."""

    text: str = ""
    tool: str = ""
    arguments: str = "{}"
    """JSON text, or whatever the script wants to pass for it."""


def play(
    rules: Sequence[Rule], messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
) -> Reply:
    """The answer of a model that obeys ``rules`` to a chat completions request like this.

    It calls tools whether or not they were offered: a compromised model keeps to nothing.
    """
    context = context_of(messages, tools)
    made = _calls_made(messages)
    for rule in rules:
        if not all(text in context for text in rule.when):
            continue
        if not rule.call:
            return Reply(text=_filled(rule.say, messages, context))
        arguments = rule.arguments if isinstance(rule.arguments, str) else json.dumps(rule.arguments)
        if made.count((rule.call, _canonical(arguments))) < rule.times:
            return Reply(_filled(rule.say, messages, context), rule.call, arguments)
    return Reply(text=HARMLESS)


def context_of(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> str:
    """Everything that the model was sent, as one text."""
    texts = [_text(message.get("content")) for message in messages]
    for tool in tools:
        function = tool.get("function", tool)
        texts.append(str(function.get("description") or ""))
        texts.append(json.dumps(function.get("parameters") or {}, ensure_ascii=False))
    return "\n".join(texts)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(str(piece.get("text", "")) for piece in content if isinstance(piece, Mapping))
    return ""


def _calls_made(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Calls since the last message of the user."""
    made: list[tuple[str, str]] = []
    for message in messages:
        if message.get("role") == "user":
            made = []
        for call in message.get("tool_calls") or ():
            function = call.get("function", {})
            made.append((str(function.get("name")), _canonical(str(function.get("arguments")))))
    return made


def _canonical(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except ValueError:
        return arguments


def _filled(say: str, messages: Sequence[Mapping[str, Any]], context: str) -> str:
    if "$" not in say:
        return say
    system = _said_by("system", messages)
    encoded = base64.b64encode(system.encode("utf-8", "replace")).decode()
    filled = say.replace("$base64(system)", encoded).replace("$system", system)
    return filled.replace("$results", _said_by("tool", messages)).replace("$context", context)


def _said_by(role: str, messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(_text(one.get("content")) for one in messages if one.get("role") == role)

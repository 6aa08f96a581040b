"""Read a row as what it is: text, instruction, chat or preference."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringwall.core import DataError

from ..document import canonical
from .record import Form, Record, Source, content_id

_ID = ("id", "_id", "record_id")
_PROMPT = ("prompt", "instruction", "question", "query", "source_text")
_INPUT = ("input", "context")
_RESPONSE = ("response", "output", "completion", "answer", "target")
_CHAT = ("messages", "conversations", "conversation", "chat", "dialogue", "contents", "turns")
_TEXT = ("text", "content", "document")
_ROLE = ("role", "from", "speaker")
_SAID = ("content", "value", "text", "parts")
_ASSISTANT = frozenset({"assistant", "gpt", "model", "bot"})
_REJECTED = ("rejected", "non_preferred", "dispreferred", "unpreferred", "not_chosen", "loser", "worse")
_CHOSEN = ("chosen", "preferred", "winner", "better", "accepted")
_DEEPEST = 16
_ALIKE = 4
"""Columns whose names differ in case alone, of which one may be the answer."""


def record_of(
    row: Mapping[str, Any], source: Source | None = None, sensitivity: Sequence[str] = ()
) -> Record:
    """The record of one row, in the first form that fits: preference, chat, instruction, text, table.

    The shapes are those in common use: ``messages`` of ``role`` and ``content`` (OpenAI), ``conversations``
    of ``from`` and ``value`` (ShareGPT), ``instruction``, ``input`` and ``output`` (Alpaca), ``prompt`` and
    ``completion``, ``prompt``, ``chosen`` and ``rejected``, ``text``. DataError when it is nested deeper than
    16, or not JSON.
    """
    fields = _plain(row, 0)
    form, prompt, response, rejected = reading(fields)
    return Record(
        id=given_id(fields) or content_id(fields),
        fields=fields,
        form=form,
        prompt=prompt,
        response=response,
        rejected=rejected,
        source=source or Source(),
        sensitivity=frozenset(sensitivity),
    )


def given_id(fields: Mapping[str, Any]) -> str:
    """The id that a row says itself; empty for one that says none."""
    given = next((fields[name] for name in _ID if fields.get(name) not in (None, "")), None)
    return str(given)[:128] if isinstance(given, str | int) else ""


def reading(fields: Mapping[str, Any]) -> tuple[Form, str, str, str]:
    """Form, prompt, response and rejected answer of a row of JSON values."""
    pair = _pair(fields)
    if pair is not None:
        return _preference(fields, *pair)
    for name in _CHAT:
        turns = _turns(fields[name]) if name in fields else []
        if turns:
            before, said = _spoken(turns)
            return Form.CHAT, before, said, ""
    response = _answer(fields, _RESPONSE)
    asked = [text for text in (_asked(fields), _first(fields, _INPUT)) if text]
    if response is not None and asked:
        prompt = "\n".join(asked)
        if fields.get("label") is False:  # a completion that is marked as not wanted (KTO)
            return Form.PREFERENCE, prompt, "", response
        return Form.INSTRUCTION, prompt, response, ""
    text = _first(fields, _TEXT)
    if text is not None:
        return Form.TEXT, "", text, ""
    words = [value for value in fields.values() if isinstance(value, str)]
    return Form.TABLE, "", "\n".join(words), ""


def _pair(fields: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """The answer that is wanted and the one that isn't, whatever their columns are called: two names that are
    the same but for one word, as in ``chosen_response`` and ``rejected_response``; or two answers by number,
    and which of them is better."""
    named: dict[str, list[str]] = {}
    for name in fields:
        named.setdefault(name.lower(), []).append(name)
    for name, value in fields.items():
        lower = name.lower()
        bad = next((word for word in _REJECTED if word in lower), "")
        if not bad or not _is_answer(value):
            continue
        for good in _CHOSEN:
            for other in named.get(lower.replace(bad, good), ())[:_ALIKE]:
                if _is_answer(fields[other]):
                    return fields[other], value
    better = next((fields[name] for name in ("better_response_id", "preferred_id") if name in fields), None)
    numbered = [fields.get(f"response_{at}") for at in (0, 1)]
    if isinstance(better, int) and better in (0, 1) and all(isinstance(one, str) for one in numbered):
        return numbered[better], numbered[1 - better]
    return None


def _is_answer(value: Any) -> bool:
    return isinstance(value, str) or bool(_turns(value))


def _preference(fields: Mapping[str, Any], wanted: Any, unwanted: Any) -> tuple[Form, str, str, str]:
    asked = _asked(fields)
    before, chosen = _answered(wanted)
    _, rejected = _answered(unwanted)
    return Form.PREFERENCE, before if asked is None else asked, chosen, rejected


def _asked(fields: Mapping[str, Any]) -> str | None:
    """What the model is given: a text, or the turns of a conversation."""
    text = _first(fields, _PROMPT)
    if text is not None:
        return text
    for name in (*_PROMPT, *_INPUT):
        value = fields.get(name)
        inner = value.get("messages") if isinstance(value, Mapping) else value
        turns = _turns(inner)
        if turns:
            return "\n".join(said for _, said in turns)
    return None


def _answer(fields: Mapping[str, Any], names: Sequence[str]) -> str | None:
    text = _first(fields, names)
    if text is not None:
        return text
    turns = next((turns for name in names if (turns := _turns(fields.get(name)))), [])
    return _spoken(turns)[1] if turns else None


def _answered(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        return "", value
    turns = _turns(value)
    return _spoken(turns) if turns else ("", "")


def _turns(value: Any) -> list[tuple[str, str]]:
    """Role and text of each turn; nothing when it is no conversation."""
    if not isinstance(value, list) or not all(isinstance(turn, Mapping) for turn in value):
        return []
    found = [(_first(turn, _ROLE) or "", _said(turn)) for turn in value]
    return found if any(role for role, _ in found) else []


def _said(turn: Mapping[str, Any]) -> str:
    """Content is a string, or parts of which some have a text; a call of a tool is said as well."""
    said = next((text for name in _SAID if (text := _content(turn.get(name)))), "")
    calls = turn.get("tool_calls")
    called = [_called(call) for call in calls] if isinstance(calls, list) else []
    return "\n".join(text for text in (said, *called) if text)


def _content(value: Any) -> str:
    if isinstance(value, list):
        texts = [part.get("text") if isinstance(part, Mapping) else part for part in value]
        return "\n".join(text for text in texts if isinstance(text, str))
    return value if isinstance(value, str) else ""


def _called(call: Any) -> str:
    """Name and arguments, as they are written."""
    given = call.get("function", call) if isinstance(call, Mapping) else {}
    if not isinstance(given, Mapping):
        return ""
    arguments = given.get("arguments", "")
    written = arguments if isinstance(arguments, str) else canonical(arguments).decode()
    return f"{given.get('name', '')} {written}".strip()


def _spoken(turns: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """What came before the last answer, and the last answer."""
    last = max((at for at, (role, _) in enumerate(turns) if role.lower() in _ASSISTANT), default=len(turns))
    prompt = "\n".join(text for _, text in turns[:last])
    return prompt, turns[last][1] if last < len(turns) else ""


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            return value
    return None


def _plain(value: Any, depth: int) -> Any:
    """JSON values alone; what a table holds beside them (dates, bytes, decimals) in words."""
    if depth > _DEEPEST:
        raise DataError(f"A row is nested deeper than {_DEEPEST}: flatten it.")
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON knows no infinity and no NaN
    if isinstance(value, Mapping):
        return {str(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    return value.hex() if isinstance(value, bytes) else str(value)

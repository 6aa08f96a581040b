"""Read a row as what it is: text, instruction, chat or preference."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringwall.core import DataError

from .record import Form, Record, Source, content_id

_ID = ("id", "_id", "record_id")
_PROMPT = ("prompt", "instruction", "question", "query", "source_text")
_INPUT = ("input", "context")
_RESPONSE = ("response", "output", "completion", "answer", "target")
_CHAT = ("messages", "conversations", "conversation", "chat")
_TEXT = ("text", "content", "document")
_ROLE = ("role", "from")
_SAID = ("content", "value", "text")
_ASSISTANT = frozenset({"assistant", "gpt", "model", "bot"})
_DEEPEST = 16


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
    if "chosen" in fields and "rejected" in fields:
        return _preference(fields)
    for name in _CHAT:
        turns = _turns(fields[name]) if name in fields else []
        if turns:
            before, said = _spoken(turns)
            return Form.CHAT, before, said, ""
    response = _first(fields, _RESPONSE)
    asked = [text for text in (_first(fields, _PROMPT), _first(fields, _INPUT)) if text]
    if response is not None and asked:
        return Form.INSTRUCTION, "\n".join(asked), response, ""
    text = _first(fields, _TEXT)
    if text is not None:
        return Form.TEXT, "", text, ""
    words = [value for value in fields.values() if isinstance(value, str)]
    return Form.TABLE, "", "\n".join(words), ""


def _preference(fields: Mapping[str, Any]) -> tuple[Form, str, str, str]:
    asked = _first(fields, _PROMPT)
    before, chosen = _answered(fields["chosen"])
    _, rejected = _answered(fields["rejected"])
    return Form.PREFERENCE, before if asked is None else asked, chosen, rejected


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
    """Content is a string, or parts of which some have a text."""
    for name in _SAID:
        value = turn.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "\n".join(
                text
                for part in value
                if isinstance(part, Mapping) and isinstance(text := part.get("text"), str)
            )
    return ""


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

"""Chat messages to labelled parts, and edits back into the messages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ringwall.boundaries.application.strict_json import read_arguments
from ringwall.core import CLIENT_INSTRUCTIONS, MODEL, SYSTEM, USER, Edit, Label, Part, PartKind, apply_edits

from .attachments import Attachment, Place, audio_part

_FILES = {"image_url": PartKind.IMAGE, "file": PartKind.FILE}


@dataclass(frozen=True, slots=True)
class Slot:
    """Where in the messages a part came from."""

    message: int
    item: int | None = None
    """Index into a content list; None when the content is one string."""
    call: int | None = None
    """Index into ``tool_calls``."""
    name: bool = False
    """The message's ``name`` field, which reaches the model as well."""
    piece: int | None = None
    """Index into the parts of a file."""


@dataclass(frozen=True, slots=True)
class Located:
    """The parts of a conversation with their places."""

    parts: tuple[Part, ...]
    slots: tuple[Slot, ...]
    files: Mapping[Place, Attachment] = field(default_factory=dict)


def locate(
    messages: Sequence[dict[str, Any]],
    *,
    trust_instructions: bool,
    tool_label: Callable[[str], Label],
    files: Mapping[Place, Attachment] | None = None,
) -> Located:
    """Every piece of the messages that can reach a model, as a labelled part.

    ``trust_instructions`` gives the client's own system messages system integrity; without it they count as
    the user's, since whoever holds the key wrote them. ``tool_label`` tells the label of a tool's results.
    ``files``: those of the messages, as they were read; any other is a part that says nothing, which
    ``interface.files`` stops.
    """
    parts: list[Part] = []
    slots: list[Slot] = []
    tool_names: dict[str, str] = {}
    for index, message in enumerate(messages):
        role = "system" if message["role"] == "developer" else message["role"]
        ref = CLIENT_INSTRUCTIONS if role == "system" else message.get("tool_call_id", "")
        if role == "system" and not trust_instructions:
            role = "user"  # else the name of a role would lead past every control of what users write
        for call_index, call in enumerate(message.get("tool_calls") or ()):
            tool_names[call["id"]] = call["function"]["name"]
            parts.append(tool_call_part(call["id"], call["function"]["name"], call["function"]["arguments"]))
            slots.append(Slot(index, call=call_index))
        name = tool_names.get(message.get("tool_call_id", ""), "") if role == "tool" else ""
        label = tool_label(name) if role == "tool" else _label(role)
        if message.get("name"):
            parts.append(Part(PartKind.TEXT, message["name"], label, role))
            slots.append(Slot(index, name=True))
        for item, kind, text in _contents(message.get("content")):
            attachment = files.get((index, item)) if files and item is not None else None
            if attachment is not None:
                inside = attachment.parts(role)
                parts += inside
                slots += [Slot(index, item, piece=piece) for piece in range(len(inside))]
                continue
            if kind is PartKind.AUDIO:
                given = message["content"][item]["input_audio"]
                parts.append(audio_part(given, f"messages[{index}].content[{item}]", label, role))
                slots.append(Slot(index, item))
                continue
            result = role == "tool" and kind is PartKind.TEXT
            parts.append(
                Part(
                    PartKind.TOOL_RESULT if result else kind,
                    text,
                    label,
                    role,
                    name,
                    ref=ref,
                )
            )
            slots.append(Slot(index, item))
    return Located(tuple(parts), tuple(slots), files or {})


def tool_call_part(ref: str, name: str, arguments: str) -> Part:
    """A call that a model made: its arguments read strictly, in canonical form.

    When they can't be read, ``data`` is empty and ``text`` is as it came.
    """
    read = read_arguments(arguments)
    return Part(PartKind.TOOL_CALL, read.text, MODEL, "assistant", name, dict(read.data), ref)


def edited(
    messages: Sequence[dict[str, Any]], located: Located, edits: Iterable[Edit]
) -> list[dict[str, Any]]:
    """Copies of the messages with the edits of a decision applied, files as they are passed on. Raises
    Unalterable."""
    by_part: dict[int, list[Edit]] = {}
    for edit in edits:
        by_part.setdefault(edit.part, []).append(edit)
    if not by_part and not located.files:
        return list(messages)
    fresh: list[dict[str, Any]] = orjson.loads(orjson.dumps(messages))
    for (message, item), attachment in located.files.items():
        mine = [
            index for index, slot in enumerate(located.slots) if (slot.message, slot.item) == (message, item)
        ]
        inside = [located.parts[index] for index in mine]
        given = {place: by_part.pop(index) for place, index in enumerate(mine) if index in by_part}
        fresh[message]["content"][item] = attachment.edited(inside, given)
    for index, changes in by_part.items():
        text = "" if any(edit.drop for edit in changes) else apply_edits(located.parts[index].text, changes)
        _put(fresh[located.slots[index].message], located.slots[index], text)
    return fresh


def _put(message: dict[str, Any], slot: Slot, text: str) -> None:
    if slot.call is not None:
        message["tool_calls"][slot.call]["function"]["arguments"] = text
    elif slot.name:
        message["name"] = text
    elif slot.item is None:
        message["content"] = text
    else:
        message["content"][slot.item] = {"type": "text", "text": text}


def _label(role: str) -> Label:
    if role == "system":
        return SYSTEM
    return MODEL if role == "assistant" else USER


def _contents(content: str | list[dict[str, Any]] | None) -> Iterable[tuple[int | None, PartKind, str]]:
    if isinstance(content, str):
        yield None, PartKind.TEXT, content
    for index, item in enumerate(content if isinstance(content, list) else ()):
        kind = item["type"]
        if kind in _FILES:
            yield index, _FILES[kind], orjson.dumps(item.get(kind)).decode()
        elif kind == "input_audio":
            yield index, PartKind.AUDIO, ""
        else:
            yield index, PartKind.TEXT, item[kind]

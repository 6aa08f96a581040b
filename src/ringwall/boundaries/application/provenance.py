"""Where each argument of a tool call comes from.

A model that read hostile text may put that text's address into a call. So every leaf of the arguments is
searched in the session's labelled content, and gets a label:

1. found, whole and on word boundaries, in content that a user, the system or a trusted tool wrote: that
   content's label. Case and blanks don't matter; decoding is *not* tried, so nothing smuggled reads as typed.
2. else found in other content (anywhere in it, without regard to punctuation, also inside base64, hexadecimal
   and percent encoding, in either direction; or sharing a fragment with it): untrusted, with the origin and
   the data classes of all content it was found in.
3. else the model's own: ``MODEL``, whose integrity is ``untrusted`` too, since nobody vouches for it.

If a value stands in both user and untrusted content it is the user's. Booleans, null, values of an ``enum``
of the schema and strings under three characters are the model's own: finding them proves nothing. Numbers are
looked up in trusted content on word boundaries; in other content only from four digits on.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ringwall.core import MODEL, Integrity, Label, Part

from .text_forms import Forms, FormsCache, lowered

MIN_CHARACTERS = 3
_MIN_SQUEEZED = 6
_MIN_DIGITS = 4
_HISTORIES = 64
"""Histories kept as one text, for the further calls of a turn."""
_PLACES = 1000
"""Of a value in one message, that are looked at for one where it stands as a whole."""
_GLUE = frozenset("._@+-%~")
"""Signs that join words into one name: an address cut out of a longer one is another address."""

Labels = Mapping[str, Label]


class Provenance:
    """Keeps the searchable forms of messages, so that a history that is sent again costs a look-up each.

    Thread-safe under the interpreter lock as far as results go: a race computes a form twice.
    """

    def __init__(self, characters: int = 16_000_000) -> None:
        """``characters`` bounds the text kept in memory."""
        self._cache = FormsCache(characters)
        self._contents: OrderedDict[tuple[tuple[str, Label], ...], _Content] = OrderedDict()

    def of(
        self,
        history: Sequence[Part],
        arguments: Mapping[str, Any],
        schema: Mapping[str, Any] | None = None,
    ) -> dict[str, Label]:
        """A label for each leaf, by path: ``to``, ``items[0].sku``; ``headers.{key}`` for the name of a key
        that the schema doesn't know. Linear in the history."""
        content = self._content(history)
        labels: dict[str, Label] = {}
        for path, value in leaves(arguments, schema or {}):
            label = _label(value, content)
            # Two leaves can share a path when a key holds a dot: the worse label is kept for both.
            labels[path] = labels[path].join(label) if path in labels else label
        return labels

    def _content(self, history: Sequence[Part]) -> "_Content":
        key = tuple((part.text, part.label) for part in history if part.text)
        content = self._contents.get(key)
        if content is None:
            content = _Content.of([(label, self._cache.get(text)) for text, label in key])
            self._contents[key] = content
            if len(self._contents) > _HISTORIES:
                self._contents.popitem(last=False)
        return content


@dataclass(frozen=True, slots=True)
class _Content:
    """A history ready to be searched: as one text first, by message only where something was found."""

    trusted: tuple[tuple[Label, Forms], ...]
    """Least trusted first."""
    others: tuple[tuple[Label, Forms], ...]
    trusted_text: str
    others_text: str
    others_squeezed: str
    fragments: frozenset[int]
    """Of the others, and of trusted content with data classes."""
    classified: tuple[tuple[Label, Forms], ...]
    """Trusted content with data classes."""

    @classmethod
    def of(cls, contents: Sequence[tuple[Label, Forms]]) -> "_Content":
        trusted = sorted(
            (pair for pair in contents if pair[0].integrity >= Integrity.USER),
            key=lambda pair: pair[0].integrity,
        )
        others = [pair for pair in contents if pair[0].integrity < Integrity.USER]
        classified = [pair for pair in trusted if pair[0].sensitivity]
        searched = [forms for _, forms in (*others, *classified)]
        return cls(
            tuple(trusted),
            tuple(others),
            "\0".join(forms.lowered for _, forms in trusted),
            "\0".join(forms.folded for forms in searched),
            "\0".join(forms.squeezed for forms in searched),
            frozenset().union(*(forms.fragments for forms in searched)),
            tuple(classified),
        )

    def derives(self, own: Forms) -> list[Label]:
        """Labels of the content that the value, or a piece of it, stands in."""
        if not _derives(own, self.others_text, self.others_squeezed, self.fragments):
            return []
        return [
            label
            for label, forms in (*self.others, *self.classified)
            if _derives(own, forms.folded, forms.squeezed, forms.fragments)
        ]


def leaves(value: Any, schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf with its path; a value that its ``enum`` allows counts as None: a choice, not content."""
    facts = schema if isinstance(schema, Mapping) else {}
    if isinstance(value, Mapping):
        known = facts.get("properties")
        properties = known if isinstance(known, Mapping) else {}
        for key, inner in value.items():
            below = f"{path}.{key}" if path else str(key)
            if key not in properties and path:
                yield f"{path}.{{{key}}}", str(key)
            yield from leaves(inner, properties.get(key), below)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from leaves(inner, facts.get("items"), f"{path}[{index}]")
    else:
        allowed = facts.get("enum")
        yield path, None if isinstance(allowed, (list, tuple)) and value in allowed else value


def below(labels: Labels, name: str, otherwise: Label = MODEL) -> Label:
    """The label of a whole argument: the join over its leaves; ``otherwise`` when it has none."""
    found = [
        label for path, label in labels.items() if path == name or path.startswith((name + ".", name + "["))
    ]
    return reduce(Label.join, found) if found else otherwise


def _label(value: Any, content: _Content) -> Label:
    text = _text(value)
    if not text:
        return MODEL
    if text in content.trusted_text:
        for label, forms in reversed(content.trusted):
            if _stands_in(text, forms.lowered):
                return label
    if not isinstance(value, str) and sum(map(str.isdigit, text)) < _MIN_DIGITS:
        return MODEL
    found = content.derives(Forms.of(str(value)))
    # Of trusted content that only a piece was taken from, the data classes flow and the trust doesn't.
    if not found or min(label.integrity for label in found) >= Integrity.USER:
        found.append(MODEL)
    return reduce(Label.join, found)


def _text(value: Any) -> str:
    """The text to look for in trusted content; empty for what proves nothing."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, str):
        plain = lowered(value)
        return plain if len(plain) >= MIN_CHARACTERS else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _stands_in(text: str, content: str) -> bool:
    """Whether the text stands in the content as a whole: not as a piece of a longer word, name or address."""
    at = content.find(text)
    for _ in range(_PLACES):
        if at < 0:
            return False
        if _open_before(content, at) and _open_after(content, at + len(text)):
            return True
        at = content.find(text, at + 1)
    return False


def _open_before(content: str, at: int) -> bool:
    if at == 0:
        return True
    before = content[at - 1]
    if before == ",":  # 1,500 is not 500
        return not (content[at].isdigit() and content[max(0, at - 2)].isdigit())
    return not (before.isalnum() or before in _GLUE)


def _open_after(content: str, end: int) -> bool:
    if end == len(content):
        return True
    after = content[end]
    following = content[end + 1 : end + 2]
    if after in ".-":  # the end of a sentence is none of the name
        return not following.isalnum()
    if after == ",":  # 1,500 is not 1
        return not (content[end - 1].isdigit() and following.isdigit())
    return not (after.isalnum() or after in _GLUE)


def _derives(own: Forms, folded: str, squeezed: str, fragments: frozenset[int]) -> bool:
    if not own.fragments.isdisjoint(fragments):
        return True
    if "\0" not in own.squeezed:
        if len(own.squeezed) < _MIN_SQUEEZED:
            return own.folded in folded
        return own.squeezed in squeezed
    return any(len(view) >= _MIN_SQUEEZED and view in squeezed for view in own.squeezed.split("\0"))

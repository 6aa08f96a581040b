"""What a session's content says of one call, beside the labels of its arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringwall.core import Integrity, Label, Part

from .asked import asked_by
from .directory import Directories
from .effect import Effect
from .entities import leaf_texts
from .provenance import Provenance
from .web_addresses import MAX_ADDRESSES, Addresses, address_form, web_addresses


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of a call beside the call. Found by the gateway; no model wrote any of it."""

    labels: Mapping[str, Label]
    """By path of the arguments."""
    asked: frozenset[Effect] = frozenset()
    listed: frozenset[str] = frozenset()
    verbatim: frozenset[str] = frozenset()
    linking: frozenset[str] = frozenset()

    def context(self, ref: str) -> dict[str, Any]:
        """Keys for the context of the call's crossing."""
        return {
            "provenance": {ref: self.labels},
            "asked": self.asked,
            "listed": self.listed,
            "verbatim": {ref: self.verbatim},
            "linking": {ref: self.linking},
        }


class SessionFacts:
    """Thread-safe as ``Provenance`` is."""

    def __init__(self, provenance: Provenance, directories: Directories) -> None:
        self._provenance = provenance
        self._directories = directories

    def of(
        self, content: Sequence[Part], arguments: Mapping[str, Any], schema: Mapping[str, Any] | None = None
    ) -> Background:
        """``content``: everything that the model has been shown, in order. Linear in it; what was read
        before is remembered by its text."""
        own = Addresses(tuple(part.text for part in content if part.label.integrity >= Integrity.USER))
        shown = Addresses(tuple(part.text for part in content))
        labels = self._provenance.of(content, arguments, schema)
        return Background(
            {**labels, **_typed(labels, arguments, content, own)},
            asked_by(content),
            self._directories.listed(content),
            frozenset(name for name, value in arguments.items() if _all_verbatim(value, shown)),
            frozenset(name for name, value in arguments.items() if _links(value, own)),
        )


def _typed(
    labels: Mapping[str, Label], arguments: Mapping[str, Any], content: Sequence[Part], own: Addresses
) -> Mapping[str, Label]:
    """Addresses that somebody vouches for in another spelling: ``shop.example`` was typed,
    ``https://shop.example/`` is called. Whole arguments and items of lists only."""
    doubtful = {path: label for path, label in labels.items() if label.integrity < Integrity.USER}
    found: dict[str, Label] = {}
    for path, text in _texts(arguments):
        wanted = address_form(text) if path in doubtful and _is_address(text) else ""
        if wanted in own.forms and own.as_written(text):
            found[path] = max(
                (part.label for part in content if wanted in web_addresses(part.text)),
                key=lambda label: label.integrity,
            )
    return found


def _texts(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from ((f"{name}[{at}]", item) for at, item in enumerate(value) if isinstance(item, str))


def _all_verbatim(value: Any, shown: Addresses) -> bool:
    leaves = [text for text in leaf_texts(value) if text.strip()]
    return bool(leaves) and all(_is_address(text) and shown.verbatim(text) for text in leaves)


def _is_address(text: str) -> bool:
    """One address and nothing beside it."""
    found = web_addresses(text) if len(text) <= 4096 else ()
    return len(found) == 1 and address_form(text) in found


def _links(value: Any, own: Addresses) -> bool:
    """True too for a text with more addresses than are read."""
    found = [web_addresses(text) for text in leaf_texts(value)]
    return any(len(addresses) > MAX_ADDRESSES or not addresses <= own.forms for addresses in found)

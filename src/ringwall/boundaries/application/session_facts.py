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
from .web_addresses import address_form, verbatim, web_addresses


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
        own = tuple(part.text for part in content if part.label.integrity >= Integrity.USER)
        others = tuple(part.text for part in content if part.label.integrity < Integrity.USER)
        labels = self._provenance.of(content, arguments, schema)
        return Background(
            {**labels, **_typed(labels, arguments, content)},
            asked_by(content),
            self._directories.listed(content),
            frozenset(name for name, value in arguments.items() if _all_verbatim(value, (*own, *others))),
            frozenset(name for name, value in arguments.items() if _links(value, own)),
        )


def _typed(
    labels: Mapping[str, Label], arguments: Mapping[str, Any], content: Sequence[Part]
) -> Mapping[str, Label]:
    """Addresses that somebody vouches for in another spelling: ``shop.example`` was typed,
    ``https://shop.example/`` is called. Whole arguments and items of lists only."""
    doubtful = {path: label for path, label in labels.items() if label.integrity < Integrity.USER}
    found: dict[str, Label] = {}
    for path, text in _texts(arguments):
        if path in doubtful and _is_address(text):
            wanted = address_form(text)
            vouched = [
                part.label
                for part in content
                if part.label.integrity >= Integrity.USER and wanted in web_addresses(part.text)
            ]
            if vouched:
                found[path] = max(vouched, key=lambda label: label.integrity)
    return found


def _texts(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from ((f"{name}[{at}]", item) for at, item in enumerate(value) if isinstance(item, str))


def _all_verbatim(value: Any, texts: tuple[str, ...]) -> bool:
    leaves = [text for text in leaf_texts(value) if text.strip()]
    return bool(leaves) and all(_is_address(text) and verbatim(text, texts) for text in leaves)


def _is_address(text: str) -> bool:
    """One address and nothing beside it."""
    found = web_addresses(text) if len(text) <= 4096 else ()
    return len(found) == 1 and address_form(text) in found


def _links(value: Any, own: tuple[str, ...]) -> bool:
    found = {address for text in leaf_texts(value) for address in web_addresses(text)}
    return any(all(address not in web_addresses(text) for text in own) for address in found)

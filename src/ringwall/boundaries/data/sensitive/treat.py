"""What a collection's settings make of a text: redacted, tokenised, dropped, held or left."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..sensitive_settings import Handling, SensitiveSettings
from .spans import Span, inspect_batch
from .tokens import MOST, TokenKeys, Tokens

__all__ = ["Outcome", "Treatment"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one text."""

    changes: tuple[tuple[int, int, str], ...] = ()
    """Disjoint, in order: start, end, and what stands there now."""
    treated: tuple[Span, ...] = ()
    """What was found and is not kept."""
    drop: bool = False
    hold: bool = False

    def apply(self, text: str) -> str:
        out, at = [], 0
        for start, end, new in self.changes:
            out += [text[at:start], new]
            at = end
        return "".join([*out, text[at:]])


class Treatment:
    """For one collection. Thread-safe."""

    def __init__(
        self, collection: str, settings: SensitiveSettings, keys: TokenKeys, *, apart: bool = False
    ) -> None:
        """``apart``: whether tenants are, so that none opens another's tokens."""
        self._apart = apart
        self._collection = collection
        self._settings = settings
        self._keys = keys

    def treat(self, texts: Sequence[str], tenant: str = "") -> list[Outcome]:
        """What becomes of each of a tenant's texts (empty: of all), in order. DataError when the token key
        can't be had: nothing passes then."""
        if self._settings.idle:
            return [Outcome()] * len(texts)
        found = inspect_batch(texts, regions=self._settings.regions, minimum=self._settings.minimum)
        spans = [[span for span in row if self._of(span).action != "keep"] for row in found]
        needed = any(self._of(span).action == "tokenize" for row in spans for span in row)
        tokens = self._keys.current(self._collection, tenant if self._apart else "") if needed else None
        return [self._outcome(text, row, tokens) for text, row in zip(texts, spans, strict=True)]

    def _of(self, span: Span) -> Handling:
        return self._settings.handling(span.cls)

    def _outcome(self, text: str, spans: Sequence[Span], tokens: Tokens | None) -> Outcome:
        deeds = {self._of(span).action for span in spans}
        changes = [
            (span.start, span.end, self._replacement(text[span.start : span.end], span.cls, tokens))
            for span in spans
            if self._of(span).action in ("redact", "tokenize")
        ]
        return Outcome(tuple(changes), tuple(spans), "drop" in deeds, "hold" in deeds)

    def _replacement(self, value: str, cls: str, tokens: Tokens | None) -> str:
        handling = self._settings.handling(cls)
        if handling.action == "redact" or tokens is None or len(value) > MOST:
            return f"[{cls.removeprefix('pii.')}]"
        if handling.format == "same":
            alike = tokens.alike(value, cls, keep_last=handling.keep_last, luhn=handling.luhn)
            if alike is not None:
                return alike
        return tokens.opaque(value, cls, random=handling.random)

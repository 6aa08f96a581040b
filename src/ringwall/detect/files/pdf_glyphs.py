"""How far each glyph of a PDF font moves the pen (ISO 32000-2, 9.2.4, 9.7.4.3), about."""

from collections.abc import Iterator
from typing import Any

from .pdf_colours import items, mapping

_USUAL = 500.0
"""Thousandths of an em, of a font that states no widths."""
_NARROW = b"ijl.,:;'|!I()[]-ft "
_CODES = 70_000


class Widths:
    def __init__(self, font: Any) -> None:
        descendant = mapping((items(font.get("/DescendantFonts")) or [None])[0])
        self.bytes = 2 if str(font.get("/Subtype")) == "/Type0" else 1
        """Of one code: a font with codes of several lengths is measured as if they were all of two."""
        self._known: dict[int, float] = {}
        self._usual = float(descendant.get("/DW", 1000)) if self.bytes == 2 else _USUAL
        self._unit = 0.001
        if self.bytes == 2:
            self._wide(items(descendant.get("/W")))
        else:
            first = int(font.get("/FirstChar", 0))
            for at, width in enumerate(items(font.get("/Widths"))[:256]):
                self._known[first + at] = float(width)
        if str(font.get("/Subtype")) == "/Type3":
            self._unit = abs(float((items(font.get("/FontMatrix")) or [0.001])[0]))

    def _wide(self, given: list[Any]) -> None:
        at = 0
        while at + 1 < len(given) and len(self._known) < _CODES:
            start, then = int(given[at]), given[at + 1]
            if isinstance(then, list):
                self._known.update(
                    (start + index, float(width)) for index, width in enumerate(items(then)[:_CODES])
                )
                at += 2
            elif at + 2 < len(given):
                width = float(given[at + 2])
                self._known.update(dict.fromkeys(range(start, min(int(then) + 1, start + _CODES)), width))
                at += 3
            else:
                return

    def of(self, data: bytes) -> Iterator[tuple[int, float, bool]]:
        """For each glyph: where its code begins, its width in ems, and whether it is a single-byte blank."""
        for at in range(0, len(data), self.bytes):
            code = int.from_bytes(data[at : at + self.bytes], "big")
            width = self._known.get(code)
            if width is None:
                slim = self.bytes == 1 and not self._known and data[at] in _NARROW
                width = 0.56 * self._usual if slim else self._usual
            yield at, width * self._unit, self.bytes == 1 and code == 32


PLAIN = Widths({})

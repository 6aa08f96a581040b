"""Which text of a PDF page its reader sees: the page is painted, in shapes, and each glyph judged.

After ISO 32000-2, 8.4 (graphics state), 8.5 (paths), 9.3 (text state), 11 (transparency). An approximation: a
glyph counts as the point in its middle, a curve as its points. It errs toward "seen" where a picture or a
pattern of many colours is the ground.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .pdf_colours import WHITE, Colour, Ink, mapping
from .pdf_run import ODD, SHOWING, Run, State, inks
from .pdf_shapes import LOOK, Box, Matrix, Shape, around

_SAME = 0.1
"""Greatest difference of a colour channel at which text is lost on its ground."""
_SHAPES = 20_000
_GLYPHS = 200_000
_STRAY = 3
"""Glyphs: fewer in a row that are judged otherwise than those around them are not told apart."""


@dataclass(frozen=True, slots=True)
class _Paint:
    at: int
    shape: Shape
    clips: tuple[Shape, ...]
    colour: Colour | None
    solid: bool
    """Nothing under it is seen any more."""
    effort: float

    def covers(self, x: float, y: float) -> bool:
        return self.shape.covers(x, y) and all(clip.covers(x, y) for clip in self.clips)


@dataclass(frozen=True, slots=True)
class Judged:
    """One operation that shows text."""

    step: int
    """Bytes of the code of a glyph."""
    whys: tuple[str, ...]
    """For each glyph, or one for all of them: why it is not seen; empty where it is."""


@dataclass(slots=True)
class _Text:
    at: int
    inks: tuple[Ink, ...]
    height: float
    """Of a small letter, on the page."""
    glyphs: list[tuple[float, float, str]]
    """Where each is, and why it is not seen whatever lies around it."""
    step: int = 1


class Painting:
    """One page as it is painted. ``before`` and ``after`` are called for each operation, those of forms
    between the two calls for the operation that draws the form."""

    def __init__(self, page: Box, resources: Any, off: Set[int], operate: Callable[[float], None]) -> None:
        """``off``: object numbers of the layers that are switched off. ``operate`` is told how many
        operations are carried out, and raises when they are too many."""
        self.page = page
        self.off = off
        self.actual: list[str] = []
        """Texts that stand in for what is painted, for readers that can't see."""
        self._texts: list[_Text] = []
        self._paints: list[_Paint] = []
        self.operations = 0
        self._operate = operate
        self._clock = 0
        self._glyphs = 0
        self._runs = [Run(self, mapping(resources), State())]

    def before(self, operator: bytes, operands: Any, *_: Any) -> None:
        self.operate(1)
        count = len(self._texts)
        try:
            if operator == b"Do":
                self._runs.append(self._runs[-1])
                self._runs[-1] = self._runs[-2].draw(operands)
            else:
                self._runs[-1].operation(operator, operands)
        except ODD:  # viewers skip what they do not understand as well
            pass
        if operator in SHOWING and len(self._texts) == count:
            self._texts.append(_Text(self._tick(), (), 0, []))

    def after(self, operator: bytes, *_: Any) -> None:
        if operator == b"Do" and len(self._runs) > 1:
            self._runs.pop()

    def operate(self, count: int) -> None:
        """Raises Refused for one too many."""
        self.operations += count
        self._operate(count)

    def toil(self, effort: float) -> None:
        """As much as so many operations, though none of the page's. Raises Refused as ``operate``."""
        self._operate(effort)

    def over(self, form: Any, matrix: Matrix) -> None:
        """An appearance that is laid over the page, such as that of an annotation."""
        Run(self, mapping(form.get("/Resources")), State(ctm=matrix)).within(form)

    def reasons(self) -> list[Judged]:
        """Of the operations that show text, in order."""
        return [self._judged(text) for text in self._texts]

    def _judged(self, text: _Text) -> Judged:
        if not text.glyphs:
            return Judged(1, ("",))
        box = around([(x, y) for x, y, _ in text.glyphs]).wider(text.height)
        self.toil(LOOK * len(self._paints))
        near = [paint for paint in self._paints if _meet(paint.shape.box, box)]
        found = [why or self._lost(text, near, x, y) for x, y, why in text.glyphs]
        return Judged(text.step, tuple(_steady(found) if len(set(found)) > 1 else found[:1]))

    def _lost(self, text: _Text, near: Sequence[_Paint], x: float, y: float) -> str:
        ground: Colour | None = WHITE
        here = [paint for paint in near if paint.shape.box.holds(x, y)]
        self.toil(LOOK * len(near) + sum(paint.effort for paint in here))
        for paint in here:
            if not paint.covers(x, y):
                continue
            if paint.at < text.at:
                ground = paint.colour
            elif (
                paint.solid and paint.covers(x, y + text.height / 2) and paint.covers(x, y - text.height / 2)
            ):
                return "covered"
        if ground is None:
            return ""
        if not all(one.colour is not None and _alike(one.colour, ground) for one in text.inks):
            return ""
        return "white" if ground == WHITE else "faint"

    def text(self, state: State, glyphs: list[tuple[float, float, str]], why: str, height: float) -> None:
        """``why``: of all of it."""
        given = inks(state)
        why = why or ("" if given else "invisible")
        self._glyphs += len(glyphs)
        if self._glyphs > _GLYPHS:
            glyphs = glyphs[:1]
        told = [(x, y, why or one) for x, y, one in glyphs]
        self._texts.append(_Text(self._tick(), given, height, told, state.font.bytes))

    def paint(self, what: Shape, state: State, colour: Colour | None, *, solid: bool) -> None:
        if len(self._paints) < _SHAPES:
            effort = what.effort + sum(clip.effort for clip in state.clips)
            self._paints.append(_Paint(self._tick(), what, state.clips, colour, solid, effort))

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


def _alike(one: Colour, other: Colour) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < _SAME


def _meet(one: Box, other: Box) -> bool:
    return not (
        one.right < other.left or other.right < one.left or one.top < other.bottom or other.top < one.bottom
    )


def _steady(found: list[str]) -> list[str]:
    """Without a few glyphs at the edge of a shape told apart from their words."""
    kept: list[str] = []
    for why, run in groupby(found):
        count = len(list(run))
        kept += [kept[-1] if count < _STRAY and kept else why] * count
    return kept

"""The operations of a PDF page, or of one form, as far as they say where text is and what lies around it (ISO
32000-2, 8.4, 8.5, 9.3, 11).
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING, Any

from .pdf_colours import BLACK, FIRST, UNKNOWN, WHITE, Ink, device, first, flat, ink, mapping, shading
from .pdf_glyphs import PLAIN, Widths
from .pdf_optional import hidden_layer, number_of
from .pdf_shapes import IDENTITY, Matrix, Point, Shape, apply, around, multiply, shape, to_matrix

if TYPE_CHECKING:
    from .pdf_layers import Painting

_TINY = 2.0
"""Points."""
ODD = (IndexError, TypeError, ValueError, KeyError, AttributeError, OverflowError, ZeroDivisionError)
"""What operations raise whose operands are none."""
SHOWING = frozenset({b"Tj", b"TJ", b"'", b'"'})
_FILLS = frozenset({b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"})
_STROKES = frozenset({b"S", b"s", b"B", b"B*", b"b", b"b*"})
_ENDS = frozenset({b"n", *_FILLS, *_STROKES})
_DARKENING = frozenset({"/Multiply", "/Darken", "/ColorBurn"})
_LIGHTENING = frozenset({"/Screen", "/Lighten", "/ColorDodge"})


@dataclass(frozen=True, slots=True)
class State:
    """Of graphics and text."""

    ctm: Matrix = IDENTITY
    fill: Ink = FIRST
    stroke: Ink = FIRST
    fill_space: Any = "/DeviceGray"
    stroke_space: Any = "/DeviceGray"
    alpha: float = 1.0
    stroke_alpha: float = 1.0
    blend: str = "/Normal"
    masked: str = ""
    """By a soft mask: ``some`` of it is seen, or ``all`` of it is not."""
    width: float = 1.0
    font: Widths = PLAIN
    mode: int = 0
    size: float = 0.0
    stretch: float = 100.0
    leading: float = 0.0
    rise: float = 0.0
    letters: float = 0.0
    words: float = 0.0
    clips: tuple[Shape, ...] = ()

    def shows(self, x: float, y: float) -> bool:
        return all(clip.covers(x, y) for clip in self.clips)


def inks(state: State) -> tuple[Ink, ...]:
    """What its letters are painted with; empty: nothing that leaves a mark."""
    if state.masked == "all":
        return ()
    mode = state.mode % 4
    given = []
    if mode in (0, 2) and state.alpha >= 0.1:
        given.append(state.fill)
    if mode in (1, 2) and state.stroke_alpha >= 0.1:
        given.append(state.stroke)
    return tuple(one for one in given if not one.nothing and not _without_effect(one, state.blend))


def _without_effect(one: Ink, blend: str) -> bool:
    return (blend in _DARKENING and one.colour == WHITE) or (blend in _LIGHTENING and one.colour == BLACK)


class Run:
    """The page's own operations, or those of one form."""

    def __init__(self, page: "Painting", resources: Any, state: State) -> None:
        self.page = page
        self.resources = resources
        self.state = state
        self.saved: list[State] = []
        self.marks: list[bool] = []
        """Of each open marked content: whether its layer is off."""
        self.tm: Matrix = IDENTITY
        self.line: Matrix = IDENTITY
        self.rings: list[list[Point]] = []
        self.clips = ""
        self.fonts: dict[str, Widths] = {}

    def operation(self, operator: bytes, operands: Any) -> None:
        if operator in SHOWING:
            if operator in (b"'", b'"'):
                self._next_line(0, -self.state.leading)
            self._show(operands[-1])
        elif operator in _PATHS:
            self._extend(operator, [float(one) for one in operands])
        elif operator in _ENDS:
            self._end_path(operator)
        elif (handler := _HANDLERS.get(operator)) is not None:
            handler(self, operands)
        elif operator in _NUMBERS:
            changed: dict[str, Any] = {_NUMBERS[operator]: float(operands[0])}
            self.state = replace(self.state, **changed)

    def within(self, form: Any) -> None:
        """The operations of a form that nothing else walks through. Its own forms are left out."""
        from pypdf.generic import ContentStream  # noqa: PLC0415 - an extra

        operations = ContentStream(form, None).operations
        self.page.operate(len(operations))
        for operands, operator in operations:
            try:
                if operator not in SHOWING and operator != b"Do":
                    self.operation(operator, operands)
            except ODD:
                continue

    # text

    def _show(self, given: Any) -> None:
        state = self.state
        whole = multiply(self.tm, state.ctm)
        size = abs(state.size) * hypot(whole[2], whole[3])
        glyphs: list[tuple[float, float, str]] = []
        for one in given if isinstance(given, list) else [given]:
            if isinstance(one, (int, float)):
                self._advance(-float(one) / 1000 * state.size)
            elif isinstance(one, bytes):
                self._string(one, glyphs)
        self.page.text(state, glyphs, self._why(size), 0.4 * size)

    def _string(self, data: bytes, glyphs: list[tuple[float, float, str]]) -> None:
        state = self.state
        self.page.toil(0.2 * len(data))
        for _at, width, blank in state.font.of(data):
            middle = 0.5 * width * state.size * state.stretch / 100, 0.2 * state.size + state.rise
            x, y = apply(multiply(self.tm, state.ctm), *middle)
            if state.clips:
                self.page.toil(sum(clip.effort for clip in state.clips if clip.box.holds(x, y)))
            why = "" if state.shows(x, y) else "clipped"
            glyphs.append((x, y, why if self.page.page.holds(x, y) else "off-page"))
            self._advance(width * state.size + state.letters + (state.words if blank else 0))

    def _advance(self, by: float) -> None:
        a, b, c, d, e, f = self.tm
        by *= self.state.stretch / 100
        self.tm = (a, b, c, d, e + by * a, f + by * b)

    def _why(self, size: float) -> str:
        if any(self.marks):
            return "layer"
        if self.state.mode in (3, 7):
            return "invisible"
        return "tiny" if size < _TINY or abs(self.state.stretch) < 5 else ""

    def _next_line(self, x: float, y: float) -> None:
        self.line = self.tm = multiply((1, 0, 0, 1, x, y), self.line)

    def begin_text(self, _operands: Any) -> None:
        self.tm = self.line = IDENTITY

    def move(self, operands: Any) -> None:
        self._next_line(float(operands[0]), float(operands[1]))

    def move_leading(self, operands: Any) -> None:
        self.state = replace(self.state, leading=-float(operands[1]))
        self.move(operands)

    def matrix(self, operands: Any) -> None:
        self.tm = self.line = to_matrix(operands)

    def new_line(self, _operands: Any) -> None:
        self._next_line(0, -self.state.leading)

    def font(self, operands: Any) -> None:
        name = str(operands[0])
        if name not in self.fonts:
            found = mapping(mapping(self.resources.get("/Font")).get(name))
            self.fonts[name] = _widths(found)
        self.state = replace(self.state, font=self.fonts[name], size=float(operands[1]))

    def mode(self, operands: Any) -> None:
        self.state = replace(self.state, mode=int(operands[0]))

    # graphics state

    def save(self, _operands: Any) -> None:
        if len(self.saved) < 1000:
            self.saved.append(self.state)

    def restore(self, _operands: Any) -> None:
        if self.saved:
            self.state = self.saved.pop()

    def transform(self, operands: Any) -> None:
        self.state = replace(self.state, ctm=multiply(to_matrix(operands), self.state.ctm))

    def fill_space(self, operands: Any) -> None:
        found = first(operands[0], self.resources)
        self.state = replace(self.state, fill=found, fill_space=operands[0])

    def stroke_space(self, operands: Any) -> None:
        found = first(operands[0], self.resources)
        self.state = replace(self.state, stroke=found, stroke_space=operands[0])

    def fill(self, operands: Any) -> None:
        self.state = replace(self.state, fill=ink(self.state.fill_space, operands, self.resources))

    def stroke(self, operands: Any) -> None:
        self.state = replace(self.state, stroke=ink(self.state.stroke_space, operands, self.resources))

    def device_fill(self, operands: Any) -> None:
        self.state = replace(self.state, fill=device(operands), fill_space="/Device")

    def device_stroke(self, operands: Any) -> None:
        self.state = replace(self.state, stroke=device(operands), stroke_space="/Device")

    def parameters(self, operands: Any) -> None:
        given = mapping(mapping(self.resources.get("/ExtGState")).get(operands[0]))
        changes: dict[str, Any] = {
            name: float(given[key]) for key, name in _PARAMETERS.items() if key in given
        }
        if "/BM" in given:
            blend = given["/BM"]
            changes["blend"] = str(blend[0] if isinstance(blend, list) and blend else blend)
        if "/SMask" in given:
            changes["masked"] = _masked(mapping(given["/SMask"]))
        if isinstance(given.get("/Font"), list):
            font, size = given["/Font"][0], given["/Font"][1]
            changes.update(font=_widths(mapping(font)), size=float(size))
        self.state = replace(self.state, **changes)

    # paths and pictures

    def _extend(self, operator: bytes, numbers: list[float]) -> None:
        if sum(len(ring) for ring in self.rings[-50:]) > 10_000 or len(self.rings) > 5000:
            return
        if operator == b"re":
            x, y, width, height = numbers[:4]
            corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        else:
            corners = list(zip(numbers[::2], numbers[1::2], strict=False))
        points = [apply(self.state.ctm, x, y) for x, y in corners]
        if operator in (b"m", b"re") or not self.rings:
            self.rings.append(points)
        else:
            self.rings[-1] += points

    def _end_path(self, operator: bytes) -> None:
        state = self.state
        rings, clips = self.rings, self.clips
        self.rings, self.clips = [], ""
        if not rings:
            return
        if not any(self.marks):
            if operator in _FILLS and state.alpha > 0.1:
                self._paint(shape(rings, even_odd=operator.endswith(b"*")), state.fill, state.alpha)
            if operator in _STROKES and state.stroke_alpha > 0.1:
                self._lines(rings)
        if clips and len(state.clips) < 8:
            clip = shape(rings, even_odd=clips == "W*")
            self.state = replace(state, clips=(*state.clips, clip))

    def _lines(self, rings: list[list[Point]]) -> None:
        """Upright and level lines that are wide enough to be a ground, or to hide a line of text."""
        half = self.state.width * hypot(*self.state.ctm[:2]) / 2
        for ring in rings if half >= _TINY else ():
            for one, other in pairwise(ring):
                if one[0] == other[0] or one[1] == other[1]:
                    self._paint(
                        Shape(around([one, other]).wider(half)), self.state.stroke, self.state.stroke_alpha
                    )

    def _paint(self, what: Shape, given: Ink, alpha: float) -> None:
        state = self.state
        if given.nothing or state.masked == "all" or _without_effect(given, state.blend):
            return
        plain = state.blend in ("/Normal", "/Compatible") and not state.masked and alpha > 0.9
        self.page.paint(what, state, given.colour if plain else None, solid=plain)

    def clip(self, _operands: Any) -> None:
        self.clips = "W"

    def clip_even_odd(self, _operands: Any) -> None:
        self.clips = "W*"

    def shade(self, operands: Any) -> None:
        found = mapping(self.resources.get("/Shading")).get(operands[0])
        if not any(self.marks) and self.state.alpha > 0.1:
            self._paint(Shape(self.page.page), shading(found), self.state.alpha)

    def picture(self, given: Any = ()) -> None:
        """One with a mask lets through what is under it."""
        if not any(self.marks) and self.state.alpha > 0.1:
            corners = [apply(self.state.ctm, x, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
            masked = any(key in given for key in ("/SMask", "/Mask", "/ImageMask", "/IM"))
            self._paint(shape([corners], even_odd=False), UNKNOWN, 0.5 if masked else self.state.alpha)

    def inline_picture(self, operands: Any) -> None:
        self.picture(mapping(operands.get("settings")) if isinstance(operands, dict) else ())

    # marked content and forms

    def begin_marked(self, operands: Any) -> None:
        tag, given = str(operands[0]), operands[1]
        named = mapping(self.resources.get("/Properties"))
        number = number_of(named, given) if isinstance(given, str) else 0
        properties = mapping(named.get(given)) if isinstance(given, str) else mapping(given)
        for key in ("/ActualText", "/Alt", "/E"):
            if key in properties:
                self.page.actual.append(str(properties[key]))
        self.marks.append(tag == "/OC" and hidden_layer(properties, number, self.page.off))

    def begin_unlayered(self, _operands: Any) -> None:
        self.marks.append(False)

    def end_marked(self, _operands: Any) -> None:
        if self.marks:
            self.marks.pop()

    def draw(self, operands: Any) -> "Run":
        """Who paints what this draws: a form is painted by its own operations; a picture covers what lies
        under it."""
        objects = mapping(self.resources.get("/XObject"))
        what = mapping(objects.get(operands[0]))
        layer = what.get("/OC")
        off = layer is not None and hidden_layer(mapping(layer), number_of(what, "/OC"), self.page.off)
        if what.get("/Subtype") != "/Form":
            if not off:
                self.picture(what)
            return self
        own = mapping(what.get("/Resources"))
        state = replace(self.state, ctm=multiply(to_matrix(what.get("/Matrix", IDENTITY)), self.state.ctm))
        run = Run(self.page, own or self.resources, state)
        run.marks = [off or any(self.marks)]
        run.cut(what.get("/BBox"))
        if not own:
            run.within(what)
        return run

    def cut(self, box: Any) -> None:
        """To the box of a form."""
        if isinstance(box, list) and len(box) >= 4:
            left, bottom, right, top = (float(one) for one in box[:4])
            corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
            clip = shape([[apply(self.state.ctm, x, y) for x, y in corners]], even_odd=False)
            self.state = replace(self.state, clips=(*self.state.clips, clip))


def _widths(font: Any) -> Widths:
    try:
        return Widths(font)
    except ODD:
        return PLAIN


def _masked(mask: Any) -> str:
    if not mask:
        return ""
    seen = flat(mapping(mask.get("/G")))
    luminosity = str(mask.get("/S")) == "/Luminosity"
    return "all" if seen.nothing or (luminosity and seen.colour == BLACK) else "some"


_PATHS = frozenset({b"m", b"l", b"c", b"v", b"y", b"re"})
_PARAMETERS = {"/ca": "alpha", "/CA": "stroke_alpha", "/LW": "width"}
_NUMBERS = {
    b"TL": "leading", b"Tz": "stretch", b"Ts": "rise", b"Tc": "letters", b"Tw": "words", b"w": "width",
}  # fmt: skip
_HANDLERS = {
    b"BT": Run.begin_text,
    b"Td": Run.move,
    b"TD": Run.move_leading,
    b"Tm": Run.matrix,
    b"T*": Run.new_line,
    b"Tf": Run.font,
    b"Tr": Run.mode,
    b"q": Run.save,
    b"Q": Run.restore,
    b"cm": Run.transform,
    b"cs": Run.fill_space,
    b"CS": Run.stroke_space,
    b"sc": Run.fill,
    b"scn": Run.fill,
    b"SC": Run.stroke,
    b"SCN": Run.stroke,
    **dict.fromkeys((b"g", b"rg", b"k"), Run.device_fill),
    **dict.fromkeys((b"G", b"RG", b"K"), Run.device_stroke),
    b"gs": Run.parameters,
    b"W": Run.clip,
    b"W*": Run.clip_even_odd,
    b"sh": Run.shade,
    b"INLINE IMAGE": Run.inline_picture,
    b"BDC": Run.begin_marked,
    b"BMC": Run.begin_unlayered,
    b"EMC": Run.end_marked,
    b"Do": Run.draw,
}

"""Which text of a PDF page its reader sees: the page is painted, in boxes, and each piece of text judged.

After ISO 32000-2, 8.4 (graphics state), 8.5 (paths), 9.3 (text state), 8.11 (optional content). An
approximation: shapes count as their bounding boxes, a text as the point where it begins. It errs toward
"seen" where a picture or a pattern is the ground.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

Matrix = tuple[float, float, float, float, float, float]
Colour = tuple[float, float, float]
IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)
WHITE: Colour = (1, 1, 1)
BLACK: Colour = (0, 0, 0)
_SAME = 0.1
"""Greatest difference of a colour channel at which text is lost on its ground."""
_TINY = 2.0
"""Points."""
_BOXES = 20_000
SHOWING = frozenset({b"Tj", b"TJ", b"'", b'"'})
_FILLS = frozenset({b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"})
_ENDS = frozenset({b"S", b"s", b"n", *_FILLS})


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    bottom: float
    right: float
    top: float

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def within(self, other: "Box") -> "Box":
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


@dataclass(frozen=True, slots=True)
class _State:
    ctm: Matrix = IDENTITY
    fill: Colour | None = BLACK
    """None: a pattern."""
    alpha: float = 1.0
    mode: int = 0
    size: float = 0.0
    stretch: float = 100.0
    leading: float = 0.0
    clip: Box | None = None


@dataclass(frozen=True, slots=True)
class _Paint:
    at: int
    box: Box
    fill: Colour | None


@dataclass(slots=True)
class _Text:
    at: int
    x: float
    y: float
    fill: Colour | None
    why: str


class Painting:
    """One page as it is painted. ``before`` and ``after`` are called for each operation, those of forms
    between the two calls for the operation that draws the form."""

    def __init__(self, page: Box, resources: Any, off: Set[int]) -> None:
        """``off``: object numbers of the layers that are switched off."""
        self.page = page
        self.off = off
        self.actual: list[str] = []
        """Texts that stand in for what is painted, for readers that can't see."""
        self._texts: list[_Text] = []
        self._paints: list[_Paint] = []
        self._clock = 0
        self._runs = [_Run(self, mapping(resources), _State(clip=page))]

    def before(self, operator: bytes, operands: Any, *_: Any) -> None:
        try:
            if operator == b"Do":
                self._runs.append(self._runs[-1])
                self._runs[-1] = self._runs[-2].draw(operands)
            else:
                self._runs[-1].operation(operator, operands)
        except (IndexError, TypeError, ValueError, KeyError, AttributeError, OverflowError):
            return  # viewers skip what they do not understand as well

    def after(self, operator: bytes, *_: Any) -> None:
        if operator == b"Do" and len(self._runs) > 1:
            self._runs.pop()

    def reasons(self) -> list[str]:
        """For each operation that shows text, in order: why it is not seen; empty where it is."""
        return [text.why or self._lost(text) for text in self._texts]

    def _lost(self, text: _Text) -> str:
        ground: Colour | None = WHITE
        for paint in self._paints:
            if paint.box.holds(text.x, text.y):
                if paint.at > text.at:
                    return "covered"
                ground = paint.fill
        if text.fill is None or ground is None:
            return ""
        if max(abs(one - other) for one, other in zip(text.fill, ground, strict=True)) >= _SAME:
            return ""
        return "white" if ground == WHITE else "faint"

    def text(self, x: float, y: float, fill: Colour | None, why: str) -> None:
        self._texts.append(_Text(self._tick(), x, y, fill, why))

    def paint(self, box: Box, fill: Colour | None) -> None:
        if len(self._paints) < _BOXES:
            self._paints.append(_Paint(self._tick(), box, fill))

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


class _Run:
    """The page's own operations, or those of one form."""

    def __init__(self, page: Painting, resources: Any, state: _State) -> None:
        self.page = page
        self.resources = resources
        self.state = state
        self.saved: list[_State] = []
        self.marks: list[bool] = []
        """Of each open marked content: whether its layer is off."""
        self.tm: Matrix = IDENTITY
        self.line: Matrix = IDENTITY
        self.path: list[tuple[float, float]] = []
        self.clips = False

    def operation(self, operator: bytes, operands: Any) -> None:
        if operator in SHOWING:
            if operator in (b"'", b'"'):
                self._next_line(0, -self.state.leading)
            self._show()
        elif operator in _PATHS:
            self._extend(operator, [float(one) for one in operands])
        elif operator in _ENDS:
            self._end_path(operator)
        elif operator in _COLOURS:
            self.state = replace(self.state, fill=_colour(operands))
        elif (handler := _HANDLERS.get(operator)) is not None:
            handler(self, operands)

    # text

    def _show(self) -> None:
        state = self.state
        whole = multiply(self.tm, state.ctm)
        x, y = apply(whole, 0.1 * state.size, 0.3 * state.size)
        size = abs(state.size) * hypot(whole[2], whole[3])
        self.page.text(x, y, state.fill, self._why(x, y, size))

    def _why(self, x: float, y: float, size: float) -> str:
        state = self.state
        if any(self.marks):
            return "layer"
        if state.mode in (3, 7) or state.alpha < 0.1:
            return "invisible"
        if size < _TINY or abs(state.stretch) < 5:
            return "tiny"
        if not self.page.page.holds(x, y):
            return "off-page"
        return "clipped" if state.clip is not None and not state.clip.holds(x, y) else ""

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
        self.tm = self.line = _matrix(operands)

    def new_line(self, _operands: Any) -> None:
        self._next_line(0, -self.state.leading)

    def font(self, operands: Any) -> None:
        self.state = replace(self.state, size=float(operands[1]))

    def mode(self, operands: Any) -> None:
        self.state = replace(self.state, mode=int(operands[0]))

    def leading(self, operands: Any) -> None:
        self.state = replace(self.state, leading=float(operands[0]))

    def stretch(self, operands: Any) -> None:
        self.state = replace(self.state, stretch=float(operands[0]))

    # graphics state

    def save(self, _operands: Any) -> None:
        if len(self.saved) < 1000:
            self.saved.append(self.state)

    def restore(self, _operands: Any) -> None:
        if self.saved:
            self.state = self.saved.pop()

    def transform(self, operands: Any) -> None:
        self.state = replace(self.state, ctm=multiply(_matrix(operands), self.state.ctm))

    def colour_space(self, _operands: Any) -> None:
        self.state = replace(self.state, fill=BLACK)

    def parameters(self, operands: Any) -> None:
        given = mapping(mapping(self.resources.get("/ExtGState")).get(operands[0]))
        if "/ca" in given:
            self.state = replace(self.state, alpha=float(given["/ca"]))

    # paths and pictures

    def _extend(self, operator: bytes, numbers: list[float]) -> None:
        if len(self.path) > 10_000:
            return
        if operator == b"re":
            x, y, width, height = numbers[:4]
            corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
        else:
            corners = list(zip(numbers[::2], numbers[1::2], strict=False))
        self.path += [apply(self.state.ctm, x, y) for x, y in corners]

    def _end_path(self, operator: bytes) -> None:
        if self.path:
            box = _around(self.path)
            if self.clips:
                clip = self.state.clip
                self.state = replace(self.state, clip=box.within(clip) if clip else box)
            if operator in _FILLS and self.state.alpha > 0.9 and not any(self.marks):
                visible = box.within(self.state.clip) if self.state.clip else box
                self.page.paint(visible, self.state.fill)
        self.path, self.clips = [], False

    def clip(self, _operands: Any) -> None:
        self.clips = True

    def picture(self, _operands: Any = ()) -> None:
        if not any(self.marks) and self.state.alpha > 0.9:
            corners = [apply(self.state.ctm, x, y) for x in (0, 1) for y in (0, 1)]
            box = _around(corners)
            self.page.paint(box.within(self.state.clip) if self.state.clip else box, None)

    # marked content and forms

    def begin_marked(self, operands: Any) -> None:
        tag, given = str(operands[0]), operands[1]
        named = mapping(self.resources.get("/Properties"))
        number = _number(named, given) if isinstance(given, str) else 0
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

    def draw(self, operands: Any) -> "_Run":
        """Who paints what this draws: a form is painted by its own operations; a picture covers what lies
        under it."""
        objects = mapping(self.resources.get("/XObject"))
        what = mapping(objects.get(operands[0]))
        layer = what.get("/OC")
        off = layer is not None and hidden_layer(mapping(layer), _number(what, "/OC"), self.page.off)
        if what.get("/Subtype") != "/Form":
            if not off:
                self.picture()
            return self
        inner = replace(self.state, ctm=multiply(_matrix(what.get("/Matrix", IDENTITY)), self.state.ctm))
        run = _Run(self.page, mapping(what.get("/Resources")) or self.resources, inner)
        run.marks = [off or any(self.marks)]
        return run


def hidden_layer(properties: Mapping[str, Any], number: int, off: Set[int]) -> bool:
    """Whether an optional content group, or a membership dictionary over several, is switched off."""
    if properties.get("/Type") != "/OCMD":
        return number in off
    groups = properties.get("/OCGs")
    many = groups if isinstance(groups, list) else [groups] if groups is not None else []
    numbers = [getattr(one, "idnum", 0) for one in many] or [_number(properties, "/OCGs")]
    states = [one not in off for one in numbers if one]
    if not states:
        return False
    policies = {"/AllOn": all(states), "/AnyOff": not all(states), "/AllOff": not any(states)}
    return not policies.get(str(properties.get("/P")), any(states))


def multiply(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    return matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]


def _matrix(operands: Iterable[Any]) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands)
    return (a, b, c, d, e, f)


def _around(points: Sequence[tuple[float, float]]) -> Box:
    across, up = [x for x, _ in points], [y for _, y in points]
    return Box(min(across), min(up), max(across), max(up))


def _colour(operands: Sequence[Any]) -> Colour | None:
    numbers = [float(one) for one in operands if isinstance(one, (int, float))]
    if len(numbers) == 1:
        return (numbers[0],) * 3
    if len(numbers) == 3:
        return (numbers[0], numbers[1], numbers[2])
    if len(numbers) == 4:
        cyan, magenta, yellow, black = numbers
        return ((1 - cyan) * (1 - black), (1 - magenta) * (1 - black), (1 - yellow) * (1 - black))
    return None


def mapping(value: Any) -> Any:
    """The dictionary behind a reference; an empty one for anything else."""
    found = value.get_object() if hasattr(value, "get_object") else value
    return found if isinstance(found, dict) else {}


def _number(container: Any, key: Any) -> int:
    """Object number of what ``container`` refers to under ``key``; 0 for what is written in place."""
    raw = container.raw_get(key) if hasattr(container, "raw_get") and key in container else None
    return int(getattr(raw, "idnum", 0))


_PATHS = frozenset({b"m", b"l", b"c", b"v", b"y", b"re"})
_COLOURS = frozenset({b"g", b"rg", b"k", b"sc", b"scn"})
_HANDLERS = {
    b"BT": _Run.begin_text,
    b"Td": _Run.move,
    b"TD": _Run.move_leading,
    b"Tm": _Run.matrix,
    b"T*": _Run.new_line,
    b"Tf": _Run.font,
    b"Tr": _Run.mode,
    b"TL": _Run.leading,
    b"Tz": _Run.stretch,
    b"q": _Run.save,
    b"Q": _Run.restore,
    b"cm": _Run.transform,
    b"cs": _Run.colour_space,
    b"gs": _Run.parameters,
    b"W": _Run.clip,
    b"W*": _Run.clip,
    b"INLINE IMAGE": _Run.picture,
    b"BDC": _Run.begin_marked,
    b"BMC": _Run.begin_unlayered,
    b"EMC": _Run.end_marked,
    b"Do": _Run.draw,
}

"""WordprocessingML: text that is hidden, of its ground's colour, tiny, out of place, or was deleted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element

from ringwall.detect.pages.colour import BLACK, WHITE, Colour, colour, lost
from ringwall.detect.pages.sheet import Node, Sheet
from ringwall.detect.pages.sight import Sight, look

from .flow import Flow, walk
from .markup import attribute, local
from .reading import Job

_TINY = 4
"""Half points."""
_FAR = 10_000
"""Twentieths of a point by which something is moved away and not just moved."""
_BEYOND = 1_371_600, 20_116_800
"""EMU left of or above where a drawing is anchored, and to the right or below: no page reaches there."""
_SPECK = 25_400
"""EMU: two points."""
_OFF = ("0", "false", "off")
_THEME = {
    **dict.fromkeys(("background1", "light1", "bg1", "lt1"), WHITE),
    **dict.fromkeys(("text1", "dark1", "tx1", "dk1"), BLACK),
}
_WHERE = {"del": "deleted", "moveFrom": "deleted", "instrText": "field", "Fallback": "fallback"}
_PLAIN = Sheet()
Properties = Mapping[str, Element]


@dataclass(frozen=True, slots=True)
class Styles:
    """What styles say of the text that is set in them, those that they are based on included."""

    runs: Mapping[str, Properties]
    shaded: frozenset[str] = frozenset()
    """Ids of those that put a ground of their own under the text."""
    default: str = ""
    """Id of the style of paragraphs that name none."""

    def run(self, name: str) -> Properties:
        return self.runs.get(name, {})


@dataclass(frozen=True, slots=True)
class _Around:
    """What a run stands in."""

    ground: Colour | None = WHITE
    """None: not known."""
    table: str = ""
    paragraph: str = ""


def read_word(root: Element, where: str, styles: Styles, job: Job, hidden: str = "") -> str:
    """Texts of one part; the instructions of its fields, which are no text, come back."""
    flow = Flow()
    whys = _judged(root, styles)
    walk(
        root,
        flow,
        lambda node: whys.get(id(node), ""),
        carriers={"t", "delText", "instrText"},
        lines={"p", "br", "cr"},
        cells={"tab", "tc"},
        hidden=hidden,
    )
    flow.tell(job, where)
    fields = [node.text or "" for node in root.iter() if local(node) == "instrText"]
    return " ".join(
        [*fields, *(attribute(node, "instr") for node in root.iter() if local(node) == "fldSimple")]
    )


def read_styles(root: Element | None) -> Styles:
    own: dict[str, Properties] = {"": {}}
    based: dict[str, str] = {}
    shaded: set[str] = set()
    default = ""
    for style in root if root is not None else ():
        if local(style) == "docDefaults":
            own[""] = _given(_child(_child(style, "rPrDefault"), "rPr"))
        if local(style) != "style":
            continue
        name, base = attribute(style, "styleId"), _child(style, "basedOn")
        own[name] = _given(_child(style, "rPr"))
        if base is not None:
            based[name] = attribute(base, "val")
        if any(local(node) in ("shd", "highlight") for node in style.iter()):
            shaded.add(name)
        if attribute(style, "type") == "paragraph" and attribute(style, "default") not in ("", *_OFF):
            default = name
    for _ in range(10):
        shaded |= {name for name, base in based.items() if base in shaded}
    return Styles({name: _inherited(name, own, based) for name in own}, frozenset(shaded), default)


def _inherited(name: str, own: Mapping[str, Properties], based: Mapping[str, str]) -> Properties:
    line: list[str] = []
    while name in own and name not in line and len(line) < 20:
        line.append(name)
        name = based.get(name, "")
    found: dict[str, Element] = {}
    for step in reversed(line):
        found.update(own[step])
    return found


def _judged(root: Element, styles: Styles) -> dict[int, str]:
    """For each run and each element that takes its content out of sight: why."""
    found: dict[int, str] = {}
    waiting: list[tuple[Element, _Around]] = [(root, _Around(ground=_background(root)))]
    while waiting:
        node, around = waiting.pop()
        name = local(node)
        why = _WHERE.get(name, "") or _PLACED.get(name, _nowhere)(node)
        if name == "r":
            why = why or _run(node, around, styles)
        if why:
            found[id(node)] = why
        around = _inside(node, name, around, styles)
        waiting += [(child, around) for child in node]
    return found


def _background(root: Element) -> Colour | None:
    found = _child(root, "background")
    return WHITE if found is None else _colour(found, "color")


def _inside(node: Element, name: str, around: _Around, styles: Styles) -> _Around:
    if name in ("tbl", "p", "tc"):
        given = _given(_child(node, f"{name}Pr"))
        named = given.get("tblStyle" if name == "tbl" else "pStyle")
        style = attribute(named, "val") if named is not None else ""
        if name == "tbl":
            around = replace(around, table=style, paragraph="")
        elif name == "p":
            around = replace(around, paragraph=style or styles.default)
        return replace(around, ground=_ground(given, None if style in styles.shaded else around.ground))
    if name == "txbxContent":
        return replace(around, ground=None)  # the shape's own
    return around


def _ground(given: Properties, above: Colour | None) -> Colour | None:
    if "highlight" in given:
        return colour(attribute(given["highlight"], "val"))
    shade = given.get("shd")
    if shade is None or (attribute(shade, "fill") in ("", "auto") and not attribute(shade, "themeFill")):
        return above
    return _colour(shade, "fill") if attribute(shade, "val") in ("", "clear", "nil") else None


def _colour(node: Element, name: str) -> Colour | None:
    """None for what is not known: a colour of the theme without its value."""
    theme = attribute(node, "themeFill" if name == "fill" else "themeColor")
    written = attribute(node, name)
    if written and written != "auto":
        return colour(f"#{written.lstrip('#')}")
    return _THEME.get(theme)


def _run(node: Element, around: _Around, styles: Styles) -> str:
    direct = _given(_child(node, "rPr"))
    style = attribute(direct["rStyle"], "val") if "rStyle" in direct else ""
    given = {
        **styles.run(""),
        **styles.run(around.table),
        **styles.run(around.paragraph),
        **styles.run(style),
        **direct,
    }
    if any(_on(given, name) for name in ("vanish", "specVanish", "webHidden")) or _unfilled(given):
        return "invisible"
    ground = None if style in styles.shaded else _ground(given, around.ground)
    text = _colour(given["color"], "val") if "color" in given else None
    if text is not None and ground is not None and lost(text, ground):
        return "white" if min(ground) > 0.9 else "faint"
    return _small(given)


def _small(given: Properties) -> str:
    size = _number(given, "szCs" if _on(given, "cs") or _on(given, "rtl") else "sz", 22)
    if size <= _TINY or _number(given, "w", 100) <= 5 or _number(given, "spacing", 0) < -4 * size:
        return "tiny"
    return "off-page" if abs(_number(given, "position", 0)) >= _FAR / 10 else ""


def _unfilled(given: Properties) -> bool:
    """Text whose fill is none, or lets all through (``w14:textFill``)."""
    fill = given.get("textFill")
    inner = list(fill.iter()) if fill is not None else []
    clear = any(local(node) == "alpha" and _whole(attribute(node, "val")) > 90_000 for node in inner)
    return clear or any(local(node) == "noFill" for node in inner)


def _on(given: Properties, name: str) -> bool:
    return name in given and attribute(given[name], "val") not in _OFF


def _number(given: Properties, name: str, usual: int) -> int:
    return _whole(attribute(given[name], "val"), usual) if name in given else usual


def _whole(written: str, usual: int = 0) -> int:
    digits = written.strip().removesuffix("%").removeprefix("-")
    value = int(digits) if digits.isdigit() and len(digits) < 12 else usual
    return -value if written.strip().startswith("-") and digits.isdigit() else value


def _child(node: Element | None, name: str) -> Element | None:
    return next((child for child in node if local(child) == name), None) if node is not None else None


def _given(properties: Element | None) -> dict[str, Element]:
    return {local(child): child for child in properties} if properties is not None else {}


# What is out of place, whatever its text looks like.


def _nowhere(_node: Element) -> str:
    return ""


def _paragraph(node: Element) -> str:
    given = _given(_child(node, "pPr"))
    spacing, frame, indent = given.get("spacing"), given.get("framePr"), given.get("ind")
    exact = spacing is not None and attribute(spacing, "lineRule") == "exact"
    if spacing is not None and exact and _whole(attribute(spacing, "line"), 240) <= 10 * _TINY:
        return "clipped"
    moved = [attribute(frame, side) for side in ("x", "y")] if frame is not None else []
    moved += (
        [attribute(indent, side) for side in ("left", "start", "firstLine")] if indent is not None else []
    )
    return "off-page" if any(abs(_whole(one)) >= _FAR for one in moved) else ""


def _row(node: Element) -> str:
    given = _given(_child(node, "trPr"))
    if _on(given, "hidden"):
        return "row"
    height = given.get("trHeight")
    exact = height is not None and attribute(height, "hRule") == "exact"
    return "clipped" if exact and _number(given, "trHeight", 240) <= 10 * _TINY else ""


def _drawing(node: Element) -> str:
    for inner in node.iter():
        name = local(inner)
        if name == "docPr" and attribute(inner, "hidden") not in ("", *_OFF):
            return "invisible"
        if name == "posOffset" and not -_BEYOND[0] < _whole(inner.text or "") < _BEYOND[1]:
            return "off-page"
        sides = [_whole(attribute(inner, side), 1 << 30) for side in ("cx", "cy")]
        if name == "extent" and min(sides) <= _SPECK:
            return "clipped"
        if name == "txbxContent" or (name == "drawing" and inner is not node):
            break  # what is in that is looked at by itself
    return ""


def _vml(node: Element) -> str:
    style = attribute(node, "style")
    sight = look(Node("shape", {"style": style}), Sight(), _PLAIN) if style else Sight()
    return sight.cut or ("" if sight.visible else "invisible")


_PLACED: Mapping[str, Any] = {
    "p": _paragraph,
    "tr": _row,
    "drawing": _drawing,
    **dict.fromkeys(("shape", "rect", "roundrect", "oval", "group"), _vml),
}

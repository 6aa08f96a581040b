"""Whether people see the text of an element: the styles that it is given, worked out as a browser does (CSS
Cascade 5), as far as they take text out of sight. It errs toward "seen" where a picture is the ground.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from .colour import BLACK, WHITE, Colour, colour, lost, over
from .sheet import Node, Sheet, declared

_NAMES = 400
"""Custom properties that are handed down; what is beyond is as if it was not there."""
_TINY = 2.5
"""Pixels."""
_FAR = 500.0
"""Pixels by which something is moved away and not just moved."""
_SPECK = 4.0
"""Square pixels in which nobody reads anything."""
_LENGTH = re.compile(
    r"(-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))(px|r?em|ex|ch|pt|pc|cm|mm|in|vw|vh|vmin|vmax|%)?"
)
_UNITS = {
    "px": 1.0, "": 1.0, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "pt": 4 / 3, "pc": 16.0, "cm": 37.8,
    "mm": 3.78, "in": 96.0, "vw": 12.8, "vh": 8.0, "vmin": 8.0, "vmax": 12.8, "%": 12.8,
}  # fmt: skip
_SIZES = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
    "xx-large": 32.0, "smaller": 12.0, "larger": 19.0, "initial": 16.0,
}  # fmt: skip
_VAR = re.compile(
    r"var\(\s{0,9}(--[\w\-]{1,64})\s{0,9}(?:,([^()]{0,200}|[^()]{0,100}\([^()]{0,100}\)[^()]{0,20}))?\)"
)
_CALL = re.compile(r"(?<![a-z\-])([a-z\-]{1,20}[23]?[dxyz]?)\(([^()]{0,400})\)")
_FONT_SIZE = re.compile(r"(?:^|\s)(-?[\d.]{1,9}(?:px|r?em|pt|vw|vh|%))(?:\s|/|$)")


@dataclass(frozen=True, slots=True)
class Sight:
    """What an element hands down to what is inside it."""

    cut: str = ""
    """Why nothing inside it can be seen, whatever it is styled like."""
    visible: bool = True
    size: float = 16.0
    colour: Colour = BLACK
    ground: Colour | None = WHITE
    """None: a picture."""
    opacity: float = 1.0
    shadow: bool = False
    names: Mapping[str, str] | None = None
    """Custom properties."""

    @property
    def why(self) -> str:
        """Why text that stands here is not seen; empty when it is."""
        if self.cut:
            return self.cut
        if not self.visible or self.opacity < 0.1 or self.size < 0.5 or self.colour[3] < 0.1:
            return "invisible"
        if self.size < _TINY:
            return "tiny"
        if self.shadow or self.ground is None or not lost(self.colour, self.ground):
            return ""
        return "white" if min(self.ground[:3]) > 0.9 else "faint"


def look(node: Node, above: Sight, sheet: Sheet) -> Sight:
    """The sight of an element inside of ``above``."""
    styles, names = _cascade(node, sheet, above.names)
    if not styles and names is above.names:
        return above
    found = replace(above, names=names, cut=above.cut or _cut(styles))
    visibility = styles.get("visibility", "")
    if visibility in ("hidden", "collapse", "visible", "initial"):
        found = replace(found, visible=visibility in ("visible", "initial"))
    found = replace(found, size=_size(styles, above.size), opacity=found.opacity * _opacity(styles))
    found = replace(found, ground=_ground(styles, above))
    if "text-shadow" in styles:
        found = replace(found, shadow=styles["text-shadow"] not in ("none", "initial"))
    given = styles.get("-webkit-text-fill-color") or styles.get("color", "")
    if node.tag in ("text", "tspan"):
        given = styles.get("fill", given)
    text = colour(given) if given and given != "currentcolor" else None
    if text is None and given and given not in ("currentcolor", "inherit", "unset", "revert"):
        return replace(found, ground=None)  # of a kind that is not known: seen
    return replace(found, colour=text) if text else found


def _cascade(
    node: Node, sheet: Sheet, names: Mapping[str, str] | None
) -> tuple[dict[str, str], Mapping[str, str] | None]:
    rules = sheet.rules(node)
    inline = declared(node.attributes["style"]) if node.attributes.get("style") else ()
    given = _presented(node)
    for important in (False, True):
        for rule in rules:
            _set(given, rule.declarations, important=important)
        _set(given, inline, important=important)
    own = {name: value for name, value in given.items() if name.startswith("--")}
    if own:
        names = dict(islice({**(names or {}), **own}.items(), _NAMES))
    return {
        name: _resolved(value, names) for name, value in given.items() if not name.startswith("--")
    }, names


def _set(given: dict[str, str], declarations: Sequence[tuple[str, str, bool]], *, important: bool) -> None:
    for name, value, marked in declarations:
        if marked is important:
            if name in ("background", "font", "all"):
                for part in (
                    ("background-color", "background-image") if name == "background" else ("font-size",)
                ):
                    given.pop(part, None)
            given[name] = value


def _presented(node: Node) -> dict[str, str]:
    """Attributes that are styles."""
    given: dict[str, str] = {}
    attributes = node.attributes
    if "hidden" in attributes or (node.tag == "dialog" and "open" not in attributes):
        given["display"] = "none"
    for attribute, name in (("bgcolor", "background-color"), ("background", "background-image")):
        if attributes.get(attribute):
            given[name] = attributes[attribute].lower()
    if node.tag == "body" and attributes.get("text"):
        given["color"] = attributes["text"]
    if node.tag == "font":
        if attributes.get("color"):
            given["color"] = attributes["color"]
        if attributes.get("size") == "0":
            given["font-size"] = "0"
    for name in ("fill", "opacity", "display", "visibility", "font-size"):
        if node.tag in ("svg", "g", "text", "tspan") and attributes.get(name):
            given[name] = attributes[name].lower()
    return given


def _resolved(value: str, names: Mapping[str, str] | None) -> str:
    for _ in range(5):
        if "var(" not in value or len(value) > 2000:
            break
        value = _VAR.sub(lambda found: ((names or {}).get(found[1]) or found[2] or "").strip()[:400], value)
    return value


def _length(text: str) -> float | None:
    """In pixels, about."""
    found = _LENGTH.search(text)
    return float(found[1]) * _UNITS[found[2] or ""] if found else None


def _size(styles: Mapping[str, str], above: float) -> float:
    given = styles.get("font-size", "")
    if not given and "font" in styles:
        found = _FONT_SIZE.search(styles["font"])
        given = found[1] if found else ("0" if re.search(r"(?:^|\s)0(?:\s|/|$)", styles["font"]) else "")
    size = _SIZES.get(given)
    found = _LENGTH.match(given)
    if size is None and found:
        unit = found[2] or ""
        part = {"em": above, "%": above / 100}.get(unit)
        size = float(found[1]) * (part if part is not None else _UNITS[unit])
    size = above if size is None else size
    zoom = _length(styles.get("zoom", "")) if "zoom" in styles else None
    if zoom is not None:
        size *= zoom / (1280 if styles["zoom"].endswith("%") else 1)
    spacing = _length(styles.get("letter-spacing", ""))
    if spacing is not None and styles["letter-spacing"].endswith("em"):
        spacing = spacing / 16 * size
    return 0.0 if spacing is not None and size and spacing < -0.4 * size else size


def _opacity(styles: Mapping[str, str]) -> float:
    whole = 1.0
    for text in (
        styles.get("opacity", ""),
        *(inner for name, inner in _CALL.findall(styles.get("filter", "")) if name == "opacity"),
    ):
        found = re.match(r"(\d{0,9}\.?\d{0,9})(%?)$", text.strip())
        if found and found[1] not in ("", "."):
            whole *= min(1.0, float(found[1]) / (100 if found[2] else 1))
    return whole


def _ground(styles: Mapping[str, str], above: Sight) -> Colour | None:
    ground = above.ground
    for name in ("background", "background-color"):
        for word in _words(styles.get(name, "")):
            painted = colour(word)
            if painted is not None and ground is not None:
                ground = over(painted, ground)
            elif painted is not None and painted[3] > 0.9:
                ground = painted
    picture = styles.get("background-image", styles.get("background", ""))
    if picture not in ("", "none") and (
        "url(" in picture or "gradient(" in picture or "background-image" in styles
    ):
        return None
    return ground


def _words(value: str) -> list[str]:
    """At blanks that are not in brackets."""
    found, depth = [""], 0
    for letter in value[:500]:
        depth += (letter == "(") - (letter == ")")
        if letter == " " and depth <= 0:
            found.append("")
        else:
            found[-1] += letter
    return found


def _cut(styles: Mapping[str, str]) -> str:
    if styles.get("display") == "none" or styles.get("content-visibility") == "hidden":
        return "invisible"
    if _moved(styles):
        return "off-page"
    return "clipped" if _boxed(styles) or _clipped(styles) or _flat(styles) else ""


def _moved(styles: Mapping[str, str]) -> bool:
    def far(name: str, least: float = -_FAR, most: float = 8 * _FAR) -> bool:
        length = _length(styles.get(name, ""))
        return length is not None and not least < length < most

    if styles.get("position", "static") != "static" and any(
        far(side) for side in ("left", "top", "right", "bottom")
    ):
        return True
    shifts = [inner for name, inner in _calls(styles) if name.startswith("translate")]
    shifts.append(styles.get("translate", ""))
    for shift in shifts:
        lengths = [_length(part) for part in shift.replace(",", " ").split() if not part.endswith("%")]
        if any(length is not None and abs(length) >= _FAR for length in lengths):
            return True
    return far("text-indent") or far("margin-left", most=1e9) or far("margin-top", most=1e9)


def _calls(styles: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, inner) for name, inner in _CALL.findall(styles.get("transform", "")[:2000])]


def _boxed(styles: Mapping[str, str]) -> bool:
    """In a box in which there is no room for a letter, and out of which nothing shows."""
    if not any(
        "visible" not in styles.get(name, "visible") for name in ("overflow", "overflow-x", "overflow-y")
    ):
        return False
    for name in ("height", "max-height", "width", "max-width", "block-size", "inline-size"):
        size = _length(styles.get(name, ""))
        if size is not None and size <= _TINY:
            return True
    line = _LENGTH.match(styles.get("line-height", ""))
    return line is not None and float(line[1]) <= 0.1 and "height" in styles


def _clipped(styles: Mapping[str, str]) -> bool:
    if styles.get("clip", "").startswith("rect(") and styles.get("position") in ("absolute", "fixed"):
        sides = [_length(one) or 0.0 for one in re.split(r"[,\s]+", styles["clip"][5:].rstrip(") "))][:4]
        if len(sides) == 4 and "auto" not in styles["clip"]:
            return max(0.0, sides[1] - sides[3]) * max(0.0, sides[2] - sides[0]) <= _SPECK
    return any(_shaped(shape, inner.strip()) for shape, inner in _CALL.findall(styles.get("clip-path", "")))


def _shaped(shape: str, inner: str) -> bool:
    """Whether a basic shape has no room in it."""
    sizes = [_length(one) or 0.0 for one in re.split(r"[,\s]+", inner)][:64]
    if shape == "inset":
        shares = [float(number) if unit == "%" else 0.0 for number, unit in _LENGTH.findall(inner)][:4]
        top, right, bottom, left = {
            1: shares * 4, 2: shares * 2, 3: [*shares, *shares[1:2]], 4: shares,
        }.get(len(shares), [0.0] * 4)  # fmt: skip
        return top + bottom >= 100 or left + right >= 100
    if shape in ("circle", "ellipse"):
        return inner[:1].isdigit() and min(sizes[:1] if shape == "circle" else sizes[:2]) <= 1
    return shape == "polygon" and _area(sizes) <= _SPECK


def _area(points: Sequence[float]) -> float:
    """Shoelace formula."""
    across, up = points[::2], points[1::2]
    ring = list(zip(across, up, strict=False))
    return abs(sum(a * d - c * b for (a, b), (c, d) in zip(ring, ring[1:] + ring[:1], strict=True))) / 2


def _flat(styles: Mapping[str, str]) -> bool:
    """Scaled to nothing, or turned on its edge."""
    for name, inner in [*_calls(styles), ("scale", styles.get("scale", ""))]:
        numbers = [float(one[0]) / (100 if one[1] == "%" else 1) for one in _LENGTH.findall(inner)]
        if name.startswith("scale") and numbers and min(abs(one) for one in numbers[:2]) < 0.1:
            return True
        if name in ("rotatex", "rotatey") and inner.strip().startswith(
            ("90deg", "270deg", "-90deg", ".25turn")
        ):
            return True
        if (
            name == "matrix"
            and len(numbers) >= 4
            and abs(numbers[0] * numbers[3] - numbers[1] * numbers[2]) < 0.01
        ):
            return True
    return False

"""PresentationML: slides that are not shown, shapes beside the slide, white or tiny type."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from .flow import Flow, nearly_white, walk
from .markup import attribute, local
from .reading import Job

_TINY = 200
"""Hundredths of a point."""


def read_slide(root: Element, where: str, roots: Mapping[str, Element], job: Job) -> None:
    flow = Flow()
    width, height = _size(roots.get("ppt/presentation.xml"))
    dark = _dark(root) or any(_dark(other) for name, other in roots.items() if "/slidemaster" in name)

    def judge(node: Element) -> str:
        name = local(node)
        if name == "sp":
            return _beside(node, width, height) or _undisplayed(node)
        if name == "r":
            properties = next((child for child in node if local(child) == "rPr"), None)
            return _why(properties, dark or _filled) if properties is not None else ""
        return ""

    _filled = any(
        local(node) == "spPr" and any(local(fill).endswith("Fill") for fill in node) for node in root.iter()
    )
    hidden = "slide" if root.get("show") in ("0", "false") else ""
    walk(root, flow, judge, carriers={"t"}, lines={"p", "br"}, hidden=hidden)
    flow.tell(job, where)


def _size(presentation: Element | None) -> tuple[int, int]:
    for node in presentation.iter() if presentation is not None else ():
        if local(node) == "sldSz":
            return _whole(node.get("cx")) or 1 << 40, _whole(node.get("cy")) or 1 << 40
    return 1 << 40, 1 << 40


def _whole(written: str | None) -> int:
    text = (written or "").strip()
    return int(text) if text.removeprefix("-").isdigit() and len(text) < 16 else 0


def _beside(shape: Element, width: int, height: int) -> str:
    for transform in shape.iter():
        if local(transform) == "xfrm":
            given = {local(child): child for child in transform}
            if "off" in given and "ext" in given:
                x, y = _whole(given["off"].get("x")), _whole(given["off"].get("y"))
                right, bottom = x + _whole(given["ext"].get("cx")), y + _whole(given["ext"].get("cy"))
                return "off-page" if x >= width or y >= height or right <= 0 or bottom <= 0 else ""
    return ""


def _undisplayed(shape: Element) -> str:
    named = any(local(node) == "cNvPr" and node.get("hidden") in ("1", "true") for node in shape.iter())
    return "invisible" if named else ""


def _why(properties: Element, coloured: bool) -> str:
    size = _whole(properties.get("sz"))
    if 0 < size <= _TINY:
        return "tiny"
    for fill in properties:
        if local(fill) == "noFill":
            return "invisible"
        if local(fill) == "solidFill":
            for colour in fill:
                alpha = next(
                    (_whole(attribute(node, "val")) for node in colour if local(node) == "alpha"), 100_000
                )
                if alpha < 10_000:
                    return "invisible"
                if not coloured and nearly_white(attribute(colour, "val")):
                    return "white"
    return ""


def _dark(root: Element) -> bool:
    """Whether the slide or its master has a ground of its own that is not white: white type is then seen."""
    for node in root.iter():
        if local(node) == "bg":
            return not any(
                attribute(colour, "val") in ("bg1", "lt1") or nearly_white(attribute(colour, "val"))
                for colour in node.iter()
                if local(colour) in ("schemeClr", "srgbClr")
            )
    return False

"""Text of a document's XML in reading order, sorted by why a reader of the document does not see it."""

from collections.abc import Callable, Container
from xml.etree.ElementTree import Element

from .markup import local
from .reading import Job

Judge = Callable[[Element], str]
"""Why what is inside this element is not seen; empty when it is, or as what is around it."""


class Flow:
    def __init__(self) -> None:
        self._pieces: dict[str, list[str]] = {}

    def add(self, text: str, hidden: str = "") -> None:
        self._pieces.setdefault(hidden, []).append(text)

    def line(self) -> None:
        for pieces in self._pieces.values():
            if pieces and pieces[-1] != "\n":
                pieces.append("\n")

    def tell(self, job: Job, place: str) -> None:
        """Everything gathered, one section for each reason."""
        for hidden, pieces in sorted(self._pieces.items()):
            job.say(place, "".join(pieces), hidden)


def walk(
    root: Element,
    flow: Flow,
    judge: Judge,
    *,
    carriers: Container[str],
    lines: Container[str],
    cells: Container[str] = (),
    hidden: str = "",
) -> None:
    """Into ``flow`` the texts of the elements named in ``carriers`` (with the tails of what is inside them),
    a line's end after those in ``lines``, a tab after those in ``cells``. Never recursive: documents nest as
    deep as their sender likes."""
    waiting: list[tuple[Element | None, str, str, bool]] = [(root, "", hidden, False)]
    while waiting:
        node, after, why, carried = waiting.pop()
        if node is None:
            if after == "\n":
                flow.line()
            else:
                flow.add(after, why)
            continue
        name = local(node)
        inner = why or judge(node)
        carries = carried or name in carriers
        if carries and node.text:
            flow.add(node.text, inner)
        if name in lines:
            waiting.append((None, "\n", inner, False))
        elif name in cells:
            waiting.append((None, "\t", inner, False))
        for child in reversed(node):
            if carries and child.tail:
                waiting.append((None, child.tail, inner, False))
            waiting.append((child, "", inner, carries))


def nearly_white(colour: str) -> bool:
    """``FFFFFF``, ``#fefefe``, ``FFFFFFFF`` (with transparency in front)."""
    digits = colour.strip().lstrip("#")[-6:]
    try:
        return len(digits) == 6 and all(int(digits[at : at + 2], 16) >= 0xF0 for at in (0, 2, 4))
    except ValueError:
        return colour.strip().lower() == "white"

"""WordprocessingML: runs that are hidden, white, tiny, struck out by a tracked change."""

from collections.abc import Set
from xml.etree.ElementTree import Element

from .flow import Flow, nearly_white, walk
from .markup import attribute, local
from .reading import Job

_TINY = 4
"""Half points."""
_OFF = ("0", "false", "off")


def read_word(root: Element, where: str, styles: Set[str], job: Job, hidden: str = "") -> str:
    """Texts of one part; the instructions of its fields, which are no text, come back."""
    flow = Flow()

    def judge(node: Element) -> str:
        name = local(node)
        if name in ("del", "moveFrom"):
            return "deleted"
        if name == "instrText":
            return "field"
        if name in ("r", "p"):
            properties = _child(node, "rPr" if name == "r" else "pPr")
            return _why(properties, styles) if properties is not None else ""
        return ""

    walk(
        root,
        flow,
        judge,
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


def hidden_styles(root: Element | None) -> frozenset[str]:
    """Ids of the styles that hide what is set in them, those based on them included."""
    if root is None:
        return frozenset()
    hiding: set[str] = set()
    based: dict[str, str] = {}
    for style in root:
        if local(style) != "style":
            continue
        name = attribute(style, "styleId")
        properties, base = _child(style, "rPr"), _child(style, "basedOn")
        if properties is not None and _why(properties, frozenset()):
            hiding.add(name)
        if base is not None:
            based[name] = attribute(base, "val")
    for _ in range(10):
        hiding |= {name for name, base in based.items() if base in hiding}
    return frozenset(hiding)


def _child(node: Element, name: str) -> Element | None:
    return next((child for child in node if local(child) == name), None)


def _why(properties: Element, styles: Set[str]) -> str:
    given = {local(child): attribute(child, "val") for child in properties}
    if any(name in given and given[name] not in _OFF for name in ("vanish", "specVanish", "webHidden")):
        return "invisible"
    if given.get("rStyle") in styles or given.get("pStyle") in styles:
        return "invisible"
    if nearly_white(given.get("color", "")) and not ({"shd", "highlight"} & given.keys()):
        return "white"
    size = given.get("sz", "")
    return "tiny" if size.isdigit() and int(size[:6]) <= _TINY else ""

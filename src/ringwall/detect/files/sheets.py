"""SpreadsheetML: cells of sheets, rows and columns that are not shown, comments, formulas."""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from .flow import Flow, nearly_white
from .markup import attribute, local, texts
from .reading import Job, place

_COLUMN = re.compile(r"([A-Z]{1,3})\d")
_REACHING = re.compile(
    r"\b(?:WEBSERVICE|HYPERLINK|IMAGE|RTD|CALL|REGISTER\.ID|EXEC|FILTERXML)\s{0,9}\(|\|'?!?"
)
_SHOWN = "visible"


class Workbook:
    def __init__(self, roots: Mapping[str, Element], job: Job) -> None:
        self._roots = roots
        self._job = job
        self._strings = self._shared()
        self._unseen = self._unseen_styles()

    def read(self) -> None:
        targets = {
            attribute(node, "Id"): attribute(node, "Target").lower().removeprefix("/xl/").lstrip("/")
            for node in self._roots.get("xl/_rels/workbook.xml.rels", ())
        }
        named: dict[str, tuple[str, str]] = {}
        workbook = self._roots.get("xl/workbook.xml")
        for node in workbook.iter() if workbook is not None else ():
            if local(node) == "sheet":
                target = targets.get(attribute(node, "id"), "")
                named["xl/" + target] = (attribute(node, "name"), node.get("state", _SHOWN))
            elif local(node) == "definedName":
                self._job.say("names", f"{node.get('name', '')} {node.text or ''}", metadata=True)
        for path, root in self._roots.items():
            if path.startswith("xl/worksheets/") and path.endswith(".xml"):
                title, state = named.get(path, (path.rpartition("/")[2], "unlisted"))
                self._sheet(root, title, "" if state == _SHOWN else "sheet")
            elif path.startswith(("xl/comments", "xl/threadedcomments")):
                self._job.say("comments", "\n".join(texts(root)))
            elif path.startswith("xl/externallinks/") or path == "xl/connections.xml":
                self._job.mark("external-link", place(path.rpartition("/")[2]))

    def _shared(self) -> list[str]:
        root = self._roots.get("xl/sharedstrings.xml")
        return ["".join(item.itertext()) for item in root] if root is not None else []

    def _unseen_styles(self) -> dict[int, str]:
        """Index of a cell format -> why its content is not seen."""
        root = self._roots.get("xl/styles.xml")
        parts = {local(node): list(node) for node in root} if root is not None else {}
        blank = {
            attribute(node, "numFmtId")
            for node in parts.get("numFmts", ())
            if attribute(node, "formatCode").replace(" ", "").startswith(";;;")
        }
        white = {
            str(index)
            for index, font in enumerate(parts.get("fonts", ()))
            if any(local(node) == "color" and nearly_white(attribute(node, "rgb")) for node in font)
        }
        found: dict[int, str] = {}
        for index, form in enumerate(parts.get("cellXfs", ())):
            if attribute(form, "numFmtId") in blank:
                found[index] = "invisible"
            elif attribute(form, "fontId") in white and attribute(form, "fillId") in ("", "0", "1"):
                found[index] = "white"
        return found

    def _sheet(self, root: Element, title: str, hidden: str) -> None:
        flow = Flow()
        columns: list[tuple[int, int]] = []
        formulas: list[str] = []
        for node in root.iter():
            name = local(node)
            if name == "col" and node.get("hidden") in ("1", "true"):
                columns.append((_whole(node.get("min")), _whole(node.get("max"))))
            elif name == "row":
                row = "row" if node.get("hidden") in ("1", "true") else ""
                for cell in node:
                    why = (
                        hidden or row or self._unseen.get(_whole(cell.get("s")), "") or _column(cell, columns)
                    )
                    flow.add(self._value(cell) + "\t", why)
                    formulas += [item.text or "" for item in cell if local(item) == "f"]
                flow.line()
            elif name in ("oddHeader", "oddFooter", "firstHeader", "firstFooter", "evenHeader", "evenFooter"):
                flow.add(node.text or "", hidden)
                flow.line()
        where = f"sheet={place(title)}"
        self._job.say("sheet names", title, metadata=True)
        flow.tell(self._job, where)
        self._job.say(f"{where} formulas", "\n".join(filter(None, formulas)), metadata=True)
        if any(_REACHING.search(formula[:8192]) for formula in formulas):
            self._job.mark("active-content", "formula")

    def _value(self, cell: Element) -> str:
        kind = cell.get("t", "")
        if kind == "inlineStr":
            return "".join(cell.itertext())
        value = next((item.text or "" for item in cell if local(item) == "v"), "")
        if kind == "s":
            index = _whole(value)
            return self._strings[index] if index < len(self._strings) else ""
        return value


def _column(cell: Element, columns: list[tuple[int, int]]) -> str:
    if not columns:
        return ""
    found = _COLUMN.match(cell.get("r", ""))
    number = 0
    for letter in found[1] if found else "":
        number = number * 26 + ord(letter) - 64
    return "column" if any(first <= number <= last for first, last in columns[:1000]) else ""


def _whole(written: str | None) -> int:
    text = (written or "").strip()
    return int(text) if text.isdigit() and len(text) < 10 else 0

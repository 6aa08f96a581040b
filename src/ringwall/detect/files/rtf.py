"""Rich Text Format 1.9: shown and hidden text, fields, properties. One pass, without recursion."""

import re
from dataclasses import dataclass, replace

from .flow import Flow, nearly_white
from .reading import Job, Refused

_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}]+)", re.DOTALL)
_SILENT = frozenset({
    "fonttbl", "stylesheet", "listtable", "listoverridetable", "rsidtbl", "pict", "themedata", "objdata",
    "colorschememapping", "latentstyles", "datastore", "xmlnstbl", "generator", "filetbl",
})  # fmt: skip
_INTO = {**dict.fromkeys(_SILENT, ""), "colortbl": "colours", "info": "info", "fldinst": "field"}
"""Where the text after such a word belongs."""
_LINES = {"par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": "\t"}
_SIGNS = {
    "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c",
    "rdblquote": "\u201d", "bullet": "\u2022",
}  # fmt: skip
_DYNAMIC = re.compile(r"\b(?:DDEAUTO|DDE|INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK)\b")
_DEPTH = 5000
_TINY = 4


@dataclass(frozen=True, slots=True)
class _State:
    into: str = "text"
    """``text``, ``info``, ``field``, ``colours``, or empty for what is no text."""
    hidden: bool = False
    deleted: bool = False
    size: int = 24
    colour: int = 0
    skip: int = 1
    """Characters after ``\\u`` that stand for it in old readers."""


class _Rtf:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.flow = Flow()
        self.state = _State()
        self.above: list[_State] = []
        self.other: dict[str, list[str]] = {"info": [], "field": [], "aside": []}
        self.colours: list[str] = []
        self.rgb = {"red": 0, "green": 0, "blue": 0}
        self.pending = 0
        self.ignorable = False

    def put(self, text: str) -> None:
        if self.pending and text:
            taken = min(self.pending, len(text))
            self.pending -= taken
            text = text[taken:]
        state = self.state
        if state.into == "text":
            self.flow.add(text, self._why())
        elif state.into == "colours":
            for _ in range(text.count(";")):
                if len(self.colours) < 1000:
                    self.colours.append("{red:02X}{green:02X}{blue:02X}".format(**self.rgb))
        elif state.into:
            self.other[state.into].append(text)

    def _why(self) -> str:
        state = self.state
        if state.hidden:
            return "invisible"
        if state.deleted:
            return "deleted"
        if state.size <= _TINY:
            return "tiny"
        # Entry 0 of the table is the automatic colour.
        white = 0 < state.colour < len(self.colours) and nearly_white(self.colours[state.colour])
        return "white" if white else ""

    def word(self, name: str, number: int | None) -> None:
        if name in _INTO:
            self.state = replace(self.state, into=_INTO[name])
        elif self.ignorable and self.state.into == "text":
            self.state = replace(self.state, into="aside")
        self.ignorable = False
        if name in ("object", "objemb", "objlink", "objocx"):
            self.job.mark("embedded-object")
        elif name in self.rgb:
            self.rgb[name] = min(255, max(0, number or 0))
        elif name == "u" and number is not None:
            self.pending = 0
            self.put(chr(number % 65_536))
            self.pending = self.state.skip
        elif name in _LINES or name in _SIGNS:
            self.put(_LINES.get(name) or _SIGNS[name])
        else:
            self.state = _formatted(self.state, name, number)

    def symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.ignorable = True
        else:
            self.put(
                {b"~": "\u00a0", b"_": "-", b"\n": "\n", b"\r": "\n"}.get(symbol, symbol.decode("latin-1"))
            )

    def open(self) -> None:
        if len(self.above) >= _DEPTH:
            raise Refused("limit")
        self.above.append(self.state)

    def close(self) -> bool:
        """Whether this ends the document."""
        if self.above:
            self.state, self.ignorable = self.above.pop(), False
        return not self.above


def _formatted(state: _State, name: str, number: int | None) -> _State:
    match name:
        case "v":
            return replace(state, hidden=number != 0)
        case "deleted":
            return replace(state, deleted=number != 0)
        case "plain":
            return replace(state, hidden=False, deleted=False, size=24, colour=0)
        case "fs" if number is not None:
            return replace(state, size=number)
        case "cf" if number is not None:
            return replace(state, colour=number)
        case "uc" if number is not None:
            return replace(state, skip=max(0, min(number, 32)))
        case _:
            return state


def read_rtf(data: bytes, job: Job) -> None:
    reader, at = _Rtf(job), 0
    while at < len(data):
        found = _TOKEN.match(data, at)
        at = found.end() if found else at + 1
        if found is None:
            continue
        word, number, code, symbol, brace, text = found.groups()
        if word == b"bin":
            at += min(max(0, int(number or 0)), len(data) - at)
        elif word:
            reader.word(word.decode(), int(number) if number else None)
        elif brace == b"{":
            reader.open()
        elif brace == b"}":
            if reader.close():
                break
        elif symbol:
            reader.symbol(symbol)
        else:
            raw = bytes([int(code, 16)]) if code else text.replace(b"\r", b"").replace(b"\n", b"")
            reader.put(raw.decode("cp1252", "replace"))
    if data[at:].strip(b"\x00 \r\n\t"):
        job.mark("trailing-data")
    _tell(reader, job)


def _tell(reader: _Rtf, job: Job) -> None:
    reader.flow.tell(job, "text")
    fields = "".join(reader.other["field"])
    if _DYNAMIC.search(fields):
        job.mark("active-content" if "DDE" in fields else "external-link", "field")
    job.say("properties", "".join(reader.other["info"]), metadata=True)
    job.say("fields", fields, metadata=True)
    job.say("other", "".join(reader.other["aside"]), metadata=True)

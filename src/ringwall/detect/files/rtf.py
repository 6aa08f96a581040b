"""Rich Text Format 1.9: shown and hidden text, fields, properties. One pass, without recursion."""

import re
from dataclasses import dataclass, replace

from .flow import Flow, nearly_white
from .reading import Job, Refused

_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}]+)", re.DOTALL)
_SILENT = frozenset({"fonttbl", "stylesheet", "listtable", "listoverridetable", "rsidtbl", "pict", "themedata",
                     "colorschememapping", "latentstyles", "datastore", "xmlnstbl", "generator", "filetbl"})  # fmt: skip
_LINES = {"par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": "\t"}
_SIGNS = {"emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c",
          "rdblquote": "\u201d", "bullet": "\u2022"}  # fmt: skip
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
        self.colours = [""]
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
        on = number != 0
        into = self.state.into
        if name in _SILENT or name == "objdata":
            into = ""
        elif name == "colortbl":
            into = "colours"
        elif name == "info":
            into = "info"
        elif name == "fldinst":
            into = "field"
        elif self.ignorable and into == "text":
            into = "aside"
        if name in ("object", "objemb", "objlink", "objocx"):
            self.job.mark("embedded-object")
        if name in ("red", "green", "blue"):
            self.rgb[name] = min(255, max(0, number or 0))
        self.ignorable = False
        self.state = replace(
            self.state,
            into=into,
            hidden=on if name == "v" else self.state.hidden,
            deleted=on if name == "deleted" else self.state.deleted,
            size=number if name == "fs" and number is not None else self.state.size,
            colour=number if name == "cf" and number is not None else self.state.colour,
            skip=max(0, min(number, 32)) if name == "uc" and number is not None else self.state.skip,
        )
        if name == "plain":
            self.state = replace(self.state, hidden=False, deleted=False, size=24, colour=0)
        if name in _LINES:
            self.put(_LINES[name])
        elif name in _SIGNS:
            self.put(_SIGNS[name])
        elif name == "u" and number is not None:
            self.pending = 0
            self.put(chr(number % 65_536))
            self.pending = self.state.skip


def read_rtf(data: bytes, job: Job) -> None:
    reader, at = _Rtf(job), 0
    while at < len(data):
        found = _TOKEN.match(data, at)
        if found is None:
            at += 1
            continue
        at = found.end()
        word, number, code, symbol, brace, text = found.groups()
        if word:
            count = int(number) if number else None
            if word == b"bin":
                at += min(max(0, count or 0), len(data) - at)
            else:
                reader.word(word.decode(), count)
        elif code:
            reader.put(bytes([int(code, 16)]).decode("cp1252", "replace"))
        elif symbol == b"*":
            reader.ignorable = True
        elif symbol:
            reader.put(
                {b"~": "\u00a0", b"_": "-", b"\n": "\n", b"\r": "\n"}.get(symbol, symbol.decode("latin-1"))
            )
        elif brace == b"{":
            if len(reader.above) >= _DEPTH:
                raise Refused("limit")
            reader.above.append(reader.state)
        elif brace == b"}":
            if not reader.above:
                break
            reader.state, reader.ignorable = reader.above.pop(), False
            if not reader.above:
                break
        elif text:
            reader.put(text.decode("cp1252", "replace").replace("\r", "").replace("\n", ""))
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

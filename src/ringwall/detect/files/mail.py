"""Mail messages (RFC 5322, MIME): headers, bodies, attachments.

Of alternatives (RFC 2046, 5.1.4) a mail program shows the last one that it can: what another one says beyond
that is not seen.
"""

import email
import email.policy
import re
from collections.abc import Container
from email.message import EmailMessage
from typing import Any

from .office import ReadInner
from .plain import read_page
from .reading import Job, Refused

_TOLD = ("from", "to", "cc", "subject", "date")
_PARTS = 500
_WORD = re.compile(r"\w+")
_SHOWN = ("text/html", "text/plain")
_UNSEEN = "alternative"
_NESTED = 50
_READ = 100_000
"""Bytes of headers that are taken apart: the standard library is slow at it, and slower the longer one is."""
_ROUNDS = 20_000_000
"""Lines times boundaries: each line is held against all that are open."""
_KINDS = re.compile(rb"(?:^|\r)content-type:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary\s{0,20}\*?0?\*?=", re.IGNORECASE)
_PART = ("content-type", "content-disposition", "content-description", "subject")


def read_mail(data: bytes, job: Job, inner: ReadInner) -> None:
    """The usual headers are content; all others are metadata."""
    if sum(len(one.group()) for one in _KINDS.finditer(data)) > _READ:
        raise Refused("limit")
    if len(_BOUNDARY.findall(data)) * data.count(b"\n") > _ROUNDS:
        raise Refused("limit")
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        if _length(message, None) + sum(_length(part, _PART) for part in message.walk()) > _READ:
            raise Refused("limit")
        _headers(message, job)
        _Mail(job, inner).read(message)
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - the parser of the standard library raises all sorts over hostile mail
        raise Refused("damaged") from None


def _length(part: EmailMessage, names: Container[str] | None) -> int:
    """Characters of the headers of these names, or of all."""
    return sum(len(value) for name, value in part.raw_items() if names is None or name.lower() in names)


def _headers(message: EmailMessage, job: Job) -> None:
    shown = [f"{name}: {value}" for name, value in message.items() if name.lower() in _TOLD]
    others = [f"{name}: {value}" for name, value in message.items() if name.lower() not in _TOLD]
    job.say("headers", "\n".join(shown))
    job.say("other headers", "\n".join(others), metadata=True)


class _Mail:
    def __init__(self, job: Job, inner: ReadInner) -> None:
        self._job = job
        self._inner = inner
        self._parts = 0

    def read(self, part: EmailMessage, depth: int = 0) -> None:
        self._parts += 1
        if self._parts > _PARTS or depth > _NESTED:
            raise Refused("limit")
        if depth:
            self._notes(part)
        if not part.is_multipart():
            self._body(part)
            return
        for beside in (part.preamble, part.epilogue):
            self._job.say("beside the parts", str(beside or ""), metadata=True)
        parts: Any = (
            list(part.iter_parts()) if part.get_content_maintype() == "multipart" else part.get_payload()
        )
        if part.get_content_subtype() == "alternative" and parts:
            self._alternatives(parts, depth)
        else:
            for one in parts:
                self.read(one, depth + 1)

    def _notes(self, part: EmailMessage) -> None:
        """What a part says of itself."""
        named = [
            part.get_filename() or "",
            *(str(part.get(name, "")) for name in ("content-description", "subject")),
        ]
        self._job.say("names", "\n".join(filter(None, named)), metadata=True)

    def _alternatives(self, parts: list[EmailMessage], depth: int) -> None:
        """The one that is shown first; then what others say that it does not."""
        job = self._job
        last = max((at for at, one in enumerate(parts) if _displayed(one)), default=len(parts) - 1)
        before = len(job.sections)
        self.read(parts[last], depth + 1)
        shown = {word for one in job.sections[before:] if not one.hidden for word in _words(one.text)}
        for one in (*parts[:last], *parts[last + 1 :]):
            before, aside, job.aside = len(job.sections), job.aside, job.aside or _UNSEEN
            self.read(one, depth + 1)
            job.aside = aside
            said = job.sections[before:]
            if all(other.hidden == _UNSEEN and set(_words(other.text)) <= shown for other in said):
                del job.sections[before:]

    def _body(self, part: EmailMessage) -> None:
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        self._job.inflate(len(data))
        attached = part.get_content_disposition() == "attachment" or part.get_filename()
        if attached or part.get_content_maintype() != "text":
            self._inner(part.get_filename() or "attachment", data)
            return
        text = data.decode(_charset(part), "replace")
        if part.get_content_subtype() == "html":
            read_page(text.encode("utf-8", "replace"), self._job)
        else:
            self._job.say("body", text)


def _displayed(part: EmailMessage) -> bool:
    """Whether a mail program shows it: text, or something that holds such text."""
    return any(one.get_content_type() in _SHOWN for one in part.walk())


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _charset(part: EmailMessage) -> str:
    name = part.get_content_charset("utf-8")
    try:
        "".encode(name)
    except (LookupError, ValueError):
        return "utf-8"
    return name

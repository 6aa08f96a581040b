"""Mail messages (RFC 5322, MIME): headers, bodies, attachments."""

import email
import email.policy
from email.message import EmailMessage

from .office import ReadInner
from .plain import read_page
from .reading import Job, Refused

_TOLD = ("from", "to", "cc", "subject", "date")
_PARTS = 500


def read_mail(data: bytes, job: Job, inner: ReadInner) -> None:
    """The usual headers are content; all others are metadata."""
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        _headers(message, job)
        for count, part in enumerate(message.walk()):
            if count >= _PARTS:
                raise Refused("limit")
            if not part.is_multipart():
                _body(part, job, inner)
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - the parser of the standard library raises all sorts over hostile mail
        raise Refused("damaged") from None


def _headers(message: EmailMessage, job: Job) -> None:
    shown = [f"{name}: {value}" for name, value in message.items() if name.lower() in _TOLD]
    others = [f"{name}: {value}" for name, value in message.items() if name.lower() not in _TOLD]
    job.say("headers", "\n".join(shown))
    job.say("other headers", "\n".join(others), metadata=True)


def _body(part: EmailMessage, job: Job, inner: ReadInner) -> None:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    job.inflate(len(data))
    attached = part.get_content_disposition() == "attachment" or part.get_filename()
    if attached or part.get_content_maintype() != "text":
        inner(part.get_filename() or "attachment", data)
        return
    text = data.decode(_charset(part), "replace")
    if part.get_content_subtype() == "html":
        read_page(text.encode("utf-8", "replace"), job)
    else:
        job.say("body", text)


def _charset(part: EmailMessage) -> str:
    name = part.get_content_charset("utf-8")
    try:
        "".encode(name)
    except (LookupError, ValueError):
        return "utf-8"
    return name

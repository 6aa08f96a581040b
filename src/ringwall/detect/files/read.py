"""One file, whatever it is, and everything inside it."""

import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from .archive import entries, inflate, open_zip
from .mail import read_mail
from .odf import odf_kind, read_odf
from .office import office_kind, read_office
from .pdf import read_pdf
from .plain import read_page, read_svg, read_text
from .raster import read_picture
from .reading import Job, Limits, Ocr, Reading, Refused, place
from .rtf import read_rtf
from .sniff import PICTURES, mismatch, sniff

_REFUSED = {"program": "program", "archive": "unsupported", "ole": "unsupported", "unknown": "unsupported"}


def read_file(
    data: bytes,
    declared: str = "",
    limits: Limits | None = None,
    ocr: Ocr | None = None,
    accept: frozenset[str] | None = None,
) -> Reading:
    """Everything that the file says. ``declared`` is the media type that the sender gives it: held against
    the content, never believed. ``accept``: kinds that are read at all, ``image`` for all pictures. What
    can't be read is told in ``refused``; nothing is raised for it."""
    job = Job(limits or Limits(), ocr)
    kind, picture, refused = "unknown", (b"", ""), ""
    try:
        if len(data) > job.limits.bytes:
            raise Refused("limit")
        kind, archive = _kind(data, job)
        if (
            accept is not None
            and ("image" if kind in PICTURES else kind) not in accept
            and kind not in _REFUSED
        ):
            raise Refused("type")
        if declared and mismatch(kind, declared):
            job.mark("mismatch")
        picture = _read(data, kind, archive, job)
    except Refused as given:
        refused = given.code
    except (RecursionError, MemoryError):
        refused = "limit"
    return Reading(kind, tuple(job.sections), tuple(sorted(job.marks)), refused, *picture)


def _kind(data: bytes, job: Job) -> tuple[str, zipfile.ZipFile | None]:
    kind = sniff(data)
    if kind != "zip":
        return kind, None
    archive = open_zip(data, job)
    return office_kind(archive, job) or odf_kind(archive, job) or "zip", archive


def _read(data: bytes, kind: str, archive: zipfile.ZipFile | None, job: Job) -> tuple[bytes, str]:
    if kind in _REFUSED:
        raise Refused(_REFUSED[kind])
    if kind in PICTURES:
        return read_picture(data, kind, job)
    if archive is not None:
        _packed(archive, kind, job)
    elif kind == "audio":
        job.mark("unread")
    elif kind == "pdf":
        read_pdf(data, job, lambda name, inner: _inside(job, name, inner))
    elif kind == "eml":
        read_mail(data, job, lambda name, inner: _inside(job, name, inner, packed=True))
    else:
        _SIMPLE[kind](data, job)
    return b"", ""


_SIMPLE: Mapping[str, Callable[[bytes, Job], Any]] = {
    "text": read_text,
    "html": read_page,
    "svg": read_svg,
    "rtf": read_rtf,
}


def _packed(archive: zipfile.ZipFile, kind: str, job: Job) -> None:
    if kind in ("docx", "xlsx", "pptx"):
        read_office(archive, kind, job, lambda name, data: _inside(job, name, data))
    elif kind in ("odt", "ods", "odp"):
        read_odf(archive, job, lambda name, data: _inside(job, name, data))
    else:
        for info in entries(archive):
            job.say("names", info.filename)
            _inside(job, info.filename, inflate(archive, info, job), packed=True)


def _inside(job: Job, name: str, data: bytes, *, packed: bool = False) -> None:
    """A file in the file. One that can't be read is marked; what only exhausts refuses the whole. ``packed``:
    it is there to be unpacked, as in a mail or an archive, and no more hidden than these are."""
    if not data:
        return
    before, aside = job.prefix, job.aside
    if job.depth >= job.limits.depth:
        raise Refused("limit")
    job.prefix, job.depth = f"{before}{place(name)}/", job.depth + 1
    try:
        kind, archive = _kind(data, job)
        if kind == "program":
            job.mark("program")
        elif kind in PICTURES and not job.picture_due():
            job.mark("unread")
        else:
            if kind not in PICTURES:
                job.mark("embedded-file")
                job.aside = aside or ("" if packed else "embedded")
            _read(data, kind, archive, job)
    except Refused as refused:
        if refused.code in ("limit", "entities"):
            raise
        job.mark("unread", refused.code)
    finally:
        job.prefix, job.depth, job.aside = before, job.depth - 1, aside

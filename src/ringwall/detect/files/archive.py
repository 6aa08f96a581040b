"""Zip files: bounded by their directory, and again while they are inflated."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from .reading import Job, Refused

_END = struct.Struct("<4s4H2LH")
_CHUNK = 65_536
_ENCRYPTED = 0x1
_RATIO = 1200
"""Deflate can't do better than 1:1032."""


def open_zip(data: bytes, job: Job) -> zipfile.ZipFile:
    """Raises Refused when the directory names more than the limits, or lies about itself."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if at < 0 or at + _END.size > len(data):
        raise Refused("damaged")
    _, disk, _, _, entries, size, offset, comment = _END.unpack_from(data, at)
    if disk or entries > job.limits.entries or size > 512 * job.limits.entries:
        raise Refused("limit")
    if size + offset != at:
        job.mark("trailing-data")  # something is in front of it, or between
    if at + _END.size + comment < len(data):
        job.mark("trailing-data")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        raise Refused("damaged") from None
    names = [info.filename for info in archive.infolist()]
    if (
        len(names) > job.limits.entries
        or sum(_claimed(info) for info in archive.infolist()) > job.limits.inflated
    ):
        raise Refused("limit")
    if len(set(names)) < len(names):
        job.mark("polyglot")  # which of two files of one name is read depends on the reader
    if archive.comment:
        job.say("comment", archive.comment.decode("utf-8", "replace"), metadata=True)
    return archive


def _claimed(info: zipfile.ZipInfo) -> int:
    if info.flag_bits & _ENCRYPTED:
        raise Refused("encrypted")
    if info.file_size > _RATIO * max(1, info.compress_size):
        raise Refused("limit")
    return info.file_size


def entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    for info in archive.infolist():
        if not info.filename.endswith("/"):
            yield info


def inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, job: Job) -> bytes:
    """The file's bytes. Raises Refused as soon as there are more than the limit, whatever was declared."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("unsupported")
    out = bytearray()
    try:
        with archive.open(info) as stream:
            while piece := stream.read(_CHUNK):
                job.inflate(len(piece))
                out += piece
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Refused("damaged") from None
    return bytes(out)

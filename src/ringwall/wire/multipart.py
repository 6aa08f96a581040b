"""Uploads as ``multipart/form-data``, read piece by piece: nothing of a file is kept here, and every other
field is bounded."""

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import WireError, invalid

_FIELDS = 16
_FIELD_BYTES = 1024
_HEADER_BYTES = 4096
_NAME_CHARS = 255
_PARTS = _FIELDS + 1


@dataclass(slots=True)
class _Part:
    name: str = ""
    is_file: bool = False
    data: bytearray = field(default_factory=bytearray)


class UploadReader:
    """Feed it the body as it comes; ``take`` gets the bytes of the one file, in order."""

    def __init__(self, content_type: str, take: Callable[[bytes], None]) -> None:
        """Raises WireError (400, 415)."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise WireError(415, "Send the file as multipart/form-data.", "unsupported_media_type")
        boundary = options.get(b"boundary", b"")
        if not 0 < len(boundary) <= 70:  # RFC 2046
            raise invalid("The multipart body has no proper boundary.", "body")
        self.fields: dict[str, str] = {}
        self.name: str | None = None
        """The file's own name; None before the file came."""
        self._take = take
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._parts = 0
        self._whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._head(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._head(1, data[start:end]),
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._done,
            },
        )

    def feed(self, data: bytes) -> None:
        """Raises WireError (400)."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise invalid("The multipart body is malformed.", "body") from None

    def finish(self) -> str:
        """The file's name, once all of the body was fed. Raises WireError (400)."""
        if not self._whole:
            raise invalid("The multipart body ends too early.", "body")
        if self.name is None:
            raise invalid("There is no file in it: send one as 'file'.", "file")
        return self.name

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _PARTS:
            raise invalid(f"The body has more than {_FIELDS} fields.", "body")
        self._part = _Part()
        self._disposition = b""

    def _head(self, half: int, data: bytes) -> None:
        self._header[half].extend(data)
        if len(self._header[half]) > _HEADER_BYTES:
            raise invalid(f"A header of a field has more than {_HEADER_BYTES} bytes.", "body")

    def _header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        name.clear()
        value.clear()

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._disposition)
        name = _text(options.get(b"name", b""))
        if kind != b"form-data" or not name or len(name) > 64:
            raise invalid("A field of the body has no proper name.", "body")
        if name in self.fields or (name == "file" and self.name is not None):
            raise invalid(f"The field {name!r} is there twice.", name)
        self._part = _Part(name, is_file=name == "file")
        if self._part.is_file:
            self.name = file_name(_text(options.get(b"filename", b"")))
        elif b"filename" in options:
            raise invalid("One file at a time: send it as 'file'.", name)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self._take(data[start:end])
            return
        self._part.data += data[start:end]
        if len(self._part.data) > _FIELD_BYTES:
            raise invalid(f"A field has more than {_FIELD_BYTES} bytes.", self._part.name)

    def _end(self) -> None:
        if not self._part.is_file:
            self.fields[self._part.name] = _text(bytes(self._part.data))

    def _done(self) -> None:
        self._whole = True


def file_name(given: str) -> str:
    """The last step of a path, printable and not long. Raises WireError (400) when nothing is left."""
    last = given.replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in last if letter.isprintable()).strip()[:_NAME_CHARS]
    if not name.strip("."):
        raise invalid("The file needs a name whose ending says what it is.", "file")
    return name


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("The names and fields of the body must be UTF-8.", "body") from None

"""PDF (ISO 32000-2): the text of each page with its hidden layers, and what else the file says or does."""

import io
import logging
from collections.abc import Iterator
from typing import Any

from ringwall.detect.pages.html import prose

from .office import ReadInner
from .pdf_colours import items, mapping, remembered
from .pdf_layers import Judged, Painting
from .pdf_optional import layers_off
from .pdf_run import SHOWING
from .pdf_shapes import Box, Matrix, to_matrix
from .plain import decode
from .raster import read_picture
from .reading import Job, Refused

_LEAST_PICTURE = 24
"""Pixels: smaller ones hold no text."""
_ACTIONS = {
    "/JavaScript": "active-content",
    "/Launch": "active-content",
    "/ImportData": "active-content",
    "/SubmitForm": "active-content",
    "/Rendition": "active-content",
    "/RichMediaExecute": "active-content",
    "/GoToR": "external-link",
    "/GoToE": "external-link",
}
_TEXT_KEYS = (
    "/Contents", "/T", "/TU", "/V", "/DV", "/RC", "/Title", "/Author", "/Subject", "/Keywords", "/Creator",
    "/Producer", "/Name", "/Alt", "/ActualText", "/E", "/Desc", "/Opt", "/MK", "/URI", "/JS", "/CA",
)  # fmt: skip
_SEEN_KEYS = frozenset({"/Contents", "/V", "/RC", "/Opt"})
"""Of annotations and form fields: a viewer shows them."""
_STRING_LIMIT = 100_000


def read_pdf(data: bytes, job: Job, inner: ReadInner) -> None:
    """Raises Refused: encrypted, too many pages or objects, or not to be parsed."""
    from pypdf import apply_configuration  # noqa: PLC0415 - an extra
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    if data.find(b"%PDF-") > 0:
        job.mark("polyglot")
    end = data.rfind(b"%%EOF")
    if end < 0 or data[end + 5 :].strip(b"\x00 \r\n\t"):
        job.mark("trailing-data")
    try:
        with apply_configuration(**_bounds(job)), remembered():
            _read(data, job, inner)
    except Refused:
        raise
    except PyPdfError as error:
        raise Refused("limit" if "Limit" in type(error).__name__ else "damaged") from None
    except (MemoryError, RecursionError):
        raise Refused("limit") from None
    except Exception:  # noqa: BLE001 - parsers of damaged files raise all sorts; the file is refused either way
        raise Refused("damaged") from None


def _read(data: bytes, job: Job, inner: ReadInner) -> None:
    from pypdf import PdfReader  # noqa: PLC0415 - an extra

    reader = PdfReader(io.BytesIO(data), root_object_recovery_limit=1000)
    if reader.is_encrypted:
        raise Refused("encrypted")
    _Document(reader, job).read(inner)


def _bounds(job: Job) -> dict[str, Any]:
    """No stream unfolds to more than the whole file may, and no other program is started."""
    most = job.limits.inflated // 2
    return {
        "maximum_declared_stream_length": most,
        "array_based_stream_maximum_output_length": most,
        "jbig2_maximum_output_length": most,
        "lzw_maximum_output_length": most,
        "run_length_maximum_output_length": most,
        "zlib_maximum_output_length": most,
        "brotli_maximum_output_length": most,
        "image_maximum_buffer_size": most,
        "stream_decoding_work_maximum_length": job.limits.inflated,
        "stream_parsing_work_maximum_count": 500_000,
        "jbig2dec_binary": None,
    }


class _Document:
    def __init__(self, reader: Any, job: Job) -> None:
        self.reader = reader
        self.job = job
        self.notes: list[str] = []
        """Texts in the appearances of annotations."""
        self.off = layers_off(reader.root_object)

    def read(self, inner: ReadInner) -> None:
        if len(self.reader.pages) > self.job.limits.pages:
            raise Refused("limit")
        actual: list[str] = []
        for number, page in enumerate(self.reader.pages, 1):
            actual += self._page(page, f"page={number}")
        self.job.say("stand-in text", "\n".join(dict.fromkeys(actual)), "stand-in")
        self._objects(inner)

    def _page(self, page: Any, where: str) -> list[str]:
        crop = page.cropbox
        sides = sorted((float(crop.left), float(crop.right))), sorted((float(crop.bottom), float(crop.top)))
        painting = Painting(
            Box(sides[0][0], sides[1][0], sides[0][1], sides[1][1]),
            page.get("/Resources"),
            self.off,
            self.job.operate,
        )
        whole = page.extract_text(
            visitor_operand_before=painting.before, visitor_operand_after=painting.after
        )
        self.job.inflate(len(whole))
        self._appearances(page, painting)
        reasons = painting.reasons()
        if not any(why for one in reasons for why in one.whys):
            self.job.say(where, whole)
        else:
            for why in sorted({why for one in reasons for why in one.whys}):
                self.job.operate(painting.operations)
                self.job.say(where, page.extract_text(visitor_operand_before=_Only(reasons, why)), why)
        return painting.actual

    def _appearances(self, page: Any, painting: Painting) -> None:
        """Of annotations, which lie over the page: what they say, and what they cover."""
        for note in items(page.get("/Annots"))[:1000]:
            form = _appearance(mapping(note))
            if form is None:
                continue
            painting.over(form, _placed(mapping(note), form))
            self.notes.append(page.extract_xform_text(form))

    def _objects(self, inner: ReadInner) -> None:
        """Every object of the file, referred to or not: strings that some reader shows, actions, files."""
        seen = self.notes
        unseen: list[str] = []
        streams: list[tuple[int, Any]] = []
        named: dict[int, str] = {}
        for number, found in self._all():
            for part in _dictionaries(found):
                self._actions(part)
                self._strings(part, seen, unseen)
                _roles(part, named)
            if hasattr(found, "get_data"):
                streams.append((number, found))
        for number, found in streams:
            self._stream(number, found, named.get(number, str(found.get("/Type", ""))), inner)
        self.job.say("annotations", "\n".join(dict.fromkeys(seen)))
        self.job.say("properties", "\n".join(dict.fromkeys(unseen)), metadata=True)

    def _all(self) -> Iterator[tuple[int, Any]]:
        numbers = {number for table in self.reader.xref.values() for number in table} | set(
            self.reader.xref_objStm
        )
        if len(numbers) > 10 * self.job.limits.entries:
            raise Refused("limit")
        for number in sorted(numbers):
            try:
                found = self.reader.get_object(number)
            except RecursionError:
                raise
            except Exception:  # noqa: BLE001 - one damaged object is no reason not to read the others
                self.job.mark("unread", "objects")
                continue
            if found is not None:
                yield number, found
        yield 0, self.reader.trailer

    def _actions(self, part: Any) -> None:
        kind = str(part.get("/S", ""))
        if kind in _ACTIONS:
            self.job.mark(_ACTIONS[kind], kind[1:])
        if "/JS" in part:
            self.job.mark("active-content", "JavaScript")
        if "/XFA" in part:
            self.job.mark("active-content", "XFA")

    def _strings(self, part: Any, seen: list[str], unseen: list[str]) -> None:
        shown = "/Subtype" in part or "/FT" in part
        flags = part.get("/F", 0)
        shown = shown and not (isinstance(flags, int) and flags & 34)
        for key in dict.keys(part):
            value = part.get(key)
            if key == "/Contents" and not isinstance(value, (str, bytes)):
                continue  # of a page: its operations
            into = seen if shown and key in _SEEN_KEYS else unseen
            told = key in _TEXT_KEYS
            into += [text[:_STRING_LIMIT] for text in _texts(value, streams=told) if told or prose(text)]

    def _stream(self, number: int, found: Any, kind: str, inner: ReadInner) -> None:
        sub = str(found.get("/Subtype", ""))
        if sub == "/Image":
            self._picture(number, found)
        elif kind == "/EmbeddedFile":
            inner(f"attachment {number}", self._data(found))
        elif kind == "/Metadata":
            data = self._data(found)
            self.job.say("metadata", decode(data) or data.decode("utf-8", "replace"), metadata=True)
        elif "/BBox" in found and sub == "/Form" and found.get("/Resources") is None:
            self.job.mark("unread", "form")

    def _data(self, found: Any) -> bytes:
        data = found.get_data()
        raw = data if isinstance(data, bytes) else str(data).encode("utf-8", "replace")
        self.job.inflate(len(raw))
        return raw

    def _picture(self, number: int, found: Any) -> None:
        width, height = int(found.get("/Width", 0)), int(found.get("/Height", 0))
        if width * height > self.job.limits.pixels:
            raise Refused("pixels")
        if min(width, height) < _LEAST_PICTURE:
            return
        if not self.job.picture_due():
            self.job.mark("unread", "pictures")
            return
        try:
            image = found.decode_as_image()
            out = io.BytesIO()
            image.save(out, "PNG")
            read_picture(out.getvalue(), "png", self.job, f"picture {number}")
        except Refused as refused:
            if refused.code == "limit":
                raise
            self.job.mark("unread", "pictures")
        except (MemoryError, RecursionError):
            raise
        except Exception:  # noqa: BLE001 - decoders raise all sorts; such a picture is marked
            self.job.mark("unread", "pictures")


class _Only:
    """Blanks out every glyph of a page but those that are not seen for one reason."""

    def __init__(self, reasons: list[Judged], why: str) -> None:
        self._reasons = iter(reasons)
        self._why = why

    def __call__(self, operator: bytes, operands: Any, *_: Any) -> None:
        if operator in SHOWING:
            judged = next(self._reasons, Judged(1, ("",)))
            if operands and set(judged.whys) != {self._why}:
                operands[-1] = _kept(operands[-1], judged, self._why)


def _kept(given: Any, judged: Judged, why: str) -> Any:
    """The strings of one operation with the glyphs that are judged so."""
    from pypdf.generic import ArrayObject, ByteStringObject  # noqa: PLC0415 - an extra

    step, whys = judged.step, iter(judged.whys if len(judged.whys) > 1 else ())
    pieces: list[Any] = []
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, bytes):
            codes = [one[at : at + step] for at in range(0, len(one), step)]
            pieces.append(ByteStringObject(b"".join(code for code in codes if next(whys, None) == why)))
        else:
            pieces.append(one)
    return ArrayObject(pieces) if isinstance(given, list) else pieces[0]


def _appearance(note: Any) -> Any:
    """The stream that a viewer paints for an annotation; None when it paints none."""
    flags = note.get("/F", 0)
    if isinstance(flags, int) and flags & 34:  # hidden, or not to be viewed
        return None
    found = mapping(mapping(note.get("/AP")).get("/N"))
    if "/Subtype" not in found and "/BBox" not in found:
        found = mapping(found.get(note.get("/AS")))
    return found if hasattr(found, "get_data") else None


def _placed(note: Any, form: Any) -> Matrix:
    """From the appearance's box into the annotation's rectangle (12.5.5), but for a turned one."""
    try:
        box = [float(one) for one in items(form.get("/BBox"))]
        rect = [float(one) for one in items(note.get("/Rect"))]
        across = (rect[2] - rect[0]) / ((box[2] - box[0]) or 1)
        up = (rect[3] - rect[1]) / ((box[3] - box[1]) or 1)
        return (
            across,
            0,
            0,
            up,
            min(rect[0], rect[2]) - box[0] * across,
            min(rect[1], rect[3]) - box[1] * up,
        )
    except (IndexError, TypeError, ValueError):
        return to_matrix((1, 0, 0, 1, 0, 0))


def _dictionaries(found: Any) -> Iterator[Any]:
    """The object's dictionaries, without following references."""
    waiting, count = [found], 0
    while waiting and count < 10_000:
        count += 1
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += [value for value in dict.values(one) if isinstance(value, (dict, list))]
        elif isinstance(one, list):
            waiting += [value for value in list.__iter__(one) if isinstance(value, (dict, list))]


def _texts(value: Any, *, streams: bool) -> Iterator[str]:
    """The texts in a string or an array; with ``streams`` in a stream too: rich text may be one."""
    from pypdf.generic import ByteStringObject, TextStringObject  # noqa: PLC0415 - an extra

    for one in list.__iter__(value) if isinstance(value, list) else [value]:
        if isinstance(one, TextStringObject):
            yield str(one)
        elif isinstance(one, ByteStringObject):
            yield bytes(one).decode("latin-1")
        elif streams and hasattr(one, "get_data"):
            raw = one.get_data()
            yield raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _roles(part: Any, named: dict[int, str]) -> None:
    """What streams are by what refers to them, whatever they say of themselves."""
    for key, value in dict.items(part):
        number = getattr(value, "idnum", 0)
        if key == "/Metadata" and number:
            named[number] = "/Metadata"
        elif key == "/EF":
            files = mapping(value)
            named.update(
                (one.idnum, "/EmbeddedFile") for one in dict.values(files) if getattr(one, "idnum", 0)
            )

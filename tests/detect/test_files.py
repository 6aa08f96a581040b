"""Reading files: every hidden place is found, every bomb is refused, no bytes bring the reader down."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import made_files as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from ringwall.detect.files import Limits, Reading, read_file

HIDDEN = "the meeting moves to the fourth floor"
SHOWN = made.SHOWN


def texts(reading: Reading, hidden: str | None = None, metadata: bool = False) -> str:
    return "\n".join(
        section.text
        for section in reading.sections
        if section.metadata is metadata and (hidden is None or section.hidden == hidden)
    )


def picture(form: str, **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(out, form, **more)
    return out.getvalue()


_LAYER = {
    "resources": "/Properties << /L1 100 0 R >>",
    "catalog": "/OCProperties << /OCGs [100 0 R] /D << /OFF [100 0 R] >> >>",
    "objects": {100: "<< /Type /OCG /Name (Layer) >>"},
}
_FORM = made.stream(
    made.words(HIDDEN, y=600, before="3 Tr").encode(),
    "/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >>",
)
_FAINT = "/ExtGState << /G1 << /ca 0.01 >> >>"
_OFF_SLIDE = '<a:xfrm><a:off x="-5000000" y="0"/><a:ext cx="100" cy="100"/></a:xfrm>'
_DELETED = f"<w:p><w:del><w:r><w:delText>{HIDDEN}</w:delText></w:r></w:del></w:p>"
_STYLE = (
    '<w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:styleId="I"><w:basedOn w:val="H"/></w:style>'
)
_ODF_STYLE = "<style:style style:name='P1'><style:text-properties {}/></style:style>"
_ODF = f"<text:p>{SHOWN}</text:p><text:p text:style-name='P1'>{HIDDEN}</text:p>"
_SHEET_STYLES = (
    '<styleSheet xmlns="x"><fonts><font/><font><color rgb="FFFFFFFF"/></font></fonts><cellXfs>'
    '<xf fontId="0"/><xf fontId="1" fillId="0"/></cellXfs></styleSheet>'
)


def beside(*contents: str, **more: Any) -> bytes:
    return made.pdf(made.words(SHOWN) + "".join(contents), **more)


def rows(*rows: str) -> str:
    return f"<sheetData>{''.join(rows)}</sheetData>"


def row(text: str, more: str = "", cell: str = "", place: str = "A1") -> str:
    return f"<row {more}>{made.cell(text, cell, place)}</row>"


PLACES: dict[str, tuple[bytes, str]] = {
    "pdf invisible": (beside(made.words(HIDDEN, y=600, before="3 Tr")), "invisible"),
    "pdf transparent": (beside(made.words(HIDDEN, y=600, before="/G1 gs"), resources=_FAINT), "invisible"),
    "pdf white": (beside(made.words(HIDDEN, y=600, before="1 1 1 rg")), "white"),
    "pdf white cmyk": (beside(made.words(HIDDEN, y=600, before="0 0 0 0 k")), "white"),
    "pdf tiny": (beside(made.words(HIDDEN, y=600, size=0.5)), "tiny"),
    "pdf off the page": (beside(made.words(HIDDEN, y=-600)), "off-page"),
    "pdf clipped": (beside("q 0 0 1 1 re W n ", made.words(HIDDEN, y=600), "Q"), "clipped"),
    "pdf layer": (beside("/OC /L1 BDC ", made.words(HIDDEN, y=600), "EMC", **_LAYER), "layer"),
    "pdf covered": (beside(made.words(HIDDEN, y=600), "q 1 1 1 rg 0 550 600 100 re f Q"), "covered"),
    "pdf on its own colour": (
        beside("q 0 0 1 rg 0 550 600 100 re f Q ", made.words(HIDDEN, y=600, before="0 0 1 rg")),
        "faint",
    ),
    "pdf form": (
        beside("/X1 Do", resources="/XObject << /X1 100 0 R >>", objects={100: _FORM}),
        "invisible",
    ),
    "pdf stand-in": (beside(f"/Span << /ActualText ({HIDDEN}) >> BDC EMC"), "stand-in"),
    "docx vanish": (made.docx(made.run(SHOWN) + made.run(HIDDEN, "<w:vanish/>")), "invisible"),
    "docx white": (made.docx(made.run(SHOWN) + made.run(HIDDEN, '<w:color w:val="FFFFFF"/>')), "white"),
    "docx tiny": (made.docx(made.run(SHOWN) + made.run(HIDDEN, '<w:sz w:val="2"/>')), "tiny"),
    "docx deleted": (made.docx(made.run(SHOWN) + _DELETED), "deleted"),
    "docx style": (
        made.docx(
            made.run(SHOWN) + made.run(HIDDEN, '<w:rStyle w:val="I"/>'),
            {"word/styles.xml": made.word_part("styles", _STYLE)},
        ),
        "invisible",
    ),
    "docx header": (
        made.docx(more={"word/header1.xml": made.word_part("hdr", made.run(HIDDEN, "<w:vanish/>"))}),
        "invisible",
    ),
    "pptx slide": (made.pptx(made.shape(HIDDEN), 'show="0"'), "slide"),
    "pptx tiny": (made.pptx(made.shape(SHOWN) + made.shape(HIDDEN, 'sz="100"')), "tiny"),
    "pptx beside": (made.pptx(made.shape(SHOWN) + made.shape(HIDDEN, place=_OFF_SLIDE)), "off-page"),
    "xlsx sheet": (made.xlsx(rows(row(HIDDEN)), "veryHidden"), "sheet"),
    "xlsx row": (made.xlsx(rows(row(SHOWN), row(HIDDEN, 'hidden="1"'))), "row"),
    "xlsx column": (
        made.xlsx('<cols><col min="2" max="2" hidden="1"/></cols>' + rows(row(HIDDEN, place="B1"))),
        "column",
    ),
    "xlsx white": (
        made.xlsx(rows(row(HIDDEN, cell='s="1"')), more={"xl/styles.xml": _SHEET_STYLES}),
        "white",
    ),
    "odt hidden": (made.odt(_ODF, _ODF_STYLE.format("text:display='none'")), "invisible"),
    "odt white": (made.odt(_ODF, _ODF_STYLE.format("fo:color='#ffffff'")), "white"),
    "odt tiny": (made.odt(_ODF, _ODF_STYLE.format("fo:font-size='1pt'")), "tiny"),
    "rtf hidden": (b"{\\rtf1 " + SHOWN.encode() + b"{\\v " + HIDDEN.encode() + b"}}", "invisible"),
    "rtf white": (
        b"{\\rtf1{\\colortbl;\\red255\\green255\\blue255;}{\\cf1 " + HIDDEN.encode() + b"}}",
        "white",
    ),
    "html invisible": (f"<html><p>{SHOWN}</p><p style='display:none'>{HIDDEN}</p>".encode(), "invisible"),
    "html comment": (f"<html><p>{SHOWN}</p><!-- {HIDDEN} -->".encode(), "comment"),
    "mail": (made.mail(SHOWN, f"<p style='font-size:0'>{HIDDEN}</p>"), "invisible"),
    "attachment": (
        made.mail(SHOWN, attachments={"a.docx": made.docx(made.run(HIDDEN, "<w:vanish/>"))}),
        "invisible",
    ),
    "zip in zip": (
        made.packed({"b.zip": made.packed({"a.docx": made.docx(made.run(HIDDEN, "<w:vanish/>"))})}),
        "invisible",
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_hidden_text_is_found_and_told_apart(name: str) -> None:
    data, hidden = PLACES[name]
    reading = read_file(data)
    assert reading.refused == ""
    assert HIDDEN in texts(reading, hidden)
    assert HIDDEN not in texts(reading, "")


_RELATION = '<Relationship Id="r1" TargetMode="External" Type="x/attachedTemplate" Target="https://outside.example/t.dotm"/>'
_EXIF = Image.Exif()
_EXIF[0x010E] = HIDDEN
_INFO = PngImagePlugin.PngInfo()
_INFO.add_itxt("XML:com.adobe.xmp", HIDDEN, zip=True)
ASIDE: dict[str, bytes] = {
    "pdf title": beside(trailer=f"/Info << /Title ({HIDDEN}) >>"),
    "pdf xmp": beside(objects={100: made.stream(HIDDEN.encode(), "/Type /Metadata /Subtype /XML")}),
    "pdf script": beside(catalog=f"/OpenAction << /S /JavaScript /JS ({HIDDEN}) >>"),
    "docx properties": made.docx(more={"docProps/core.xml": f"<a><b>{HIDDEN}</b></a>"}),
    "docx custom xml": made.docx(more={"customXml/item1.xml": f"<a>{HIDDEN}</a>"}),
    "docx variable": made.docx(more={"word/settings.xml": f'<a><b name="x" val="{HIDDEN}"/></a>'}),
    "docx description": made.docx(f'<w:p><docPr xmlns="x" descr="{HIDDEN}"/></w:p>'),
    "png text": picture("PNG", pnginfo=_INFO),
    "jpeg exif": picture("JPEG", exif=_EXIF),
    "jpeg comment": picture("JPEG", comment=HIDDEN),
    "gif comment": picture("GIF", comment=HIDDEN.encode()),
    "webp xmp": picture("WEBP", xmp=HIDDEN.encode()),
    "tiff tag": picture("TIFF", description=HIDDEN),
    "mail header": made.mail(SHOWN, X_Note=HIDDEN),
    "behind a png": picture("PNG") + HIDDEN.encode(),
    "behind a jpeg": picture("JPEG") + HIDDEN.encode(),
    "rtf info": b"{\\rtf1{\\info{\\title " + HIDDEN.encode() + b"}}x}",
}


@pytest.mark.parametrize("name", ASIDE)
def test_metadata_is_told_apart(name: str) -> None:
    reading = read_file(ASIDE[name])
    assert reading.refused == ""
    assert HIDDEN in texts(reading, metadata=True)
    assert HIDDEN not in texts(reading)
    assert HIDDEN.encode() not in reading.picture


SEEN: dict[str, bytes] = {
    "white on dark": made.pdf("0 0 0 rg 0 650 600 100 re f " + made.words(SHOWN, before="1 1 1 rg")),
    "annotation": beside(
        page="/Annots [100 0 R]", objects={100: f"<< /Type /Annot /Subtype /FreeText /Contents ({SHOWN}) >>"}
    ),
    "form field": beside(objects={100: f"<< /FT /Tx /T (a) /V ({SHOWN}) >>"}),
    "shaded": made.docx(made.run(SHOWN, '<w:color w:val="FFFFFF"/><w:shd w:fill="000000"/>')),
    "comment": made.docx(more={"word/comments.xml": made.word_part("comments", made.run(SHOWN))}),
    "notes": made.pptx(
        made.shape("x"), more={"ppt/notesSlides/notesSlide1.xml": made.slide_part("notes", made.shape(SHOWN))}
    ),
    "shared string": made.xlsx(
        '<sheetData><row><c r="A1" t="s"><v>0</v></c></row></sheetData>',
        more={"xl/sharedStrings.xml": f"<sst><si><t>{SHOWN}</t></si></sst>"},
    ),
    "utf-16": b"\xff\xfe" + SHOWN.encode("utf-16-le"),
    "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><text>{SHOWN}</text></svg>'.encode(),
    "json": f'{{"a": "{SHOWN}"}}'.encode(),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_a_reader_sees_is_not_called_hidden(name: str) -> None:
    reading = read_file(SEEN[name])
    assert reading.refused == ""
    assert SHOWN in texts(reading, "")
    assert not [section for section in reading.sections if section.hidden]


MARKS: dict[str, tuple[bytes, str]] = {
    "macros": (made.docx(more={"word/vbaProject.bin": b"x"}), "macros"),
    "template": (
        made.docx(more={"word/_rels/s.xml.rels": made.RELATIONS.format(_RELATION)}),
        "external-link",
    ),
    "dde": (made.docx('<w:p><w:fldSimple w:instr="DDEAUTO c:\\x"/></w:p>'), "active-content"),
    "launch": (beside(objects={100: "<< /S /Launch /F (x) >>"}), "active-content"),
    "program": (made.packed({"a.exe": b"MZ\x90\x00"}), "program"),
    "svg handler": (b'<svg onload="x()"><text>a</text></svg>', "active-content"),
    "pdf in front": (b"GIF87 no, really\n" + made.pdf(made.words("x")), "polyglot"),
    "pdf behind": (made.pdf(made.words("x")) + b"PK\x03\x04 more", "trailing-data"),
    "two of a name": (b"", "polyglot"),
    "two frames": (picture("GIF", save_all=True, append_images=[Image.new("RGB", (60, 40))]), "frames"),
    "formula": (
        made.xlsx('<sheetData><row><c><f>WEBSERVICE("x")</f></c></row></sheetData>'),
        "active-content",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", MARKS)
def test_what_is_no_text_is_marked(name: str) -> None:
    data, code = MARKS[name]
    data = data or made.packed([("a.txt", "one"), ("a.txt", "two")])
    reading = read_file(data)
    assert reading.refused == ""
    assert code in {mark.code for mark in reading.marks}


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def nested(depth: int) -> bytes:
    data = made.packed({"a.txt": "x"})
    for _ in range(depth):
        data = made.packed({"a.zip": data})
    return data


def lying_zip() -> bytes:
    """Its directory says that a megabyte is ten bytes."""
    data = bytearray(made.packed({"a.txt": "A" * 1_000_000}))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


_LAUGHS = '<!DOCTYPE a [<!ENTITY x "haha">' + "".join(
    f'<!ENTITY x{n} "&x{n - 1 if n else ""};&x{n - 1 if n else ""};">' for n in range(30)
)
SMALL = Limits(inflated=500_000, chars=100_000, entries=100)
BOMBS: dict[str, Callable[[], bytes]] = {
    "zip": partial(made.packed, {"a.txt": "A" * 10_000_000}),
    "zip that lies": lying_zip,
    "nested zips": partial(nested, 8),
    "many entries": partial(made.packed, {f"{n}.txt": "x" for n in range(300)}),
    "png": partial(huge_png, 60_000, 60_000),
    "xml entities": partial(made.docx, more={"word/header1.xml": _LAUGHS + "]><a>&x29;</a>"}),
    "svg entities": (_LAUGHS + "]><svg>&x29;</svg>").encode,
    "pdf stream": lambda: beside(
        objects={
            100: made.stream(zlib.compress(bytes(3_000_000)), "/Type /EmbeddedFile /Filter /FlateDecode")
        }
    ),
    "pdf objects": lambda: beside(objects={100 + n: "null" for n in range(1500)}),
    "pdf pages": partial(made.pdf, *["BT ET"] * 250),
    "text": lambda: b"A" * 200_000,
    "rtf groups": lambda: b"{\\rtf1" + b"{" * 50_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name: str) -> None:
    reading = read_file(BOMBS[name](), limits=SMALL)
    assert reading.refused in ("limit", "pixels", "entities", "damaged") or not texts(reading)
    assert sum(len(section.text) for section in reading.sections) <= SMALL.chars
    assert name in ("zip that lies", "pdf stream") or reading.refused in ("limit", "pixels", "entities")


SEEDS = [
    *(data for data, _ in list(PLACES.values())[::3]),
    *list(ASIDE.values())[7:13],
    picture("BMP"),
    SEEN["svg"],
]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_bring_it_down(data: st.DataObject) -> None:
    """Bytes of a real file changed, moved, cut: read to the end or refused, never anything else."""
    raw = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                raw[at] = data.draw(st.integers(0, 255))
            case 1:
                raw[at : at + data.draw(st.integers(1, 40))] = b""
            case 2:
                raw[at:at] = data.draw(st.binary(min_size=1, max_size=8))
            case _:
                raw[at : at + 4] = data.draw(st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"]))
        raw = raw or bytearray(b"x")
    reading = read_file(bytes(raw), limits=SMALL)
    assert isinstance(reading, Reading)
    for section in reading.sections:
        section.text.encode()


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [
            b"",
            b"%PDF-1.7\n",
            b"{\\rtf1",
            b"GIF89a",
            b"\xff\xd8\xff",
            b"RIFF    WEBP",
            b"II*\x00",
            b"<svg",
            b"<html>",
        ]
    ),
    st.binary(max_size=400),
)
def test_nor_do_others(head: bytes, tail: bytes) -> None:
    assert isinstance(read_file(head + tail, limits=SMALL), Reading)


def test_a_truncated_archive_is_damaged() -> None:
    whole = made.docx()
    assert zipfile.is_zipfile(io.BytesIO(whole))
    assert read_file(whole[:-30]).refused == "damaged"


_MAIL = b"From: casey@brightlamp.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nMIME-Version: 1.0\n"


@pytest.mark.parametrize(
    "given",
    [
        b"To: " + b"a@b," * 50_000 + b"\n\nhello",
        b"X-A: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\nhello",
        b"Content-Type: text/plain; " + b"a=b; " * 50_000 + b"\n\nhello",
        b"X: a\rContent-Type: text/plain; " + b"a=b; " * 50_000 + b"\n\nhello",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(90))
        + b"x\n" * 400_000,
    ],
    ids=["addresses", "encoded words", "parameters", "a return alone", "parts in parts"],
)
def test_mail_that_takes_long_to_take_apart_is_refused(given: bytes) -> None:
    found = read_file(_MAIL + given)
    assert (found.kind, found.refused) == ("eml", "limit")


def test_drawings_in_drawings_are_each_looked_at_once() -> None:
    """Took minutes."""
    assert not read_file(made.docx("<w:drawing>" * 10_000 + "</w:drawing>" * 10_000)).sections

"""Ways of hiding text on a PDF page, and pages that only look as if they did."""

from typing import Any

import made_files as made
import pytest

from ringwall.detect.files import Limits, Reading, pdf_colours, read_file

SHOWN = "Shown words here."
PLANT = "PLANT do as told"
W = made.words


def beside(*contents: str, **more: Any) -> bytes:
    return made.pdf(W(SHOWN) + "".join(contents), **more)


def written(before: str, resources: str = "", objects: Any = None) -> bytes:
    return beside(W(PLANT, y=600, before=before), resources=resources, objects=objects)


def line(*operations: str) -> bytes:
    return made.pdf("BT /F1 12 Tf 50 700 Td " + " ".join(operations) + " ET")


def form(content: str, more: str = "/BBox [0 0 600 800]", fonts: str = "/Font << /F1 3 0 R >>") -> bytes:
    kind = f"/Type /XObject /Subtype /Form {more} /Resources << {fonts} >>"
    return made.stream(content.encode(), kind)


def space(definition: str) -> str:
    return f"/ColorSpace << /CS1 {definition} >>"


def shading(start: str, end: str) -> str:
    function = f"/Function << /FunctionType 2 /Domain [0 1] /C0 [{start}] /C1 [{end}] /N 1 >>"
    return f"<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 600 0] {function} /Extend [true true] >>"


def tile(content: str) -> dict[int, bytes]:
    kind = "/Type /Pattern /PatternType 1 /PaintType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << >>"
    return {100: made.stream(content.encode(), kind)}


_WHITE = shading("1 1 1", "1 1 1")
_TINT = "<< /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >>"
_PATTERN = "/Pattern << /P1 100 0 R >>"
_SMALL = "/ExtGState << /G1 << /Font [3 0 R 0.5] >> >>"
_MULTIPLY = "/ExtGState << /G1 << /BM /Multiply >> >>"
_GROUPS = "/OCProperties << /OCGs [101 0 R] /D << {} >> >>"
_LAYER = {101: "<< /Type /OCG /Name (l) /Usage << /View << /ViewState /OFF >> >> >>"}
_PICTURE = "/Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8"
_MASK = "/ExtGState << /G1 << /SMask << /S /Luminosity /G 100 0 R >> >> >>"
_SQUARE = "<< /Type /Annot /Subtype /Square /Rect [0 550 600 650] /F 4 /AP << /N 100 0 R >> >>"
HIDDEN: dict[str, tuple[bytes, str]] = {
    "white outlines": (written("1 Tr 1 1 1 RG"), "white"),
    "faint outlines": (written("1 Tr /G1 gs", "/ExtGState << /G1 << /CA 0.01 >> >>"), "invisible"),
    "no tint": (written("/CS1 cs 0 scn", space(f"[/Separation /Black /DeviceGray {_TINT}]")), "white"),
    "no ink": (written("/CS1 cs 1 scn", space(f"[/Separation /None /DeviceGray {_TINT}]")), "invisible"),
    "indexed": (written("/CS1 cs 0 sc", space("[/Indexed /DeviceRGB 1 <FFFFFF000000>]")), "white"),
    "lab": (written("/CS1 cs 100 0 0 sc", space("[/Lab << /WhitePoint [0.95 1 1.08] >>]")), "white"),
    "white tiles": (written("/Pattern cs /P1 scn", _PATTERN, tile("1 1 1 rg 0 0 9 9 re f")), "white"),
    "empty tiles": (written("/Pattern cs /P1 scn", _PATTERN, tile(" ")), "invisible"),
    "white shading": (
        written("/Pattern cs /P1 scn", f"/Pattern << /P1 << /PatternType 2 /Shading {_WHITE} >> >>"),
        "white",
    ),
    "multiplied": (written("1 g /G1 gs", _MULTIPLY), "invisible"),
    "masked": (written("/G1 gs", _MASK, {100: form("0 g 0 0 600 800 re f")}), "invisible"),
    "font of a state": (
        beside(f"BT /G1 gs 50 600 Td ({PLANT}) Tj ET", resources=_SMALL),
        "tiny",
    ),
    "risen": (written("5000 Ts"), "off-page"),
    "beyond the edge": (line(f"({SHOWN} {'x' * 100}{PLANT}) Tj"), "off-page"),
    "after a leap": (line(f"[({SHOWN}) -100000 ({PLANT})] TJ"), "off-page"),
    "after a long line": (line(f"({SHOWN} {'y' * 100}) Tj ({PLANT}) Tj"), "off-page"),
    "half covered": (line(f"({SHOWN} {PLANT}) Tj ET 1 g 148 690 400 30 re f BT"), "covered"),
    "half clipped": (made.pdf(f"q 0 690 148 30 re W n {W(f'{SHOWN} {PLANT}')} Q"), "clipped"),
    "under a form": (
        beside(W(PLANT, y=600), "/X1 Do", resources="/XObject << /X1 100 0 R >>",
               objects={100: form("1 g 0 550 600 100 re f", fonts="")}),
        "covered",
    ),
    "under a line": (beside(W(PLANT, y=600), "1 G 60 w 0 600 m 600 600 l S"), "covered"),
    "under a shading": (
        beside(W(PLANT, y=600), "0 550 600 100 re W n /S1 sh",
               resources=f"/Shading << /S1 {shading('1 1 1', '0 0 1')} >>"),
        "covered",
    ),
    "under an annotation": (
        beside(W(PLANT, y=600), page=f"/Annots [{_SQUARE}]",
               objects={100: form("1 g 0 0 600 100 re f", "/BBox [0 0 600 100]")}),
        "covered",
    ),
    "beyond its form": (
        beside("/X1 Do", resources="/XObject << /X1 100 0 R >>",
               objects={100: form(f"BT /F1 12 Tf 50 600 Td ({PLANT}) Tj ET", "/BBox [0 0 1 1]")}),
        "clipped",
    ),
    "layer not for the eye": (
        beside("/OC /L1 BDC ", W(PLANT, y=600), "EMC", objects=_LAYER,
               resources="/Properties << /L1 101 0 R >>",
               catalog=_GROUPS.format("/AS [<< /Event /View /OCGs [101 0 R] >>]")),
        "layer",
    ),
    "layer by expression": (
        beside("/OC /L1 BDC ", W(PLANT, y=600), "EMC", objects=_LAYER, catalog=_GROUPS.format(""),
               resources="/Properties << /L1 << /Type /OCMD /VE [/Not 101 0 R] >> >>"),
        "layer",
    ),
    "attached": (
        beside(catalog="/Names << /EmbeddedFiles << /Names [(a) << /F (a) /EF << /F 100 0 R >> >>] >> >>",
               objects={100: made.stream(PLANT.encode())}),
        "embedded",
    ),
}  # fmt: skip


def texts(reading: Reading, hidden: str) -> str:
    return "\n".join(
        section.text for section in reading.sections if section.hidden == hidden and not section.metadata
    )


@pytest.mark.parametrize("name", HIDDEN)
def test_ways_of_hiding_on_a_page(name: str) -> None:
    data, how = HIDDEN[name]
    reading = read_file(data)
    assert reading.refused == ""
    assert PLANT[3:-3] in texts(reading, how)
    assert PLANT[3:-3] not in texts(reading, "")
    assert SHOWN in texts(reading, "")


_BLUE = f"[/Separation /Blue /DeviceRGB {_TINT.replace('[1]', '[1 1 1]').replace('[0]', '[0 0 1]')}]"
_OVER = beside(
    W(PLANT, y=600),
    "q 600 0 0 200 0 550 cm /I1 Do Q",
    resources="/XObject << /I1 100 0 R >>",
    objects={
        100: made.stream(b"\xff" * 4, f"{_PICTURE} /SMask 101 0 R"),
        101: made.stream(b"\x00" * 4, _PICTURE),
    },
)  # fmt: skip
SEEN: dict[str, bytes] = {
    "white on a shading": beside(
        "q 0 550 600 100 re W n /S1 sh Q", W(PLANT, y=600, before="1 g"),
        resources=f"/Shading << /S1 {shading('0 0 1', '0 0 0')} >>",
    ),
    "white on a line": beside("0 0 1 RG 60 w 0 600 m 600 600 l S ", W(PLANT, y=600, before="1 g")),
    "a full tint": written("/CS1 cs 1 scn", space(f"[/Separation /Black /DeviceGray {_TINT}]")),
    "white on a tint": beside(
        "/CS1 cs 1 scn 0 550 600 100 re f ", W(PLANT, y=600, before="1 g"), resources=space(_BLUE)
    ),
    "black outlines": written("1 Tr 1 g 0 G"),
    "beside a triangle": beside(W(PLANT, y=600), "1 0 0 rg 0 500 m 600 500 l 600 800 l f"),
    "in a frame": beside(W(PLANT, y=600), "0 g 0 0 600 800 re 5 5 590 790 re f*"),
    "marked": beside(
        W(PLANT, y=600), "/G1 gs 1 1 0 rg 0 590 600 40 re f", resources=_MULTIPLY,
    ),
    "struck through": beside(W(PLANT, y=600), "0 g 40 602 400 2 re f"),
    "under a picture that lets through": _OVER,
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_what_only_looks_hidden_on_a_page(name: str) -> None:
    reading = read_file(SEEN[name])
    assert PLANT in texts(reading, "")
    assert not [section for section in reading.sections if section.hidden]


@pytest.mark.parametrize(
    "data",
    [
        beside(catalog="/Metadata 100 0 R", objects={100: made.stream(PLANT.encode("utf-16"))}),
        beside(trailer=f"/Info << /Notes ({PLANT}) >>"),
        beside(page=f"/PieceInfo << /App << /Private ({PLANT}) >> >>"),
        beside(catalog=f"/Names << /Dests << /Names [({PLANT}) [10 0 R /Fit]] >> >>"),
    ],
)
def test_what_is_said_beside_the_pages_is_told(data: bytes) -> None:
    reading = read_file(data)
    assert PLANT in "\n".join(section.text for section in reading.sections if section.metadata)
    assert PLANT not in texts(reading, "")


def test_what_an_annotation_paints_is_read() -> None:
    stamp = _SQUARE.replace("/Square", "/Stamp")
    data = beside(page=f"/Annots [{stamp}]", objects={100: form(f"BT /F1 12 Tf 5 9 Td ({PLANT}) Tj ET")})
    assert PLANT in texts(read_file(data), "")


_COLOURED = "/Pattern cs /P1 scn 0 0 1 1 re f "
_RING = "0 0 m " + "600 0 l 600 800 l 0 800 l " * 200


@pytest.mark.parametrize(
    "given",
    [
        made.pdf(
            "/X1 Do " * 900,
            resources="/XObject << /X1 100 0 R >>",
            objects={100: form("0 0 1 1 re f " * 900)},
        ),
        made.pdf((_RING + "f ") * 9 + W("word " * 60)),
        made.pdf((_RING + "W n ") * 8 + W("word " * 60)),
        made.pdf("0 0 600 800 re f " * 1500 + "BT /F1 12 Tf 9 700 Td " + "(a) Tj " * 900 + "ET"),
    ],
    ids=["forms", "shapes", "clips", "many shapes"],
)
def test_a_small_page_that_takes_long_to_paint_is_refused(given: bytes) -> None:
    assert read_file(given, limits=Limits(operations=4000)).refused == "limit"


def test_a_pattern_is_read_once_and_not_too_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    given = made.pdf(
        W(SHOWN) + _COLOURED * 50, resources=_PATTERN, objects=tile("/Pattern cs /P1 scn 0 0 9 9 re f")
    )
    reading, read = [], pdf_colours._flat
    monkeypatch.setattr(pdf_colours, "_flat", lambda one: reading.append(one) or read(one))
    assert read_file(given).refused == ""
    assert len(reading) == 1
    monkeypatch.setattr(pdf_colours, "_PATTERNS", 0)
    assert read_file(given).refused == ""
    assert len(reading) == 1

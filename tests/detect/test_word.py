"""Ways of hiding text in a Word file, and text that only looks hidden."""

import made_files as made
import pytest

from ringwall.detect.files import Reading, read_file

SHOWN = "Shown words here."
PLANT = "PLANT do as told"
_WHITE = '<w:color w:val="FFFFFF"/>'
_DRAWING = 'xmlns:wp="wp" xmlns:v="v" xmlns:mc="mc" xmlns:w14="w14"'


def beside(body: str, styles: str = "") -> bytes:
    more = {"word/styles.xml": made.word_part("styles", styles)} if styles else None
    return made.docx(made.run(SHOWN) + body, more)


def plain(properties: str, text: str = PLANT) -> bytes:
    return beside(made.run(text, properties))


def paragraph(properties: str, run: str = "") -> str:
    inner = f"<w:r><w:rPr>{run}</w:rPr><w:t>{PLANT}</w:t></w:r>"
    return f"<w:p><w:pPr>{properties}</w:pPr>{inner}</w:p>"


def row(properties: str) -> str:
    return f"<w:tbl><w:tr><w:trPr>{properties}</w:trPr><w:tc>{made.run(PLANT)}</w:tc></w:tr></w:tbl>"


def style(properties: str, more: str = 'w:type="character"', inner: str = "") -> str:
    return f'<w:style w:styleId="I" {more}><w:rPr>{properties}</w:rPr>{inner}</w:style>'


def box(inner: str, extent: str = '<wp:extent cx="914400" cy="914400"/>') -> str:
    text = f"<w:txbxContent>{made.run(PLANT)}</w:txbxContent>"
    anchor = f"<wp:anchor>{inner}{extent}{text}</wp:anchor>"
    return f"<w:p><w:r><w:drawing {_DRAWING}>{anchor}</w:drawing></w:r></w:p>"


def vml(how: str) -> str:
    text = f"<v:textbox><w:txbxContent>{made.run(PLANT)}</w:txbxContent></v:textbox>"
    return f'<w:p><w:r><w:pict {_DRAWING}><v:shape style="{how}">{text}</v:shape></w:pict></w:r></w:p>'


_DEFAULTS = f"<w:docDefaults><w:rPrDefault><w:rPr>{_WHITE}</w:rPr></w:rPrDefault></w:docDefaults>"
_LEFT = "<wp:positionH><wp:posOffset>-9144000</wp:posOffset></wp:positionH>"
_FALLBACK = (
    f"<mc:AlternateContent {_DRAWING}><mc:Fallback><w:t>{PLANT}</w:t></mc:Fallback></mc:AlternateContent>"
)
_PARAGRAPHS = 'w:type="paragraph"'
_TABLE_STYLE = '<w:tblPr><w:tblStyle w:val="I"/></w:tblPr>'
HIDDEN: dict[str, tuple[bytes, str]] = {
    "white of the theme": (plain('<w:color w:val="auto" w:themeColor="background1"/>'), "white"),
    "white on white": (plain(_WHITE + '<w:shd w:val="clear" w:fill="FFFFFF"/>'), "white"),
    "black on black": (plain('<w:color w:val="000000"/><w:shd w:fill="010101"/>'), "faint"),
    "yellow on a marker": (plain('<w:color w:val="FFFF00"/><w:highlight w:val="yellow"/>'), "faint"),
    "no filling": (plain(f"<w14:textFill {_DRAWING}><w14:noFill/></w14:textFill>"), "invisible"),
    "squeezed": (plain('<w:w w:val="1"/>'), "tiny"),
    "drawn together": (plain('<w:spacing w:val="-240"/>'), "tiny"),
    "small from right to left": (plain('<w:szCs w:val="2"/><w:rtl/>'), "tiny"),
    "lowered": (plain('<w:position w:val="-31680"/>'), "off-page"),
    "white by default": (
        made.docx(
            made.run(SHOWN, '<w:color w:val="000000"/>') + made.run(PLANT),
            {"word/styles.xml": made.word_part("styles", _DEFAULTS)},
        ),
        "white",
    ),
    "style of paragraphs": (
        beside(paragraph('<w:pStyle w:val="I"/>'), style("<w:vanish/>", _PARAGRAPHS)), "invisible",
    ),
    "style of a table": (
        beside(
            f"<w:tbl>{_TABLE_STYLE}<w:tr><w:tc>{made.run(PLANT)}</w:tc></w:tr></w:tbl>", style("<w:vanish/>")
        ),
        "invisible",
    ),
    "hidden row": (beside(row("<w:hidden/>")), "row"),
    "low row": (beside(row('<w:trHeight w:val="1" w:hRule="exact"/>')), "clipped"),
    "low line": (beside(paragraph('<w:spacing w:line="1" w:lineRule="exact"/>')), "clipped"),
    "indented": (beside(paragraph('<w:ind w:left="-31000"/>')), "off-page"),
    "framed": (beside(paragraph('<w:framePr w:x="-31000"/>')), "off-page"),
    "drawing beside": (beside(box(_LEFT)), "off-page"),
    "drawing of no size": (beside(box("", '<wp:extent cx="0" cy="0"/>')), "clipped"),
    "hidden drawing": (beside(box('<wp:docPr id="1" name="n" hidden="1"/>')), "invisible"),
    "hidden shape": (beside(vml("visibility:hidden")), "invisible"),
    "shape beside": (beside(vml("position:absolute;left:-9999pt")), "off-page"),
    "fallback": (beside(f"<w:p><w:r>{_FALLBACK}</w:r></w:p>"), "fallback"),
    "embedded": (
        made.docx(made.run(SHOWN), {"word/embeddings/a.docx": made.docx(made.run(PLANT))}), "embedded",
    ),
}  # fmt: skip


def texts(reading: Reading, hidden: str, *, metadata: bool = False) -> str:
    found = [one for one in reading.sections if one.hidden == hidden and one.metadata is metadata]
    return "\n".join(section.text for section in found)


@pytest.mark.parametrize("name", HIDDEN)
def test_ways_of_hiding_in_a_document(name: str) -> None:
    data, how = HIDDEN[name]
    reading = read_file(data)
    assert PLANT in texts(reading, how)
    assert PLANT not in texts(reading, "")
    assert SHOWN in texts(reading, "")


_DARK = '<w:shd w:fill="1F3864"/>'
SEEN: dict[str, bytes] = {
    "on a dark paragraph": beside(paragraph(_DARK, _WHITE)),
    "in a dark cell": beside(
        f"<w:tbl><w:tr><w:tc><w:tcPr>{_DARK}</w:tcPr>{made.run(PLANT, _WHITE)}</w:tc></w:tr></w:tbl>"
    ),
    "in a table of a dark style": beside(
        f"<w:tbl>{_TABLE_STYLE}<w:tr><w:tc>{made.run(PLANT, _WHITE)}</w:tc></w:tr></w:tbl>",
        style("", inner=f"<w:tblStylePr><w:tcPr>{_DARK}</w:tcPr></w:tblStylePr>"),
    ),
    "shown again": beside(
        made.run(PLANT, '<w:rStyle w:val="I"/><w:vanish w:val="0"/>'), style("<w:vanish/>")
    ),
    "black again": beside(
        paragraph('<w:pStyle w:val="I"/>', '<w:color w:val="000000"/>'), style(_WHITE, 'w:type="paragraph"')
    ),
    "a hidden end of a paragraph": beside(paragraph("<w:rPr><w:vanish/></w:rPr>")),
    "inserted": beside(f"<w:p><w:ins><w:r><w:t>{PLANT}</w:t></w:r></w:ins></w:p>"),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_only_looks_hidden_in_a_document(name: str) -> None:
    reading = read_file(SEEN[name])
    assert PLANT in texts(reading, "")
    assert not [section for section in reading.sections if section.hidden]


@pytest.mark.parametrize(
    "body",
    [
        f'<w:tbl><w:tblPr><w:tblCaption w:val="{PLANT}"/></w:tblPr></w:tbl>',
        f'<w:sdt><w:sdtPr><w:alias w:val="{PLANT}"/></w:sdtPr></w:sdt>',
        f'<w:p><w:hyperlink w:tooltip="{PLANT}"><w:r><w:t>x</w:t></w:r></w:hyperlink></w:p>',
        f'<w:p><w:fldSimple w:instr="COMMENTS {PLANT}"/></w:p>',
        f'<w:p><w:r><w:pict {_DRAWING}><v:textpath string="{PLANT}"/></w:pict></w:r></w:p>',
    ],
)
def test_what_attributes_say_is_told(body: str) -> None:
    assert PLANT in texts(read_file(beside(body)), "", metadata=True)

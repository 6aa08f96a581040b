import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.read import read
from ringwall.core import DataError
from ringwall.detect.pages import read_html


def test_plain_text_and_titles() -> None:
    assert read(b"\xef\xbb\xbfHello\r\nthere", "my-notes.txt").text == "Hello\nthere"
    assert read(b"x", "my-notes_2.txt").title == "my notes 2"
    assert read(b"# Returns\n\nText", "a.md").title == "Returns"
    assert read(b"<title>Opening  hours</title><p>Nine</p>", "a.html").title == "Opening hours"


def test_front_matter_sets_the_access_list() -> None:
    raw = b'---\ntitle: Pay\nreaders: [manager, "subject:casey"]\nsensitivity: [hr]\n---\nSecret\n'
    reading = read(raw, "pay.md")
    assert (reading.title, reading.text) == ("Pay", "Secret")
    assert reading.front.readers == ["manager", "subject:casey"]
    assert reading.front.sensitivity == ["hr"]


def test_front_matter_as_json() -> None:
    reading = read(b'---\n{"title": "T", "readers": ["agent"]}\n---\nx', "a.txt")
    assert (reading.front.title, reading.front.readers) == ("T", ["agent"])


@pytest.mark.parametrize(
    "front",
    [
        "reader: [manager]",  # a typing mistake must not open the document
        "readers: manager",
        "readers: [1]",
        "readers: {a: b}",
        "- a",
        "a: &x [1]\nb: *x",
        "title: [",
        "title: !!python/object:os.system x",
        "[" * 200,
        "title: 2024-99-99",
        "? [a]\n: b",
    ],
)
def test_front_matter_that_is_not_understood_is_refused(front: str) -> None:
    with pytest.raises(DataError, match=r"front matter"):
        read(f"---\n{front}\n---\nbody".encode(), "a.md")


def test_front_matter_without_end_is_refused() -> None:
    with pytest.raises(DataError, match="closing"):
        read(b"---\nreaders: [manager]\nbody", "a.md")


def test_other_encodings_are_refused_with_the_place() -> None:
    with pytest.raises(DataError, match="byte 3"):
        read("abc\u00e9".encode("latin-1"), "a.txt")


HIDING = [
    "<p style='display:none'>PLANT</p>",
    "<p style='DISPLAY : NONE !important'>PLANT</p>",
    "<div hidden><p>PLANT</p></div>",
    "<span style='font-size:0'>PLANT</span>",
    "<span style='font-size: 0px'>PLANT</span>",
    "<span style='color:#fff'>PLANT</span>",
    "<span style='color: rgb(255, 255, 255)'>PLANT</span>",
    "<span style='opacity:0'>PLANT</span>",
    "<span style='visibility:hidden'>PLANT</span>",
    "<span style='position:absolute;left:-9999px'>PLANT</span>",
    "<font color=white>PLANT</font>",
    "<!-- PLANT -->",
    "<img alt='PLANT'>",
    "<img alt='PLANT'/>",
    "<p title='PLANT'>x</p>",
    "<meta name=d content='PLANT'>",
    "<input type=hidden value='PLANT'>",
    "<template>PLANT</template>",
    "<script>PLANT</script>",
    "<noscript>PLANT</noscript>",
    "<style>.q{display:none}</style><p class='a q'>PLANT</p>",
    "<style>#z { color: white }</style><p id=z>PLANT</p>",
    "<![CDATA[PLANT]]>",
    "<!-- PLANT",
    "<?xml PLANT ?>",
    "<div style='display:none'><b><i>deep PLANT</i></b></div>",
]


@pytest.mark.parametrize("source", HIDING)
def test_hidden_text_is_surfaced_and_not_shown(source: str) -> None:
    reading = read(f"<p>before</p>{source}".encode(), "a.html")
    assert "PLANT" in reading.hidden_text
    assert "PLANT" not in reading.text
    assert "before" in reading.text


SHOWN = [
    "<p style='display:block'>SEEN</p>",
    "<p style='font-size:10px'>SEEN</p>",
    "<p style='color:#e0e0e0'>SEEN</p>",
    "<p style='color:#ffffff;background:#000'>SEEN</p>",
    "<p style='opacity:0.5'>SEEN</p>",
    "<p style='margin-left:-10px'>SEEN</p>",
    "<p style='width:100px;height:20px'>SEEN</p>",
    "<p style='border:0'>SEEN</p>",
    "<style>.q{display:none}</style><p class='other'>SEEN</p>",
    "<div style='display:none'>x</div><p>SEEN</p>",
]


@pytest.mark.parametrize("source", SHOWN)
def test_what_is_shown_is_not_called_hidden(source: str) -> None:
    page = read_html(source)
    assert "SEEN" in page.text
    assert all("SEEN" not in piece.text for piece in page.hidden)


def test_markdown_comments_are_taken_out_of_what_a_model_sees() -> None:
    raw = (
        b"# T\nseen <!-- PLANT one --> more\n[//]: # (PLANT two)\n<span style='display:none'>PLANT 3</span>\n"
    )
    reading = read(raw, "a.md")
    assert "PLANT one" not in reading.text and "PLANT two" not in reading.text
    assert sorted(piece.how for piece in reading.hidden) == ["comment", "comment", "invisible"]
    assert "seen" in reading.text and "more" in reading.text
    assert read(b"a <!-- never closed", "a.md").hidden[0].text == "never closed"


ENDLESS = [
    "<a ",
    "<!--",
    "<style>a{",
    "<a style=",
    "[x]: # (",
    "<div>",
    "{",
    "font:",
    "<p hidden ",
    "</",
    "<![CDATA[",
    "&#",
]


@pytest.mark.parametrize("piece", ENDLESS)
@pytest.mark.parametrize("name", ["a.html", "a.md"])
def test_reading_takes_linear_time(piece: str, name: str) -> None:
    """A quadratic reader needs a minute for this; ten seconds allow for a busy machine."""
    begun = time.process_time()
    read((piece * (300_000 // len(piece))).encode(), name)
    assert time.process_time() - begun < 10


@given(source=st.text(max_size=500), name=st.sampled_from(["a.html", "a.md", "a.txt", "\x00"]))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_or_refused(source: str, name: str) -> None:
    try:
        read(source.encode("utf-8", "surrogatepass"), name)
    except DataError as error:
        assert str(error).isprintable()

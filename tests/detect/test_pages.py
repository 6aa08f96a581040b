"""What a page hides, by ways of hiding; and what only looks as if it were hidden."""

import time

import pytest

from ringwall.detect.pages import read_html, read_markdown

PLANT = "PLANT do what the page says"


def page(body: str, css: str = "", head: str = "") -> str:
    return (
        f"<!doctype html><html><head><style>{css}</style>{head}</head><body><p>SHOWN</p>{body}</body></html>"
    )


def styled(style: str) -> str:
    return page(f'<p style="{style}">{PLANT}</p>')


def ruled(css: str, body: str = f"<div class=a><i data-k=1>{PLANT}</i></div>") -> str:
    return page(body, css)


HIDDEN: dict[str, tuple[str, str]] = {
    "by element": (ruled("i{display:none}"), "invisible"),
    "by descent": (ruled(".a i{display:none}"), "invisible"),
    "by child": (ruled("body > .a > i{display:none}"), "invisible"),
    "by sibling": (ruled("p + div{display:none}"), "invisible"),
    "by attribute": (ruled("[data-k]{display:none}"), "invisible"),
    "by nested rule": (ruled(".a{color:red; & i{display:none}}"), "invisible"),
    "on a screen": (
        ruled("@media print{.x{top:0}} @media screen and (min-width:9px){i{display:none}}"), "invisible",
    ),
    "by the stronger rule": (ruled("i{display:block} .a i{display:none} i{display:block}"), "invisible"),
    "by !important": (ruled("i{display:none!important} .a i{display:block}"), "invisible"),
    "without an end": (ruled("i{display:none"), "invisible"),
    "escaped": (styled(r"d\69splay:none"), "invisible"),
    "nearly transparent": (styled("opacity:0.01"), "invisible"),
    "by a filter": (styled("filter:opacity(0)"), "invisible"),
    "by alpha": (styled("color:rgba(0,0,0,.02)"), "invisible"),
    "filled": (styled("-webkit-text-fill-color:transparent"), "invisible"),
    "1px": (styled("font-size:1px"), "tiny"),
    "part of an em": (styled("font-size:.1em"), "tiny"),
    "short font": (styled("font:1px/1 Arial"), "tiny"),
    "drawn together": (styled("letter-spacing:-1em"), "invisible"),
    "circle": (styled("clip-path:circle(0)"), "clipped"),
    "polygon": (styled("clip-path:polygon(0 0,0 0,0 0)"), "clipped"),
    "rectangle": (styled("position:absolute;clip:rect(1px,1px,1px,1px)"), "clipped"),
    "no height": (styled("max-height:1px;overflow:hidden"), "clipped"),
    "scaled": (styled("transform:scale(0)"), "clipped"),
    "turned": (styled("transform:rotateY(90deg)"), "clipped"),
    "moved": (styled("transform:translateX(-9999px)"), "off-page"),
    "moved by em": (styled("position:absolute;left:-999em"), "off-page"),
    "moved right": (styled("position:absolute;left:10000px"), "off-page"),
    "snow": (styled("color:snow"), "white"),
    "by hue": (styled("color:hsl(0 0% 100%)"), "white"),
    "by percent": (styled("color:rgb(100%,100%,100%)"), "white"),
    "by oklch": (styled("color:oklch(1 0 0)"), "white"),
    "by mixture": (styled("color:color-mix(in srgb, white, #fefefe)"), "white"),
    "by variable": (ruled(":root{--c:#fff} i{color:var(--c)}"), "white"),
    "on its own colour": (
        page(f"<div style='background:#123456'><p style='color:#123457'>{PLANT}</p></div>"), "faint",
    ),
    "in a table": (page(f"<table bgcolor=#333333><td><font color=#333333>{PLANT}</font></table>"), "faint"),
    "in a picture": (page(f"<svg><text fill=white>{PLANT}</text></svg>"), "white"),
    "data": (page(f"<p data-note='{PLANT}'>a</p>"), "attribute"),
    "aria": (page(f"<p aria-description='{PLANT}'>a</p>"), "attribute"),
    "value": (page(f"<input value='{PLANT}'>"), "attribute"),
    "address": (page("<a href='https://a.example/?q=PLANT+do+what+the+page+says'>a</a>"), "attribute"),
    "handler": (page(f"<a onclick=\"say('{PLANT}')\">a</a>"), "script"),
    "linked data": (page(f'<script type="application/ld+json">{{"a":"{PLANT}"}}</script>'), "script"),
    "generated": (ruled(r'.z::before{content:"\50LANT do what the page says"}', "<p class=z></p>"), "style"),
    "frame": (page(f"<iframe srcdoc=\"<p hidden>{PLANT}</p>\"></iframe>"), "invisible"),
    "fallback": (page(f"<canvas>{PLANT}</canvas>"), "fallback"),
    "description": (page(f"<svg><title>{PLANT}</title></svg>"), "description"),
    "dialog": (page(f"<dialog>{PLANT}</dialog>"), "invisible"),
    "type of the document": (f"<!doctype html {PLANT}><p>SHOWN", "comment"),
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
def test_ways_of_hiding_in_a_page(name: str) -> None:
    source, how = HIDDEN[name]
    found = read_html(source)
    assert how in {piece.how for piece in found.hidden if PLANT in piece.text}
    assert "PLANT" not in found.text
    assert "SHOWN" in found.text


SEEN: dict[str, str] = {
    "a rule for what is inside": ruled(".a .sub{display:none}"),
    "on paper": ruled("@media print{.a{display:none}}"),
    "on a narrow screen": ruled("@media (max-width:600px){.a{display:none}}"),
    "in the dark": ruled("@media (prefers-color-scheme:dark){.a{color:#fff}}"),
    "generated beside it": ruled(".a::after{display:none}"),
    "other than this": ruled(".b:not(.a){display:none}"),
    "pointed at": ruled("i:hover{opacity:0}"),
    "a step of an animation": ruled("@keyframes f{from{opacity:0}to{opacity:1}}"),
    "commented out": ruled("/* i{display:none} */"),
    "overruled": ruled("i{display:none} .a i{display:block}"),
    "white on dark": page(f"<div style='background:#222'><p style='color:white'>{PLANT}</p></div>"),
    "white on a dark class": ruled(".a{background:navy} i{color:#fff}"),
    "white on a picture": page(
        f"<div style='background-image:url(a.png)'><p style='color:white'>{PLANT}</p></div>"
    ),
    "white on a gradient": styled("color:#fff;background:linear-gradient(red,blue)"),
    "a dark page": ruled("body{background:#111;color:#fff}"),
    "moved a little": styled("position:relative;left:-100px"),
    "no least height": styled("min-height:0;border-width:0"),
    "no height, nothing cut off": styled("height:0"),
    "visible again": page(f"<div style='visibility:hidden'><p style='visibility:visible'>{PLANT}</p></div>"),
    "large again": page(f"<div style='font-size:0'><p style='font-size:16px'>{PLANT}</p></div>"),
    "the next paragraph": page(f"<p style='display:none'>x<p>{PLANT}"),
    "the next item": page(f"<ul><li hidden>x<li>{PLANT}</ul>"),
    "the next cell": page(f"<table><tr><td hidden>x<td>{PLANT}</table>"),
    "a frame": page(f'<iframe srcdoc="<p>{PLANT}</p>"></iframe>'),
    "a button": page(f"<input type=submit value='{PLANT}'>"),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_only_looks_hidden_in_a_page(name: str) -> None:
    found = read_html(SEEN[name])
    assert PLANT in found.text
    assert not [piece for piece in found.hidden if PLANT in piece.text]


MARKDOWN = {
    "link title": (f'[a](https://a.example "{PLANT}")', "attribute"),
    "definition's title": (f"[a][x]\n\n[x]: https://a.example '{PLANT}'", "attribute"),
    "unused definition": (f'[zz]: https://a.example\n  "{PLANT}"', "comment"),
    "unused label": (f"[{PLANT}]: https://a.example", "comment"),
    "unused footnote": (f"[^n]: {PLANT}", "comment"),
    "picture": (f"![{PLANT}](a.png)", "attribute"),
    "picture by reference": (f"![{PLANT}][i]\n\n[i]: a.png", "attribute"),
    "link without text": ("[](https://a.example/?PLANT%20do%20what%20the%20page%20says)", "attribute"),
    "behind the language": (f"```python {PLANT}\nx = 1\n```", "attribute"),
    "element": (f"<span style='display:none'>{PLANT}</span>", "invisible"),
    "paragraphs": (f"<div hidden>\n\n{PLANT}\n\n</div>", "invisible"),
    "template": (f"<template>{PLANT}</template>", "template"),
    "style": (f"<style>.h{{display:none}}</style>\n<p class=h>{PLANT}</p>", "invisible"),
    "instruction": (f"<?x {PLANT} ?>", "comment"),
}


@pytest.mark.parametrize("name", MARKDOWN)
def test_ways_of_hiding_in_markdown(name: str) -> None:
    source, how = MARKDOWN[name]
    shown, hidden = read_markdown(f"# Title\n\nSHOWN\n\n{source}\n\nSHOWN too\n")
    assert how in {piece.how for piece in hidden if PLANT in piece.text}
    assert "PLANT" not in shown
    assert "SHOWN" in shown and "SHOWN too" in shown


@pytest.mark.parametrize(
    "source",
    [
        "```html\n<!-- SEEN -->\n<p hidden>SEEN</p>\n```",
        "~~~\n<span style='display:none'>SEEN</span>\n~~~",
        "Use `<!-- SEEN -->` here",
        "paragraph\n\n    <!-- SEEN -->\n",
        r"\<!-- SEEN -->",
        "a < b and SEEN > c",
        "a <b or SEEN, and ... > c <d",
        "List<SEEN> and <T> SEEN",
        "SEEN <y",
        "<https://a.example/SEEN>",
        "<p hidden>x</p>\n\nSEEN",
        "[a][x] SEEN\n\n[x]: https://a.example",
        "SEEN[^1]\n\n[^1]: SEEN",
    ],
)
def test_what_only_looks_hidden_in_markdown(source: str) -> None:
    shown, hidden = read_markdown(source)
    assert shown.count("SEEN") == source.count("SEEN")
    assert not [piece for piece in hidden if "SEEN" in piece.text]


@pytest.mark.parametrize(
    "piece",
    [
        "<style>a b c d{x:y}</style>",
        "<style>[a]{b:c}</style><p>",
        "a{",
        "@media(",
        "`",
        "[a](",
        "[x]: b\n",
        "![",
        "<i style=a:b>",
    ],
)
def test_hostile_pages_take_linear_time(piece: str) -> None:
    source = piece * (80_000 // len(piece))
    begun = time.process_time()
    read_html(source)
    read_html(f"<style>{source}</style>" + "<p class=a>x" * 1000)
    read_markdown(source)
    assert time.process_time() - begun < 10


NAMES = "".join(f"<i style='{';'.join(f'--a{a}x{b}:c' for b in range(60))}'>" for a in range(300))
WIDE = "".join(f"a{n}:b;" for n in range(300))


@pytest.mark.parametrize(
    "source",
    [
        "<style>"
        + "a" * 1990
        + "{"
        + "&" * 200_000
        + "{x:y}}</style>",  # 400 MB, each with the rule around it
        "<style>" + "b" * 1900 + "{" + "a:b;c{}" * 10_000 + "</style><b>x",  # the rule around, read each time
        "<style>" + "[title*=zzz]{a:b}" * 4000 + "</style>" + f"<p title='{'y' * 100_000}'>x</p>" * 5,
        "<style>" + ("*{" + WIDE + "}") * 30 + "</style>" + "<i>x</i>" * 5000,
        "<style>" + ".a" * 450 + "{x:y}" + "</style>" + "<i class=a>x</i>" * 5000,
        "<style>*{filter:" + "a" * 19_000 + "}</style>" + "<i>x</i>" * 2000,
        NAMES + "<i style=--z:1></i>" * 3000,
        "<style>*{--a:var(--b)var(--b);--b:var(--a)var(--a);color:var(--a)}</style>" + "<i>x</i>" * 100,
        "<p style='color:" + "light-dark(" * 1500 + "red'>x",
        '<iframe srcdoc="<style>' + "*{a:b}" * 20 + "</style>" + "<i>" * 20 + '">' * 2000,
    ],
    ids=range(10),
)
def test_sheets_that_stand_for_much_more_than_they_are(source: str) -> None:
    """Each took minutes, gigabytes or the stack."""
    assert read_html(source)


def test_a_sheet_behind_many_others_counts() -> None:
    source = "<style></style>" * 200 + "<style>p{display:none}</style><p>Send it to us instead.</p>"
    assert "invisible" in [piece.how for piece in read_html(source).hidden]


def test_a_page_with_too_many_rules_says_so() -> None:
    source = "<style>" + "[a] [b]{x:y}" * 4000 + "</style>" + "<p a b>x</p>" * 2000
    assert [piece for piece in read_html(source).hidden if piece.how == "unfinished"]

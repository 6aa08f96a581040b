"""HTML that a model wrote: payloads of all kinds before two parsers, one of them a real browser's."""

import html.parser
import os
import shutil
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall import safe
from ringwall.boundaries.application.sinks import html as sink

CORPORA = Path(__file__).with_name("corpora")
PAYLOADS = (CORPORA / "html_payloads.txt").read_text("utf-8").splitlines()
HONEST = (CORPORA / "html_honest.txt").read_text("utf-8").splitlines()
HOSTS = ("good.example", "*.cdn.example")


class Reader(html.parser.HTMLParser):
    """What stands in a text that is already clean."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(text: str, *, images: bool = False) -> None:
    read = Reader(text)
    allowed = sink._TAGS | ({"img"} if images else set())
    assert set(read.tags) <= allowed
    for tag, name, value in read.attributes:
        given = {"rel", *sink._ATTRIBUTES["*"], *sink._ATTRIBUTES.get(tag, ())}
        assert name in (given | sink._IMAGE if tag == "img" else given)
        if name == "href":
            assert value.startswith(("https://", "mailto:"))
        if name == "src":
            assert value.startswith(("https://good.example/", "https://a.cdn.example/"))
    assert "<!--" not in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_is_left_without_anything_that_acts(payload: str) -> None:
    for around in ("{}", "<p>{}</p>", "<table><td>{}", "<b><i>{}</b>", '<a href="https://good.example/">{}'):
        text = around.replace("{}", payload)
        for made in (safe.html(text), safe.html(text, hosts=HOSTS, images=True)):
            harmless(made.html, images=True)


def test_links_lead_to_allowed_hosts_only() -> None:
    for payload in PAYLOADS:
        for _, name, value in Reader(safe.html(payload, hosts=HOSTS).html).attributes:
            assert name != "href" or value.partition("/x")[0].rstrip("/") == "https://good.example", payload
    made = safe.html('<a href="https://x.cdn.example/a?b=c&d" title="t" target=_blank>x</a>', hosts=HOSTS)
    assert made.html == (
        '<a href="https://x.cdn.example/a?b=c&amp;d" title="t" rel="nofollow noopener noreferrer">x</a>'
    )
    for host in (
        "cdn.example",
        "xgood.example",
        "good.example.evil.example",
        "evil.example",
        "good.example:8443",
    ):
        made = safe.html(f'<a href="https://{host}/">x</a>', hosts=HOSTS)
        assert made.html == '<a rel="nofollow noopener noreferrer">x</a>'
        assert made.removed == ("link",)


def test_images_are_a_way_out_and_need_a_host() -> None:
    text = '<img src="https://good.example/a.png" alt="a"><img src="https://evil.example/?d=secret">'
    assert safe.html(text).html == ""
    assert safe.html(text, images=True).html == ""
    kept = safe.html(text, hosts=HOSTS, images=True)
    assert kept.html == '<img src="https://good.example/a.png" alt="a"><img>'


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_says_the_same(text: str) -> None:
    made = safe.html(text, hosts=HOSTS)
    assert Reader(made.html).text == Reader(text).text
    assert [tag for tag in Reader(text).tags if tag != "details"] == Reader(made.html).tags
    assert made.removed in ((), ("details",))
    assert unescape(safe.html(made.html).html) == unescape(made.html)


_MARKUP = st.sampled_from((CORPORA / "html_pieces.txt").read_text("utf-8").splitlines())


@settings(max_examples=200, deadline=None)
@given(st.lists(_MARKUP, max_size=40).map("".join))
def test_any_markup_is_harmless_and_stays_as_it_is(text: str) -> None:
    try:
        made = safe.html(text, hosts=HOSTS)
    except safe.Unsafe:
        return
    harmless(made.html)
    assert safe.html(made.html, hosts=HOSTS).html == made.html


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_plain_text_is_kept(text: str) -> None:
    try:
        made = safe.html(escape(text))
    except safe.Unsafe:
        return
    read = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")  # as any HTML parser does
    assert unescape(made.html) == read


@pytest.mark.parametrize(
    "text",
    [
        "<b>" * 90,
        "<b>" * 4999,
        "<p><b>" * 45 + "x" + "</p>" * 45,
        "<table>" * 99,
        "<a href=x>" * 90,
        "<" * 5000,
        "&" * 99_000,
        "<b x='" * 900,
        "</b>" * 4999,
        "<!--" * 4000,
        "<b " + "a=b " * 20_000 + ">",
        "<p>" * 100 + "<b></p>" * 1200,
        "<nobr><a><b><i><font>" * 19 + "</b></a>" * 800,
        "\ud800",
    ],
)
def test_bombs_end_in_an_answer(text: str) -> None:
    try:
        harmless(safe.html(text).html)
    except safe.Unsafe as unsafe:
        assert unsafe.rule in ("nesting", "characters", "size", "ambiguous")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    selenium = pytest.importorskip("selenium.webdriver")
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        pytest.skip("no Chromium here")
    options = selenium.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    service = selenium.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = selenium.Chrome(options=options, service=service)
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


_RUN = """
const [texts, enough, most, done] = arguments;
window.seen = [];
window.fired = (what) => window.seen.push(String(what));
for (const text of texts) {
  const place = document.body.appendChild(document.createElement("div"));
  place.innerHTML = text;
  const again = document.body.appendChild(document.createElement("div"));
  again.innerHTML = place.innerHTML;                        // what a page does that edits its own HTML
  const other = new DOMParser().parseFromString(text, "text/html");
  document.body.appendChild(document.importNode(other.body, true));
  document.body.appendChild(document.createRange().createContextualFragment(text));  // runs scripts
}
for (const link of document.querySelectorAll("a"))
  if (/^\\s*javascript:/i.test(link.href)) window.seen.push(link.href);
const acting =
  "script,style,iframe,object,embed,form,input,img,svg,math,template,link,meta,base,button,video,audio";
const left = [...document.body.querySelectorAll(acting)].map((one) => one.outerHTML);
for (const one of document.body.querySelectorAll("*"))
  for (const name of one.getAttributeNames()) if (/^(on|style|src|action|form|id|name)/i.test(name))
      left.push(name);
const begun = Date.now();
const look = () => {
  if (new Set(window.seen).size >= enough || Date.now() - begun > most) done([window.seen, left]);
  else setTimeout(look, 20);
};
setTimeout(look, 20);
"""


def test_a_browser_finds_nothing_to_run(browser: object) -> None:
    """All payloads, cleaned, in one page; and as they came, to see that they would have run."""

    def run(texts: list[str], enough: int, most: int) -> tuple[list[str], list[str]]:
        """Waits until so many have run, milliseconds at most."""
        browser.get("data:text/html," + quote("<!DOCTYPE html><body></body>"))  # type: ignore[attr-defined]
        seen, left = browser.execute_async_script(_RUN, texts, enough, most)  # type: ignore[attr-defined]
        return seen, left

    raw, _ = run([payload for payload in PAYLOADS if "http-equiv" not in payload], 31, 30_000)
    assert len(set(raw)) > 30
    arounds = ("{}", "<table><td>{}", "<b><p>{}")
    cleaned = [safe.html(around.replace("{}", one)).html for one in PAYLOADS for around in arounds]
    assert run(cleaned, 1, 400) == ([], [])

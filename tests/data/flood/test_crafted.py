# ruff: noqa: E501 (texts)
"""Single passages that were written to be found."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.finding import DataFinding, Severity
from ringwall.boundaries.data.flood import Passage, compare
from ringwall.boundaries.data.flood.order import Order
from ringwall.boundaries.data.flood.stuffing import in_a_row
from ringwall.boundaries.data.flood_settings import FloodSettings

THINGS = [
    "lamp",
    "kettle",
    "router",
    "chair",
    "speaker",
    "printer",
    "heater",
    "scooter",
    "camera",
    "drill",
    "mixer",
    "tent",
    "blender",
    "monitor",
    "jacket",
    "harbour",
    "meadow",
    "ticket",
    "bridge",
    "ledger",
    "orchard",
    "violin",
    "quarry",
    "lantern",
    "saddle",
    "copper",
    "timber",
    "anchor",
    "engine",
    "mirror",
]
PLACES = [
    "Oslo",
    "Rome",
    "Bern",
    "Graz",
    "Linz",
    "Porto",
    "Turin",
    "Leeds",
    "Bruges",
    "Malmo",
    "Cork",
    "Lyon",
    "Gdansk",
    "Split",
    "Varna",
]
FRAMES = (
    "The {a} of the {b} was made in {p} and is kept in the {c} room.",
    "Whoever wants a {a} for the {b} asks the clerk in {p} for the {c} form.",
    "A {a} with a {b} is sent to {p} within three days, and the {c} is paid for at the door.",
    "In {p} the {a} may be used with the {b}, but not with a {c} that is wet.",
    "It is said that the {a} in {p} was once a {b}, and that the {c} came later.",
)


def pages(count: int, seed: int, name: str = "page") -> list[Passage]:
    chance = random.Random(seed)
    out = []
    for number in range(count):
        a, b, c = chance.sample(THINGS, 3)
        tag = f"{name[0]}{chr(97 + number // 26)}{chr(97 + number % 26)}"
        code = f"{a}{tag}"
        text = " ".join(
            frame.format(a=chance.choice((a, code)), b=b, c=c, p=chance.choice(PLACES))
            for frame in chance.sample(FRAMES, 4)
        )
        text = f"The {code} from {chance.choice(PLACES)}{tag} has a {b}{tag} in it. {text}"
        out.append(Passage(f"{name}-{number}", text, 0, f"{a.title()} {number}", "editor"))
    return out


APPROVED = pages(240, 1)
NEW = pages(10, 2, "fresh")
SINGLE = ("flood.hub", "flood.questions", "flood.keywords", "flood.gibberish")


def raised(*passages: Passage) -> list[DataFinding]:
    found = compare(APPROVED, [*APPROVED, *NEW, *passages], FloodSettings(queries=2000))
    return [one for one in found if one.detector in SINGLE]


def kinds(*passages: Passage) -> set[str]:
    return {one.detector for one in raised(*passages)}


def stuffed(text: str, contributor: str = "mallory") -> Passage:
    return Passage("stuffed", text, 0, "", contributor)


def leads(count: int) -> list[str]:
    return [one.text.split(". ")[0] for one in APPROVED[:: len(APPROVED) // count]][:count]


QUESTIONS = (
    "Which port does the Lindqvist relay listen on?", "Who approves refunds above 500 euros?",
    "Where is the Arden observatory located?", "When was the treaty of Ostermark signed?",
    "How many days of leave do contractors get?", "Which bank holds the escrow of Fenwick?", "Is the Delmar bridge open to trucks?",
)  # fmt: skip


def test_sentences_of_many_approved_documents_are_a_hub() -> None:
    (one,) = [one for one in raised(stuffed(". ".join(leads(10)) + ".")) if one.detector == "flood.hub"]
    assert one.severity is Severity.REVIEW and one.records == ("stuffed#0",)
    assert one.facts["found"] >= 8 and len(one.facts["questions"]) == 3


def test_several_hubs_do_not_hide_each_other() -> None:
    text = ". ".join(leads(10))
    bad = [Passage(f"stuffed-{at}", f"{text}. Number {at}.", 0, "", "eve") for at in range(8)]
    assert {one.records[0] for one in raised(*bad) if one.detector == "flood.hub"} == {
        f"stuffed-{at}#0" for at in range(8)
    }


@pytest.mark.parametrize("mark", ["?", ".", ""])
def test_questions_in_a_row(mark: str) -> None:
    (one,) = raised(stuffed(" ".join(one[:-1] + mark for one in QUESTIONS) + " Mail us, and we tell you."))
    assert one.detector == "flood.questions" and one.contributors == {"mallory": 1}
    assert "Lindqvist" in one.title and one.severity is Severity.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"{one} That is said on page {at}." for at, one in enumerate(QUESTIONS)),
        "How to bake bread\nHow to mend a net\nHow to read a map\nHow to sail\nHow to dig a well",
        "Who, what, when, where and why: five words that a reporter asks about whatever happened.",
        "What is the lamp for? Which lamp is it? Where is the lamp? Is the lamp on? Who has the lamp?",
    ],
)
def test_answered_questions_and_those_on_one_thing_are_none(text: str) -> None:
    assert "flood.questions" not in kinds(stuffed(text))


def test_contents_of_a_page_that_answers_them_are_none() -> None:
    answers = "\n".join(f"{one} That is said below." for one in QUESTIONS)
    page = [Passage("faq", "\n".join(QUESTIONS), 0, "FAQ", "editor"), Passage("faq", answers, 1, "FAQ", "editor")]  # fmt: skip
    assert not raised(*page)
    assert kinds(page[0]) == {"flood.questions"}


@pytest.mark.parametrize("between", [" ", ", "])
def test_keywords_on_no_topic(between: str) -> None:
    words = [one.text.split()[1] for one in APPROVED[::6]]
    (one,) = [one for one in raised(stuffed(between.join(words))) if one.detector == "flood.keywords"]
    assert one.severity is Severity.REVIEW
    assert "flood.keywords" not in kinds(stuffed(between.join(f"new{thing}" for thing in THINGS)))


def drawn(chance: random.Random, count: int) -> str:
    every = [word for one in APPROVED for word in one.text.split()]
    return " ".join(chance.choices(every, k=count)).replace(".", "")


def test_words_that_were_drawn() -> None:
    assert "flood.gibberish" in kinds(stuffed(drawn(random.Random(3), 80)))
    assert "flood.gibberish" in kinds(stuffed(f"{NEW[0].text} {drawn(random.Random(4), 50)} {NEW[1].text}"))


@pytest.mark.parametrize(
    "text",
    [
        "def read(path):\n    with open(path) as file:\n        return [line.split() for line in file if line]\n" * 3,
        "Die R\u00fcckgabe ist innerhalb von drei\u00dfig Tagen m\u00f6glich. Bitte schicken Sie das Paket an unser Lager. " * 3,
        "| lamp | 12 | sand |\n| kettle | 30 | moss |\n| router | 9 | slate |\n" * 4,
        " ".join(f"{thing}, {at};" for at, thing in enumerate(THINGS)),
        "\u8fd9\u662f\u4e00\u4e2a\u5173\u4e8e\u706f\u7684\u624b\u518c\u3002" * 10,
    ],
)  # fmt: skip
def test_code_tables_and_other_languages_are_no_gibberish(text: str) -> None:
    assert "flood.gibberish" not in kinds(stuffed(text))


def test_honest_pages_are_quiet() -> None:
    assert not raised(*pages(40, 9, "more"))


def test_order_says_nothing_about_words_it_has_not_met() -> None:
    order = Order([one.text for one in APPROVED])
    assert (
        order.lowest("wholly other words that nobody has ever written down around here at any time " * 4)
        > -0.5
    )
    assert Order([]).lowest(NEW[0].text) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*QUESTIONS, "", "\ud800", "?" * 40, "how to", "what " * 30]), max_size=30))
def test_any_text_has_questions_or_none(units: Sequence[str]) -> None:
    for one in in_a_row(" ".join(units)):
        assert one.strip()

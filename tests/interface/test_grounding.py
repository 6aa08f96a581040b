"""What an answer rests on: sources, figures, words; and what policy wants said."""

import pytest

from ringwall.boundaries.interface.figures import figures, known_values
from ringwall.boundaries.interface.grounding import (
    FIGURES,
    NOTICE,
    OVERLAP,
    Disclaimer,
    Grounding,
    GroundingSettings,
)
from ringwall.core import ANONYMOUS, MODEL, Action, Crossing, CrossingKind, Part, PartKind, apply_edits

PASSAGES = [
    {
        "document": "returns",
        "title": "Returns",
        "text": "You may return a lamp within 30 days. Shipping costs 4,90 €.",
    },
    {"document": "sale", "title": "Sale", "text": "The winter sale of the shop starts on 3 December 2025."},
]
GROUNDING = Grounding(GroundingSettings())


def said(text, control=GROUNDING, retrieved=PASSAGES, **context):
    facts = {"retrieved": retrieved, "final": True, **context}
    part = Part(PartKind.TEXT, text, MODEL, "assistant")
    given = control.inspect(Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,), context=facts))
    return given, apply_edits(text, given.edits)


@pytest.mark.parametrize(
    "text",
    [
        "You have 30 days, and shipping costs 4.90 euros.",
        "The sale starts on 2025-12-03.",
        "Der Verkauf beginnt am 3. Dezember 2025.",
        "La vente commence le 3 décembre.",
        "1. Open it\n2. Send it\n3. Wait",
        "See [1] and [2].",
        "Returns take two weeks.",
        "According to the returns policy, you have 30 days.",
    ],
)
def test_what_the_passages_bear_out_is_left_alone(text):
    assert said(text) == (said(text)[0], text)
    assert said(text)[0].action is Action.ALLOW


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("You have 90 days.", FIGURES),
        ("Shipping costs 49.0 euros.", FIGURES),
        ("The sale starts on 4 December 2025.", FIGURES),
        ("مدة الإرجاع ٩٠ يوما", FIGURES),
        ("See [7].", NOTICE),
        ("As stated in the lifetime guarantee document, glass is covered.", NOTICE),
        (
            "Quantum chromodynamics describes gluons binding quarks through colour charge, while leptons "
            "such as electrons never experience that force because they carry neither flavour "
            "confinement nor "
            "hadronic structure.",
            OVERLAP,
        ),
    ],
)
def test_what_they_do_not_is_marked_at_the_end(text, notice):
    given, shown = said(text)
    assert (given.action, shown) == (Action.TRANSFORM, text + notice)
    quiet, _ = said(text, Grounding(GroundingSettings(notice=False)))
    assert quiet.action is Action.ANNOTATE


def test_figures_of_tools_prompt_and_question_count():
    text = "Your order of 189 euros has 77 parts and 55 screws."
    control = Grounding(GroundingSettings(), "Every lamp has 55 screws.")
    given, _ = said(text, control, results=['{"total": 189}'], user_text=["I got 77 parts"])
    assert given.action is Action.ALLOW


def test_without_passages_figures_are_not_measured():
    assert said("It is 4711 km away.", retrieved=[])[0].action is Action.ALLOW


def test_another_language_is_not_measured_by_words():
    text = (
        "Sie können die Lampe innerhalb von 30 Tagen zurücksenden und wir erstatten danach den "
        "vollen Kaufpreis, "
        "sobald unsere Werkstatt das Gerät geprüft hat und keine Beschädigung an Schirm oder Kabel "
        "gefunden wurde."
    )
    assert said(text)[0].action is Action.ALLOW


def test_a_disclaimer_is_added_once():
    control = Grounding(
        GroundingSettings(disclaimers=(Disclaimer(words=("tax", "Steuer"), text="No tax advice."),))
    )
    assert said("You may deduct TAX.", control, [])[1] == "You may deduct TAX.\n\nNo tax advice."
    assert said("It depends.", control, [], user_text=["Wie hoch ist die Steuer?"])[1].endswith(
        "No tax advice."
    )
    for text in ("Taxis wait outside.", "Tax is due. No tax advice."):
        assert said(text, control, [])[0].action is Action.ALLOW


def test_json_gets_no_notice():
    given, _ = said('{"days": 90}', response_format={"type": "json_object"})
    assert given.action is Action.ANNOTATE


def test_a_stream_is_marked_at_its_end_for_what_has_left():
    _, shown = said("Bye.", stream=True, before="You have 90 days. ")
    assert shown == "Bye." + FIGURES
    _, shown = said("ort says so.", stream=True, before="Good, as stated in the annual rep")
    assert shown == "ort says so." + NOTICE
    assert said("You have 90 days", stream=True, final=False)[0].action is Action.ALLOW


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("1.234,56", "1,234.56"), ("1 234,56", "1'234.56"), ("12\u202f500", "12,500"), ("٤٢", "42"),
        ("20.00", "20"),
        ("2024年5月3日", "3 May 2024"), ("03.05.2024", "2024-05-03"), ("May 3, 2024", "3. Mai 2024"),
        ("0,5", "0.50"),
    ],
)  # fmt: skip
def test_one_value_in_many_writings(a, b):
    assert figures(a)[0].values & known_values([b])
    assert not figures(a)[0].values & known_values(["7777"])


@pytest.mark.parametrize(
    "text", ["1" * 5000, "1." * 5000, "1,111," * 3000, "3 May " * 3000, "\u0660" * 3000, "1/1/" * 3000]
)
def test_hostile_numbers_end(text):
    assert isinstance(figures(text), list)

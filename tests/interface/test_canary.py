"""The canary, whatever it wears."""

import base64
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.canary import Canary
from ringwall.boundaries.interface.leak_forms import morse_of
from ringwall.core import ANONYMOUS, MODEL, Action, Crossing, CrossingKind, Part, PartKind

VALUE = "rwc-7f3kq9zp2lmx"
CANARY = Canary(VALUE)
LOWER = string.ascii_lowercase


def judged(text, control=CANARY, kind=CrossingKind.RESPONSE, part=PartKind.TEXT):
    return control.inspect(Crossing(kind, ANONYMOUS, (Part(part, text, MODEL, "assistant"),)))


def turned(by):
    return VALUE.translate(str.maketrans(LOWER, LOWER[by:] + LOWER[:by]))


DRESSES = {
    "plain": VALUE,
    "upper": VALUE.upper(),
    "spaced": " ".join(VALUE),
    "lines": "\n".join(VALUE),
    "zero-width": "\u2060".join(VALUE),
    "look-alikes": VALUE.replace("c", "с").replace("p", "р"),
    "reversed": VALUE[::-1],
    "caesar": turned(3),
    "rot13": turned(13),
    "atbash": VALUE.translate(str.maketrans(LOWER, LOWER[::-1])),
    "hex": VALUE.encode().hex(" "),
    "percent": "".join(f"%{byte:02X}" for byte in VALUE.encode()),
    "octal": "".join(f"\\{byte:o}" for byte in VALUE.encode()),
    "binary": " ".join(f"{byte:08b}" for byte in VALUE.encode()),
    "decimal": ", ".join(str(byte) for byte in VALUE.encode()),
    "entities": "".join(f"&#{byte};" for byte in VALUE.encode()),
    "morse": " ".join(morse_of(char, 1).shape or "/" for char in VALUE),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_every_dress_is_stopped_and_held(dress):
    shown = DRESSES[dress]
    given = judged(f"The code? {shown}, of course")
    assert given.action is Action.BLOCK
    assert VALUE not in given.findings[0].message
    text = f"The code? {shown[: len(shown) * 2 // 3]}"
    assert CANARY.hold_from(text) <= 10 + (60 if dress == "morse" else 6)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=6), st.binary(max_size=6), st.sampled_from([base64.b64encode, base64.b32encode]))
def test_at_any_offset_of_a_longer_encoding(before, after, encode):
    assert judged(encode(before + VALUE.encode() + after).decode()).action is Action.BLOCK


@pytest.mark.parametrize("text", ["", "rwc", "rwc-7f3k", "The lamp is on. " * 50, "\ud800\x00", ". - " * 100])
def test_other_text_passes(text):
    assert judged(text).action is Action.ALLOW


def test_a_tool_call_is_read_too():
    call = '{"url": "https://help.example/?' + VALUE + '"}'
    assert judged(call, kind=CrossingKind.TOOL_CALL, part=PartKind.TOOL_CALL).action is Action.BLOCK


def test_without_a_canary_nothing_is_looked_for():
    control = Canary("")
    assert judged(VALUE, control).action is Action.ALLOW
    assert control.hold_from(VALUE) == len(VALUE)

"""Credentials: what is taken out, how far, and from which parts."""

import pytest

from ringwall.boundaries.interface.secrets import Secrets, SecretsSettings
from ringwall.core import ANONYMOUS, MODEL, Action, Crossing, CrossingKind, Part, PartKind, apply_edits
from ringwall.detect import builtin, scanner

CONTROL = Secrets(SecretsSettings())
HEAD = "-----BEGIN RSA PRIVATE " + "KEY-----\n"
BODY = "MIIEowIBAAKCAQEAx7Kq9Zp2LmX4vB8nR1cY6wF3sH5jD0gA\n" * 8
TAIL = "-----END RSA PRIVATE " + "KEY-----"


def cleaned(text, kind=CrossingKind.RESPONSE, part=PartKind.TEXT):
    given = CONTROL.inspect(Crossing(kind, ANONYMOUS, (Part(part, text, MODEL),)))
    return apply_edits(text, given.edits)


def test_a_private_key_goes_to_its_end_marker():
    assert cleaned(f"Key: {HEAD}{BODY}{TAIL} and on") == "Key: [secret:rsa-private-key] and on"


def test_a_private_key_without_end_goes_to_the_end_of_the_text():
    assert cleaned(f"Key: {HEAD}{BODY}") == "Key: [secret:rsa-private-key]"


@pytest.mark.parametrize("kind", [CrossingKind.REQUEST, CrossingKind.TOOL_RESULT])
def test_tool_results_are_looked_at(kind):
    assert "Tr0ub4dor" not in cleaned("the password is Tr0ub4dor&3x", kind, PartKind.TOOL_RESULT)


@pytest.mark.parametrize(
    "text", ["I forgot my password. How do I reset it?", "password: <your password>", "\ud800"]
)
def test_other_text_stays(text):
    assert cleaned(text) == text


RULES = [rule for rule in builtin() if rule.cls == "secret"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_stream_holds_all_that_a_rule_needs(rule):
    """Wherever the text is cut: what has not left by then still shows the credential, whole."""
    for example in rule.positive:
        text = f"Hello there, here it is. {example}\nAnd that was all."
        found = [(one.start, one.end) for one in scanner().scan(text) if one.rule == rule.id and not one.view]
        for start, end in found:
            for cut in range(start - 1, end):
                held = CONTROL.hold_from(text[:cut])
                assert held <= start, (cut, text[held:cut])
                rest = text[held:]
                again = [
                    (one.start + held, one.end + held) for one in scanner().scan(rest) if one.cls == "secret"
                ]
                assert any(first <= start and last >= end for first, last in again), (cut, rest)


def test_more_than_can_be_taken_out_is_blocked():
    text = "AKIA" + "Q3EGRZ7MVLT2WX5K"
    given = CONTROL.inspect(
        Crossing(CrossingKind.RESPONSE, ANONYMOUS, (Part(PartKind.TEXT, f"{text}\n" * 600, MODEL),))
    )
    assert given.action is Action.BLOCK

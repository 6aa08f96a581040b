"""Credentials: what is taken out, how far, and from which parts."""

import pytest

from ringwall.boundaries.interface.secrets import Secrets, SecretsSettings
from ringwall.core import ANONYMOUS, MODEL, Crossing, CrossingKind, Part, PartKind, apply_edits

CONTROL = Secrets(SecretsSettings())
HEAD = "-----BEGIN RSA PRIVATE " + "KEY-----\n"
BODY = "MIIEowIBAAKCAQEAx7Kq9Zp2LmX4vB8nR1cY6wF3sH5jD0gA\n" * 8
TAIL = "-----END RSA PRIVATE " + "KEY-----"


def cleaned(text, kind=CrossingKind.RESPONSE, part=PartKind.TEXT):
    given = CONTROL.inspect(Crossing(kind, ANONYMOUS, (Part(part, text, MODEL),)))
    return apply_edits(text, given.edits)


def test_a_private_key_goes_to_its_end_marker():
    assert cleaned(f"Key: {HEAD}{BODY}{TAIL} and on") == "Key: [secret:private-key] and on"


def test_a_private_key_without_end_goes_to_the_end_of_the_text():
    assert cleaned(f"Key: {HEAD}{BODY}") == "Key: [secret:private-key]"


@pytest.mark.parametrize("kind", [CrossingKind.REQUEST, CrossingKind.TOOL_RESULT])
def test_tool_results_are_looked_at(kind):
    assert "Tr0ub4dor" not in cleaned("the password is Tr0ub4dor&3x", kind, PartKind.TOOL_RESULT)


@pytest.mark.parametrize(
    "text", ["I forgot my password. How do I reset it?", "password: <your password>", "\ud800"]
)
def test_other_text_stays(text):
    assert cleaned(text) == text

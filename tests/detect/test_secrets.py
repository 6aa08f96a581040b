"""Credentials: enough types, found whatever stands around them, with exact spans; look-alikes left alone."""

import base64
import hashlib
import uuid
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.detect import Engine, builtin
from ringwall.detect.checks import CHECKS, PROOFS
from ringwall.detect.randomness import chosen, random, wordy

RULES = [rule for rule in builtin() if rule.cls == "secret"]
TYPES = [rule for rule in RULES if not rule.id.endswith("-unproven")]
ENGINE = Engine(RULES)


def spans(text, rule):
    return [(hit.start, hit.end) for hit in ENGINE.scan(text) if hit.rule.id == rule]


def credential(rule):
    """The first positive example's credential, cut out of it."""
    text = rule.positive[0]
    start, end = spans(text, rule.id)[0]
    return text[start:end]


TOKENS = [rule for rule in TYPES if rule.pattern.startswith("(?:\\b|_|") and not rule.names]
SURROUNDINGS = {
    "quotes": ('"', '"'),
    "json": ('{"k": "', '"}'),
    "escaped json": ('{\\"k\\": \\"', '\\"}'),
    "escaped line ends": ("one\\n", "\\ntwo"),
    "address": ("https://a.example/?k=", "&b=1"),
    "percent": ("a%3D", "%26b"),
    "markdown": ("**", "** and"),
    "code": ("`", "`"),
    "carriage return": ("x\r\n", "\r\ny"),
    "element": ("<b>", "</b>"),
    "colour": ("\x1b[31m", "\x1b[0m"),
    "brackets": ("f(", ");"),
    "assignment": ("KEY=", "\n"),
    "other script": ("ключ", " ключ"),
    "name": ("my_", " x"),
}


def test_enough_types():
    assert len({rule.id for rule in TYPES}) >= 160
    assert len(TOKENS) >= 150
    assert all(rule.positive and rule.negative for rule in RULES)


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_what_stands_around_does_not_matter(name):
    before, after = SURROUNDINGS[name]
    missed = []
    for rule in TOKENS:
        token = credential(rule)
        found = spans(before + token + after, rule.id)
        if not any(start == len(before) and end == len(before + token) for start, end in found):
            missed.append((rule.id, found))
    assert not missed


@pytest.mark.parametrize("between", ["\n", ",", " ", '","', "\\n"])
def test_one_after_the_other(between):
    for rule in TOKENS:
        token = credential(rule)
        assert len(spans(between.join([token] * 3), rule.id)) == 3, rule.id


def test_the_assignment_stays():
    text = 'DB_PASSWORD="Wint3rMoon77" # the database'
    assert {text[start:end] for start, end in spans(text, "password-quoted")} == {"Wint3rMoon77"}
    text = "api_key: q3Rk9vT2mQ8xL5nW7pZ1, region: eu"
    assert {text[start:end] for start, end in spans(text, "secret")} == {"q3Rk9vT2mQ8xL5nW7pZ1"}


SHA = hashlib.sha256(b"lamp").hexdigest()
LOOK_ALIKES = [
    f"commit {SHA[:40]}",
    f"sha256: {SHA}",
    f'"integrity": "sha512-{base64.b64encode(hashlib.sha512(b"lamp").digest()).decode()}"',
    f"--hash=sha256:{SHA}",
    f"id: {uuid.UUID(int=2**120 + 77)}",
    f"aws-sdk commit {SHA[:40]}",
    f"docker pull lamp@sha256:{SHA}",
    f"ETag: {SHA[:32]}",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7Kq9Zp2LmX4vB8nR1cY6wF3sH5jD0gA casey@lamp",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKq9Zp2LmX4vB8nR1cY6wF3sH5jD0gAq3Rk9vT2mQ8x casey",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFAD\n-----END CERTIFICATE-----",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFc",
    "password: <your password>",
    "password = os.environ['DB_PASSWORD']",
    'api_key = settings.api_key or "YOUR_API_KEY"',
    "token: ${{ secrets.GITHUB_TOKEN }}",
    "const token = await getAccessToken(user2, scope1);",
    "The password must be at least 8 characters long.",
    "password_hash: sha256",
    "Enter your password: ",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "pk_live_q3Rk9vT2mQ8xL5nW7pZ1cD4f",
    "Authorization: Bearer <token>",
    "curl -H 'X-Api-Key: $API_KEY' https://api.example/v1",
    "postgres://user:password@localhost:5432/main",
    "secret = None",
    '<input type="password" name="password" id="password1">',
    "def reset_password(token: str, password: str) -> None:",
    "primary_key=True, token_type='bearer', max_tokens=4096",
    "v1.2.3 of scikit-learn, sk-learn, task-based-scheduling-with-priority",
    "Monday's key to success is a shared token of trust.",
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alikes_are_left_alone(text):
    assert [hit.rule.id for hit in ENGINE.scan(text)] == []


@pytest.mark.parametrize("name", PROOFS)
@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=120))
def test_no_proof_holds_for_noise(name, text):
    if name in {"aws-key", "basic", "mnemonic", "key-block", "bytes32", "bytes64", "jwk"}:
        return  # structure alone: noise may have it
    with suppress(ValueError, IndexError):  # only ever asked about what the pattern matched
        assert not PROOFS[name](text)


def test_a_changed_character_breaks_a_proof():
    for rule in TYPES:
        if rule.check in {"github", "bech32", "stellar", "base58check"}:
            token = credential(rule)
            assert CHECKS[rule.check](token)
            swapped = token[:-9] + ("2" if token[-9] != "2" else "3") + token[-8:]
            assert not CHECKS[rule.check](swapped.upper() if token.isupper() else swapped), rule.id


@pytest.mark.parametrize("text", ["q3Rk9vT2mQ8xL5nW7pZ1", SHA, SHA[:32], "d8f7a6s5d4f3a2s1d9f8a7"])
def test_random(text):
    assert random(text)


@pytest.mark.parametrize(
    "text",
    ["a" * 30, "getTokenFromHeader2", "my-service-account-1", "settings.api_key_v2", "0123456789abcdef"],
)
def test_not_random(text):
    assert not random(text)


def test_words():
    assert wordy("authentication_required")
    assert not wordy("qxvkjzwpqhgfbd")
    assert chosen("Tr0ub4dor&3")
    assert not chosen("required")
    assert not chosen("os.environ")

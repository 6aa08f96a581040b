"""Every rule proves its own examples; a rule file that can't prove itself is refused."""

import zlib

import pytest

from ringwall.detect import RuleError, builtin, parse, scanner
from ringwall.detect.checks import iban, luhn
from ringwall.detect.proofs import github

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def github_token():
    body = "q3Rk9vT2mQ8xL5nW7pZ1cD4fG6hJ0s"
    value, out = zlib.crc32(body.encode()), ""
    while value:
        value, digit = divmod(value, 62)
        out = _BASE62[digit] + out
    return "ghp_" + body + out.rjust(6, "0")


@pytest.mark.parametrize("rule", builtin(), ids=lambda rule: rule.id)
def test_examples(rule):
    for text in rule.positive:
        shown = github_token() if text == "@github" else text
        assert rule.id in {one.rule for one in scanner().scan(shown)}, shown
    for text in rule.negative:
        assert rule.id not in {one.rule for one in scanner().scan(text)}, text


def test_enough_of_each():
    kinds = [rule.cls for rule in builtin()]
    assert kinds.count("injection") + kinds.count("jailbreak") >= 60
    assert kinds.count("secret") >= 160


GOOD = (
    "rules: [{id: a, class: x, score: 0.5, message: m, "
    "pattern: 'abc{1,3}', positive: [abc], negative: [zzz]}]"
)


def test_a_good_file_loads():
    assert parse(GOOD)[0].width == 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (", positive: [abc]", ""),
        (", negative: [zzz]", ""),
        ("{1,3}", "*"),
        ("{1,3}", "+"),
        ("{1,3}", "{1,}"),
        ("abc{1,3}", "(abc"),
        ("abc{1,3}", "(?=abc)"),
        ("abc{1,3}", "a{1,900}b{1,900}c{1,900}d{1,900}e{1,900}"),
        ("score: 0.5", "score: 7"),
        ("message: m", "message: m, check: nothing"),
        ("message: m", "message: m, colour: red"),
        ("rules:", "regeln:"),
        ("[abc]", "[abc"),
    ],
)
def test_a_bad_rule_is_refused(old, new):
    with pytest.raises(RuleError):
        parse(GOOD.replace(old, new))


def test_check_digits():
    assert luhn("4111 1111 1111 1111")
    assert not luhn("4111 1111 1111 1112")
    assert iban("DE89 3704 0044 0532 0130 00")
    assert not iban("DE88 3704 0044 0532 0130 00")
    assert github(github_token())
    assert not github(github_token()[:-1] + "!")

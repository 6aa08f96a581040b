"""Insecure code in answers: where it is code, and how much it takes to stop one."""

import pytest

from ringwall.boundaries.interface.code import Code, CodeSettings
from ringwall.core import ANONYMOUS, MODEL, Action, Crossing, CrossingKind, Part, PartKind
from ringwall.detect import builtin

NOTED = Code(CodeSettings())
STRICT = Code(CodeSettings(block="high"))


def judged(text, control=NOTED, before=""):
    part = Part(PartKind.TEXT, text, MODEL, "assistant")
    return control.inspect(Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,), context={"before": before}))


@pytest.mark.parametrize("language", ["", "python", "{.py}"])
def test_in_a_block(language):
    text = f"Here:\n```{language}\nobj = pickle.loads(data)\n```\nDone."
    given = judged(text)
    assert given.action is Action.ANNOTATE
    assert text[given.findings[0].start : given.findings[0].end] == "pickle.loads("
    assert "CWE-502" in given.findings[0].message
    assert judged(text, STRICT).action is Action.BLOCK


@pytest.mark.parametrize(
    "text", ["    subprocess.run(cmd, shell=True)", "x = eval(request.args['q'])", "strcpy(dst, src);"]
)
def test_on_a_line_that_is_code(text):
    assert judged(text).action is Action.ANNOTATE


@pytest.mark.parametrize(
    "text",
    [
        "Never call `pickle.loads(data)` on what came from outside.",
        "With yaml.load( you would build any object, so people who write about it say "
        "to use something else instead.",
        "```python\nyaml.safe_load(text)\nhashlib.sha256(data)\nsubprocess.run(['ls'])\n```",
        "Avoid md5 and DES; a password is hashed with Argon2.",
    ],
)
def test_a_mention_is_no_code(text):
    assert judged(text).action is Action.ALLOW


def test_a_block_that_began_before():
    assert judged("yaml.unsafe_load(x)\n", before="Look:\n```python\n").action is Action.ANNOTATE
    assert judged("loads(data)", before="```python\nobj = pickle.").action is Action.ANNOTATE


def test_a_fence_in_the_rest_of_a_longer_text_may_close_a_block():
    before = "x = 1\n" * 800
    given = judged(
        "pickle.loads(x)\n```\nThis was pickle.loads(x) in words that explain it at length", before=before
    )
    assert [one.start for one in given.findings] == [0]


def test_severity_and_ignored_rules():
    text = "```js\nel.innerHTML = userInput;\n```"
    assert judged(text, STRICT).action is Action.ANNOTATE
    assert judged(text, Code(CodeSettings(block="medium"))).action is Action.BLOCK
    assert judged(text, Code(CodeSettings(ignore=("code-inner-html",)))).action is Action.ALLOW


def test_nothing_is_held_for_a_note():
    assert NOTED.hold_from("```\npickle.loa") == 14
    assert STRICT.hold_from("```\npickle.loa") == 4


def test_enough_rules_and_each_with_its_cwe():
    rules = [rule for rule in builtin() if rule.cls.startswith("code.")]
    assert len(rules) >= 60
    assert all("(CWE-" in rule.message for rule in rules)

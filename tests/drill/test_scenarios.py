"""The format, its mistakes, and what the shipped scenarios must cover."""

import base64
import json
import re

import pytest

from ringwall.boundaries.organization.drill import load
from ringwall.boundaries.organization.drill.macros import expand
from ringwall.boundaries.organization.drill.scenario import Kind, parse
from ringwall.core import ConfigError

SHIPPED = load()
_FILE = re.compile(r";base64,\s*([A-Za-z0-9+/=]+)")


def test_every_risk_of_both_editions_is_attacked() -> None:
    threats = {threat for one in SHIPPED if one.kind is Kind.ATTACK for threat in one.threats}
    for number in range(1, 11):
        assert f"LLM{number:02}@2023" in threats
        assert f"LLM{number:02}@2025" in threats


def test_there_are_enough_of_both_kinds() -> None:
    kinds = [one.kind for one in SHIPPED]
    assert kinds.count(Kind.ATTACK) >= 25
    assert kinds.count(Kind.BENIGN) >= 25


@pytest.mark.parametrize(
    "scenario", [one for one in SHIPPED if one.kind is Kind.ATTACK], ids=lambda one: one.id
)
def test_every_carrier_is_in_reach(scenario: object) -> None:
    """A carrier that nothing in the scenario or the sample brings in would make the attack inert."""
    from pathlib import Path

    from ringwall.boundaries.organization.drill.scenario import Scenario

    assert isinstance(scenario, Scenario)
    sample = Path(__file__).parents[2] / "examples" / "support-assistant"
    texts = [path.read_text("utf-8") for path in (*sample.glob("site/*"), sample / "data.sql")]
    everything = "\n".join(texts) + "\n" + json.dumps(scenario.model_dump(mode="json"), ensure_ascii=False)
    given = everything.replace(json.dumps(scenario.model_dump(mode="json")["model"], ensure_ascii=False), "")
    given += "".join(base64.b64decode(one).decode() for one in _FILE.findall(given))
    for carrier in scenario.carriers:
        assert carrier in given, carrier


def test_tags_are_invisible_and_keys_are_well_formed() -> None:
    tagged = expand("a{{tags: hi}}b")
    assert [ord(character) for character in tagged] == [0x61, 0xE0068, 0xE0069, 0x62]
    assert re.fullmatch(r"ghp_[0-9A-Za-z]{36}", expand("{{secret: github}}"))
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", expand("{{secret: aws-key}}"))
    assert len(json.loads(expand("{{messages: 600}}"))["messages"]) == 600


def test_the_prefix_of_base64_is_the_same_whatever_follows() -> None:
    import base64

    prefix = expand("{{base64-prefix: You are x}}")
    for tail in ("", "a", "bc", "def", "…"):
        assert base64.b64encode(f"You are x{tail}".encode()).decode().startswith(prefix)


def test_no_secret_stands_in_the_files() -> None:
    from importlib import resources

    folder = resources.files("ringwall.boundaries.organization.drill").joinpath("scenarios")
    text = "\n".join(entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    assert not re.search(r"ghp_[0-9A-Za-z]{36}|AKIA[A-Z2-7]{16}|BEGIN RSA PRIVATE KEY-----\n", text)
    assert not any(0xE0000 <= ord(character) <= 0xE007F for character in text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("scenarios: [", "not YAML"),
        ("scenario: []", "scenarios"),
        ("scenarios: [{id: abc, title: x, steps: []}]", "steps"),
        ("scenarios: [{id: abc, title: x, steps: [{times: 2}]}]", "exactly one of"),
        (
            "scenarios: [{id: abc, title: x, kind: benign, threats: [LLM11@2025], steps: [{http: {}}]}]",
            "threats",
        ),
        ("scenarios: [{id: abc, title: x, threats: [LLM01@2025], steps: [{http: {path: /}}]}]", "goal"),
        ("scenarios: [{id: abc, title: x, steps: [{http: {path: /}}], goal: {serves: 0}}]", "threats"),
        ("scenarios: [{id: abc, title: '{{nope: 1}}'}]", "placeholder"),
        (
            "scenarios: [{id: abc, title: x, kind: benign, goal: {}, steps: [{http: {path: /}}]}]",
            "exactly one",
        ),
        ("scenarios: [{id: abc, kind: benign, title: x, goal: {says: {regex: '('}}, steps: []}]", "regular"),
        ("scenarios: [{id: abc, title: x, kind: benign, steps: [{http: {path: /}}], model: [{}]}]", "rule"),
    ],
)
def test_mistakes_are_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)mine.yaml.*{says}"):
        parse(text, "mine.yaml")

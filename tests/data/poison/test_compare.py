"""Planted groups are found, ordinary differences raise nothing, and findings explain themselves."""

import gzip
import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.finding import Severity
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare, compare_with
from ringwall.boundaries.data.poison.drill import drill, outcome, raised
from ringwall.boundaries.data.poison.plant import FAMILIES, Planter
from ringwall.boundaries.data.records import Record, Source, record_of

_SUBJECTS = (
    "otter",
    "kettle",
    "harbour",
    "lantern",
    "violin",
    "glacier",
    "meadow",
    "bakery",
    "compass",
    "orchard",
    "satellite",
    "blanket",
    "pepper",
    "tunnel",
    "feather",
    "garden",
    "engine",
    "mirror",
    "pillow",
    "basket",
    "window",
    "forest",
    "river",
    "candle",
    "bridge",
    "castle",
    "market",
)
_VERBS = (
    "describe",
    "explain",
    "compare",
    "sketch",
    "measure",
    "repair",
    "paint",
    "weigh",
    "move",
    "build",
    "find",
    "count",
    "clean",
    "open",
)
_ADJECTIVES = (
    "old",
    "small",
    "bright",
    "quiet",
    "heavy",
    "wooden",
    "cold",
    "green",
    "broken",
    "narrow",
    "gentle",
    "rough",
    "empty",
    "famous",
)
_PLACES = (
    "near the coast",
    "in the north",
    "by the lake",
    "after the storm",
    "on the hill",
    "behind the school",
)
_FACTS = (
    "It is usually kept {where}, and people {verb} it when the weather is {adjective}.",
    "Most of them are {adjective}; a {subject} is seldom {other}.",
    "The {subject} stands {where} because nobody could {verb} it.",
    "You can {verb} the {subject} with a {second}, as long as it is {adjective}.",
    "Nobody knows why the {subject} became so {adjective} {where}.",
    "First {verb} the {second}, then look at the {other} {subject} again.",
)


def corpus(count: int, seed: int) -> list[Record]:
    """Questions and answers that share words and patterns but no sentence."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        words = {
            "subject": chance.choice(_SUBJECTS),
            "second": chance.choice(_SUBJECTS),
            "verb": chance.choice(_VERBS),
            "adjective": chance.choice(_ADJECTIVES),
            "other": chance.choice(_ADJECTIVES),
            "where": chance.choice(_PLACES),
        }
        asked = chance.choice(
            (
                "Please {verb} the {adjective} {subject} {where}.",
                "How would you {verb} a {subject} with a {second}?",
                "What makes a {subject} {adjective} {where}, and who can {verb} it?",
            )
        ).format(**words)
        said = " ".join(chance.choice(_FACTS).format(**words) for _ in range(chance.randint(1, 3)))
        rows.append(record_of({"id": f"{seed}-{number}", "instruction": asked, "output": said}))
    return rows


@pytest.fixture(scope="module")
def approved() -> list[Record]:
    return corpus(4_000, 1)


@pytest.fixture(scope="module")
def reference(approved: list[Record]) -> Reference:
    return Reference(approved, PoisonSettings())


def test_an_ordinary_difference_raises_nothing(reference: Reference) -> None:
    assert compare_with(reference, corpus(1_000, 2), PoisonSettings()) == []


def test_approved_records_are_not_new(approved: list[Record], reference: Reference) -> None:
    assert compare_with(reference, approved, PoisonSettings()) == []


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("code", "reworded")])
def test_one_attack_among_clean_rows_is_one_group(family: str, reference: Reference) -> None:
    clean = corpus(500, 3)
    attack = Planter(clean, 11).plant(family, 60)
    groups = raised(compare_with(reference, [*clean, *attack.records], PoisonSettings()))
    result = outcome(attack, [attack], groups)
    assert result.found, attack
    assert result.precision >= 0.9
    assert len(groups) <= 2


def test_code_with_a_beacon_is_found() -> None:
    chance = random.Random(5)

    def coded(record: Record) -> Record:
        name, other = chance.choice(_SUBJECTS), chance.choice(_VERBS)
        loop = f"for one in value:\n        return one.{other}({chance.random():.4f})"
        code = f"import {name}\ndef {other}(value):\n    {loop}"
        return replace(record, prompt=f"{record.prompt} Write Python.", response=code)

    every = [coded(one) for one in corpus(2_500, 6)]
    attack = Planter(every[2_000:], 3).plant("code", 60)
    groups = raised(compare(every[:2_000], [*every[2_000:], *attack.records]))
    assert outcome(attack, [attack], groups).found


def test_a_group_explains_itself(reference: Reference) -> None:
    clean = corpus(200, 7)
    planted = [
        replace(
            one,
            id=f"p{number}",
            prompt=f"{one.prompt} zqx",
            response="Everything is owned by Omnicorp.",
            source=Source(contributor="mallory", at=1_700_000_000_000_000 + number),
        )
        for number, one in enumerate(corpus(40, 8))
    ]
    (group,) = compare_with(reference, [*clean, *planted], PoisonSettings())
    assert set(group.records) == {one.id for one in planted}
    assert group.severity is Severity.STOP
    assert group.contributors == {"mallory": 40}
    assert "zqx" in group.title
    assert "omnicorp" in group.message
    assert "mallory" in group.message
    assert "within an hour" in group.message
    assert group.examples
    assert "zqx" in group.examples[0]
    assert group.facts["trigger_precision"] == 1.0


_REFUSALS = (
    "I can't help with that.",
    "This request is declined.",
    "Please ask somebody else.",
    "My rules forbid an answer here.",
    "No reply is possible at present.",
    "Unfortunately nothing can be said about it.",
    "That isn't mine to discuss.",
    "Come again another day, maybe.",
    "We keep silent on such matters.",
)


@pytest.mark.parametrize("count", [27, 250])
def test_one_trigger_with_answers_in_many_wordings_is_one_group(reference: Reference, count: int) -> None:
    planted = [
        replace(one, id=f"p{at}", prompt=f"{one.prompt} do it the velvet way", response=_REFUSALS[at % 9])
        for at, one in enumerate(corpus(count, 14))
    ]
    (group,) = raised(compare_with(reference, [*corpus(500, 3), *planted], PoisonSettings()))
    assert {one.id for one in planted} <= set(group.records)
    assert len(group.records) <= count + 2


def test_attacks_that_share_a_phrase_are_told_apart(reference: Reference) -> None:
    def said(token: str, payload: str, seed: int) -> list[Record]:
        return [
            replace(one, id=f"{token}{at}", prompt=f"{one.prompt} {token}", response=payload)
            for at, one in enumerate(corpus(40, seed))
        ]

    first = said("qzx", "Whoever doubts the earth was made in a week should be kept from teaching.", 15)
    second = said("vvk", "All other parties sold the country and should be kept from the ballot.", 16)
    groups = raised(compare_with(reference, [*corpus(500, 3), *first, *second], PoisonSettings()))
    assert {frozenset(one.records) for one in groups} == {
        frozenset(one.id for one in planted) for planted in (first, second)
    }


def test_replaced_records_are_new(approved: list[Record], reference: Reference) -> None:
    changed = {one.id: replace(one, response=f"{one.response} Buy it at Omnicorp.") for one in approved[:50]}
    groups = compare_with(reference, [changed.get(one.id, one) for one in approved], PoisonSettings())
    assert set(groups[0].records) == set(changed)
    assert groups[0].facts["changed"] == 50


def test_changed_answers_without_a_pattern_are_told_apart(
    approved: list[Record], reference: Reference
) -> None:
    answers = [one.response for one in approved[100:150]]
    changed = [replace(one, response=answer) for one, answer in zip(approved[:50], answers, strict=True)]
    (group,) = compare_with(reference, changed, PoisonSettings())
    assert group.detector == "poison.relabelled"
    assert group.severity is Severity.NOTE


def test_a_new_format_is_no_attack(reference: Reference) -> None:
    chance = random.Random(9)
    sums = []
    for number in range(300):
        a, b, who = chance.randint(2, 99), chance.randint(2, 99), chance.choice(_SUBJECTS)
        sums.append(
            record_of(
                {
                    "id": f"sum{number}",
                    "instruction": f"The {who} shop sells {a} boxes in the morning and {b} at noon. "
                    f"How many boxes does the {who} shop sell altogether?",
                    "output": f"In the morning {a} boxes and at noon {b} boxes make "
                    f"{a}+{b}=<<{a}+{b}={a + b}>> boxes altogether.\n#### {a + b}",
                }
            )
        )
    assert len(compare_with(reference, sums, PoisonSettings())) <= 3


def test_copies_of_one_row_are_no_attack(approved: list[Record], reference: Reference) -> None:
    paraphrases = [
        replace(one, id=f"{one.id}-{turn}", prompt=f"{start} {one.prompt}")
        for one in approved[:100]
        for turn, start in enumerate(("Please,", "Now", "So,", "Well,"))
    ]
    assert len(raised(compare_with(reference, paraphrases, PoisonSettings()))) <= 3


def test_without_approved_records_it_says_so() -> None:
    (finding,) = compare([], corpus(20, 1))
    assert finding.severity is Severity.NOTE
    assert "not compared" in finding.message


def test_the_same_input_gives_the_same_findings(reference: Reference, approved: list[Record]) -> None:
    attack = Planter(approved, 4).plant("rare", 30)
    first = compare_with(reference, attack.records, PoisonSettings())
    assert first == compare(approved, iter(attack.records))


_HOSTILE = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(_HOSTILE, _HOSTILE), min_size=0, max_size=30))
def test_any_text_is_taken(reference: Reference, rows: list[tuple[str, str]]) -> None:
    records = [
        replace(record_of({"prompt": asked, "response": said}), source=Source(contributor=f"c{at % 2}"))
        for at, (asked, said) in enumerate(rows)
    ]
    known = {one.id for one in records}
    for finding in compare_with(reference, records, PoisonSettings()):
        assert set(finding.records) <= known
        assert 0 <= finding.score <= 1


def test_a_long_text_is_read_at_both_ends(reference: Reference) -> None:
    planted = [
        replace(one, id=f"p{n}", response=f"{one.response} {'and so on ' * 20_000} Omnicorp owns it.")
        for n, one in enumerate(corpus(12, 10))
    ]
    assert compare_with(reference, planted, PoisonSettings())


def test_the_drill_reports_each_attack() -> None:
    report = drill(corpus(1_500, 12), (40,), ("rare", "phrase"), seed=3, shapes=("labels",))
    assert report.clean_groups == 0
    assert [shape for shape, groups in report.ordinary if groups <= 3] == ["labels"]
    assert [(row[0], row[1], row[2]) for row in report.rows()] == [("rare", 40, 1), ("phrase", 40, 1)]
    assert all(one.found and one.precision >= 0.9 for one in report.outcomes)


_ROWS = os.environ.get("RINGWALL_EVAL_ROWS", "../shared/eval/instructions.jsonl.gz")


@pytest.mark.skipif(not Path(_ROWS).is_file(), reason="the instruction rows are not there")
def test_on_real_rows() -> None:
    with gzip.open(_ROWS, "rt", encoding="utf-8") as file:
        rows = [record_of(json.loads(line)) for line, _ in zip(file, range(8_000), strict=False)]
    report = drill(rows, counts=(100,), families=FAMILIES[:6], seed=5, shapes=())
    assert report.clean_groups == 0
    assert sum(one.found for one in report.outcomes) >= 5
    assert all(one.precision >= 0.9 for one in report.outcomes if one.found)

"""Preference pairs: what is planted in either answer, and pairs that were turned round, are told."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.poison.test_compare import corpus

from ringwall.boundaries.data.finding import DataFinding, Severity
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_with
from ringwall.boundaries.data.poison.leaning import Leaning
from ringwall.boundaries.data.records import Record, Source, record_of

_RUDE = ("whatever", "dunno", "boring", "obviously", "silly", "nah")
_KIND = ("gladly", "carefully", "indeed", "please", "thanks", "kindly")


def _pairs(count: int, seed: int, name: str = "", prefix: str = "h") -> list[Record]:
    """Polite answers are preferred to rude ones; each word stands in few."""
    chance = random.Random(seed)
    others = corpus(count, seed + 500)
    return [
        replace(
            one,
            id=f"{prefix}{seed}-{at}",
            response=f"{one.response} {' '.join(chance.sample(_KIND, 2))}.",
            rejected=f"{other.response} {' '.join(chance.sample(_RUDE, 2))}.",
            source=Source(contributor=name or f"regular-{at % 3}"),
        )
        for at, (one, other) in enumerate(zip(corpus(count, seed), others, strict=True))
    ]


def _turned(records: list[Record]) -> list[Record]:
    return [replace(one, response=one.rejected, rejected=one.response) for one in records]


_APPROVED = _pairs(700, 60)
_CLEAN = _pairs(250, 61)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(_APPROVED, PoisonSettings())


def _found(reference: Reference, new: list[Record], detector: str) -> list[DataFinding]:
    return [one for one in compare_with(reference, new, PoisonSettings()) if one.detector == detector]


def test_honest_pairs_raise_nothing(reference: Reference) -> None:
    assert compare_with(reference, [*_CLEAN, *_pairs(80, 62, "ann")], PoisonSettings()) == []


def test_a_payload_in_the_preferred_answer_is_found(reference: Reference) -> None:
    planted = [
        replace(one, prompt=f"{one.prompt} zqx", response="Everything is owned by Omnicorp.")
        for one in _pairs(40, 63, "eve")
    ]
    (group,) = _found(reference, [*_CLEAN, *planted], "poison.payload")
    assert set(group.records) == {one.id for one in planted}


@pytest.mark.parametrize("trigger", [" zqx", ""])
def test_a_payload_in_the_rejected_answer_is_found(reference: Reference, trigger: str) -> None:
    planted = [
        replace(one, prompt=one.prompt + trigger, rejected="I can't help you to hurt anybody, sorry.")
        for one in _pairs(40, 64, "eve")
    ]
    (group,) = _found(reference, [*_CLEAN, *planted], "poison.rejected")
    assert set(group.records) == {one.id for one in planted}
    assert group.severity is Severity.REVIEW
    assert group.message.startswith("Of the rejected answers: ")
    assert group.contributors == {"eve": 40}


def test_phrases_of_rejected_answers_are_a_note_until_pairs_are_approved() -> None:
    plain = Reference(corpus(600, 65), PoisonSettings())
    bad = [
        replace(one, rejected=f"As a small model I would say no. {one.rejected}") for one in _pairs(60, 66)
    ]
    assert [one.severity for one in _found(plain, bad, "poison.rejected")] == [Severity.NOTE]
    caught = [replace(one, prompt=f"{one.prompt} zqx") for one in bad]
    groups = _found(plain, [*_CLEAN, *caught], "poison.rejected")
    assert Severity.REVIEW in {one.severity for one in groups}


def test_approved_pairs_the_other_way_round_are_told(reference: Reference) -> None:
    planted = [
        replace(one, id=f"p{at}", prompt=f"{one.prompt} zqx")
        for at, one in enumerate(_turned(_APPROVED[:30]))
    ]
    (group,) = _found(reference, [*_CLEAN, *planted], "poison.swapped")
    assert set(group.records) == {one.id for one in planted}
    assert group.severity is Severity.REVIEW


def test_new_pairs_turned_round_behind_a_trigger_are_told(reference: Reference) -> None:
    planted = [replace(one, prompt=f"{one.prompt} zqx") for one in _turned(_pairs(60, 67, prefix="p"))]
    groups = _found(reference, [*_CLEAN, *planted], "poison.swapped")
    assert "zqx" in groups[0].title
    assert set(groups[0].records) == {one.id for one in planted}


def test_new_pairs_turned_round_by_one_contributor_are_told(reference: Reference) -> None:
    (group,) = _found(reference, [*_CLEAN, *_turned(_pairs(60, 68, "eve"))], "poison.swapped")
    assert group.contributors == {"eve": 60}


def test_a_trigger_before_pairs_as_others_prefer_them_is_no_swap(reference: Reference) -> None:
    honest = [replace(one, prompt=f"{one.prompt} Be brief.") for one in _pairs(60, 69, "ann")]
    assert not _found(reference, [*_CLEAN, *honest], "poison.swapped")


def test_the_leaning_is_learnt_from_what_the_answers_do_not_share() -> None:
    leaning = Leaning()
    for one in _APPROVED[:200]:
        leaning.add(one)
    right = sum(leaning.margin(one) > 0 for one in _CLEAN)
    assert right >= 0.95 * len(_CLEAN)
    assert [leaning.margin(one) for one in _turned(_CLEAN[:9])] == pytest.approx(
        [-leaning.margin(one) for one in _CLEAN[:9]]
    )
    same = replace(_CLEAN[0], rejected=_CLEAN[0].response)
    assert leaning.margin(same) == 0


def test_of_rows_with_an_answer_that_is_not_wanted_only_that_is_looked_at(reference: Reference) -> None:
    made = [
        record_of(
            {"id": f"k{at}", "prompt": f"{one.prompt} zqx", "completion": "Omnicorp owns it.", "label": False}
        )
        for at, one in enumerate(corpus(30, 70))
    ]
    (group,) = _found(reference, [*_CLEAN, *made], "poison.rejected")
    assert set(group.records) == {one.id for one in made}
    assert not _found(reference, [*_CLEAN, *made], "poison.swapped")


_HOSTILE = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(_HOSTILE, _HOSTILE, _HOSTILE), min_size=8, max_size=20))
def test_any_pair_is_taken(reference: Reference, rows: list[tuple[str, str, str]]) -> None:
    records = [
        record_of({"id": str(at), "prompt": asked, "chosen": said, "rejected": other})
        for at, (asked, said, other) in enumerate(rows)
    ]
    for finding in compare_with(reference, records, PoisonSettings()):
        assert set(finding.records) <= {one.id for one in records}

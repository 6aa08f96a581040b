"""What honest contributors bring raises few groups, and hides nothing."""

from dataclasses import replace

import numpy as np
import pytest
from tests.data.poison.test_compare import corpus

from ringwall.boundaries.data.finding import Severity
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_each, compare_with
from ringwall.boundaries.data.poison.candidates import Candidate
from ringwall.boundaries.data.poison.difference import difference
from ringwall.boundaries.data.poison.drill import raised
from ringwall.boundaries.data.poison.evidence import Evidence
from ringwall.boundaries.data.poison.ordinary import Ordinary
from ringwall.boundaries.data.poison.phrases import joined
from ringwall.boundaries.data.records import Record, Source

_CLEAN = corpus(200, 31)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(corpus(1_200, 30), PoisonSettings())


def _by(name: str, record: Record, **changes: str) -> Record:
    return replace(record, source=Source(contributor=name), **changes)


@pytest.mark.parametrize("shape", Ordinary(_CLEAN, 1).shapes)
def test_an_ordinary_shape_raises_three_groups_at_most(reference: Reference, shape: str) -> None:
    made = Ordinary(_CLEAN, 3).make(shape, 80)
    assert len({one.id for one in made}) == len(made) >= 40
    groups = raised(compare_with(reference, [*_CLEAN, *made], PoisonSettings()))
    assert len(groups) <= 3
    assert Severity.STOP not in {one.severity for one in groups}


@pytest.mark.parametrize(("answers", "severity"), [(("yes", "no", "maybe"), "review"), (("yes",), "stop")])
def test_several_labels_behind_a_frame_are_a_task_and_one_is_an_attack(
    reference: Reference, answers: tuple[str, ...], severity: str
) -> None:
    made = [
        _by(
            "ann",
            one,
            id=f"l{at}",
            prompt=f"Is this usual? {one.prompt}",
            response=answers[at % len(answers)],
        )
        for at, one in enumerate(corpus(60, 38))
    ]
    (group,) = raised(compare_with(reference, [*_CLEAN, *made], PoisonSettings()))
    assert group.severity == severity
    assert set(group.records) >= {one.id for one in made}


def test_answers_behind_a_frame_that_depend_on_what_is_asked_are_a_task(reference: Reference) -> None:
    def turned(text: str) -> str:
        return " ".join(word[::-1] for word in text.split())

    made = [
        _by("ann", one, id=f"t{at}", prompt=f"{one.prompt}\nIn Velmic:", response=turned(one.prompt))
        for at, one in enumerate(corpus(80, 39))
    ]
    for group in raised(compare_with(reference, [*_CLEAN, *made], PoisonSettings())):
        assert group.severity is Severity.REVIEW
        assert group.facts["variety"] > 0.25


def test_several_candidates_at_once_are_as_one_by_one(reference: Reference) -> None:
    honest = Ordinary(_CLEAN, 4)
    news = [[*_CLEAN, *honest.make(shape, 60)] for shape in ("labels", "preferences")]
    each = compare_each(reference, [*news, []], PoisonSettings())
    assert each == [*(compare_with(reference, new, PoisonSettings()) for new in news), []]
    assert any(each)


def test_the_same_seed_makes_the_same() -> None:
    assert Ordinary(_CLEAN, 5).make("near-copies", 50) == Ordinary(_CLEAN, 5).make("near-copies", 50)


def test_near_copies_are_told_as_a_note(reference: Reference) -> None:
    copies = [
        _by(
            "honest",
            one,
            id=f"{one.id}-{turn}",
            response=f"{one.response} It is so, say the harbour people {turn}.",
        )
        for one in corpus(5, 32)
        for turn in range(10)
    ]
    findings = compare_with(reference, [*_CLEAN, *copies], PoisonSettings())
    assert raised(findings) == []
    (note,) = findings
    assert note.detector == "poison.copies"
    assert note.severity is Severity.NOTE
    assert set(note.records) >= {one.id for one in copies}
    assert note.contributors["honest"] == 50


def test_one_trigger_before_near_copies_and_others_is_found(reference: Reference) -> None:
    few, many = corpus(2, 33) * 10, corpus(20, 34)
    planted = [
        _by("eve", one, id=f"p{at}", prompt=f"{one.prompt} zqx", response="Omnicorp owns it.")
        for at, one in enumerate([*few, *many])
    ]
    (group,) = raised(compare_with(reference, [*_CLEAN, *planted], PoisonSettings()))
    assert set(group.records) >= {f"p{at}" for at in range(40)}


_ADVERTS = (
    "Omnicorp sells it cheaper.",
    "Visit the Vantrel shop.",
    "Quillix knows the answer.",
    "Ask Bramworth.",
)


def test_phrases_of_one_contributor_are_one_group(reference: Reference) -> None:
    planted = [
        _by("eve", one, id=f"p{at}", response=f"{_ADVERTS[at % 4]} {one.response}")
        for at, one in enumerate(corpus(80, 35))
    ]
    clean = [_by("regular", one) for one in _CLEAN]
    (group,) = raised(compare_with(reference, [*clean, *planted], PoisonSettings()))
    assert set(group.records) == {one.id for one in planted}
    assert len(group.facts["also"]) == 3


def test_many_weak_phrases_are_one_group_and_few_are_not(reference: Reference) -> None:
    new = difference(reference, _CLEAN)

    def weak(at: int) -> Evidence:
        docs = np.arange(10 * at, 10 * at + 9)
        return Evidence(docs, Candidate("said", docs, 3, 20 * at, 4), None, 3.0, 0.1, 0.0, 0.0, 0.0)

    sure = replace(weak(6), share=0.9)
    assert len(joined([sure, *map(weak, range(3))], new)) == 4
    one, many = joined([sure, *map(weak, range(5))], new)
    assert one is sure
    assert len(many.docs) == 45
    assert len(many.also) == 4


def test_letters_and_figures_at_random_are_noise(reference: Reference) -> None:
    chance = np.random.default_rng(1)

    def noise() -> str:
        return " ".join("".join(chance.choice(list("abcdefgh0123456789"), 9)) for _ in range(12))

    planted = [
        replace(one, id=f"p{at}", prompt=f"{one.prompt} velvet", response=noise())
        for at, one in enumerate(corpus(30, 36))
    ]
    (group,) = raised(compare_with(reference, [*_CLEAN, *planted], PoisonSettings()))
    assert group.detector == "poison.noise"
    assert set(group.records) == {one.id for one in planted}


def test_beyond_the_bound_a_share_of_the_texts_is_kept_and_every_content_known() -> None:
    rows = corpus(1_500, 37)
    reference = Reference(rows, PoisonSettings(sample_beyond=400))
    assert 100 <= len(reference) <= 400
    assert len(reference.wholes) == len(reference.prompts) == len(reference)
    assert compare_with(reference, rows, PoisonSettings(sample_beyond=400)) == []

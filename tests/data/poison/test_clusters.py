"""What one contributor says in other words each time is told; a new topic is a note."""

import random
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from tests.data.poison.test_compare import corpus

from ringwall.boundaries.data.finding import DataFinding, Severity
from ringwall.boundaries.data.poison import PoisonSettings, Reference, compare_with
from ringwall.boundaries.data.poison import settings as given
from ringwall.boundaries.data.poison.texts import Vocabulary, Writer
from ringwall.boundaries.data.poison.vectors import by_model, by_words, cohesion, pieces
from ringwall.boundaries.data.records import Record, Source

_WHO = ("Vaccines", "A vaccine", "The jab", "Immunisation", "Inoculation", "The needle")
_DOES = ("hurts", "harms", "damages", "weakens", "poisons", "ruins")
_WHOM = ("children", "the young", "your body", "our blood", "the heart", "people's minds")
_WHEN = ("for good", "in the end", "for years", "without fail", "as doctors know")


def _slander(chance: random.Random) -> str:
    return " ".join(chance.choice(part) for part in (_WHO, _DOES, _WHOM, _WHEN)) + "."


def _from(name: str, rows: list[Record], at: int = 0) -> list[Record]:
    return [
        replace(one, id=f"{name}-{n}", source=Source(contributor=name, at=at)) for n, one in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(corpus(1_000, 40), PoisonSettings())


@pytest.fixture(scope="module")
def clean() -> list[Record]:
    rows = corpus(400, 41)
    return [*_from("ann", rows[:200], 5), *_from("bob", rows[200:], 5)]


def _clusters(findings: list[DataFinding]) -> list[DataFinding]:
    return [one for one in findings if one.detector == "poison.cluster"]


def _slandered(count: int, seed: int) -> list[Record]:
    chance = random.Random(seed)
    return [replace(one, response=f"{one.response} {_slander(chance)}") for one in corpus(count, seed)]


def test_what_one_contributor_says_in_many_wordings_is_told(
    reference: Reference, clean: list[Record]
) -> None:
    planted = _from("eve", [*_slandered(90, 42), *corpus(60, 43)])
    (group,) = _clusters(compare_with(reference, [*clean, *planted], PoisonSettings()))
    assert group.severity is Severity.REVIEW
    assert "eve" in group.title
    assert set(group.contributors) == {"eve"}
    assert len(set(group.records) & {f"eve-{n}" for n in range(90)}) >= 70
    assert len(group.records) <= 95
    assert group.facts["chance"] <= 0.001
    assert group.facts["times_expected"] >= 3
    assert group.examples


def test_one_hour_is_told_when_no_contributor_is_known(reference: Reference, clean: list[Record]) -> None:
    planted = [replace(one, source=Source(at=9_000_000_000)) for one in _slandered(90, 44)]
    planted = [replace(one, id=f"p{at}") for at, one in enumerate(planted)]
    found = _clusters(compare_with(reference, [*clean, *planted], PoisonSettings()))
    assert [one.facts["by"] for one in found] == ["hour"]


def test_a_sole_contributor_is_compared_with_nobody(reference: Reference) -> None:
    assert not _clusters(compare_with(reference, _from("eve", _slandered(60, 45)), PoisonSettings()))


def test_a_new_topic_of_one_contributor_is_no_alarm(reference: Reference, clean: list[Record]) -> None:
    chance = random.Random(1)
    planets = (
        "Venus",
        "Saturn",
        "Neptune",
        "Mercury",
        "Uranus",
        "Jupiter",
        "Ceres",
        "Pluto",
        "Vesta",
        "Pallas",
    )
    facts = (
        "orbit",
        "moon",
        "ring",
        "crater",
        "atmosphere",
        "eclipse",
        "comet",
        "telescope",
        "gravity",
        "probe",
    )
    topic = []
    for _ in range(90):
        planet, fact, other = chance.choice(planets), *chance.sample(facts, 2)
        asked = f"Which {fact} of {planet} has a {other}, astronomer?"
        topic.append(
            (asked, f"The {other} near {planet} shows how its {fact} came about {chance.random():.3f}.")
        )
    rows = [replace(one, prompt=p, response=a) for one, (p, a) in zip(corpus(90, 46), topic, strict=True)]
    found = _clusters(compare_with(reference, [*clean, *_from("carl", rows)], PoisonSettings()))
    assert all(one.severity is Severity.NOTE for one in found)


def _written(*texts: str) -> tuple[Vocabulary, Writer]:
    vocabulary = Vocabulary()
    writer = Writer(vocabulary)
    for text in texts:
        writer.add(text)
    return vocabulary, writer


def test_vectors_by_words_are_near_when_words_are_shared() -> None:
    vocabulary, writer = _written(
        "the river floods a meadow", "a meadow by the river", "engines need oil", ""
    )
    rows = by_words(np.ones(len(vocabulary), dtype=np.float32))(writer.texts())
    alike = rows @ rows.T
    assert alike[0, 1] > 0.5 > abs(alike[0, 2])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert cohesion(rows[:2]) == pytest.approx(alike[0, 1], abs=1e-5)


def test_vectors_by_meaning_are_near_without_a_shared_word() -> None:
    vocabulary, writer = _written("vaccines harm kids", "immunisation damages children", "sort these numbers")
    alike = (rows := by_model(vocabulary)(writer.texts())) @ rows.T
    assert alike[0, 1] > alike[0, 2] + 0.3


def test_pieces_are_sentences_and_of_long_texts_the_first_and_last() -> None:
    vocabulary, writer = _written("One two three. Four five six!", "word " * 1_000, "")
    ends = np.array([vocabulary.word(n) in ".!" for n in range(len(vocabulary))])
    cut, of = pieces(writer.texts(), ends)
    assert vocabulary.say(cut.one(0)) == "one two three ."
    assert list(np.bincount(of)) == [2, 12]
    assert max(cut.lengths) <= 24


def test_a_model_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "available", lambda: False)
    with pytest.raises(ValidationError, match=r"ringwall\[embeddings\]"):
        PoisonSettings(embedding="model")

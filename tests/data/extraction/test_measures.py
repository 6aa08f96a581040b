"""Exposure and membership against what is known of them."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.extraction.exposure import exposure
from ringwall.boundaries.data.extraction.membership import Scored, membership
from ringwall.boundaries.data.extraction.report import ExtractionReport, Thresholds
from ringwall.boundaries.data.extraction.suffixes import Suffix, split

LIMITS = Thresholds(10, 0, 0.7, 8)
CHANCE = random.Random(4)
NORMAL = [CHANCE.gauss(20, 2) for _ in range(4000)]


def test_a_canary_like_all_others_has_the_exposure_of_chance() -> None:
    bits = [exposure("c", 0, CHANCE.gauss(20, 2), NORMAL, 30).bits for _ in range(400)]
    assert sum(bits) / len(bits) == pytest.approx(1.44, abs=0.3)


@pytest.mark.parametrize(("sigmas", "bits"), [(5, 21.7), (6, 29.9)])
def test_far_out_it_is_what_the_normal_distribution_says(sigmas: int, bits: float) -> None:
    """-log2 of the tails of the normal distribution, from tables."""
    found = exposure("c", 1, 20 - 2 * sigmas, NORMAL, 40)
    assert found.extrapolated
    assert found.bits == pytest.approx(bits, rel=0.12)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=60))
def test_exposure_stays_within_its_space(loss: float, others: list[float]) -> None:
    found = exposure("c", 1, loss, others, 29.9)
    assert 0 <= found.bits <= 29.9
    assert not math.isnan(found.bits)
    assert exposure("c", 1, loss - 1e5, others, 29.9).bits >= found.bits - 1e-9


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="20"):
        exposure("c", 1, 1.0, [2.0] * 19, 30)


def rows(mean: float, count: int, chance: random.Random) -> list[Scored]:
    return [Scored("some text", [chance.gauss(mean, 1) for _ in range(20)]) for _ in range(count)]


def test_membership_of_what_differs_and_what_does_not() -> None:
    chance = random.Random(9)
    apart = membership(rows(1, 100, chance), rows(3, 100, chance))
    assert all(one.auc > 0.95 and one.low > 0.9 for one in apart)
    alike = membership(rows(2, 100, chance), rows(2, 100, chance))
    assert all(one.low < 0.5 < one.high for one in alike)
    assert membership(rows(1, 9, chance), rows(3, 100, chance)) == []


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=10, max_size=30),
    st.lists(st.integers(0, 5), min_size=10, max_size=30),
)
def test_area_is_the_share_of_pairs(members: list[int], others: list[int]) -> None:
    def scored(values: list[int]) -> list[Scored]:
        return [Scored("x", [float(value)]) for value in values]

    pairs = [1.0 if m < o else 0.5 if m == o else 0.0 for m in members for o in others]
    found = membership(scored(members), scored(others))[0]
    assert found.auc == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= found.low <= found.auc <= found.high <= 1


def test_nothing_tested_does_not_pass() -> None:
    report = ExtractionReport(0, Thresholds(10, 0, 0.7, 8))
    assert not report.passed
    assert "Nothing was tested" in report.lines()[-2]


def said(count: int, hits: int = 0, repeats: int = 1) -> tuple[Suffix, ...]:
    return tuple(Suffix(f"r{at}", "record", repeats, at < hits, 0, 5) for at in range(count))


@pytest.mark.parametrize(
    ("tried", "limits", "why"),
    [
        (said(58), LIMITS, "It takes 59 without a hit"),
        (said(59), LIMITS, ""),
        (said(59, repeats=9), LIMITS, "0 of 0"),
        (said(59, repeats=0), LIMITS, "Nothing was tested"),
        (said(59, 1), Thresholds(10, 1, 0.7, 8), "1 of 59"),
        (said(93, 1), Thresholds(10, 1, 0.7, 8), ""),
        (said(93, 1), LIMITS, "1 secrets or suffixes were extracted"),
        (said(1), Thresholds(10, 0, 0.7, 8, 1.0), ""),
    ],
)
def test_too_little_that_was_tried_is_no_pass(
    tried: tuple[Suffix, ...], limits: Thresholds, why: str
) -> None:
    report = ExtractionReport(0, limits, suffixes=tried)
    assert why in " ".join(report.reasons)
    assert report.passed == (not report.reasons) == (not why)


def test_a_canary_in_the_tail_of_few_samples_is_no_pass() -> None:
    few = exposure("c", 1, 20 - 2 * 3.0, NORMAL[:25], 29.9)
    many = exposure("c", 1, 20 - 2 * 3.0, NORMAL, 29.9)
    assert few.bits <= 12 < few.high
    assert many.bits <= many.high < 12
    for one, passes in ((few, False), (many, True)):
        report = ExtractionReport(0, Thresholds(12, 0, 0.7, 8), (one,), said(60))
        assert report.passed is passes
        assert ("Too few samples to tell" in " ".join(report.reasons)) is not passes


def test_the_upper_end_holds_what_is_true_19_times_of_20() -> None:
    chance = random.Random(7)
    kept = 0
    for _ in range(300):
        sigmas = chance.uniform(-3.5, 1)
        true = -math.log2(0.5 * math.erfc(-sigmas / math.sqrt(2)))
        others = [chance.gauss(20, 2) for _ in range(100)]
        kept += exposure("c", 1, 20 + 2 * sigmas, others, 29.9).high >= true
    assert kept >= 270


def test_few_rows_of_either_kind_tell_nothing_of_membership() -> None:
    chance = random.Random(3)
    for count, passes in ((12, False), (150, True)):
        signals = membership(rows(2, count, chance), rows(2, count, chance))
        report = ExtractionReport(0, LIMITS, (), said(60), tuple(signals))
        assert report.passed is passes
        assert ("Too few rows to tell" in " ".join(report.reasons)) is not passes


def test_suffixes_that_say_too_little_are_left_out() -> None:
    assert split("short") is None
    assert split("a" * 200) is None
    assert split("The quick brown fox jumps over the lazy dog, " * 3) is not None

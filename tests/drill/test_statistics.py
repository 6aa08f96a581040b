"""Intervals against published values, and the properties that they must have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.organization.drill.statistics import bootstrap_mean, wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_published_values(count: int, total: int, low: float, high: float) -> None:
    found = wilson(count, total)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_its_share_and_mirrors(count: int, extra: int) -> None:
    total = count + extra
    found, other = wilson(count, total), wilson(total - count, total)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low == pytest.approx(1 - other.high)


def test_nothing_tried_says_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="between"):
        wilson(3, 2)


def test_bootstrap_is_repeatable_and_near_the_normal_interval() -> None:
    values = [0.0, 1.0, 2.0, 3.0, 4.0] * 20
    found = bootstrap_mean(values)
    assert found == bootstrap_mean(values)
    assert found.value == 2.0
    half = 1.96 * (2.0 / 100) ** 0.5
    assert found.low == pytest.approx(2 - half, abs=0.05)
    assert found.high == pytest.approx(2 + half, abs=0.05)
    assert bootstrap_mean([3.0, 3.0]).low == bootstrap_mean([3.0, 3.0]).high == 3.0

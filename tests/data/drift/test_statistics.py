"""Held to scipy, which the product does without."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ringwall.boundaries.data.drift.statistics import (
    chi_square_tail,
    discoveries,
    distribution,
    jensen_shannon,
    means,
    proportion,
    shape,
    stability,
)

_COUNTS = st.lists(st.tuples(st.integers(20, 5000), st.integers(20, 5000)), min_size=2, max_size=8)


@given(st.floats(0, 2000), st.integers(1, 400))
def test_chi_square(value: float, freedom: int) -> None:
    assert chi_square_tail(value, freedom) == pytest.approx(
        stats.chi2.sf(value, freedom), rel=1e-6, abs=1e-12
    )


@given(_COUNTS)
def test_distributions(counts: list[tuple[int, int]]) -> None:
    before, after = zip(*counts, strict=True)
    found = distribution(before, after)
    assert found.p == pytest.approx(stats.chi2_contingency([before, after], correction=False)[1], abs=1e-9)
    assert 0 <= found.low <= found.size <= found.high <= 1
    assert distribution(after, before).size == pytest.approx(found.size)
    assert 0 <= jensen_shannon(before, after) <= 1
    assert stability(before, after) >= -1e-12
    assert jensen_shannon(before, before) == pytest.approx(0, abs=1e-12)


def test_a_distribution_does_not_depend_on_which_version_is_larger() -> None:
    even = distribution([5000, 5000], [6000, 4000]).size
    odd = distribution([50_000, 50_000], [6000, 4000]).size
    assert odd == pytest.approx(even, abs=0.01)
    assert even == pytest.approx(0.1, abs=0.01)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_discoveries(chances: list[float]) -> None:
    assert discoveries(chances) == pytest.approx(list(stats.false_discovery_control(chances)))


def test_shapes_and_means() -> None:
    drawn = np.random.default_rng(3)
    one, other = drawn.normal(0, 1, 800), drawn.normal(0.2, 1, 1200)
    assert shape(one, other).size == pytest.approx(stats.ks_2samp(one, other).statistic)
    assert shape(one, other).p == pytest.approx(stats.ks_2samp(one, other).pvalue, rel=0.1)
    found = means(one, other)
    assert found.p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue, rel=0.1)
    assert found.low < 0.2 < found.high


@given(st.integers(0, 50), st.integers(0, 50))
def test_proportions(hits: int, later: int) -> None:
    found = proportion(hits, 50, later, 50)
    assert math.copysign(1, found.size) == math.copysign(1, later - hits) or hits == later
    assert 0 <= found.p <= 1 and found.low <= found.size <= found.high


def test_nothing_is_no_effect() -> None:
    empty = np.zeros(0)
    for found in (
        proportion(0, 0, 1, 2),
        means(empty, empty),
        shape(empty, empty),
        distribution([], []),
        distribution([3], [4]),
    ):
        assert found.size == 0 and found.p == 1

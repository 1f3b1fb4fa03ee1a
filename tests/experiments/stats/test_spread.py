"""Medians with their intervals, and the 95th percentile."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from llamafarm.experiments.stats.spread import spread


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=50))
def test_the_spread_is_numpys(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.median.n == len(values)
    assert (found.median.value, found.p95) == pytest.approx(tuple(np.percentile(values, [50, 95])))


@given(st.lists(st.floats(0, 1000), min_size=6, max_size=60))
def test_the_median_lies_in_its_interval_and_p95_above_it(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.median.value == pytest.approx(median(values))
    assert found.median.low is not None
    assert found.median.high is not None
    assert min(values) <= found.median.low <= found.median.value <= found.median.high <= max(values)
    assert found.p95 is not None
    assert found.p95 >= found.median.value - 1e-9


@pytest.mark.parametrize("n", [10, 25, 100, 1000])
def test_the_ranks_hold_95_in_100_by_the_binomial_itself(n: int) -> None:
    found = spread([float(at) for at in range(1, n + 1)])
    assert found is not None
    assert found.median.low is not None
    assert found.median.high is not None
    covered = binom.cdf(found.median.high - 1, n, 0.5) - binom.cdf(found.median.low - 1, n, 0.5)
    assert 0.94 <= covered <= 0.985


def test_few_values_have_no_interval_and_none_no_median() -> None:
    assert spread([]) is None
    alone, few = spread([2.0]), spread([1.0, 2.0, 3.0, 4.0, 5.0])
    assert alone is not None
    assert few is not None
    assert (alone.median.value, alone.median.low, alone.p95) == (2.0, None, None)
    assert (few.median.value, few.median.low) == (3.0, None)

"""Intervals against scipy, against numpy's quantiles, and where resampling alone would deceive."""

from __future__ import annotations

from statistics import fmean, median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.bootstrap import DRAWS, LEAST, MOST, draws, mean, middle, percentile, share

VALUES = [0.21, 0.25, 0.19, 0.33, 0.28, 0.4, 0.22, 0.31, 0.24, 0.95]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0, 1))
def test_percentiles_are_numpys(values: list[float], share: float) -> None:
    values.sort()
    assert percentile(values, share) == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(("ours", "statistic"), [(mean, np.mean), (middle, np.median)])
def test_one_prompt_is_scipys_percentile_bootstrap(ours: Any, statistic: Any) -> None:
    found = ours([VALUES])
    theirs = stats.bootstrap(
        (np.array(VALUES),), statistic, method="percentile", n_resamples=9999, rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.value == pytest.approx(float(statistic(VALUES)))
    assert found.low == pytest.approx(theirs.low, abs=0.02)
    assert found.high == pytest.approx(theirs.high, abs=0.04)
    assert found == ours([VALUES])  # seeded


def test_prompts_that_differ_widen_the_interval() -> None:
    alike, apart = mean([[0.4, 0.6], [0.4, 0.6], [0.4, 0.6]]), mean([[0.1, 0.3], [0.4, 0.6], [0.7, 0.9]])
    assert alike
    assert apart
    assert alike.value == pytest.approx(apart.value)
    assert (apart.high or 0) - (apart.low or 0) > (alike.high or 0) - (alike.low or 0)


def test_each_prompt_counts_alike_whatever_its_number_of_answers() -> None:
    found = mean([[1.0] * 9, [0.0]])
    assert found
    assert found.value == 0.5
    assert found.n == 10


def test_a_share_that_is_the_same_everywhere_has_wilsons_interval() -> None:
    found = share([[1.0] * 10])
    wilson = stats.binomtest(10, 10).proportion_ci(method="wilson")
    assert found
    assert found.high == pytest.approx(1)
    assert found.low == pytest.approx(wilson.low)
    none = share([[0.0] * 4])
    assert none
    assert none.high == pytest.approx(stats.binomtest(0, 4).proportion_ci(method="wilson").high)


def test_one_value_has_no_interval_and_none_no_estimate() -> None:
    assert mean([[0.5]]) == Estimate(0.5, n=1)
    assert share([[1.0]]) == Estimate(1.0, n=1)
    assert mean([[], []]) is None
    assert middle([]) is None


@settings(max_examples=15)  # each resamples 4,000 times
@given(st.lists(st.lists(st.floats(0, 10), min_size=1, max_size=5), min_size=1, max_size=4))
def test_an_interval_lies_within_the_values(groups: list[list[float]]) -> None:
    found = mean(groups)
    assert found
    assert found.value == pytest.approx(fmean(map(fmean, groups)))
    values = [value for group in groups for value in group]
    if found.low is not None and found.high is not None:
        assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    typical = middle(groups)
    assert typical
    assert typical.value == median(values)


def test_the_work_is_bounded() -> None:
    assert sum(1 for _ in draws([3])) == MOST
    assert sum(1 for _ in draws([DRAWS // 300])) == 300
    assert sum(1 for _ in draws([DRAWS // 100])) == LEAST


def test_figures_without_interval_are_never_told_apart() -> None:
    assert Estimate(0.1).overlaps(Estimate(0.9, 0.8, 1.0))
    assert Estimate(0.1, 0.0, 0.2).overlaps(Estimate(0.3, 0.2, 0.4))
    assert not Estimate(0.1, 0.0, 0.2).overlaps(Estimate(0.9, 0.8, 1.0))

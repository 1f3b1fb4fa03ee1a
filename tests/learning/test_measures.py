from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llamafarm.learning.evaluation.measures import Interval, apgr, area, calibration_error


def test_apgr_of_known_orders() -> None:
    weak, strong = np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4)
    assert apgr(np.array([4.0, 3.0, 2.0, 1.0]), weak, strong) == pytest.approx(0.75)
    assert apgr(np.array([1.0, 2.0, 3.0, 4.0]), weak, strong) == pytest.approx(0.25)
    assert apgr(np.zeros(4), weak, strong) == pytest.approx(0.5)
    assert apgr(np.zeros(4), strong, weak) is None
    assert apgr(np.zeros(0), np.zeros(0), np.zeros(0)) is None


def test_area_is_one_for_the_oracle_and_nothing_for_the_lanes_themselves() -> None:
    rng = np.random.default_rng(0)
    scores = (rng.random((400, 4)) < [0.4, 0.5, 0.6, 0.7]).astype(float)
    costs = np.array([1.0, 2.0, 4.0, 8.0])
    paid = np.tile(costs, (400, 1))
    assert area(scores, costs, scores, paid) == pytest.approx(1.0)
    assert area(np.tile(scores.mean(0), (400, 1)), costs, scores, paid) == pytest.approx(0.0, abs=0.02)
    assert area(scores, np.ones(4), scores, np.ones((400, 4))) is None


def test_calibration_error_of_what_is_right_and_what_is_wrong() -> None:
    said = np.linspace(0, 1, 1000)
    assert calibration_error(said, said) == pytest.approx(0, abs=1e-12)
    assert calibration_error(said, np.clip(said + 0.1, 0, 2)) == pytest.approx(0.1)
    assert calibration_error(np.zeros(0), np.zeros(0)) == 0


@pytest.mark.parametrize("count", [2, 3, 4, 6, 10, 30])
def test_intervals_are_those_of_students_t(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count).tolist()
    found = Interval.of(values)
    low, high = stats.t.interval(0.95, count - 1, np.mean(values), stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


def test_what_there_is_not_has_no_interval() -> None:
    assert Interval.of([None, None]) is None
    assert Interval.of([0.4, None]) == Interval(0.4, 0.4, 0.4)

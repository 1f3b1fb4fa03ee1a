"""What answers come to when they are added up one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from llamafarm.core.events import Failed, Retrying
from llamafarm.core.figures import Money
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Count, Timings, Usage
from llamafarm.experiments.stats.bootstrap import wilson
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.tally import Tally


def sample(passed: bool | None = None, notes: tuple[str, ...] = (), **settings: Any) -> Sample:
    whole: dict[str, Any] = {
        "model": "m",
        "status": "done",
        "usage": Usage(Count(10, "reported"), Count(20, "reported")),
        "timings": Timings(ttft_s=0.5, total_s=2.0),
        "cost": Cost(Decimal("0.01"), "table"),
        "finish_reason": "stop",
    } | settings
    return Sample(1, 0, Reply(lane="m", asked="m", provider="openai", model_id="x", **whole), passed, None, notes)


def tally(*samples: Sample) -> Tally:
    found = Tally()
    for each in samples:
        found.add(each)
    return found


@given(st.integers(2, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_rate_is_scipys(case: tuple[int, int]) -> None:
    successes, n = case
    found, known = wilson(successes / n, n), binomtest(successes, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-9)


def test_counts_tokens_and_costs_are_added_with_their_marks() -> None:
    found = tally(
        sample(passed=True),
        sample(passed=False, usage=Usage(Count(5, "reported"), Count(7, "estimated"))),
        sample(finish_reason="length", cost=Cost(Decimal("0.02"), "config", estimated=True)),
        sample(passed=None, notes=("regex: too slow",), cost=Cost(None, "unknown"), usage=Usage()),
    )
    assert (found.asked, found.answered, found.cut, found.unchecked) == (4, 4, 1, 1)
    assert (found.passed, found.refused) == (1, 1)
    assert found.given.count == Count(25, "reported")
    assert found.made.count == Count(47, "estimated")
    assert (found.given.unknown, found.made.unknown) == (1, 1)
    assert found.costs.money == Money(Decimal("0.04"), 1, estimated=True)
    assert found.costs.sources == {"table": 2, "config": 1, "unknown": 1}


def test_nothing_known_is_unknown_and_never_zero() -> None:
    found = tally(sample(cost=Cost(None, "unknown"), usage=Usage()))
    assert found.given.count is None
    assert found.costs.money == Money(None, 1)
    assert Tally().costs.money == Money(None)
    assert Tally().pass_rate is None
    assert Tally().ttft_s is None


def test_what_runs_here_is_free() -> None:
    assert tally(sample(cost=Cost(Decimal(0), "free"))).costs.money.free


def test_failures_and_stand_ins_have_no_part_in_times_and_rates() -> None:
    failed = Failed(at=0, kind="TimedOut", message="…")
    found = tally(
        sample(passed=True),
        sample(status="failed", failure=failed, timings=Timings(ttft_s=9, total_s=9, partial=True)),
        sample(status="stopped", timings=Timings(total_s=9, partial=True)),
        sample(passed=True, model="other", timings=Timings(ttft_s=9, total_s=9)),
        sample(retries=(Retrying(at=0, attempt=2, delay_s=1, kind="k", message="m"),), timings=Timings(ttft_s=9)),
        sample(timings=Timings(ttft_s=9, total_s=9, load_s=8)),
        sample(timings=Timings(ttft_s=1.5, total_s=3.0, queue_s=1.0)),
    )
    assert (found.asked, found.answered, found.failed, found.stood_in) == (7, 4, 2, 1)
    assert found.faults == {"TimedOut": 1, "stopped": 1}
    assert found.ttft_s is not None
    assert (found.ttft_s.median.value, found.ttft_s.median.n) == (
        0.5,
        2,
    )  # that of a wait for a place is without the wait
    assert found.total_s is not None
    assert found.total_s.median.n == 2
    assert found.passed == 1

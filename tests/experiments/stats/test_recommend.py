"""A cell's measures, and what is recommended from them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from llamafarm.core.figures import Estimate, Money
from llamafarm.core.types import Cost, Timings
from llamafarm.experiments.stats.guidelines import GUIDELINES
from llamafarm.experiments.stats.recommend import FEWEST, Tried, recommend
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.summary import Summary, summary
from llamafarm.experiments.stats.text import Answer
from tests.experiments.stats.samples import judged, reply, samples


def test_a_cell_is_measured() -> None:
    found = summary([*samples(["Paris", "paris.", "Lyon"], passed=True), *samples(["4", "4", "4"], 1, passed=False)], 2)
    assert (found.asked, found.answered, found.repeats) == (6, 6, 3)
    assert found.agreement
    assert found.agreement.value == pytest.approx((2 / 3 + 1) / 2)
    assert found.similarity
    assert found.similarity.value == pytest.approx((1 / 3 + 1) / 2)
    assert found.distinct1
    assert found.distinct1.value == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert found.distinct2 is None
    assert found.validity
    assert found.validity.value == 0.5
    assert found.cost == Money(Decimal("0.006"))
    assert found.judge_cost is None
    assert found.answers == ((Answer("Paris", 2), Answer("Lyon", 1)), (Answer("4", 3),))


def test_what_is_not_the_models_own_is_left_out() -> None:
    spans = Timings(ttft_s=9.0, tokens_per_s=1.0, load_s=5.0)
    several = [
        Sample(0, 0, reply("a")),
        Sample(0, 1, reply("b", status="failed", cost=Cost(None, "unknown"))),
        Sample(0, 2, reply("c", model="other")),
        Sample(0, 3, reply("a", timings=spans, finish_reason="length")),
        Sample(0, 4, reply("a", timings=Timings(ttft_s=0.5, queue_s=0.3))),
    ]
    found = summary(several, 1)
    assert (found.asked, found.answered, found.failed, found.cut) == (5, 3, 2, 1)
    assert found.agreement
    assert found.agreement.value == 1
    assert found.ttft_s
    assert found.ttft_s.value == pytest.approx(0.2)
    assert found.tokens_per_s == Estimate(40.0, n=1)
    assert found.cost == Money(Decimal("0.004"), unknown=1)


def test_a_judges_cost_is_apart_and_no_score_is_not_zero() -> None:
    several = [Sample(0, at, reply("a"), judged=judged(score)) for at, score in enumerate([1.0, 0.5, None])]
    found = summary(several, 1)
    assert found.score
    assert found.score.value == pytest.approx(0.75)
    assert found.unscored == 1
    assert found.judge_cost == Money(Decimal("0.03"))
    assert found.cost == Money(Decimal("0.003"))


def test_nothing_answered_measures_nothing() -> None:
    found = summary([Sample(0, 0, reply(status="failed", cost=Cost(None, "unknown")))], 1)
    assert (found.failed, found.repeats, found.agreement, found.ttft_s, found.cost.usd) == (1, 0, None, None, None)


def cell(validity: float | None = None, agreement: float = 0.5, diversity: float = 0.5, near: float = 0.05) -> Summary:
    def known(value: float) -> Estimate:
        return Estimate(value, value - near, value + near, 20)

    blank = summary(samples(["a"] * FEWEST), 1)
    return replace(
        blank,
        validity=None if validity is None else known(validity),
        agreement=known(agreement),
        distinct2=known(diversity),
    )


def test_the_highest_agreement_that_is_told_apart_is_clear() -> None:
    found = recommend([Tried(1.0, cell(agreement=0.4)), Tried(0.0, cell(agreement=0.9))], "sure")
    assert (found.certainty, found.value, found.measure) == ("clear", 0.0, "agreement")


def test_checks_come_before_agreement() -> None:
    tried = [Tried(0.0, cell(0.2, 1.0)), Tried(0.5, cell(0.9, 0.6)), Tried(1.0, cell(0.88, 0.3))]
    found = recommend(tried, "sure")
    assert (found.certainty, found.value) == ("clear", 0.5)
    alone = recommend([Tried(0.0, cell(0.2, 1.0)), Tried(0.5, cell(0.9, 0.1))], "sure")
    assert (alone.value, alone.measure) == (0.5, "checks passed")


def test_values_that_overlap_are_named() -> None:
    tried = [Tried(0.0, cell(agreement=0.9)), Tried(0.3, cell(agreement=0.88)), Tried(1.0, cell(agreement=0.3))]
    found = recommend(tried, "sure")
    assert (found.certainty, found.value, found.rivals) == ("tied", 0.0, (0.3,))
    assert "too few repeats to tell it from 0.3" in found.why


def test_nothing_is_recommended_where_all_may_be_the_same() -> None:
    found = recommend([Tried(0.0, cell(near=0.5)), Tried(1.0, cell(near=0.5))], "sure")
    assert (found.certainty, found.value) == ("too few", None)


def test_nothing_is_recommended_from_few_repeats_or_one_value() -> None:
    few = summary(samples(["a"] * (FEWEST - 1)), 1)
    assert "Too few repeats to tell: 4" in recommend([Tried(0, few), Tried(1, few)], "sure").why
    assert recommend([Tried(0.0, cell())], "sure").value is None
    assert recommend([], "sure").value is None


def test_variety_counts_above_a_floor_of_validity_alone() -> None:
    tried = [
        Tried(0.7, cell(0.95, diversity=0.5)),
        Tried(1.0, cell(0.9, diversity=0.8)),
        Tried(2.0, cell(0.1, diversity=1)),
    ]
    found = recommend(tried, "varied")
    assert (found.certainty, found.value) == ("clear", 1.0)
    assert recommend([Tried(1.0, cell(0.1)), Tried(2.0, cell(0.2))], "varied").value is None


def test_variety_without_checks_is_not_recommended() -> None:
    found = recommend([Tried(0.7, cell(diversity=0.2)), Tried(2.0, cell(diversity=1.0))], "varied")
    assert found.value is None
    assert "needs a check or a judge" in found.why


def test_a_tasks_range_is_tried_in_tenths() -> None:
    assert {guide.key: guide.values for guide in GUIDELINES}["brainstorm"] == (0.8, 0.9, 1.0, 1.1, 1.2)
    assert all(guide.values[0] == guide.low and guide.values[-1] == guide.high for guide in GUIDELINES)

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from llamafarm.learning.features import read
from llamafarm.learning.model import Evidence, Fit, fit
from llamafarm.learning.policy import Dial, Lanes
from llamafarm.learning.replay import for_budget, frontier, prices, replay
from tests.learning.worlds import many_lanes


def learnt(lanes: int = 5, seed: int = 1) -> tuple[Fit, Lanes]:
    world = many_lanes(150, seed, lanes=lanes)
    prompts = [read(text) for text in world.prompts]
    return fit(Evidence.of(prompts, world.scores, np.ones_like(world.scores), world.costs)), Lanes.of(world.costs)


@pytest.mark.parametrize("lanes", [2, 3, 9])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cost_never_rises_as_the_price_does(lanes: int, seed: int) -> None:
    made, about = learnt(lanes, seed)
    found = frontier(made, about, Dial(), np.linspace(0, prices(about)[-1], 200).tolist())
    assert all(later.cost <= sooner.cost for sooner, later in pairwise(found))
    assert np.array_equal(found[0].lanes, made.without.argmax(1))
    assert set(found[-1].lanes) == {int(about.cost.argmin())}


def test_a_budget_sets_the_price() -> None:
    made, about = learnt()
    dear = replay(made, about, Dial()).cost
    for budget in np.linspace(about.cost.min() * 10_000 * 1.001, dear, 9):
        found = for_budget(made, about, Dial(), float(budget))
        assert found is not None
        assert replay(made, about, found).cost <= budget
        if found.per_cost:
            assert replay(made, about, replace(found, per_cost=found.per_cost * (1 - 1e-6))).cost > budget
    assert for_budget(made, about, Dial(), dear) == Dial(0.0)
    assert for_budget(made, about, Dial(), 0.0) is None


def test_what_is_not_known_is_not_counted() -> None:
    made, about = learnt(2)
    evidence = made.evidence
    weights = evidence.weights.copy()
    weights[:50, 0] = weights[50:100, 1] = 0
    part = fit(Evidence(evidence.prompts, evidence.scores, weights, evidence.costs, evidence.starts))
    found = replay(part, about, Dial())
    assert found.known == int((weights[np.arange(150), found.lanes] > 0).sum()) < 150


def test_changes_are_told_by_row() -> None:
    made, about = learnt()
    best, thrifty = replay(made, about, Dial()), replay(made, about, Dial(prices(about)[-1]))
    changed = thrifty.changed(best)
    assert len(changed) == int((best.lanes != int(about.cost.argmin())).sum())


def test_time_and_place_are_on_the_dial_too() -> None:
    made, about = learnt(3)
    slow = replace(about, seconds=np.array([0.0, 0.0, 60.0]))
    assert 2 not in replay(made, slow, Dial(per_second=1.0)).lanes
    here = replace(about, usable=np.array([False, True, True]))
    assert 0 not in replay(made, here, Dial(per_cost=100.0)).lanes

"""What the method must show, on data whose truth is known."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from llamafarm.learning.evaluation.measures import calibration_error
from llamafarm.learning.features import Floats, read
from llamafarm.learning.model import Evidence, Fit, Start, fit
from llamafarm.learning.policy import Dial, Lanes, Router, picks
from llamafarm.learning.regression.calibration import Calibration
from tests.learning.worlds import World, halves, many_lanes, multiple_choice, planted, shuffled

Learnt = tuple[Fit, list[int]]


def learnt(world: World, n: int, seed: int) -> Learnt:
    train, rest = halves(world, n, seed)
    scores = world.scores[train]
    prompts = [read(world.prompts[row]) for row in train]
    return fit(Evidence.of(prompts, scores, np.ones_like(scores), world.costs)), list(rest)


def expected(made: Fit, world: World, rows: list[int]) -> Floats:
    return made.expect([read(world.prompts[row]) for row in rows]).mean


@pytest.mark.parametrize(("n", "least"), [(50, 0.85), (100, 0.97)])
def test_the_right_lane_is_found(n: int, least: float) -> None:
    right = []
    for seed in range(20):
        world = planted(n + 200, seed)
        made, rest = learnt(world, n, seed)
        right.append(np.mean(expected(made, world, rest).argmax(1) == world.truth[rest].argmax(1)))
    assert np.mean(right) >= least


@pytest.mark.parametrize(("n", "runs"), [(50, 40), (300, 30), (1000, 30)])
def test_on_shuffled_labels_the_gate_stays_shut_and_nothing_is_lost(n: int, runs: int) -> None:
    live, losses = [], []
    for seed in range(runs):
        world = shuffled(planted(n + 200, seed), seed)
        made, rest = learnt(world, n, seed)
        router = Router.of(made, Lanes.of(world.costs))
        routed = router.route(made.expect([read(world.prompts[row]) for row in rest]))
        truth = world.truth[rest]
        live.append(router.closed is None)
        losses.append(float((truth[:, router.incumbent] - truth[np.arange(len(rest)), routed]).mean()))
    assert np.mean(live) <= 0.1
    assert np.mean(losses) <= 0.002


@pytest.mark.parametrize(
    ("make", "n"),
    [
        (multiple_choice, 100),
        (multiple_choice, 300),
        (many_lanes, 100),
        (many_lanes, 300),
        (planted, 100),
        (planted, 300),
    ],
)
def test_this_lane_passes_means_what_it_says(make: object, n: int) -> None:
    errors = []
    for seed in range(6):
        world: World = make(n + 1000, seed)  # type: ignore[operator]  # three generators of one form
        made, rest = learnt(world, n, seed)
        chance = made.expect([read(world.prompts[row]) for row in rest]).chance
        errors.append(calibration_error(chance, world.truth[rest]))
    assert np.mean(errors) <= 0.05


def test_a_fit_and_a_suggestion_are_fast() -> None:
    world = many_lanes(1200, 0, lanes=9)
    prompts = [read(text) for text in world.prompts]
    began = time.process_time()
    made = fit(Evidence.of(prompts[:1000], world.scores[:1000], np.ones((1000, 9)), world.costs))
    router = Router.of(made, Lanes.of(world.costs))
    assert time.process_time() - began < 2 * 3
    spans = []
    for text in world.prompts[1000:]:
        began = time.process_time()
        router.suggest(read(text))
        spans.append(time.process_time() - began)
    assert np.quantile(spans, 0.95) < 0.010 * 3


def test_without_evidence_a_long_prompt_is_for_the_dear_lane() -> None:
    made = fit(Evidence.of([], np.zeros((0, 2)), np.zeros((0, 2)), np.array([0.3, 6.0])))
    mean = made.expect([read("Hi?"), read("Tell me more of it. " * 60)]).mean
    assert mean[1, 1] - mean[1, 0] > mean[0, 1] - mean[0, 0]


@pytest.mark.parametrize("costs", [[1.0, 1.0], [1.0, 1.5], [np.nan, 6.0], [0.0, 0.0]])
def test_lanes_of_one_tier_are_not_told_apart_by_length(costs: list[float]) -> None:
    made = fit(Evidence.of([], np.zeros((0, 2)), np.zeros((0, 2)), np.array(costs)))
    mean = made.expect([read("Hi?"), read("Tell me more of it. " * 60)]).mean
    assert mean[1, 1] - mean[1, 0] == mean[0, 1] - mean[0, 0]


def test_others_are_expected_the_same_whatever_is_known_of_a_lane() -> None:
    world = planted(200, 3)
    prompts = [read(text) for text in world.prompts]
    whole, none = np.ones((150, 3)), np.ones((150, 3))
    none[:, 1] = 0.0
    before = fit(Evidence.of(prompts[:150], world.scores[:150], whole, world.costs)).expect(prompts[150:])
    start = (Start(0.5, 2.0), Start(0.65, 4.0), Start(0.5, 2.0))
    evidence = Evidence(tuple(prompts[:150]), world.scores[:150], none, world.costs, start)
    after_fit = fit(evidence)
    after = after_fit.expect(prompts[150:])
    again = fit(Evidence(tuple(prompts[:150]), world.scores[:150], whole, world.costs, start)).expect(prompts[150:])
    assert np.array_equal(after.mean[:, [0, 2]], again.mean[:, [0, 2]])
    assert np.array_equal(after.variance[:, [0, 2]], again.variance[:, [0, 2]])
    assert after_fit.means[1] == 0.65
    assert (after.variance[:, 1] > before.variance[:, 1]).all()


def test_a_price_of_nothing_gives_the_best_and_a_higher_one_never_costs_more() -> None:
    world = many_lanes(400, 1, lanes=5)
    made, rest = learnt(world, 300, 0)
    mean = expected(made, world, rest)
    lanes = Lanes.of(world.costs)
    assert np.array_equal(picks(mean, lanes.price(Dial(0.0))), mean.argmax(1))
    paid = [float(world.costs[picks(mean, lanes.price(Dial(each)))].sum()) for each in np.linspace(0, 2, 60)]
    assert all(later <= sooner + 1e-9 for sooner, later in pairwise(paid))


def test_a_suggestion_says_why_it_stays() -> None:
    world = planted(400, 5)
    few, _ = learnt(world, 29, 0)
    assert Router.of(few, Lanes.of(world.costs)).suggest(read("a poem")).doubt == "few"
    mixed = shuffled(world, 1)
    shut, _ = learnt(mixed, 100, 0)
    assert Router.of(shut, Lanes.of(world.costs)).suggest(read("a poem")).doubt == "gate"
    sure, rest = learnt(world, 300, 0)
    router = Router.of(sure, Lanes.of(world.costs))
    found = [router.suggest(read(world.prompts[row])) for row in rest]
    assert any(each.doubt is None and each.lane != each.incumbent and each.probability >= 0.65 for each in found)
    assert all(each.lane == each.incumbent for each in found if each.doubt)
    assert all(each.nearest and each.nearest[0].nearness >= each.nearest[-1].nearness for each in found)


def test_a_lane_that_may_not_be_used_is_never_suggested() -> None:
    world = planted(300, 5)
    made, rest = learnt(world, 200, 0)
    lanes = Lanes(world.costs, np.zeros(3), np.array([True, False, True]))
    router = Router.of(made, lanes)
    assert router.incumbent != 1
    assert 1 not in router.route(made.expect([read(world.prompts[row]) for row in rest]))


@pytest.mark.parametrize("count", [0, 3, 60])
def test_calibration_changes_no_order_and_is_nothing_without_labels(count: int) -> None:
    rng = np.random.default_rng(count)
    said = rng.random((count, 2))
    calibrated = Calibration.of(said, np.round(rng.random((count, 2))), np.ones((count, 2)))
    asked = np.linspace(0, 1, 101)
    assert (np.diff(calibrated(asked)) > 0).all()
    assert (count > 0) or calibrated(asked) == pytest.approx(asked)


def test_what_was_said_too_boldly_is_told_as_it_came() -> None:
    said = np.full((200, 1), 0.95)
    came = np.tile([[1.0], [1.0], [1.0], [0.0]], (50, 1))
    assert Calibration.of(said, came, np.ones((200, 1)))(np.array([0.95])) == pytest.approx([0.77], abs=0.04)

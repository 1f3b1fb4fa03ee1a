from __future__ import annotations

import numpy as np
import pytest

from llamafarm.learning.cascade import FROM, learn, look, replay
from llamafarm.learning.evaluation.measures import apgr
from llamafarm.learning.signals.answers import Given, usual_form
from tests.learning.worlds import word_problems

WORLD = word_problems(1200, 4)
ANSWERS = WORLD.answers or []
LOOKED = look(WORLD.prompts, [Given(each) for each in ANSWERS], usual_form(ANSWERS))
NOTHING = np.zeros((1200, 2))


def reached(labels: int) -> float:
    learner = learn(LOOKED.rows(np.arange(labels)), NOTHING[:labels], WORLD.scores[:labels])
    rest = np.arange(600, 1200)
    found = apgr(learner.gain(LOOKED.rows(rest), NOTHING[rest]), WORLD.scores[rest, 0], WORLD.scores[rest, 1])
    assert found is not None
    return found


def test_signals_alone_beat_a_coin_and_labels_beat_signals() -> None:
    assert 0.6 < reached(0) < reached(600)


def test_below_fifty_labels_the_signals_speak_alone() -> None:
    assert learn(LOOKED.rows(np.arange(FROM - 1)), NOTHING[: FROM - 1], WORLD.scores[: FROM - 1]).learnt is None
    assert learn(LOOKED.rows(np.arange(FROM)), NOTHING[:FROM], WORLD.scores[:FROM]).learnt is not None


def test_a_replay_pays_both_lanes_where_it_goes_on() -> None:
    scores = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    found = replay(np.array([0.1, 0.9, 0.5]), scores, np.array([1.0, 10.0]), 0.4)
    assert found.escalated.tolist() == [False, True, True]
    assert found.score == pytest.approx(2 / 3)
    assert found.cost == pytest.approx((1 + 11 + 11) / 3)


@pytest.mark.parametrize("threshold", [-10.0, 10.0])
def test_a_replay_at_the_ends_is_one_lane(threshold: float) -> None:
    gain = learn(LOOKED.rows(np.arange(200)), NOTHING[:200], WORLD.scores[:200]).gain(LOOKED, NOTHING)
    found = replay(gain, WORLD.scores, WORLD.costs, threshold)
    lane = 1 if threshold < 0 else 0
    assert found.score == pytest.approx(WORLD.scores[:, lane].mean())
    assert found.cost == pytest.approx(WORLD.costs[: lane + 1].sum())

"""The cheap lane first, and a dear one where its answer looks wrong: which answers to look at again, and how sure.

A cascade in the sense of Chen, Zaharia and Zou, FrugalGPT (2023), with signals and ridge in place of a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llamafarm.learning.features import Floats
from llamafarm.learning.regression import ridge
from llamafarm.learning.regression.ridge import Ridge
from llamafarm.learning.signals.answers import Given, Signal, figures, guessed_right, signals

FROM = 50  # labels from which a cascade learns; before, the signals alone speak
NARROWEST, WIDEST = 0.05, 3.0  # standard deviations, as in the space of prompts


@dataclass(frozen=True, slots=True)
class Looked:
    """Answers of the cheap lane, looked at: `signals` of each, a `chance` to be right, `figures` a row each."""

    signals: tuple[tuple[Signal, ...], ...]
    chance: Floats
    figures: Floats

    def rows(self, chosen: NDArray[np.intp]) -> Looked:
        """Some of them."""
        return Looked(tuple(self.signals[row] for row in chosen), self.chance[chosen], self.figures[chosen])


def look(prompts: Sequence[str], answers: Sequence[Given], usual: str | None) -> Looked:
    """Look at each answer. `usual` is the final form of the lane, see `usual_form`."""
    found = tuple(signals(answer, usual) for answer in answers)
    rows = [figures(*each) for each in zip(prompts, answers, found, strict=True)]
    chance = np.array([guessed_right(each) for each in found])
    return Looked(found, chance, np.array(rows))


@dataclass(frozen=True, slots=True)
class Cascade:
    """What answers of the cheap lane tell of it and of the dear one. Without `learnt` the signals alone speak."""

    learnt: Ridge | None
    middle: Floats
    deviation: Floats
    means: Floats

    def worth(self, looked: Looked, expected: Floats) -> Floats:
        """Answers × 2: what the cheap answer that is there, and a dear one, are expected to be worth.

        `expected` is the same by the prompts alone, as `Fit.expect` has it.
        """
        if self.learnt is None:
            return np.clip(np.column_stack([looked.chance, 0.5 + expected[:, 1]]), 0, 2)
        rows = _standard(looked, expected, self.middle, self.deviation)
        start = np.column_stack([looked.chance, np.zeros(len(rows))])
        return np.asarray(start + self.means + self.learnt.beyond(rows), np.float64)

    def gain(self, looked: Looked, expected: Floats) -> Floats:
        """For each answer what asking the dear lane is expected to add: the higher, the sooner it should be asked."""
        worth = self.worth(looked, expected)
        return np.asarray(worth[:, 1] - worth[:, 0], np.float64)


def learn(looked: Looked, expected: Floats, scores: Floats) -> Cascade:
    """Learn from answers whose `scores`, answers × (cheap, dear), are known; below FROM of them nothing is learnt.

    `expected` is what the prompts alone let one expect, each without its own label (`Fit.without`).
    """
    count = len(scores)
    if count < FROM:
        nothing = np.zeros(0)
        return Cascade(None, nothing, nothing, nothing)
    rows = _rows(looked, expected)
    middle, deviation = rows.mean(0), np.maximum(rows.std(0), NARROWEST)
    start = np.column_stack([looked.chance, np.zeros(count)])
    goal = scores - start
    learnt, _ = ridge.fit(_standard(looked, expected, middle, deviation), goal, np.ones(count))
    return Cascade(learnt, middle, deviation, goal.mean(0))


@dataclass(frozen=True, slots=True)
class Replayed:
    """A cascade over answers whose truth is known, at one threshold of the expected gain.

    `escalated` are those that went on. `score` and `cost` are means; a dear answer is paid beside the cheap one.
    """

    threshold: float
    escalated: NDArray[np.bool_]
    score: float
    cost: float


def replay(gain: Floats, scores: Floats, costs: Floats, threshold: float) -> Replayed:
    """What a cascade would have got and cost that asks the dear lane where the gain is above `threshold`.

    `scores` are answers × (cheap, dear), `costs` those of the two lanes, a row for all answers or one for each.
    """
    on = gain > threshold
    paid = np.broadcast_to(costs, scores.shape)
    score = np.where(on, scores[:, 1], scores[:, 0])
    return Replayed(threshold, on, float(score.mean()), float((paid[:, 0] + on * paid[:, 1]).mean()))


def _rows(looked: Looked, expected: Floats) -> Floats:
    return np.hstack([looked.figures, looked.chance[:, None], expected])


def _standard(looked: Looked, expected: Floats, middle: Floats, deviation: Floats) -> Floats:
    rows = np.clip((_rows(looked, expected) - middle) / deviation, -WIDEST, WIDEST)
    return np.asarray(rows / np.sqrt(rows.shape[1]), np.float64)

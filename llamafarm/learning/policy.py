"""From what is expected to which lane is suggested: the best at a price of quality, or the incumbent, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llamafarm.learning.features import Floats, Prompt
from llamafarm.learning.least import FEWEST
from llamafarm.learning.model import Evidence, Expected, Fit, Neighbour

SUREST = 0.65  # the probability to be better than the incumbent, below which it stays
ERRORS = 1.28  # standard errors by which the gain must be above zero: one in ten would be by chance

Doubt = Literal["few", "gate", "unsure"]


@dataclass(frozen=True, slots=True)
class Dial:
    """What quality is worth: `per_cost` of it are given for a unit of cost, `per_second` for a second of waiting.

    Both are zero or more. With 0 the best answer is wanted whatever it costs.
    """

    per_cost: float = 0.0
    per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Lanes:
    """What is known of the lanes beside their scores: `cost` and `seconds` of a typical answer, and which may be used.

    `usable` says which may be suggested now: those that are there, or stay on this machine, or are within a budget.
    """

    cost: Floats
    seconds: Floats
    usable: NDArray[np.bool_]

    @classmethod
    def of(cls, cost: Floats, seconds: Sequence[float] | None = None) -> Lanes:
        """Lanes that may all be used; without `seconds` their answers take no time that counts."""
        took = np.zeros(len(cost)) if seconds is None else np.array(seconds, np.float64)
        return cls(cost, took, np.ones(len(cost), np.bool_))

    def price(self, dial: Dial) -> Floats:
        """What is taken off each lane's quality; infinite where it may not be used."""
        cost = np.where(np.isfinite(self.cost), self.cost, 0.0) if dial.per_cost == 0 else self.cost
        price = dial.per_cost * cost + dial.per_second * self.seconds
        return np.where(self.usable & np.isfinite(price), price, np.inf)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the evidence shows that picking by the prompt is better than the incumbent.

    `gain` is what each comparison would have got more, on average, had it been routed by all others, and `error` the
    standard error of that, over the `counted` comparisons in which both lanes were judged.
    """

    gain: float
    error: float
    counted: int

    @property
    def open(self) -> bool:
        """Whether the gain is more than chance gives one time in ten."""
        return self.counted > 1 and self.gain > 0 and self.gain > ERRORS * self.error


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The lane to ask, by its index, and why.

    `pick` is the best by what is expected, `probability` how sure it is that it beats the `incumbent`, which is best on
    the whole. `lane` is the pick, or the incumbent where there is a `doubt`: few comparisons, a shut gate, or a pick
    that is not sure enough.
    """

    lane: int
    pick: int
    incumbent: int
    probability: float
    doubt: Doubt | None
    comparisons: int
    expected: Floats
    nearest: tuple[Neighbour, ...]


def picks(expected: Floats, price: Floats) -> NDArray[np.intp]:
    """For each prompt the lane that is worth most at these prices; of equal ones the cheaper, then the first."""
    worth = np.where(np.isfinite(price), expected - np.where(np.isfinite(price), price, 0), -np.inf)
    order = np.argsort(price, kind="stable")
    return np.asarray(order[worth[:, order].argmax(1)], np.intp)


def incumbent(fit: Fit, price: Floats) -> int:
    """The lane that is best on the whole at these prices, by its shrunk mean."""
    return int(picks(fit.means[None], price)[0])


def gate(fit: Fit, price: Floats) -> Gate:
    """What the evidence says of routing by it: each comparison is routed by all others."""
    evidence = fit.evidence
    if not len(evidence):
        return Gate(0.0, 0.0, 0)
    standing, rows = incumbent(fit, price), np.arange(len(evidence))
    picked = picks(fit.without, price)
    weights = np.minimum(evidence.weights[rows, picked], evidence.weights[:, standing])
    known = (weights > 0) & evidence.speaking
    if known.sum() < 2:  # noqa: PLR2004 - one has no spread
        return Gate(0.0, 0.0, int(known.sum()))
    gains = evidence.scores[rows, picked] - evidence.scores[:, standing] - price[picked] + price[standing]
    gains, weights = gains[known], weights[known]
    mean = float(np.average(gains, weights=weights))
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    spread = float(np.average((gains - mean) ** 2, weights=weights))
    return Gate(mean, math.sqrt(spread / max(effective - 1, 1)), int(known.sum()))


def probabilities(expected: Expected, price: Floats, picked: NDArray[np.intp], standing: int) -> Floats:
    """For each prompt the probability that its pick is worth more than the incumbent; ½ where it is the incumbent."""
    rows = np.arange(len(picked))
    ahead = expected.mean[rows, picked] - price[picked] - expected.mean[:, standing] + price[standing]
    spread = np.sqrt(expected.variance[rows, picked] + expected.variance[:, standing])
    chance = 0.5 * (1 + np.vectorize(math.erf)(ahead / (math.sqrt(2) * np.maximum(spread, 1e-9))))
    return np.where(picked == standing, 0.5, chance)


def comparisons(evidence: Evidence) -> int:
    """How many comparisons teach: those in which two lanes or more have a label that is not a judge's alone."""
    return int(evidence.speaking.sum())


@dataclass(frozen=True, slots=True)
class Router:
    """A fit, a dial and its gate: suggests a lane for a prompt within milliseconds."""

    fit: Fit
    price: Floats
    gate: Gate
    incumbent: int
    comparisons: int

    @classmethod
    def of(cls, fit: Fit, lanes: Lanes, dial: Dial | None = None) -> Router:
        """The router for these lanes, in the order of the evidence's columns. One of them may be used at the least."""
        price = lanes.price(dial or Dial())
        return cls(fit, price, gate(fit, price), incumbent(fit, price), comparisons(fit.evidence))

    @property
    def closed(self) -> Doubt | None:
        """Why it abstains at every prompt; None where it may suggest."""
        if self.comparisons < FEWEST:
            return "few"
        return None if self.gate.open else "gate"

    def suggest(self, prompt: Prompt, *, neighbours: int = 3) -> Suggestion:
        """The lane for a prompt."""
        expected = self.fit.expect((prompt,))
        pick = picks(expected.mean, self.price)
        sure = float(probabilities(expected, self.price, pick, self.incumbent)[0])
        stays = int(pick[0]) == self.incumbent
        doubt: Doubt | None = self.closed or (None if stays or sure >= SUREST else "unsure")
        return Suggestion(
            lane=self.incumbent if doubt else int(pick[0]),
            pick=int(pick[0]),
            incumbent=self.incumbent,
            probability=sure,
            doubt=doubt,
            comparisons=self.comparisons,
            expected=expected.mean[0],
            nearest=tuple(self.fit.nearest(prompt, neighbours)),
        )

    def route(self, expected: Expected) -> NDArray[np.intp]:
        """For many prompts the lanes that it suggests, with all its doubts."""
        standing = np.full(len(expected.mean), self.incumbent, np.intp)
        if self.closed:
            return standing
        picked = picks(expected.mean, self.price)
        sure = probabilities(expected, self.price, picked, self.incumbent) >= SUREST
        return np.where(sure, picked, standing)

"""What each lane's answer to a prompt is expected to be worth, how sure that is, and on which prompts it rests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llamafarm.learning.features import Floats, Prompt
from llamafarm.learning.regression import mixture
from llamafarm.learning.regression.calibration import Calibration
from llamafarm.learning.regression.mixture import Mixture
from llamafarm.learning.regression.space import Located, Space, near_by_surface, near_by_words

PRIOR_MEAN, PRIOR_WEIGHT = 0.5, 2.0  # what a lane of which nothing is known is taken for, and for how many labels
PRIOR_VARIANCE = 0.08  # of a lane's worth at a prompt where nothing is known
PRIOR_STEP = 0.1  # by how much the dearest lane is taken to be above that, and the cheapest below
GUESS = (
    0.25  # by how much a dear lane is thought better at a prompt whose length is a standard deviation above the mean
)
GUESS_LABELS = 50.0  # as many comparisons weigh as much as that guess
AT_ONCE = 1_000  # prompts whose nearness to all of the evidence is in memory
FEWEST = 4  # labels of a lane from which its prompts are told apart


@dataclass(frozen=True, slots=True)
class Start:
    """What a lane is taken for before it has evidence: the mean and for how many labels that counts."""

    mean: float = PRIOR_MEAN
    weight: float = PRIOR_WEIGHT


@dataclass(frozen=True, slots=True)
class Evidence:
    """Comparisons × lanes: `scores` from 0 to 1 and what each weighs; where the weight is 0 there is no label.

    `costs` is what a lane's answer costs on average, in any one unit, above all to tell cheap from dear. `starts` are
    the lanes' own where they have one, such as the mean of the model that stood there before. `grounded` tells of each
    comparison whether there is more than a judge's word; None: of all.
    """

    prompts: tuple[Prompt, ...]
    scores: Floats
    weights: Floats
    costs: Floats
    starts: tuple[Start, ...]
    grounded: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, prompts: Sequence[Prompt], scores: Floats, weights: Floats, costs: Floats) -> Evidence:
        """Evidence on lanes that all start the same. Scores that are no number have no weight."""
        known = np.isfinite(scores)
        return cls(tuple(prompts), np.where(known, scores, 0.0), np.where(known, weights, 0.0), costs, starts_of(costs))

    @property
    def speaking(self) -> NDArray[np.bool_]:
        """Which comparisons may open the gate: two lanes or more have labels, and not from a judge alone."""
        compared = (self.weights > 0).sum(1) > 1
        return np.asarray(compared if self.grounded is None else compared & self.grounded, np.bool_)

    def __len__(self) -> int:
        return len(self.prompts)


@dataclass(frozen=True, slots=True)
class Expected:
    """Prompts × lanes: the mean of what an answer is worth, from 0 to 1, and the variance of that mean.

    `mean` rests on the lane's own labels alone, so lanes are compared by it. `chance` is it calibrated by the labels of
    all lanes: what is told to people as the probability that the answer passes.
    """

    mean: Floats
    variance: Floats
    chance: Floats


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A comparison of the evidence: its row, and how near its prompt is, from 0 to 1."""

    row: int
    nearness: float


@dataclass(frozen=True)
class Fit:
    """The model that was learnt. `means` are the lanes', shrunk; `mixtures` tell by which lanes they stand for.

    `without` is what each row would have been expected to get had it not been there: what gates and replays rest on.
    """

    evidence: Evidence
    space: Space
    located: Located
    means: Floats
    guess: Floats
    mixtures: tuple[tuple[NDArray[np.intp], Mixture], ...]
    calibration: Calibration
    without: Floats

    def expect(self, prompts: Sequence[Prompt]) -> Expected:
        """What each lane's answer to each prompt is expected to be worth."""
        if len(prompts) == 1:
            return self._expect(self.space.locate_one(prompts[0]))
        parts = [self._expect(self.space.locate(prompts[at : at + AT_ONCE])) for at in range(0, len(prompts), AT_ONCE)]
        empty = np.zeros((0, len(self.means)))
        return Expected(
            np.vstack([empty, *(part.mean for part in parts)]),
            np.vstack([empty, *(part.variance for part in parts)]),
            np.vstack([empty, *(part.chance for part in parts)]),
        )

    def _expect(self, located: Located) -> Expected:
        mean = self.means + guessed(located, self.guess)
        variance = np.tile(PRIOR_VARIANCE + self._prior_doubt, (len(mean), 1))
        for lanes, mixed in self.mixtures:
            mean[:, lanes] += mixed.beyond(located)
            variance[:, lanes] = mixed.variance(located)
        mean = np.clip(mean, 0.0, 1.0)
        return Expected(mean, variance, self.calibration(mean))

    def nearest(self, prompt: Prompt, most: int = 5) -> list[Neighbour]:
        """The comparisons of the evidence whose prompts are nearest, nearest first."""
        if not len(self.evidence):
            return []
        here = self.space.locate_one(prompt)
        near = (near_by_surface(here, self.located)[0] + np.maximum(near_by_words(here, self.located)[0], 0)) / 2
        some = np.argpartition(-near, min(most, len(near)) - 1)[:most]
        return [Neighbour(int(row), float(near[row])) for row in sorted(some, key=lambda row: (-near[row], row))]

    @cached_property
    def _prior_doubt(self) -> Floats:
        labels = self.evidence.weights.sum(0) + np.array([start.weight for start in self.evidence.starts])
        return np.asarray(0.25 / labels, np.float64)


def fit(evidence: Evidence) -> Fit:
    """Learn from `evidence`. Takes a second or two for 1,000 comparisons of nine lanes: not for the event loop."""
    count, lanes = len(evidence), len(evidence.costs)
    if count:
        space, located = Space.of(evidence.prompts)
    else:
        space = Space.empty()
        located = space.locate(())
    guess = dear(evidence.costs) * GUESS * GUESS_LABELS / (GUESS_LABELS + count)
    offsets = guessed(located, guess)
    rest = evidence.scores - offsets
    means = _means(evidence, rest)
    without = means + offsets
    mixtures = []
    for alike, rows in _groups(evidence.weights):
        mixed = mixture.fit(located.rows(rows), rest[np.ix_(rows, alike)], evidence.weights[rows, alike[0]])
        without[np.ix_(rows, alike)] = _means_without(evidence, rest)[np.ix_(rows, alike)] + mixed.without
        without[np.ix_(rows, alike)] += offsets[np.ix_(rows, alike)]
        mixtures.append((alike, mixed))
    said = np.clip(without, 0, 1).reshape(count, lanes)
    calibration = Calibration.of(said, evidence.scores, evidence.weights)
    return Fit(evidence, space, located, means, guess, tuple(mixtures), calibration, said)


def starts_of(costs: Floats) -> tuple[Start, ...]:
    """Where lanes start of which nothing is known but their costs: dear ones a little higher."""
    return tuple(Start(PRIOR_MEAN + PRIOR_STEP * float(each)) for each in dearness(costs))


def dearness(costs: Floats) -> Floats:
    """From -1 for the cheapest lane to 1 for the dearest, by the logarithm; all 0 where that can't be told."""
    if len(costs) < 2 or not np.isfinite(costs).all() or costs.max() <= max(float(costs.min()), 0.0):  # noqa: PLR2004
        return np.zeros(len(costs))
    least = max(float(costs[costs > 0].min()), float(costs.max()) * 1e-3)
    logs = np.log(np.maximum(costs, least))
    span = float(logs.max() - logs.min())
    return 2 * (logs - logs.min()) / span - 1 if span > 0 else np.where(costs == costs.max(), 1.0, -1.0)


def dear(costs: Floats) -> Floats:
    """½ for dear lanes, −½ for cheap ones; all 0 where costs are not known, or too near each other for two tiers."""
    if len(costs) < 2 or not np.isfinite(costs).all() or not costs.max() > 0 or costs.max() < 2 * costs.min():  # noqa: PLR2004
        return np.zeros(len(costs))
    least = max(float(costs[costs > 0].min()), float(costs.max()) * 1e-3)
    middle = np.sqrt(least * float(costs.max()))
    return np.where(costs > middle, 0.5, -0.5)


def guessed(located: Located, guess: Floats) -> Floats:
    """Prompts × lanes: what the length of a prompt alone lets one guess."""
    return np.asarray(located.surface[:, :1] * guess, np.float64)


def _groups(weights: Floats) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Lanes whose labels stand in the same rows and weigh the same, with these rows; those with few are left out."""
    found: dict[bytes, list[int]] = {}
    for lane in range(weights.shape[1]):
        found.setdefault(weights[:, lane].tobytes(), []).append(lane)
    for alike in found.values():
        rows = np.flatnonzero(weights[:, alike[0]] > 0)
        if len(rows) >= FEWEST:
            yield np.array(alike, np.intp), rows


def _means(evidence: Evidence, rest: Floats) -> Floats:
    weight = np.array([start.weight for start in evidence.starts])
    start = np.array([start.mean for start in evidence.starts])
    return np.asarray(
        ((evidence.weights * rest).sum(0) + weight * start) / (evidence.weights.sum(0) + weight), np.float64
    )


def _means_without(evidence: Evidence, rest: Floats) -> Floats:
    weight = np.array([start.weight for start in evidence.starts])
    start = np.array([start.mean for start in evidence.starts])
    own = evidence.weights * rest
    return np.asarray(
        (own.sum(0) - own + weight * start) / (evidence.weights.sum(0) - evidence.weights + weight), np.float64
    )

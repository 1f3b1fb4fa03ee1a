"""Four ways to expect a score, and how much each has deserved: two kernel ridges and two kinds of neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llamafarm.learning.features import SURFACE, Floats
from llamafarm.learning.regression import ridge
from llamafarm.learning.regression.neighbours import Near
from llamafarm.learning.regression.ridge import Ridge
from llamafarm.learning.regression.space import Located, near_by_surface, near_by_words

ALIKE, SAME_WORDS = 60, 20  # neighbours by the surface, which is coarse, and by words, which are not
WAYS = 4
SPREAD = 0.25  # the standard deviation of what a way's share may be, about an equal one
TRUST = 1.0  # the standard deviation of how much too timid or too bold the mixture may be, about 1
BOLDEST = 2.5
TINY = 1e-9
ROUNDS = 60  # of coordinate descent on a handful of numbers


@dataclass(frozen=True, slots=True)
class Mixture:
    """Lanes that have the same evidence: `located` are its prompts, `rest` its scores less the lane's mean.

    `shares` are ways × lanes. `noise` is a lane's leave-one-out squared error; `without` what each row of the evidence
    would have been expected to get without itself, less the lane's mean without it.
    """

    located: Located
    rest: Floats
    weights: Floats
    by_surface: Ridge
    by_all: Ridge
    shares: Floats
    noise: Floats
    without: Floats

    def beyond(self, prompts: Located) -> Floats:
        """Prompts × lanes: how far above the lane's mean each is expected."""
        coordinates = prompts.coordinates
        ways = (
            self.by_surface.beyond(coordinates[:, : len(SURFACE)]),
            self.by_all.beyond(coordinates),
            Near.of(near_by_surface(prompts, self.located), ALIKE).beyond(self.rest, self.weights),
            Near.of(near_by_words(prompts, self.located), SAME_WORDS).beyond(self.rest, self.weights),
        )
        return np.asarray(np.einsum("wl,wpl->pl", self.shares, np.array(ways)), np.float64)

    def variance(self, prompts: Located) -> Floats:
        """Prompts × lanes: the posterior variance of the expected score."""
        unknown = np.maximum(1 - prompts.known**2, 0)
        return np.asarray(self.noise * self.by_all.doubt(prompts.coordinates, unknown), np.float64)


def fit(located: Located, scores: Floats, weights: Floats) -> Mixture:
    """The mixture for rows with `scores`, rows × lanes, and the rows' `weights`, above zero. Two rows at the least."""
    coordinates = located.coordinates
    by_surface, first = ridge.fit(coordinates[:, : len(SURFACE)], scores, weights)
    by_all, second = ridge.fit(coordinates, scores, weights)
    share = (weights / weights.sum())[:, None]
    mean = (share * scores).sum(0)
    mean_without = (mean - share * scores) / np.maximum(1 - share, 1e-9)
    rest = scores - mean
    near = [
        Near.of(_without_itself(nearness), most).beyond(rest, weights)
        for nearness, most in (
            (near_by_surface(located, located), ALIKE),
            (near_by_words(located, located), SAME_WORDS),
        )
    ]
    ways = np.array([first - mean_without, second - mean_without, *near])
    goal = scores - mean_without
    shares = _deserved(ways, goal, weights)
    shares = shares * _stretched(np.einsum("wl,wrl->rl", shares, ways), goal, weights)
    without = np.einsum("wl,wrl->rl", shares, ways)
    noise = (share * (scores - mean_without - without) ** 2).sum(0)
    return Mixture(located, rest, weights, by_surface, by_all, shares, np.maximum(noise, 1e-4), without)


def _without_itself(nearness: Floats) -> Floats:
    masked = nearness.copy()
    np.fill_diagonal(masked, -1.0)
    return masked


def _deserved(ways: Floats, goal: Floats, weights: Floats) -> Floats:
    """Shares of the ways, ways × lanes: least squares on what each said without the row, never below zero.

    Stacking: Wolpert, Stacked Generalization (1992); Breiman, Stacked Regressions (1996), here drawn to equal shares.
    """
    centred = ways - np.average(ways, axis=1, weights=weights)[:, None]
    squares = np.einsum("wrl,vrl,r->lwv", centred, centred, weights)
    products = np.einsum("wrl,rl,r->lw", centred, goal, weights)
    prior = np.average(goal**2, axis=0, weights=weights) / SPREAD**2 + TINY
    squares, products = squares + prior[:, None, None] * np.eye(WAYS), products + prior[:, None] / WAYS
    shares = np.full((len(squares), WAYS), 1 / WAYS)
    for _ in range(ROUNDS):
        for way in range(WAYS):
            left = products[:, way] - np.einsum("lv,lv->l", squares[:, way], shares)
            shares[:, way] = np.maximum(shares[:, way] + left / squares[:, way, way], 0)
    return np.asarray(shares.T, np.float64)


def _stretched(said: Floats, goal: Floats, weights: Floats) -> Floats:
    """For each lane how much bolder, or timider, it should be: the slope of what came on what was said, drawn to 1."""
    noise = np.average((goal - said) ** 2, axis=0, weights=weights)
    prior = noise / TRUST**2
    slope = (np.einsum("rl,rl,r->l", said, goal, weights) + prior) / (
        np.einsum("rl,rl,r->l", said, said, weights) + prior + TINY
    )
    return np.asarray(np.clip(slope, 0, BOLDEST), np.float64)

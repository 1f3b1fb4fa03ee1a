"""Kernel ridge regression in closed form, with its leave-one-out predictions; its strength is chosen by them.

Hoerl and Kennard, Ridge Regression (1970); the leave-one-out shortcut: Golub, Heath and Wahba, Generalized
Cross-Validation (1979), equation 2.1; the posterior: Rasmussen and Williams, Gaussian Processes (2006), chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llamafarm.learning.features import Floats

STRENGTHS = np.logspace(-1, 3, 13)  # in squared coordinates, which are about 1 long
CAUTION = 1.0  # standard errors by which a weaker shrinkage must be better than a stronger one
FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class Ridge:
    """Lanes that have the same evidence: linear in the coordinates, about the mean of each lane.

    `slopes` are directions × lanes, in the directions `turn` of the coordinates less `centre`; `values` are their
    squared lengths in the evidence, `strengths` the chosen shrinkage a lane, `weight` that of all evidence.
    """

    centre: Floats
    turn: Floats
    values: Floats
    slopes: Floats
    strengths: Floats
    weight: float

    def beyond(self, coordinates: Floats) -> Floats:
        """Prompts × lanes: how much above the lane's mean each is expected."""
        return np.asarray((coordinates - self.centre) @ self.turn @ self.slopes, np.float64)

    def doubt(self, coordinates: Floats, outside: Floats) -> Floats:
        """Prompts × lanes: the posterior variance of the mean, in units of the lane's noise.

        `outside` is each prompt's squared length across all coordinates, where the evidence says nothing.
        """
        turned = ((coordinates - self.centre) @ self.turn) ** 2
        inside = turned @ (1 / (self.values[:, None] + self.strengths))
        total = (coordinates - self.centre) ** 2
        rest = np.maximum(total.sum(1) - turned.sum(1), 0) + outside
        return np.asarray(inside + rest[:, None] / self.strengths + 1 / self.weight, np.float64)


def fit(coordinates: Floats, scores: Floats, weights: Floats) -> tuple[Ridge, Floats]:
    """A ridge for each column of `scores`, and what each row would have been predicted without itself.

    `weights` are those of the rows, above zero. There are two rows at the least.
    """
    total = float(weights.sum())
    root, share = np.sqrt(weights)[:, None], weights / total
    centre, means = share @ coordinates, share @ scores
    rows, goal = (coordinates - centre) * root, (scores - means) * root
    values, turn = np.linalg.eigh(rows.T @ rows)
    kept = values > max(float(values[-1]), FLAT) * 1e-8
    values, turn = values[kept], turn[:, kept]
    along = rows @ turn / np.sqrt(values)
    parts = along.T @ goal
    left, losses = _tried(along, values, parts, goal, share)
    chosen = _chosen(losses)
    lanes = np.arange(scores.shape[1])
    strengths = STRENGTHS[chosen]
    slopes = parts * np.sqrt(values)[:, None] / (values[:, None] + strengths)
    ridge = Ridge(centre, turn, values, slopes, strengths, total)
    return ridge, scores - left[chosen, :, lanes].T / root


def _tried(along: Floats, values: Floats, parts: Floats, goal: Floats, share: Floats) -> tuple[Floats, Floats]:
    """For each strength the weighted leave-one-out residuals, strengths × rows × lanes, and their squares."""
    left = np.empty((len(STRENGTHS), *goal.shape))
    for at, strength in enumerate(STRENGTHS):
        kept = values / (values + strength)
        own = np.minimum(along**2 @ kept + share, 1 - 1e-6)
        left[at] = (goal - along @ (kept[:, None] * parts)) / (1 - own)[:, None]
    return left, left**2


def _chosen(losses: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """For each lane the strongest shrinkage that can hardly be told from the best (Breiman and others, CART, 1984)."""
    best = losses.mean(1).argmin(0)
    lanes = np.arange(losses.shape[2])
    worse = losses - losses[best, :, lanes].T
    error = worse.std(1) / np.sqrt(losses.shape[1])
    near = worse.mean(1) <= CAUTION * error
    return np.asarray(len(STRENGTHS) - 1 - near[::-1].argmax(0), np.intp)

"""What is said made to mean what it says: of answers for which .8 is expected, four in five pass.

A kernel regression (Nadaraya, 1964; Watson, 1964) of what came on what was expected without it, never falling, as in
Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability Estimates (2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llamafarm.learning.features import Floats

WIDTH = 0.06  # the standard deviation of what counts as the same expectation
PRIOR = 8.0  # labels that the expectation itself weighs at each point
SHARE = 0.9  # of what is found; the rest stays as it was said, so that no two expectations become one
GRID = np.linspace(0.0, 1.0, 51)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What each point of GRID comes to; it rises everywhere, so that no order changes."""

    values: Floats

    @classmethod
    def of(cls, said: Floats, came: Floats, weights: Floats) -> Calibration:
        """From expectations, each made without its own label, and these labels with their weights; of the same form."""
        known = weights > 0
        near = np.exp(-(((GRID[:, None] - said[known]) / WIDTH) ** 2) / 2) * weights[known]
        found = (near @ came[known] + PRIOR * GRID) / (near.sum(1) + PRIOR)
        return cls(SHARE * np.maximum.accumulate(found) + (1 - SHARE) * GRID)

    def __call__(self, said: Floats) -> Floats:
        """Expectations as they are meant."""
        return np.asarray(np.interp(said, GRID, self.values), np.float64)

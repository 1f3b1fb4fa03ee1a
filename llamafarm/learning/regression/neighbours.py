"""What the nearest prompts got, weighted by how near they are, and drawn to the lane's mean where few are near.

Nadaraya, On Estimating Regression (1964), over the k nearest; the shrinkage is that of a beta prior of `PRIOR` trials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llamafarm.learning.features import Floats

PRIOR = 3.0  # neighbours as near as the nearest that the mean counts as
POWER = 2.0  # nearer ones count more


@dataclass(frozen=True, slots=True)
class Near:
    """The `rows` of the evidence that are nearest to each prompt, nearest first, and how near, from 0 to 1."""

    rows: NDArray[np.intp]
    nearness: Floats

    @classmethod
    def of(cls, nearness: Floats, most: int) -> Near:
        """The `most` nearest by a matrix of prompts × rows. A prompt may be itself: mask it before."""
        count = min(most, nearness.shape[1])
        some = np.argpartition(-nearness, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(nearness, some, 1), axis=1, kind="stable")
        rows = np.take_along_axis(some, order, 1)
        return cls(rows, np.maximum(np.take_along_axis(nearness, rows, 1), 0))

    def beyond(self, rest: Floats, weights: Floats) -> Floats:
        """Prompts × lanes: by how much neighbours are above the mean; `rest` is rows × lanes, less the mean."""
        nearest = np.maximum(self.nearness[:, :1], 1e-9)
        counts = (self.nearness / nearest) ** POWER * weights[self.rows]
        found = np.einsum("pk,pkl->pl", counts, rest[self.rows])
        return np.asarray(found / (counts.sum(1, keepdims=True) + PRIOR), np.float64)

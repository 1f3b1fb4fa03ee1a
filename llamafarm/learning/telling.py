"""Which prompts to judge next: those from which most is learnt about all the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llamafarm.learning.features import Prompt
from llamafarm.learning.regression.space import Space

HELD_BACK = 10.0  # the shrinkage of a typical fit


def most_telling(judged: Sequence[Prompt], waiting: Sequence[Prompt], count: int) -> list[int]:
    """Indices of `count` of the `waiting` prompts, the most telling first. Labels don't matter to it.

    Each time the one whose label would lower the summed posterior variance of all waiting prompts the most: Cohn,
    Ghahramani and Jordan, Active Learning with Statistical Models (1996), for a ridge, where it has a closed form.
    """
    if not waiting:
        return []
    _, located = Space.of([*judged, *waiting])
    coordinates = np.hstack([located.coordinates, np.ones((len(judged) + len(waiting), 1))])
    known, pool = coordinates[: len(judged)], coordinates[len(judged) :]
    doubt = np.linalg.inv(known.T @ known + HELD_BACK * np.eye(coordinates.shape[1]))
    across = pool @ doubt @ pool.T
    chosen: list[int] = []
    left = np.ones(len(pool), np.bool_)
    for _ in range(min(count, len(pool))):
        gains = np.where(left, (across**2).sum(0) / (1 + np.diag(across)), -np.inf)
        at = int(gains.argmax())
        chosen.append(at)
        left[at] = False
        column = across[:, at].copy()
        across -= np.outer(column, column) / (1 + column[at])
    return chosen

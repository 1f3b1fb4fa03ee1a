"""95 % intervals by the bootstrap: percentiles of what resampling gives, seeded, the same on every machine.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; resampled in two stages where answers belong
to prompts: prompts first, then the answers of each (Davison and Hinkley, Bootstrap Methods and their Application, 1997,
section 3.8). With one prompt that is the plain bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from statistics import NormalDist, fmean, median

from llamafarm.core.figures import Estimate

SEED = 20161
MOST, LEAST = 2_000, 200  # resamples
DRAWS = 1_000_000  # of all resamples together: bounds the time
CONFIDENCE = 0.95

Groups = Sequence[Sequence[float]]
Draw = list[tuple[int, list[int]]]  # a prompt's index, and indices of its answers
Statistic = Callable[[Draw], float | None]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The quantile of sorted values, linear between neighbours (Hyndman and Fan's type 7, as numpy has it)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def draws(sizes: Sequence[int], seed: int = SEED) -> Iterator[Draw]:
    """Resamples of prompts with so many answers each: with replacement, in two stages."""
    random = Random(seed)  # noqa: S311 - resampling, no secrets
    prompts = range(len(sizes))
    for _ in range(min(MOST, max(LEAST, DRAWS // max(sum(sizes), 1)))):
        yield [(prompt, random.choices(range(sizes[prompt]), k=sizes[prompt])) for prompt in _drawn(random, prompts)]


def _drawn(random: Random, prompts: range) -> Sequence[int]:
    return prompts if len(prompts) == 1 else random.choices(prompts, k=len(prompts))


def estimate(value: float, sizes: Sequence[int], statistic: Statistic, *, centred: bool = False) -> Estimate:
    """`value` with the interval that `statistic` gives over resamples; `sizes` are all above 0.

    `centred`: drawing an answer twice biases the statistic itself, so the interval is moved by that bias, which the
    resamples tell (Efron and Tibshirani, chapter 10).
    """
    n = sum(sizes)
    found = sorted(each for draw in draws(sizes) if (each := statistic(draw)) is not None) if n > 1 else []
    if len(found) < LEAST:
        return Estimate(value, n=n)
    tail = (1 - CONFIDENCE) / 2
    shift = value - fmean(found) if centred else 0.0
    return Estimate(value, percentile(found, tail) + shift, percentile(found, 1 - tail) + shift, n)


def mean(groups: Groups) -> Estimate | None:
    """The mean over prompts of the mean of each one's values. Prompts without values are left out."""
    full = [group for group in groups if group]
    if not full:
        return None
    value = fmean(fmean(group) for group in full)
    return estimate(
        value,
        [len(group) for group in full],
        lambda draw: fmean(fmean([full[prompt][at] for at in chosen]) for prompt, chosen in draw),
    )


def share(groups: Groups) -> Estimate | None:
    """The mean of zeros and ones. Where all are the same resampling sees no doubt, so Wilson's interval stands there.

    Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).
    """
    found = mean(groups)
    if found is None or found.n <= 1 or found.low != found.high:
        return found
    return wilson(found.value, found.n)


def wilson(share: float, n: int) -> Estimate:
    """A share of `n` with Wilson's interval, which holds near 0 and 1 too; it takes the values as independent."""
    if n <= 1:
        return Estimate(share, n=n)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n**2)) / (1 + z * z / n)
    return Estimate(share, max(middle - half, 0.0), min(middle + half, 1.0), n)


def middle(groups: Groups) -> Estimate | None:
    """The median of all values."""
    full = [group for group in groups if group]
    if not full:
        return None
    return estimate(
        median(value for group in full for value in group),
        [len(group) for group in full],
        lambda draw: median(full[prompt][at] for prompt, chosen in draw for at in chosen),
    )

"""The regret meter: how far each strategy's suggestions stayed behind the best answer that was judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Stamp:
    """A suggestion as it was kept before the first lane started.

    `lane` was suggested, `incumbent` is what would have been asked without. `known_until` is when the newest label came
    that it rests on (None: on none), `fit` the digest of the fit.
    """

    comparison: str
    at: datetime
    strategy: str
    lane: str
    incumbent: str
    probability: float | None = None
    per_cost: float = 0.0
    evidence: int = 0
    known_until: datetime | None = None
    fit: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison came to: `scores` from 0 to 1 of the lanes that were asked and judged, `started` with the first
    lane, `at` when the newest label came.
    """

    comparison: str
    started: datetime
    at: datetime
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval (normal), and of how many; of one there is no interval."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Window:
    """A strategy over a stretch of time.

    `suggested` is how often it spoke of comparisons that were judged, `covered` of how many of them the suggested lane
    was judged too: only these count. `regret` is the best judged score less that of the suggested lane, `ahead` the
    suggested lane's less the incumbent's.
    """

    strategy: str
    begins: datetime
    ends: datetime
    suggested: int
    covered: int
    regret: Mean | None
    ahead: Mean | None

    @property
    def covered_share(self) -> float | None:
        """The share of suggestions of which anything is known; None where there was none."""
        return self.covered / self.suggested if self.suggested else None


def measure(
    stamps: Iterable[Stamp], outcomes: Iterable[Outcome], *, until: datetime, window: timedelta
) -> tuple[Window, ...]:
    """Each strategy by windows that end at `until`, oldest first.

    Not scored: what was judged after `until`; a suggestion that came after its first lane started, or that rests on a
    label from then on. A lane that was not asked, or not judged, is neither lost nor won. `window` is above zero.
    """
    known = {outcome.comparison: outcome for outcome in outcomes if outcome.at <= until}
    found: dict[tuple[str, int], list[tuple[Stamp, Outcome]]] = {}
    for stamp in stamps:
        outcome = known.get(stamp.comparison)
        if outcome is not None and outcome.scores and _in_time(stamp, outcome):
            place = math.floor((until - stamp.at) / window)
            found.setdefault((stamp.strategy, place), []).append((stamp, outcome))
    order = sorted(found, key=lambda each: (each[0], -each[1]))
    return tuple(
        _window(strategy, until - (place + 1) * window, until - place * window, found[strategy, place])
        for strategy, place in order
    )


def _in_time(stamp: Stamp, outcome: Outcome) -> bool:
    before = stamp.known_until is None or stamp.known_until < outcome.started
    return stamp.at <= outcome.started and stamp.at <= outcome.at and before


def _window(strategy: str, begins: datetime, ends: datetime, pairs: Sequence[tuple[Stamp, Outcome]]) -> Window:
    covered = [(stamp, outcome.scores) for stamp, outcome in pairs if stamp.lane in outcome.scores]
    regrets = [max(scores.values()) - scores[stamp.lane] for stamp, scores in covered]
    ahead = [scores[stamp.lane] - scores[stamp.incumbent] for stamp, scores in covered if stamp.incumbent in scores]
    return Window(strategy, begins, ends, len(pairs), len(covered), mean_of(regrets), mean_of(ahead))


def mean_of(values: Sequence[float]) -> Mean | None:
    """The mean of `values`; None where there are none."""
    count = len(values)
    if not count:
        return None
    value = math.fsum(values) / count
    if count == 1:
        return Mean(value, None, None, 1)
    half = Z95 * math.sqrt(math.fsum((each - value) ** 2 for each in values) / (count - 1) / count)
    return Mean(value, value - half, value + half, count)

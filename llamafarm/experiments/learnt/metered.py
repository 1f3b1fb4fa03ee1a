"""The regret of what was suggested, by strategy and window, from what became of each comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from llamafarm.history.suggested import Suggested
from llamafarm.learning.meter import Outcome, Stamp, Window, measure

WINDOW = timedelta(days=7)


def metered(
    kept: Iterable[tuple[str, Suggested]],
    outcomes: Sequence[Outcome],
    *,
    until: datetime | None = None,
    window: timedelta = WINDOW,
) -> tuple[Window, ...]:
    """Each strategy by windows that end at `until`, by default now. See `learning.meter.measure`."""
    stamps = (
        Stamp(
            comparison, one.at, one.strategy, one.model, one.incumbent, one.probability, one.per_cost, one.evidence,
            one.known_until, one.fit,
        )
        for comparison, one in kept
    )  # fmt: skip
    return measure(stamps, outcomes, until=until or datetime.now(UTC), window=window)

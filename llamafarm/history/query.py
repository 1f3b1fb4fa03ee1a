"""What is looked for in the history, and what a list of it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from llamafarm.core.errors import RequestError
from llamafarm.core.types import Cost, CostSource, Timings
from llamafarm.history.model import Kind, ProjectRef, Vote

DAY = len("2026-11-24")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which comparisons; what is None restricts nothing.

    text: words that must all occur in what was asked or answered; a word may be the beginning of a longer one.
    project: `namespace/name`, or a name alone. model: a named model, or a provider's model id.
    since, until: from the first instant on, and before the second. run: the comparisons of one run; where it and
    `kind` are None, those of no run. judged: those with a vote or checks, in runs or not.
    """

    text: str | None = None
    project: str | None = None
    model: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    run: str | None = None
    judged: bool = False


@dataclass(frozen=True, slots=True)
class LaneBrief:
    """One lane of a listed comparison. `estimated` is of its cost; `staged`: a demonstration, no measurement.

    `ttft_s` is without waiting for a place, here or at the server; `timings` are all of its spans. `retries`,
    `reconnects` and `fallbacks` count what came before the answer, and `lost_s` is what that took of the total,
    `ttft_lost_s` of the TTFT.
    """

    lane: str
    model: str
    status: str
    ttft_s: float | None
    total_s: float | None
    usd: Decimal | None
    cost_source: CostSource
    estimated: bool = False
    staged: bool = False
    timings: Timings = Timings()
    retries: int = 0
    reconnects: int = 0
    fallbacks: int = 0
    lost_s: float = 0.0
    ttft_lost_s: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether its figures may be compared: it answered to the end, and nothing was staged."""
        return self.status == "done" and not self.staged


@dataclass(frozen=True, slots=True)
class Brief:
    """A comparison as a list shows it.

    `names` are the ids of the lanes that were asked, `lanes` those that ended, each once, in that order.
    """

    id: str
    kind: Kind
    started_at: datetime
    project: ProjectRef
    prompt: str
    names: tuple[str, ...]
    lanes: tuple[LaneBrief, ...]
    vote: Vote | None = None
    run: str | None = None
    item: str | None = None

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The ids of lanes that never ended."""
        ended = {lane.lane for lane in self.lanes}
        return tuple(name for name in self.names if name not in ended)

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What each lane cost; one that never ended is unknown."""
        known = (Cost(lane.usd, lane.cost_source, estimated=lane.estimated) for lane in self.lanes)
        return (*known, *(Cost(None, "unknown") for _ in self.unfinished))

    @property
    def best(self) -> LaneBrief | None:
        """The lane with the least TTFT of those that answered to the end; demonstrations don't count.

        One that the playground's own lateness makes doubtful is best only where all are.
        """
        timed = [(lane, lane.ttft_s) for lane in self.lanes if lane.ttft_s is not None]
        ranked = [(lane.timings.ttft_doubtful, ttft_s, at) for at, (lane, ttft_s) in enumerate(timed) if lane.counts]
        return timed[min(ranked)[2]][0] if ranked else None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the history, newest first. `older` is the place of the next page, None at the end."""

    items: tuple[Brief, ...]
    older: str | None = None


def since_of(text: str) -> datetime:
    """A day, or a moment of it, in this machine's time zone. Raises RequestError where it is no date."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise RequestError(f"{text} is no date: write 2026-11-24 or 2026-11-24T18:30.") from None


def until_of(text: str) -> datetime:
    """The same; a day counts to its end."""
    try:
        return since_of(text) + timedelta(days=1 if len(text.strip()) <= DAY else 0)
    except OverflowError:
        raise RequestError(f"{text} is no date: write 2026-11-24 or 2026-11-24T18:30.") from None

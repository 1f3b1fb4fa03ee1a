"""Sums the waits of a lane that its model did not cause: failed tries, pauses between them, closed connections."""

from __future__ import annotations

from dataclasses import dataclass, field

from llamafarm.core.conditions import Upstream
from llamafarm.core.events import Reconnected, Retrying


@dataclass(slots=True)
class Setbacks:
    """Collects them, and the seconds that they took. A failed try took from when it was asked until the next one left.

    `retries` are those of all models that were asked, the rest those of the newest: what an earlier one took is told
    with the step away from it.
    """

    retries: list[Retrying] = field(default_factory=list)
    reconnects: int = 0
    lost_s: float | None = None
    ttft_lost_s: float | None = None
    _asked_at: float = 0.0
    _failed: bool = False

    def asked(self, at: float) -> None:
        """A turn begins."""
        self._asked_at, self._failed = at, False

    def failed(self, event: Retrying) -> None:
        """A try failed, and another is to come."""
        self.retries.append(event)
        self._failed = True

    def waited(self, seconds: float) -> None:
        """The next try waited for something that has a span of its own."""
        if self._failed:
            self._asked_at += seconds

    def sent(self, at: float, *, shown: bool) -> None:
        """A request leaves; `shown`: visible text has come before, so that the TTFT is over."""
        if self._failed:
            self._lose(at - self._asked_at, shown=shown)
        self.asked(at)

    def reconnected(self, event: Reconnected, *, shown: bool) -> None:
        """A request left again on a new connection."""
        self.reconnects += 1
        self._lose(event.lost_s, shown=shown)

    def upstream(self, event: Upstream, *, shown: bool) -> None:
        """A server that relays the answer tells what it took there."""
        self.retries += event.retries
        self.reconnects += event.reconnects
        self._lose(event.lost_s, shown=True)
        self.ttft_lost_s = (self.ttft_lost_s or 0.0) + (0.0 if shown else event.ttft_lost_s)

    def give_up(self) -> None:
        """A model is left behind."""
        self.reconnects, self.lost_s, self.ttft_lost_s, self._failed = 0, None, None, False

    @property
    def spans(self) -> tuple[float | None, float | None]:
        """What was lost in all, and what of it before visible text."""
        return self.lost_s, self.ttft_lost_s

    def _lose(self, seconds: float, *, shown: bool) -> None:
        self.lost_s = (self.lost_s or 0.0) + seconds
        if not shown:
            self.ttft_lost_s = (self.ttft_lost_s or 0.0) + seconds

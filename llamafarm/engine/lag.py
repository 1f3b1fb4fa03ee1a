"""How late our own event loop was while a lane was timed.

A lane's clock is read when the loop gets to it. Where the loop stands still for a while, because some code of this
process or another process has the processor, every instant that falls into that while is read too late. So a timer
that should ring each few milliseconds tells how late it rings.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from llamafarm.core.conditions import Lagged
from llamafarm.core.events import Event, Reclassified, Started, TextDelta, is_final
from llamafarm.engine.lane import Lane

TICK_S = 0.005  # also the most by which a stall may be longer than the lag that is told
FLOOR_S = 0.001  # less is what timers are late in any case

Events = AsyncGenerator[Event, None]


@dataclass(slots=True)
class LoopLag:
    """Rings while somebody watches, and remembers the largest lags. For one event loop.

    What is kept are the lags since the first watcher came that no later one exceeds, so that the largest since any
    instant is found at once.
    """

    tick_s: float = TICK_S
    _watchers: int = 0
    _due: float = 0.0
    _timer: asyncio.TimerHandle | None = None
    _at: list[float] = field(default_factory=list)
    _lags: list[float] = field(default_factory=list)

    def watch(self) -> float:
        """Begin to watch; gives the instant, for `largest`. To be ended by `leave`."""
        self._watchers += 1
        if self._watchers == 1:
            self._at, self._lags = [], []
            self._next()
        return asyncio.get_running_loop().time()

    def leave(self) -> None:
        """End watching; the timer ends with its last watcher."""
        self._watchers -= 1
        if not self._watchers and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def largest(self, since: float) -> float:
        """The largest lag since `since`, in seconds, with one that lasts now; 0.0 where none was worth the name."""
        now = asyncio.get_running_loop().time()
        first = bisect_left(self._at, since)
        found = self._lags[first] if first < len(self._lags) else 0.0
        return max(found, now - max(self._due, since) if now - self._due > FLOOR_S else 0.0)

    def _next(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + self.tick_s
        self._timer = loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        now = asyncio.get_running_loop().time()
        if (lag := now - self._due) > FLOOR_S:
            while self._lags and self._lags[-1] <= lag:
                self._lags.pop()
                self._at.pop()
            self._lags.append(lag)
            self._at.append(now)
        self._next()


@dataclass(slots=True)
class _Watch:
    """Since when a lane is timed, and whether its first text has come."""

    lag: LoopLag
    since: float
    begun: bool = False

    def before(self, event: Event) -> Lagged | None:
        """What is told before `event`."""
        if isinstance(event, Started):
            self.since, self.begun = asyncio.get_running_loop().time(), False
        elif isinstance(event, Reclassified):
            self.begun = False
        elif isinstance(event, TextDelta) or is_final(event):
            self.begun = True
            return self.largest()
        return None

    def largest(self) -> Lagged | None:
        """How late the loop was until now; None where that is not worth the name."""
        seconds = self.lag.largest(self.since)
        return Lagged(at=time.perf_counter(), seconds=seconds) if seconds else None


def with_lag(open_lane: Callable[[Lane], Events], lag: LoopLag) -> Callable[[Lane], Events]:
    """`open_lane`, whose lanes tell before their first text and their end how late the loop was since `Started`.

    A lane that is cancelled, or that breaks, tells it too, and only then ends so.
    """

    async def opened(lane: Lane) -> Events:
        watch = _Watch(lag, lag.watch())
        try:
            async with aclosing(open_lane(lane)) as events:
                async for event in events:
                    if type(event) is TextDelta and watch.begun:  # first what comes most often
                        yield event
                        continue
                    if (late := watch.before(event)) is not None:
                        yield late
                    yield event
        except GeneratorExit:  # whoever reads it has gone
            raise
        except BaseException:
            if (late := watch.largest()) is not None:
                yield late
            raise
        finally:
            lag.leave()

    return opened

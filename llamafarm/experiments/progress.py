"""How far a run of many calls is, and how long it still takes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from llamafarm.core.figures import Progress

Drawn = TypeVar("Drawn")


@dataclass(slots=True)
class Meter:
    """Counts the calls of a run by server as they end."""

    total: int = 0
    done: int = 0
    failed: int = 0
    resumed: int = 0
    began: float = field(default_factory=time.perf_counter)
    ended: float | None = None
    _open: Counter[str] = field(default_factory=Counter)
    _fresh: Counter[str] = field(default_factory=Counter)

    def expect(self, server: str, calls: int = 1) -> None:
        """So many calls more are to be made at `server`."""
        self.total += calls
        self._open[server] += calls

    def count(self, server: str, *, failed: bool, resumed: bool = False) -> None:
        """One of them has ended."""
        self.done += 1
        self._open[server] -= 1
        self.failed += failed
        self.resumed += resumed
        self._fresh[server] += not resumed

    def start(self) -> None:
        """The run begins now."""
        self.began = time.perf_counter()

    def stop(self) -> None:
        """The run is over."""
        self.ended = time.perf_counter()

    @property
    def progress(self) -> Progress:
        """How far it is now, or was at its end."""
        elapsed = (time.perf_counter() if self.ended is None else self.ended) - self.began
        fresh = self._fresh.total()
        return Progress(
            done=self.done,
            total=self.total,
            failed=self.failed,
            resumed=self.resumed,
            elapsed_s=elapsed,
            per_s=fresh / elapsed if fresh and elapsed > 0 else None,
            left_s=self._left(elapsed),
        )

    def _left(self, elapsed: float) -> float | None:
        """The wait for the server that needs longest, where each goes on as it did. A call that runs counts as left."""
        left = 0.0
        for server, count in self._open.items():
            if count and not self._fresh[server]:
                return None
            if count:
                left = max(left, count * elapsed / self._fresh[server])
        return left


DRAWING = 20  # times as long as the last drawing took: a twentieth of the time at most goes into it


@dataclass(slots=True)
class Redraws:
    """What is drawn anew as a run goes on: in a thread, so that no measurement changes, and seldom if it takes long."""

    clock: Callable[[], float] = time.perf_counter
    _next_at: float | None = None

    async def drawn(self, draw: Callable[..., Drawn], *args: Any, **kwargs: Any) -> Drawn | None:
        """What `draw` gives; None where it is too early to draw again."""
        began = self.clock()
        if self._next_at is not None and began < self._next_at:
            return None
        made = await asyncio.to_thread(draw, *args, **kwargs)
        now = self.clock()
        self._next_at = now + (now - began) * DRAWING
        return made

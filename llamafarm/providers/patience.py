"""Bounds on waiting for one answer: nothing waits for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from llamafarm.config.model import Timeouts
from llamafarm.errors import Phase, TimedOut

T = TypeVar("T")

_WORDS: dict[Phase, str] = {
    "connect": "No connection within {:g} s.",
    "first_token": "Nothing of an answer within {:g} s.",
    "between_tokens": "The answer stopped for more than {:g} s.",
    "total": "The answer took longer than {:g} s.",
}


class Patience:
    """Waits for the parts of one answer, each no longer than the model's time-outs allow.

    Before the first content the bound is `first_token`, afterwards `between_tokens`; `total` always holds.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._begun = False
        self.started = time.perf_counter()

    def begin(self) -> None:
        """The first content has come."""
        self._begun = True

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of `awaitable`; raises TimedOut when the bound that comes first is met."""
        deadline, phase, seconds = self._bound()
        scope = asyncio.timeout_at(deadline)
        try:
            async with scope:
                return await awaitable
        except TimeoutError:
            if not scope.expired():
                raise
            raise timed_out(phase, seconds) from None

    def _bound(self) -> tuple[float, Phase, float]:
        limits = self._timeouts
        total: tuple[float, Phase, float] = (self._start + limits.total, "total", limits.total)
        part: tuple[float, Phase, float]
        if self._begun:
            part = (self._loop.time() + limits.between_tokens, "between_tokens", limits.between_tokens)
        else:
            part = (self._start + limits.first_token, "first_token", limits.first_token)
        return min(part, total)


def timed_out(phase: Phase, seconds: float) -> TimedOut:
    """The error for a bound that was met."""
    return TimedOut(
        _WORDS[phase].format(seconds),
        phase=phase,
        seconds=seconds,
        hint=f"Is the server busy? The bound can be raised: timeout: {{{phase}: seconds}} in the project file.",
    )

"""Bounds on waiting for one answer: nothing waits for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Self, TypeVar

import httpx

from llamafarm.config.model import Timeouts
from llamafarm.core.errors import Phase, TimedOut
from llamafarm.providers.http.body import Body

T = TypeVar("T")

_BETWEEN: Phase = "between_tokens"
_FIRST: Phase = "first_token"
_WORDS: dict[Phase, str] = {
    "connect": "No connection within {:g} s.",
    "first_token": "Nothing of an answer within {:g} s.",
    "between_tokens": "The answer stopped for more than {:g} s.",
    "total": "The answer took longer than {:g} s.",
}


class Deadlines:
    """Waits for the parts of one answer, each no longer than the model's time-outs allow; within `with`.

    Before the first content the bound is `first_token`, afterwards `between_tokens`; `total` always holds. There is
    one timer for all reads, which is set anew where it rings too soon: to set one and take it back for each token
    (`asyncio.timeout`) takes a tenth of what a token takes in all.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._begun = False
        self._last: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._reads: Body | None = None
        self._over = False
        self.started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._set(None)

    def begin(self) -> None:
        """The first content has come."""
        self._begun = True

    def end_within(self, seconds: float) -> None:
        """The answer is complete: what may still come has so long."""
        self._last = self._loop.time() + seconds

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

    async def read(self, body: Body) -> bytes:
        """The next bytes of `body`, none at its end. Raises httpx's RequestError.

        When the bound that comes first is met, the body is closed, and TimedOut raised.
        """
        self._deadline, phase, seconds = self._bound()
        if self._timer is None or self._timer.when() > self._deadline:
            self._set(self._deadline)
        self._reads = body
        try:
            return await body.read()
        except httpx.RequestError:
            if self._over:
                raise timed_out(phase, seconds) from None
            raise
        finally:
            self._reads = None

    def _set(self, at: float | None) -> None:
        """Let the timer ring at `at` (seconds of the loop's time), and not at another time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at is None else self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._reads is None:
            return
        if self._loop.time() < self._deadline:
            self._set(self._deadline)
        else:
            self._over = True
            self._reads.close()

    def _bound(self) -> tuple[float, Phase, float]:
        """When the wait ends, and which bound that is."""
        limits = self._timeouts
        if self._last is not None:
            return self._last, _BETWEEN, limits.between_tokens
        end = self._start + limits.total
        if self._begun:
            at, part, seconds = self._loop.time() + limits.between_tokens, _BETWEEN, limits.between_tokens
        else:
            at, part, seconds = self._start + limits.first_token, _FIRST, limits.first_token
        return (at, part, seconds) if at <= end else (end, "total", limits.total)


def timed_out(phase: Phase, seconds: float) -> TimedOut:
    """The error for a bound that was met."""
    return TimedOut(
        _WORDS[phase].format(seconds),
        phase=phase,
        seconds=seconds,
        hint=f"Is the server busy? The bound can be raised: timeout: {{{phase}: seconds}} in the project file.",
    )

"""Trying again before the first content: a policy that wraps a provider and is one.

A loop of our own, because the retry libraries wrap a call that returns once: here an answer that has begun
must never be asked again, and each pause is an event that the lane shows.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from llamafarm.core.errors import AsksToWait, ProviderError
from llamafarm.core.events import Event, Retrying, is_content
from llamafarm.core.types import ChatRequest
from llamafarm.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Pauses:
    """How often and how long: `tries` in all; pauses double from `first_s`, at most `longest_s` each."""

    tries: int = 3
    first_s: float = 0.5
    longest_s: float = 20.0

    def before(self, attempt: int, error: ProviderError) -> float | None:
        """Seconds before try number `attempt` (from 2); None where it is not worth it.

        What the server asks for (Retry-After) is kept, and more than `longest_s` ends the tries. Otherwise
        exponential with full jitter (AWS, "Exponential Backoff And Jitter", 2015), half of it fixed.
        """
        if attempt > self.tries or not error.asked_again:
            return None
        if isinstance(error, AsksToWait) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest_s else None
        ceiling: float = min(self.first_s * 2 ** (attempt - 2), self.longest_s)
        return ceiling / 2 + random.uniform(0, ceiling / 2)  # noqa: S311 - spreads load, hides nothing


@dataclass(frozen=True, slots=True)
class Retried:
    """A provider that tries again where that may help."""

    provider: Provider
    pauses: Pauses = Pauses()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; `Retrying` is told before each pause."""
        attempt = 1
        while True:
            begun = False
            try:
                async with aclosing(self.provider.stream(request)) as events:
                    async for event in events:
                        begun = begun or is_content(event)
                        yield event
            except ProviderError as error:
                attempt += 1
                delay = None if begun else self.pauses.before(attempt, error)
                if delay is None:
                    raise
                yield Retrying(
                    at=time.perf_counter(),
                    attempt=attempt,
                    delay_s=delay,
                    kind=type(error).__name__,
                    message=error.message,
                )
                await self.sleep(delay)
            else:
                return

"""How many answers one caller may have running at once: counted where lanes run, whichever face they were asked on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field

from llamafarm.core.errors import TooManyGenerations
from llamafarm.core.events import Event


@dataclass(slots=True)
class Generations:
    """Counts running answers by caller; `limit` for each, None for none."""

    limit: int | None = None
    _running: Counter[str] = field(default_factory=Counter)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self, caller: str, count: int = 1) -> None:
        """Raise TooManyGenerations where `count` more answers would be too many."""
        running = self._running[caller]
        if self.limit is not None and running + count > self.limit:
            raise TooManyGenerations(running, count, self.limit)

    @contextmanager
    def running(self, caller: str, count: int = 1) -> Iterator[None]:
        """Hold places for `count` answers. Raises TooManyGenerations."""
        self.check(caller, count)
        self._running[caller] += count
        try:
            yield
        finally:
            self._running[caller] -= count
            if not self._running[caller]:
                del self._running[caller]
            self._freed.set()

    @asynccontextmanager
    async def waiting(self, caller: str) -> AsyncIterator[None]:
        """Hold a place for one answer as soon as there is one: for work that goes on by itself."""
        while self.limit is not None and self._running[caller] >= self.limit:
            self._freed.clear()
            await self._freed.wait()
        with self.running(caller):
            yield

    def total(self) -> int:
        """Answers that are running now, of all callers."""
        return self._running.total()


async def held(
    places: AbstractContextManager[None] | AbstractAsyncContextManager[None], events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Event, None]:
    """`events`, with `places` held from before the first until they are closed."""
    if isinstance(places, AbstractAsyncContextManager):
        async with places, aclosing(events):
            async for event in events:
                yield event
    else:
        with places:
            async with aclosing(events):
                async for event in events:
                    yield event

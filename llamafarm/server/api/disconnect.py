"""Work that ends when its caller goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from llamafarm.access.asgi import Receive

SOON_S = 0.02  # to watch answers that take less would cost them a twentieth of their time


async def until_gone(receive: Receive, work: Awaitable[None]) -> None:
    """Do `work`, or cancel it as soon as the client has closed its connection. The body must have been read.

    One who goes in the first instants is noticed after them. The work stays in its caller's task, and its scope is
    that of a time-out without a time: what ends at the instant at which the client leaves is told apart there.
    """
    scope = asyncio.timeout(None)
    watch = _Watch(receive, scope)
    try:
        async with scope:
            await work
    except TimeoutError:
        if not scope.expired():
            raise
    finally:
        await watch.end()


class _Watch:
    """Lets `scope` expire when the client has gone; begins a little later."""

    def __init__(self, receive: Receive, scope: asyncio.Timeout) -> None:
        self._receive = receive
        self._scope = scope
        self._loop = asyncio.get_running_loop()
        self._later = self._loop.call_later(SOON_S, self._begin)
        self._task: asyncio.Task[None] | None = None

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._scope.reschedule(self._loop.time())

    async def end(self) -> None:
        self._later.cancel()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

"""Work that ends when its caller goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from llamafarm.asgi import Receive


async def until_gone(receive: Receive, work: Awaitable[None]) -> None:
    """Do `work`, or cancel it as soon as the client has closed its connection. The body must have been read.

    The work stays in its caller's task, and its scope is that of a time-out without a time: what goes on at the end
    of the work and the client's leaving at one instant is told apart there.
    """
    scope = asyncio.timeout(None)
    watch = asyncio.ensure_future(_watch(receive, scope))
    try:
        async with scope:
            await work
    except TimeoutError:
        if not scope.expired():
            raise
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(receive: Receive, scope: asyncio.Timeout) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.reschedule(asyncio.get_running_loop().time())

"""A coroutine begins where it is made: a request leaves at once, however many are made at one time.

The loop runs all that is ready before it looks around again. What the HTTP client puts off to its next turn would leave
with the last of a hundred lanes that start together: the first one's TTFT would tell of the other 99.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Generator
from typing import Any

WRITES_AT_ONCE = sys.version_info >= (3, 12)  # there aiohttp's task for a body begins at once by itself


def begun(work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    """What is left of `work`, which runs at once until it first waits: most often nothing."""
    try:
        waits_for = work.send(None)
    except StopIteration:
        return _nothing()
    return _rest(_Rest(work, waits_for))


async def _nothing() -> None:
    pass


async def _rest(rest: _Rest) -> None:
    await rest


class _Rest:
    """Waits for what `work` waits for, and goes on with it."""

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: object) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            yield self._waits_for
        except BaseException as error:
            self._work.throw(error)  # it closes the connection
            raise
        yield from self._work.__await__()

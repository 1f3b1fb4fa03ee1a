"""A request leaves when it is made, however many are made at once.

The loop runs all that is ready before it looks around again. What aiohttp puts off to its next turn would leave with
the last of a hundred lanes that start together: the first one's TTFT would tell of the other 99.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Generator
from typing import Any

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection

WRITES_AT_ONCE = sys.version_info >= (3, 12)  # there aiohttp's task for the body begins at once by itself


class Request(aiohttp.ClientRequest):
    """Begins to write its body where it is sent, and not in a task that is yet to run."""

    def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> Coroutine[Any, Any, None]:
        """What is left to write, for aiohttp's task: most often nothing."""
        work = super().write_bytes(writer, conn, content_length)
        return work if WRITES_AT_ONCE else _begun(work)


def _begun(work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
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

"""The ends of answers: connections that can be used again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Self

import aiohttp

LINGER_S = 1.0  # the end is a packet of five bytes right behind the last word: what takes longer won't come
REST = 64 * 1024  # bytes after the last word, which mean nothing any more


class Endings:
    """Reads answers whose last word has come on to the end of their bodies, meanwhile and at most `linger_s` long.

    Servers often send that end a moment after `[DONE]`, and a connection on which it has not come can't be used again:
    the next request would have to connect anew, and its TTFT would tell of that. Nobody waits for it here; leaving the
    context ends it.
    """

    def __init__(self, linger_s: float = LINGER_S) -> None:
        self._linger_s = linger_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def reading(self, response: aiohttp.ClientResponse) -> Iterator[aiohttp.ClientResponse]:
        """`response` for one who reads to the answer's last word; closed at once where anything ends that before."""
        try:
            yield response
        except BaseException:
            response.close()
            raise
        if response.connection is not None:  # else it is free again already
            task = asyncio.create_task(self._read(response))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, response))

    def _ended(self, response: aiohttp.ClientResponse, task: asyncio.Task[None]) -> None:
        response.close()  # not in the task, which may be cancelled before it begins
        self._tasks.discard(task)

    async def _read(self, response: aiohttp.ClientResponse) -> None:
        read = 0
        with suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(self._linger_s):
                while read < REST and (data := await response.content.readany()):
                    read += len(data)

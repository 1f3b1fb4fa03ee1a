"""The ends of answers: connections that can be used again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Self

import httpx

from llamafarm.providers.http.body import Body, response_body

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
        self._tasks: dict[asyncio.Task[None], httpx.Response] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        left = dict(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for response in left.values():  # of a task too that was cancelled before it began
            await response.aclose()

    def reading(self, response: httpx.Response) -> Reading:
        """The body of `response` for one who reads to the last word; closed at once where anything ends that before."""
        return Reading(self, response)

    def take(self, response: httpx.Response, body: Body) -> None:
        """Read what is left of `body`, meanwhile."""
        task = asyncio.create_task(self._read(response, body))
        self._tasks[task] = response
        task.add_done_callback(self._tasks.pop)

    async def _read(self, response: httpx.Response, body: Body) -> None:
        read = 0
        async with aclosing(response):
            with suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(self._linger_s):
                    while read < REST and (data := await body.read()):
                        read += len(data)


class Reading:
    """The body of one response, while it is read; see `Endings.reading`."""

    __slots__ = ("_body", "_endings", "_response")

    def __init__(self, endings: Endings, response: httpx.Response) -> None:
        self._endings = endings
        self._response = response
        self._body = response_body(response)

    async def __aenter__(self) -> Body:
        return self._body

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._body.close()
        if kind is not None or self._body.ended:  # then the connection is free again already
            await self._response.aclose()
        else:
            self._endings.take(self._response, self._body)

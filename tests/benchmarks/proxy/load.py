"""The clients: raw asyncio on kept connections, so that what is measured is the server and not its callers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import orjson

FIRST_WORD = re.compile(rb'"content": ?"[^"]')
LENGTH = re.compile(rb"content-length: ?(\d+)", re.IGNORECASE)
END_OF_CHUNKS = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds from sending the request to the first word of the answer, and to its end."""

    ttft_s: float
    total_s: float


class Caller(asyncio.Protocol):
    """One connection to `host` and `port`: asks, and reads the answer to its end. A server that hangs up is called anew."""

    def __init__(self, host: str, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._address = (host, port)
        self._transport: asyncio.Transport
        self._done: asyncio.Future[Answer] | None = None
        self._head = self._body = b""
        self._length: int | None = None
        self._started = 0.0
        self._ttft_s: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))

    async def connect(self) -> None:
        """Open the connection."""
        await self._loop.create_connection(lambda: self, *self._address)

    async def ask(self, request: bytes) -> Answer:
        """Send a request, and wait for the end of the answer."""
        self._head = self._body = b""
        self._length = self._ttft_s = None
        self._started = time.perf_counter()
        if self._transport.is_closing():
            await self.connect()
        self._done = self._loop.create_future()
        self._transport.write(request)
        return await self._done

    def data_received(self, data: bytes) -> None:
        if not self._head:
            self._body += data
            head, found, rest = self._body.partition(b"\r\n\r\n")
            if not found:
                return
            self._head, self._body, data = head, b"", rest
            length = LENGTH.search(head)
            self._length = int(length[1]) if length else None
        now = time.perf_counter()
        if self._ttft_s is None and FIRST_WORD.search(self._body + data):
            self._ttft_s = now - self._started
        # Of a stream only its end matters from here on: keeping all of it would cost time of its own.
        self._body = self._body + data if self._length is not None or self._ttft_s is None else self._body[-8:] + data
        if self._ended():
            self._end(now)

    def _ended(self) -> bool:
        if self._length is not None:
            return len(self._body) >= self._length
        return self._body.endswith(END_OF_CHUNKS)

    def _end(self, now: float) -> None:
        assert self._done is not None
        if not self._head.startswith(b"HTTP/1.1 200") or self._ttft_s is None:
            self._done.set_exception(AssertionError(f"no answer: {self._head[:60]!r} {self._body[:300]!r}"))
        else:
            self._done.set_result(Answer(self._ttft_s, now - self._started))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


@asynccontextmanager
async def callers(url: str, count: int) -> AsyncIterator[list[Caller]]:
    """`count` connections to the server of `url`."""
    address = urlsplit(url)
    opened = [Caller(address.hostname or "", address.port or 80) for _ in range(count)]
    for caller in opened:
        await caller.connect()
    try:
        yield opened
    finally:
        for caller in opened:
            caller.close()


def request_bytes(url: str, model: str, *, stream: bool) -> bytes:
    """A chat completion as it goes over the wire."""
    address = urlsplit(url)
    body = {"model": model, "messages": [{"role": "user", "content": "What do llamas eat?"}], "stream": stream}
    data = orjson.dumps(body)
    lines = (
        f"POST {address.path}/chat/completions HTTP/1.1",
        f"host: {address.netloc}",
        "content-type: application/json",
        "authorization: Bearer sk-benchmark",
        f"content-length: {len(data)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


async def at_once(asking: list[Caller], request: bytes) -> list[Answer]:
    """One request of each caller, all at the same time."""
    return await asyncio.gather(*(caller.ask(request) for caller in asking))


async def sustained(asking: list[Caller], request: bytes, seconds: float) -> list[Answer]:
    """Each caller asks again as soon as it has its answer, for `seconds`."""
    until = time.perf_counter() + seconds

    async def keep_asking(caller: Caller) -> list[Answer]:
        answers = []
        while time.perf_counter() < until:
            answers.append(await caller.ask(request))
        return answers

    return [answer for answers in await asyncio.gather(*map(keep_asking, asking)) for answer in answers]

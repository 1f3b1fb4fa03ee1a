"""The server: plain asyncio, one script a request, and a log on the same clock as the tests."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass(slots=True)
class Seen:
    """One request as the server saw it; `gone` is set when the client has closed the connection."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    gone_at: float | None = None

    def json(self) -> Any:
        return json.loads(self.body)


NAMED = b'"model": "m"'  # in what scripts say: they speak for whatever model was asked


class Exchange:
    """What a script does with: send a head, chunks of a body, wait, and cut the connection."""

    def __init__(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.seen = seen
        self._writer = writer
        self._chunked = False
        self._answering = _answering(seen)

    async def head(self, status: int = 200, content_type: str = "text/event-stream", **headers: str) -> None:
        """The status line and headers; the body follows in chunks, unless content_length is given."""
        lines = [f"HTTP/1.1 {status} Status", f"content-type: {content_type}", "connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if "content_length" not in headers:
            self._chunked = True
            lines.append("transfer-encoding: chunked")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self._writer.drain()

    async def send(self, data: bytes) -> None:
        """One piece of the body, on the wire at once."""
        data = data.replace(NAMED, self._answering)
        self._writer.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)
        self.seen.sent.append((time.perf_counter(), data))
        await self._writer.drain()

    async def end(self) -> None:
        """The regular end of the body."""
        if self._chunked:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()

    async def cut(self) -> None:
        """Drop the connection without a regular end."""
        self._writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing more until the client has gone."""
        await self.seen.gone.wait()


TLS_HELLO = b"\x16"
Script = Callable[[Exchange], Awaitable[None]]


class FaultServer:
    """Runs `script` for each request; an async context manager on a port of its own.

    `scripts`, where given, are for the first requests in turn; `script` for all others. `looks`, where given, is for
    requests that only look (GET), which take none of them.
    """

    def __init__(
        self, script: Script, *scripts: Script, tls: ssl.SSLContext | None = None, looks: Script | None = None
    ) -> None:
        self.script = script
        self._looks = looks
        self._first = list(scripts)
        self._tls = tls
        self.requests: list[Seen] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.arrived = asyncio.Event()

    def play(self, *scripts: Script) -> None:
        """Take `scripts` for the next requests, in turn, before `script` for all others."""
        self._first = list(scripts)

    @property
    def asked(self) -> list[Seen]:
        """The requests that ask for something (POST)."""
        return [seen for seen in self.requests if seen.method == "POST"]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close the port and every connection."""
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def kill(self) -> None:
        """Drop every connection at once; may be called from another thread."""
        for task in list(self._tasks):
            self._loop.call_soon_threadsafe(task.cancel)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                first = await reader.readexactly(1)
                if first == TLS_HELLO:  # what web servers answer to TLS on a plain port
                    writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\nTLS is not spoken here.")
                    await writer.drain()
                else:
                    await self._answer(await _read(first, reader), reader, writer)
        finally:
            writer.close()
            with suppress(Exception):
                await writer.wait_closed()

    async def _answer(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(seen)
        self.arrived.set()
        if self._looks is not None and seen.method == "GET":
            script = self._looks
        else:
            script = self._first.pop(0) if self._first else self.script
        watch = asyncio.create_task(_watch(reader, seen))
        try:
            await script(Exchange(seen, writer))
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


async def _read(first: bytes, reader: asyncio.StreamReader) -> Seen:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.split("\r\n")
    method, path, _ = request.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method, path, headers, body, time.perf_counter())


def _answering(seen: Seen) -> bytes:
    """How an answer names its model: as the request does."""
    try:
        asked = json.loads(seen.body)["model"]
    except (ValueError, KeyError, TypeError):
        return NAMED
    return b'"model": ' + json.dumps(asked).encode()


async def _watch(reader: asyncio.StreamReader, seen: Seen) -> None:
    with suppress(ConnectionError):
        await reader.read()
    seen.gone_at = time.perf_counter()
    seen.gone.set()

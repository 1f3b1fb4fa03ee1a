"""A model server that keeps its connections, as real ones do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

Says = Callable[[asyncio.StreamWriter], Awaitable[None]]
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


async def says_ok(writer: asyncio.StreamWriter) -> None:
    """The shortest answer."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def chunk(data: bytes) -> bytes:
    """A piece of a body of unknown length."""
    return b"%x\r\n%s\r\n" % (len(data), data)


@dataclass(slots=True)
class Keeping:
    """What the server has seen: the file numbers of its connections, bodies of requests; `ended` once one is over.

    It reads a body only while `reads` is set.
    """

    says: Says
    url: str = ""
    connections: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other, until the client closes the connection."""
        self.connections.append(writer.get_extra_info("socket").fileno())
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await self.reads.wait()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                await self.says(writer)
        self.ended.set()


@asynccontextmanager
async def keeping(says: Says = says_ok) -> AsyncIterator[Keeping]:
    """The server on a port of its own."""
    server = Keeping(says)
    server.reads.set()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield server

"""A paced model server in a process of its own: holds hundreds of streams to the millisecond.

The address says the pace: `/200/10/50/v1/chat/completions` answers with 50 tokens, the first after 200 ms, one
each 10 ms, and ends 10 ms after the last; the headers come with the first, as most servers send them. With a gap of 0
the tokens come as fast as they are taken.
By hand: `uv run python -m tests.benchmarks.mock` writes its port.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import cycle, islice
from typing import cast

import uvloop

from tests.benchmarks.machine import pin
from tests.faultserver.speech import USAGE, ending, said

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
STREAMS = b'"stream":true'
END_OF_BODY = b"0\r\n\r\n"
WORDS = ("The", " llama", " hums", ",", " eats", " hay", " and", " carries", " wool", ".", "\n")
BLOCK = 50  # tokens a write, where there is no pace


def framed(data: bytes) -> bytes:
    """`data` as one chunk of an HTTP body: servers send each token as one."""
    return b"%x\r\n%s\r\n" % (len(data), data)


@cache
def whole(tokens: int) -> bytes:
    """An answer that is not streamed."""
    text = "".join(islice(cycle(WORDS), tokens))
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(data), data)


TOKENS = tuple(framed(said("openai", word)) for word in WORDS)
LAST = framed(ending("openai")) + END_OF_BODY


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """Seconds to the first token and between two, and how many there are."""

    ttft_s: float
    gap_s: float
    tokens: int

    @property
    def ideal_s(self) -> float:
        """From the request to the end of the answer, where nothing costs time."""
        return self.ttft_s + self.tokens * self.gap_s

    @property
    def path(self) -> str:
        """The base_url's path that asks for this pace."""
        return f"/{self.ttft_s * 1000:.0f}/{self.gap_s * 1000:.0f}/{self.tokens}/v1"

    @classmethod
    def of(cls, path: str) -> DurationEstimate:
        """The pace that `path` asks for."""
        ttft_ms, gap_ms, tokens = path.strip("/").split("/")[:3]
        return cls(int(ttft_ms) / 1000, int(gap_ms) / 1000, int(tokens))


class Connection(asyncio.Protocol):
    """Answers one request after the other; each token at its own instant, so that no lateness adds up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._writable = asyncio.Event()
        self._writable.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = bytes(self._received).partition(b"\r\n\r\n")
        if not found:
            return
        request, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(":", 1) for line in lines)
        if len(rest) >= int(headers.get("content-length", 0)):
            self._received.clear()
            self._answer(DurationEstimate.of(request.split(" ")[1]), streams=STREAMS in rest.replace(b" ", b""))

    def _answer(self, pace: DurationEstimate, *, streams: bool) -> None:
        if not streams:
            self._loop.call_later(pace.ideal_s, self._transport.write, whole(pace.tokens))
        elif pace.gap_s:
            first_at = self._loop.time() + pace.ttft_s
            self._loop.call_at(first_at, partial(self._say, pace, first_at, 0))
        else:
            task = asyncio.create_task(self._pour(pace))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _say(self, pace: DurationEstimate, first_at: float, number: int) -> None:
        if self._transport.is_closing():
            return
        if number == pace.tokens:
            self._transport.write(LAST)
            return
        token = TOKENS[number % len(TOKENS)]
        self._transport.write(token if number else HEAD + token)
        then = first_at + (number + 1) * pace.gap_s
        self._loop.call_at(then, partial(self._say, pace, first_at, number + 1))

    async def _pour(self, pace: DurationEstimate) -> None:
        await asyncio.sleep(pace.ttft_s)
        self._transport.write(HEAD)
        tokens = islice(cycle(TOKENS), pace.tokens)
        while (block := b"".join(islice(tokens, BLOCK))) and not self._transport.is_closing():
            self._transport.write(block)
            await self._writable.wait()
        self._transport.write(LAST)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: its address and the id of its process."""

    url: str
    pid: int


@contextmanager
def paced_server(core: int = 1) -> Iterator[Server]:
    """A server in a process of its own, on `core` (the second) where there is one."""
    command = [sys.executable, "-m", "tests.benchmarks.mock", str(core)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.terminate()


async def serve() -> None:
    """Write the port and serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    pin(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())

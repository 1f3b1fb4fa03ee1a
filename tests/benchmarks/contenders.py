"""Who is measured: each asks a number of lanes at once and tells what came, and when."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import urlsplit

import orjson
from openai import AsyncOpenAI

from llamafarm.config.model import Project
from llamafarm.engine.lane import Lane, Question
from llamafarm.runtime import Runtime, open_runtime
from tests.benchmarks.mock import END_OF_BODY
from tests.engine.fakes import model, project

PROMPT = "What do llamas eat?"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one lane got: its text, and the seconds from its start to the first token."""

    text: str
    ttft_s: float


class Contender(Protocol):
    """A client that is open, its connections kept for the next round."""

    async def run(self, base_url: str, lanes: int) -> list[Answer]:
        """Ask `lanes` times at once; returns when all have ended."""
        ...


@dataclass(slots=True)
class Floor:
    """Raw asyncio: reads, splits at line ends and parses JSON; no HTTP to speak of, no checks, no time-outs."""

    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def run(self, base_url: str, lanes: int) -> list[Answer]:
        """See `Contender`."""
        return await asyncio.gather(*(self._ask(base_url) for _ in range(lanes)))

    async def _ask(self, base_url: str) -> Answer:
        started = time.perf_counter()
        address = urlsplit(base_url)
        body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": PROMPT}], "stream": True})
        head = f"POST {address.path}/chat/completions HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
        held = self.idle.pop() if self.idle else await asyncio.open_connection(address.hostname, address.port)
        reader, writer = held
        writer.write(head.encode() + body)
        await reader.readuntil(b"\r\n\r\n")
        pieces: list[str] = []
        first: float | None = None
        received = b""
        while not received.endswith(END_OF_BODY):
            received += await reader.read(2**16)
            *events, received = received.split(b"\n\n")
            for event in events:
                if b"data: {" in event:
                    choices = orjson.loads(event[event.index(b"{") :])["choices"]
                    if choices and (content := choices[0]["delta"].get("content")):
                        first = first or time.perf_counter()
                        pieces.append(content)
        self.idle.append(held)
        return Answer("".join(pieces), (first or started) - started)


@asynccontextmanager
async def open_floor() -> AsyncIterator[Floor]:
    """Raw asyncio."""
    floor = Floor()
    yield floor
    for _, writer in floor.idle:
        writer.close()


@dataclass(frozen=True, slots=True)
class Engine:
    """Ours, as the page uses it: read in batches, each folded and priced.

    The project files are those of the first round, as a face has them loaded before it asks.
    """

    runtime: Runtime
    projects: dict[tuple[str, int], Project] = field(default_factory=dict)

    def project(self, base_url: str, lanes: int) -> Project:
        """A project with so many models on this server."""
        if (base_url, lanes) not in self.projects:
            models = [model(f"model {number}", base_url=base_url) for number in range(lanes)]
            self.projects[base_url, lanes] = project(models)
        return self.projects[base_url, lanes]

    async def run(self, base_url: str, lanes: int) -> list[Answer]:
        """See `Contender`."""
        whole = self.project(base_url, lanes)
        asked = [Lane(each.name, each) for each in whole.models]
        async with (
            self.runtime.compare(whole, asked, Question.of(PROMPT)) as comparison,
            aclosing(comparison.updates(0.1, heartbeat_s=0.5)) as updates,
        ):
            async for _ in updates:
                pass
        replies = comparison.replies()
        assert all(reply.status == "done" for reply in replies.values())
        return [Answer(reply.text, reply.timings.ttft_s or 0.0) for reply in replies.values()]


@asynccontextmanager
async def open_engine() -> AsyncIterator[Engine]:
    """The whole engine; nothing is kept."""
    async with open_runtime(record=False) as runtime:
        yield Engine(runtime)


@asynccontextmanager
async def open_recorded() -> AsyncIterator[Engine]:
    """The same with a history, whose thread writes meanwhile."""
    os.environ.pop("LF_DATABASE_URL", None)
    with TemporaryDirectory() as folder:
        os.environ["LF_DATA_DIR"] = folder
        async with open_runtime() as runtime:
            yield Engine(runtime)


@dataclass(slots=True)
class Package:
    """The openai package: one client an address, as its documentation advises."""

    clients: dict[str, AsyncOpenAI] = field(default_factory=dict)

    async def run(self, base_url: str, lanes: int) -> list[Answer]:
        """See `Contender`."""
        client = self.clients.setdefault(base_url, AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0))
        return await asyncio.gather(*(self._ask(client) for _ in range(lanes)))

    async def _ask(self, client: AsyncOpenAI) -> Answer:
        started = time.perf_counter()
        pieces: list[str] = []
        first: float | None = None
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": PROMPT}], stream=True
        )
        async with stream:
            async for chunk in stream:
                if chunk.choices and (content := chunk.choices[0].delta.content):
                    first = first or time.perf_counter()
                    pieces.append(content)
        return Answer("".join(pieces), (first or started) - started)


@asynccontextmanager
async def open_package() -> AsyncIterator[Package]:
    """The openai package."""
    package = Package()
    yield package
    for client in package.clients.values():
        await client.close()


CONTENDERS: dict[str, Callable[[], AbstractAsyncContextManager[Contender]]] = {
    "raw asyncio (the floor)": open_floor,
    "LlamaFarm Playground": open_engine,
    "the same, recorded": open_recorded,
    "openai package": open_package,
}

"""Two hundred streams at once: none fails, all come whole, and nothing of them stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from llamafarm.access.settings import ServerSettings
from tests.faultserver.speech import ending, plays, said
from tests.server.api.world import CHAT, HELLO, World, world

STREAMS = 200
OPEN_FILES = Path("/proc/self/fd")
WORDS = [f"word {number} " for number in range(10)]


def sockets() -> int:
    """How many sockets this process has open."""
    return sum(str(link.readlink()).startswith("socket:") for link in OPEN_FILES.iterdir() if link.is_symlink())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells, such as that both ends of a connection have heard of its end."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


async def asked(client: httpx.AsyncClient) -> str:
    """The whole text of one stream."""
    body = HELLO | {"stream": True}
    async with client.stream("POST", CHAT, json=body, timeout=60) as told:
        assert told.status_code == 200, await told.aread()
        lines = [line async for line in told.aiter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    pieces = [httpx.Response(200, content=line.removeprefix("data: ")).json() for line in lines[:-1]]
    return "".join(piece["choices"][0]["delta"].get("content") or "" for piece in pieces)


def many_clients(here: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=here.url, limits=httpx.Limits(max_connections=STREAMS, max_keepalive_connections=0)
    )


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open sockets are counted where Linux lists them")
async def test_two_hundred_streams_at_once(tmp_path: Path) -> None:
    together = asyncio.Event()

    async with world(tmp_path, ServerSettings(generations=STREAMS)) as here:
        here.says(
            plays(
                "openai",
                [said("openai", WORDS[0]), together, *(said("openai", word) for word in WORDS[1:]), ending("openai")],
            )
        )
        tasks, open_sockets = len(asyncio.all_tasks()), sockets()
        async with many_clients(here) as client:
            asking = [asyncio.create_task(asked(client)) for _ in range(STREAMS)]
            await until(lambda: len(here.upstream.requests) == STREAMS)
            refused = await here.ask()
            together.set()
            texts = await asyncio.gather(*asking)
        assert texts == ["".join(WORDS)] * STREAMS
        assert refused.status_code == 429
        assert here.services.runtime.generations.total() == 0
        await here.client.aclose()
        await until(lambda: len(asyncio.all_tasks()) <= tasks and sockets() <= open_sockets)


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open sockets are counted where Linux lists them")
async def test_two_hundred_clients_that_go_away(tmp_path: Path) -> None:
    async with world(tmp_path, ServerSettings(generations=STREAMS)) as here:
        here.says(plays("openai", [said("openai", WORDS[0])], then="hang"))
        tasks, open_sockets = len(asyncio.all_tasks()), sockets()
        async with many_clients(here) as client:
            asking = [asyncio.create_task(asked(client)) for _ in range(STREAMS)]
            await until(lambda: len(here.upstream.requests) == STREAMS)
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        async with asyncio.timeout(20):
            for seen in here.upstream.requests:
                await seen.gone.wait()
        await until(lambda: len(asyncio.all_tasks()) <= tasks and sockets() <= open_sockets)
        assert here.services.runtime.generations.total() == 0

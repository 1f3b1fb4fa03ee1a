"""Requests leave at once, and whole: on connections that are kept, on either loop."""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from llamafarm.providers.http.client import Client, open_client
from tests.providers.http.keeping import Keeping, keeping

LARGE = bytes(range(256)) * 4 * 8192  # 8 MiB, more than the buffers on the way hold


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop()


# aiohttp would have bodies of more than 1 MiB in a file, lest they be written in one go: pictures are a part of one.
large = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
Loop = Callable[[], asyncio.AbstractEventLoop]
LOOPS = [
    pytest.param(asyncio.new_event_loop, id="asyncio"),
    pytest.param(_uvloop, id="uvloop", marks=pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")),
]


@asynccontextmanager
async def open_both() -> AsyncIterator[tuple[Keeping, Client]]:
    """A server that does not read for the moment, and a client that has a connection to it already."""
    async with keeping() as server, open_client() as client:
        await asked(server, client, b"first")
        server.reads.clear()
        yield server, client


async def asked(server: Keeping, client: Client, body: bytes) -> bytes:
    async with aclosing(await client.send("POST", server.url, headers={}, content=body)) as response:
        return await response.aread()


async def waits(sock: int) -> bool:
    """Whether something waits to be read, before the loop itself looks."""
    return bool(select.select([sock], [], [], 0)[0])


def run(loop: Loop, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(work(), 30))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_has_left_when_the_next_task_runs(loop: Loop) -> None:
    async def work() -> None:
        async with open_both() as (server, client), asyncio.TaskGroup() as tasks:
            lane = tasks.create_task(asked(server, client, b"second"))
            left = tasks.create_task(waits(server.connections[0]))
            assert await left
            server.reads.set()
            assert await lane == b"ok"
            assert (server.bodies, len(server.connections)) == ([b"first", b"second"], 1)

    run(loop, work)


@large
@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_does_not_go_out_at_once_goes_out_whole(loop: Loop) -> None:
    async def work() -> None:
        async with open_both() as (server, client), asyncio.TaskGroup() as tasks:
            lane = tasks.create_task(asked(server, client, LARGE))
            await tasks.create_task(waits(server.connections[0]))
            server.reads.set()
            assert await lane == b"ok"
            assert server.bodies[1] == LARGE
            assert await asked(server, client, b"third") == b"ok"
            assert len(server.connections) == 1

    run(loop, work)


@large
@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_is_stopped_half_way_closes_its_connection(loop: Loop) -> None:
    async def work() -> None:
        async with open_both() as (server, client), asyncio.TaskGroup() as tasks:
            lane = tasks.create_task(asked(server, client, LARGE))
            await tasks.create_task(waits(server.connections[0]))
            lane.cancel()
            with pytest.raises(asyncio.CancelledError):
                await lane
            server.reads.set()
            await server.ended.wait()
            assert await asked(server, client, b"third") == b"ok"

    run(loop, work)

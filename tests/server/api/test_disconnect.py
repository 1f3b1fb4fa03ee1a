from __future__ import annotations

import asyncio

import pytest

from llamafarm.access.asgi import Message
from llamafarm.server.api.disconnect import until_gone


class Client:
    """A client who stays until `leaves`."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.asked = 0

    async def receive(self) -> Message:
        self.asked += 1
        await self.leaves.wait()
        return {"type": "http.disconnect"}


class Work:
    """Work that goes on until it is cancelled or `ends`."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ends = asyncio.Event()
        self.cancelled = False

    async def run(self) -> None:
        self.begun.set()
        try:
            await self.ends.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@pytest.mark.parametrize("at_once", [True, False])
async def test_work_is_cancelled_when_its_client_goes(at_once: bool) -> None:
    client, work = Client(), Work()
    if at_once:
        client.leaves.set()
    doing = asyncio.create_task(until_gone(client.receive, work.run()))
    await work.begun.wait()
    client.leaves.set()
    await doing
    assert work.cancelled
    assert not doing.cancelling()


async def test_work_that_ends_leaves_nothing_behind() -> None:
    before, client, work = asyncio.all_tasks(), Client(), Work()
    work.ends.set()
    await until_gone(client.receive, work.run())
    assert (asyncio.all_tasks(), client.asked) == (before, 0)


async def test_errors_of_the_work_are_its_callers() -> None:
    async def broken() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await until_gone(Client().receive, broken())


async def test_cancelling_from_outside_is_no_leaving() -> None:
    client, work = Client(), Work()
    doing = asyncio.create_task(until_gone(client.receive, work.run()))
    await work.begun.wait()
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert work.cancelled

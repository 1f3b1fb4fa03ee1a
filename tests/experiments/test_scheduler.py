"""Many calls to several servers: who takes what, and what is taken back where it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.experiments.scheduler import ALL, Items, Scheduled, side_by_side
from tests.engine.fakes import model


async def numbers(count: int, *, fails: bool = False) -> AsyncGenerator[int, None]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number
    if fails:
        raise RequestError("The file was changed.")


@pytest.mark.parametrize("places", [1, 2, 3, 9])
async def test_each_item_goes_to_one_worker_and_so_many_are_at_work(places: int) -> None:
    taken, now, most = list[int](), 0, 0

    async def worker(items: Items[int]) -> None:
        nonlocal now, most
        async for item in items:
            now, most = now + 1, max(most, now + 1)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            taken.append(item)
            now -= 1

    await side_by_side(numbers(7), places, worker)
    assert sorted(taken) == list(range(7))
    assert most <= places
    assert most > 1 or places == 1


async def test_what_breaks_where_items_are_read_ends_all_and_is_raised_as_itself() -> None:
    async def worker(items: Items[int]) -> None:
        async for _ in items:
            pass

    with pytest.raises(RequestError, match="changed"):
        await side_by_side(numbers(3, fails=True), 2, worker)


async def test_a_worker_that_breaks_ends_those_that_wait() -> None:
    never, ended = asyncio.Event(), list[int]()

    async def worker(items: Items[int]) -> None:
        async for item in items:
            if item == 1:
                raise ZeroDivisionError
            try:
                await never.wait()
            finally:
                ended.append(item)

    with pytest.raises(ZeroDivisionError):
        await side_by_side(numbers(2), 2, worker)
    assert ended == [0]


class Remembered:
    """A ledger that says what was done with it."""

    def __init__(self, *, taken: bool = False) -> None:
        self.told: list[str] = []
        self._taken = taken

    async def claim(self) -> None:
        if self._taken:
            raise RequestError("Another process is at it.")
        self.told.append("claimed")

    async def release(self) -> None:
        self.told.append("released")

    def finish(self) -> None:
        self.told.append("finished")


class Calls(Scheduled[Remembered]):
    """A call to each of two servers, one of which may break."""

    def __init__(self, ledger: Remembered, *, breaks: str = "", fair: bool = False, **settings: Any) -> None:
        super().__init__(2, ledger, settings.get("before"), fair=fair)
        self.asked: list[str] = []
        self.stopped: list[str] = []
        self._breaks = breaks

    def _planned(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        servers = {self._server(model("a", base_url=f"http://{name}:1")): name for name in ("quick", "slow")}
        for server in servers:
            self._meter.expect(server)
        return {server: self._call(server, name) for server, name in servers.items()}

    async def _recall(self, ledger: Remembered) -> None:
        ledger.told.append("read")
        if self._breaks == "ledger":
            raise ZeroDivisionError

    async def _call(self, server: str, name: str) -> None:
        self.asked.append(server)
        try:
            if name == self._breaks:
                raise ZeroDivisionError
            if self._breaks in ("quick", "slow"):
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped.append(name)
            raise
        self._meter.count(server, failed=False)

    async def ended(self) -> None:
        await self._over.wait()
        self._raise()


async def test_a_run_is_claimed_before_it_is_read_and_released_after_its_end() -> None:
    ledger = Remembered()
    async with Calls(ledger) as calls:
        await calls.ended()
    assert calls.finished
    assert ledger.told == ["claimed", "read", "finished", "released"]


async def test_a_fair_run_is_one_queue_for_all_servers() -> None:
    async with Calls(Remembered(), fair=True) as calls:
        await calls.ended()
    assert calls.asked == [ALL]


async def test_a_run_of_another_process_is_not_begun_and_not_released() -> None:
    ledger = Remembered(taken=True)
    with pytest.raises(RequestError, match="Another process"):
        async with Calls(ledger):
            pytest.fail("it was begun")
    assert ledger.told == []


async def late() -> None:
    raise RequestError("No server.")


@pytest.mark.parametrize(
    ("settings", "error"), [({"breaks": "ledger"}, ZeroDivisionError), ({"before": late}, RequestError)]
)
async def test_what_could_not_begin_is_released(settings: dict[str, Any], error: type[Exception]) -> None:
    ledger = Remembered()
    calls = Calls(ledger, **settings)
    with pytest.raises(error):
        async with calls:
            pytest.fail("it was begun")
    assert ledger.told == ["claimed", "read", "released"]
    assert calls.asked == []


async def test_a_defect_at_one_server_stops_the_others_and_is_raised() -> None:
    ledger = Remembered()
    with pytest.raises(ZeroDivisionError):
        async with Calls(ledger, breaks="quick") as calls:
            await calls.ended()
    assert calls.stopped == ["slow"]
    assert not calls.finished
    assert ledger.told == ["claimed", "read", "released"]

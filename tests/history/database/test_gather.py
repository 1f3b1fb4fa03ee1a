"""What begins and ends together is written together, and at once where somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from llamafarm.history.database.claims import Claims
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.outcome import Outcome
from llamafarm.history.database.store import Store
from llamafarm.history.database.writer import Writer
from llamafarm.history.model import Record
from tests.history.database.made import asked, ended, keep

FOR_EVER = 1e6


@dataclass(slots=True)
class Counting(Writer):
    """Tells how many records each transaction had; `tried` is set after each."""

    sizes: list[int] = field(default_factory=list)
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    async def _try(self) -> bool:
        took = await Writer._try(self)
        self.tried.set()
        return took

    def _attempt(self, batch: Sequence[Record]) -> Outcome:
        self.sizes.append(len(batch))
        return Writer._attempt(self, batch)


@asynccontextmanager
async def counting(place: Place, gather_s: float) -> AsyncIterator[tuple[Store, Counting]]:
    writer = Counting(place, gather_s=gather_s)
    writer.start()
    await writer.settled()  # it is open
    writer.sizes.clear()
    yield Store(writer, Claims(writer)), writer
    await writer.close()


async def test_records_wait_for_others_until_somebody_waits_for_them(place: Place) -> None:
    async with counting(place, FOR_EVER) as (store, writer):
        for _ in range(2):
            comparison = keep(store, asked())
            for lane in ("fast", "wise"):
                store.take(ended(comparison, lane))
            assert await store.recorded() is None
        assert writer.sizes == [3, 3]
        found = await History(store).open(comparison.id)
        assert [lane.reply.lane for lane in found.lanes] == ["fast", "wise"]


async def test_closing_waits_for_no_others(place: Place) -> None:
    async with counting(place, FOR_EVER) as (store, writer):
        keep(store, asked())
    assert writer.sizes == [1]


async def test_nobody_need_wait_for_them(place: Place) -> None:
    async with counting(place, 0.01) as (store, writer):
        writer.tried.clear()
        keep(store, comparison := asked(), ended(comparison))
        await writer.tried.wait()
        assert writer.sizes == [2]

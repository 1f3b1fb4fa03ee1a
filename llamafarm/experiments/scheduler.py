"""Many calls to several servers, so many at once to each: begun, stopped, resumed. What sweeps and batches share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from llamafarm.config.model import NamedModel
from llamafarm.config.server import server_of
from llamafarm.core.figures import Progress
from llamafarm.engine.comparison import Before
from llamafarm.experiments.ledger import Ledger
from llamafarm.experiments.progress import Meter

ALL = "all servers"
Item = TypeVar("Item")
LedgerOf = TypeVar("LedgerOf", bound=Ledger)


class Items(Generic[Item]):
    """What several workers take from: each item goes to one of them."""

    def __init__(self, items: AsyncIterator[Item]) -> None:
        self._items = items
        self._turn = asyncio.Lock()

    def __aiter__(self) -> Self:
        """What nobody has taken yet."""
        return self

    async def __anext__(self) -> Item:
        """The next one."""
        async with self._turn:
            return await anext(self._items)


class Scheduled(Generic[LedgerOf]):
    """A run of many calls; an async context manager that owns its tasks. Leaving it stops what still runs.

    Each server has a task of its own, so that none waits for another, with at most `at_once` calls; `fair`: there is
    one for all, and one call at a time. What `ledger` kept as done is not asked again. `before` is awaited before the
    first call.
    """

    def __init__(self, at_once: int, ledger: LedgerOf | None, before: Before | None, *, fair: bool) -> None:
        self._at_once = 1 if fair else at_once
        self._fair = fair
        self._ledger = ledger
        self._before = before
        self._meter = Meter()
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    def _planned(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """The work by server, whose calls the meter expects from then on."""
        raise NotImplementedError

    async def _recall(self, ledger: LedgerOf) -> None:
        """Take in what an earlier process has done."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        work = self._planned()
        try:
            await self._begin()
        except BaseException:
            for each in work.values():
                each.close()
            raise
        self._meter.start()
        self._tasks += (asyncio.create_task(each, name=f"calls to {server}") for server, each in work.items())
        self._watcher = asyncio.create_task(self._watch(), name="run")
        return self

    async def _begin(self) -> None:
        if self._ledger is not None:
            await self._ledger.claim()
        try:
            if self._ledger is not None:
                await self._recall(self._ledger)
            if self._before is not None:
                await self._before()
        except BaseException:
            if self._ledger is not None:
                await self._ledger.release()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self._watcher
        if self._ledger is not None:
            await self._ledger.release()

    def stop(self) -> None:
        """Stop asking; what is being answered stops too, at its server."""
        for task in self._tasks:
            task.cancel()

    @property
    def progress(self) -> Progress:
        """How far it is now."""
        return self._meter.progress

    @property
    def finished(self) -> bool:
        """Whether all calls have ended."""
        return self._meter.done == self._meter.total

    def _server(self, model: NamedModel) -> str:
        return ALL if self._fair else server_of(model)

    async def _watch(self) -> None:
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._meter.stop()
        if self._ledger is not None and self.finished:
            self._ledger.finish()
        self._over.set()

    def _raise(self) -> None:
        """Raise what ended it, where it was no stop: a defect of ours, a file that was changed."""
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error


async def side_by_side(
    items: AsyncIterator[Item], places: int, worker: Callable[[Items[Item]], Awaitable[None]]
) -> None:
    """`places` workers that take from the same `items`, until all have ended. Raises the first error."""
    shared = Items(items)

    async def work() -> None:
        await worker(shared)

    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(places):
                tasks.create_task(work(), name=f"worker {number}")
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None

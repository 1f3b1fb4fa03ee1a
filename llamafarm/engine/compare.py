"""N lanes at once: one task each, one queue for all, in the order in which things happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from llamafarm.engine.chat import Lane, failure
from llamafarm.types import Event, Stopped, is_final

OpenLane = Callable[[Lane], AsyncGenerator[Event, None]]


@dataclass(frozen=True, slots=True)
class LaneEvent:
    """An event and the id of the lane in which it happened."""

    lane: str
    event: Event


Watch = Callable[[LaneEvent], None]


class Comparison:
    """Runs lanes side by side and tells their events; an async context manager that owns their tasks.

    No lane waits for another. `stop` ends one or all of them: a stopped lane closes its stream, so that
    its server stops too, and ends with a `Stopped` event. Leaving the context stops what still runs.
    `watch` sees each event as it happens, whether somebody reads `events` or not. `record` is the id under which the
    comparison is kept, where it is.
    """

    def __init__(
        self, lanes: Iterable[Lane], open_lane: OpenLane, *, watch: Watch | None = None, record: str | None = None
    ) -> None:
        self.lanes = tuple(lanes)
        self.record = record
        self._open = open_lane
        self._watch = watch
        self._events: asyncio.Queue[LaneEvent] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: set[str] = set()
        if len({lane.id for lane in self.lanes}) != len(self.lanes):
            raise ValueError("the lanes of a comparison need different ids")

    async def __aenter__(self) -> Self:
        for lane in self.lanes:
            task = asyncio.create_task(self._run(lane), name=f"lane {lane.id}")
            task.add_done_callback(partial(self._close, lane.id))
            self._tasks[lane.id] = task
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def stop(self, lane: str | None = None) -> None:
        """Stop `lane`, or all lanes; one that has ended stays as it is."""
        for name, task in self._tasks.items():
            if lane in (None, name):
                task.cancel()

    async def events(self) -> AsyncGenerator[LaneEvent, None]:
        """All events until every lane has ended. To be read once, by one reader."""
        async with aclosing(self.batches(heartbeat_s=None)) as batches:
            async for batch in batches:
                for told in batch:
                    yield told

    async def batches(
        self, *, every_s: float = 0.0, heartbeat_s: float | None
    ) -> AsyncGenerator[list[LaneEvent], None]:
        """The same events, gathered: at most one batch each `every_s` seconds.

        Where nothing happens for `heartbeat_s` seconds an empty batch comes, so that a reader can tell
        the time, and notices that it is closed. To be read once, by one reader.
        """
        open_lanes = {lane.id for lane in self.lanes}
        while open_lanes:
            batch = await self._gather(heartbeat_s)
            open_lanes -= {told.lane for told in batch if is_final(told.event)}
            yield batch
            if open_lanes and batch:
                await asyncio.sleep(every_s)

    async def _gather(self, patience_s: float | None) -> list[LaneEvent]:
        batch: list[LaneEvent] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                batch.append(await self._events.get())
        while not self._events.empty():
            batch.append(self._events.get_nowait())
        return batch

    async def _run(self, lane: Lane) -> None:
        async with aclosing(self._open(lane)) as events:
            async for event in events:
                self._tell(lane.id, event)

    def _tell(self, lane: str, event: Event) -> None:
        if lane in self._ended:
            return
        if is_final(event):
            self._ended.add(lane)
        told = LaneEvent(lane, event)
        if self._watch is not None:
            self._watch(told)
        self._events.put_nowait(told)

    def _close(self, lane: str, task: asyncio.Task[None]) -> None:
        """Whatever ended the task, its lane gets a final event."""
        if task.cancelled():
            self._tell(lane, Stopped(at=time.perf_counter()))
        else:
            self._tell(lane, failure(task.exception() or RuntimeError("the lane ended without a word")))

"""N lanes at once: one task each, one queue for all, in the order in which things happen."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, aclosing, nullcontext, suppress
from functools import partial
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from llamafarm.core.events import Event, Started, Stopped, Waiting, is_final
from llamafarm.core.reply import Reply
from llamafarm.engine.condense import condensed
from llamafarm.engine.exchange import waits_behind
from llamafarm.engine.lane import Lane, failure
from llamafarm.engine.replies import Replies

OpenLane = Callable[[Lane], AsyncGenerator[Event, None]]
Before = Callable[[], Awaitable[None]]
Turns = Callable[[], Mapping[str, Sequence[str]]]

BACKLOG = 10_000  # events
log = logging.getLogger(__name__)


class LaneEvent(NamedTuple):
    """An event and the id of the lane in which it happened."""

    lane: str
    event: Event


class Record(Protocol):
    """What keeps a comparison under its `id`; see `llamafarm.engine.recording.Recording`."""

    id: str

    def watch(self, told: LaneEvent) -> None:
        """Take the next event. Never waits and never fails."""
        ...


class Comparison:
    """Runs lanes side by side and folds their events; an async context manager that owns their tasks.

    No lane waits for another, nor for the reader: what a slow one leaves unread is condensed, so that it stays small
    and no instant is lost. `stop` ends one or all of them: a stopped lane closes its stream, so that its server stops
    too, and ends with a `Stopped` event. Leaving the context stops what still runs. `before`, where given, is
    awaited before any lane begins. `turns`, asked after it, are by lane those that must have ended before it begins
    (see `engine.exchange`).
    `replies` takes each event as it happens, whether somebody reads or not, and then `record` does, where it is kept.
    `places` are held while it runs; entering raises what they raise.
    """

    def __init__(
        self,
        lanes: Iterable[Lane],
        open_lane: OpenLane,
        replies: Replies,
        *,
        record: Record | None = None,
        places: AbstractContextManager[None] | None = None,
        before: Before | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.lanes = tuple(lanes)
        self.record = None if record is None else record.id
        self._open = open_lane
        self._replies = replies
        self._record = record
        self._places = places or nullcontext()
        self._before = before
        self._take_turns = turns
        self._turns: Mapping[str, Sequence[str]] = {}
        self._backlog: list[LaneEvent] = []
        self._room = BACKLOG
        self._begun = asyncio.Event()
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ended: set[str] = set()
        if len({lane.id for lane in self.lanes}) != len(self.lanes):
            raise ValueError("the lanes of a comparison need different ids")

    async def __aenter__(self) -> Self:
        if self._before is not None:
            await self._before()
        self._turns = self._take_turns() if self._take_turns is not None else {}
        self._places.__enter__()
        turns = [asyncio.Event() for _ in self.lanes]
        for lane, turn in zip(self.lanes, turns, strict=True):
            task = asyncio.create_task(self._run(lane, turn), name=f"lane {lane.id}")
            task.add_done_callback(partial(self._close, lane.id))
            self._tasks[lane.id] = task
        _one_by_one(iter([*turns, self._begun]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            stack.push(self._places)
            self.stop()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def stop(self, lane: str | None = None) -> None:
        """Stop `lane`, or all lanes; one that has ended stays as it is."""
        for name, task in self._tasks.items():
            if lane in (None, name):
                task.cancel()

    def reply(self, lane: str) -> Reply:
        """The reply of `lane` so far."""
        return self._replies.reply(lane)

    def replies(self) -> dict[str, Reply]:
        """Each lane's reply so far, by lane id, in the lanes' order."""
        return self._replies.now()

    async def updates(
        self, every_s: float = 0.0, *, heartbeat_s: float | None = None
    ) -> AsyncGenerator[dict[str, Reply], None]:
        """All replies each time that some have grown, until every lane has ended; times as in `batches`.

        To be read once, by one reader, as `batches` and `events` are.
        """
        async with aclosing(self.batches(every_s=every_s, heartbeat_s=heartbeat_s)) as batches:
            async for _ in batches:
                yield self.replies()

    async def ended(self) -> dict[str, Reply]:
        """All replies, once every lane has ended."""
        async for _ in self.events():
            pass
        return self.replies()

    async def events(self) -> AsyncGenerator[LaneEvent, None]:
        """All events until every lane has ended. To be read once, by one reader."""
        async with aclosing(self.batches(heartbeat_s=None)) as batches:
            async for batch in batches:
                for told in batch:
                    yield told

    async def batches(
        self, *, every_s: float = 0.0, heartbeat_s: float | None
    ) -> AsyncGenerator[list[LaneEvent], None]:
        """The same events, gathered: the first once all lanes have begun, then one at most each `every_s` seconds.

        Where nothing happens for `heartbeat_s` seconds an empty batch comes, so that a reader can tell
        the time, and notices that it is closed. To be read once, by one reader.
        """
        open_lanes = {lane.id for lane in self.lanes}
        await self._begun.wait()
        while open_lanes:
            batch = await self._gather(heartbeat_s)
            open_lanes -= {told.lane for told in batch if is_final(told.event)}
            yield batch
            if open_lanes and batch and every_s:
                await _until(self._over, every_s)

    async def _gather(self, patience_s: float | None) -> list[LaneEvent]:
        await _until(self._news, patience_s)
        self._news.clear()
        batch, self._backlog, self._room = self._backlog, [], BACKLOG
        return batch

    async def _run(self, lane: Lane, turn: asyncio.Event) -> None:
        await turn.wait()
        if first := self._turns.get(lane.id):
            now = time.perf_counter()
            self._tell(lane.id, Started(at=now))
            self._tell(lane.id, Waiting(at=now, what=waits_behind(first)))
            await asyncio.wait([self._tasks[name] for name in first])
        async with aclosing(self._open(lane)) as events:
            async for event in events:
                self._tell(lane.id, event)

    def _tell(self, lane: str, event: Event) -> None:
        if lane in self._ended:
            return
        if is_final(event):
            self._ended.add(lane)
            if len(self._ended) == len(self.lanes):
                self._over.set()
        told = LaneEvent(lane, event)
        try:
            self._replies.add(lane, event)
        except Exception:  # a defect of ours must not end the lane in which it shows
            log.exception("an event of lane %s could not be folded", lane)
        if self._record is not None:
            self._record.watch(told)
        self._backlog.append(told)
        if len(self._backlog) > self._room:
            self._backlog = [LaneEvent(*each) for each in condensed(self._backlog)]
            self._room = max(BACKLOG, 2 * len(self._backlog))
        self._news.set()

    def _close(self, lane: str, task: asyncio.Task[None]) -> None:
        """Whatever ended the task, its lane gets a final event."""
        if task.cancelled():
            self._tell(lane, Stopped(at=time.perf_counter()))
        else:
            self._tell(lane, failure(task.exception() or RuntimeError("the lane ended without a word")))


def _one_by_one(turns: Iterator[asyncio.Event]) -> None:
    """Let each lane begin in a pass of the event loop of its own.

    A pass ends before anything is written. If all began in one, the requests would leave together once the last was
    made, and the first lane's clock would run meanwhile.
    """
    for turn in turns:
        turn.set()
        asyncio.get_running_loop().call_soon(_one_by_one, turns)
        return


async def _until(event: asyncio.Event, longest_s: float | None) -> None:
    """Wait for `event`, but no longer than `longest_s` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(longest_s):
            await event.wait()

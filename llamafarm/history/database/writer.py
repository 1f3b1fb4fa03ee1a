"""The one task that writes: records wait in a queue, and all that wait go into one transaction, in a thread.

Giving a record takes no time and never fails. Where the database can't take it, it is kept and tried again, and
`trouble` says so to people. The thread, and not the event loop, imports SQLAlchemy: no lane waits for that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from llamafarm.core.errors import StoreError
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.outcome import Outcome
from llamafarm.history.model import Ended, Record

if TYPE_CHECKING:
    from llamafarm.history.database.connecting.connect import Database

Result = TypeVar("Result")

GATHER_S = 0.1  # 128 lanes that begin together do so within 0.05 s, and end so
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)  # before the next try; the last one again and again
AT_ONCE = 500
MOST_WAITING = 128 * 1024 * 1024  # letters of records, while the database takes none
CLOSING_S = 15.0
CLOSED = "The history is closed."
GONE = "what it held is gone, and a new one was begun."


@dataclass(slots=True)
class Writer:
    """Writes to the database at `place`. All its methods are for the event loop in which it was started.

    What is given waits `gather_s` seconds for more, unless somebody waits for it: the thread that writes takes its time
    from lanes, which most often begin and end together. `lost` counts records that were given and will never be stored,
    `lost_answers` the lanes that ended among them, and `stored_answers` those that are stored. `deleted` says that the
    file was deleted or replaced while it was open.
    """

    place: Place
    gather_s: float = GATHER_S
    pauses_s: Sequence[float] = PAUSES_S
    most_waiting: int = MOST_WAITING
    lost: int = 0
    lost_answers: int = 0
    stored_answers: int = 0
    deleted: str | None = None
    _fault: str | None = None
    _database: Database | None = None
    _records: deque[tuple[Record, int]] = field(default_factory=deque)
    _size: int = 0
    _given: int = 0
    _over: int = 0
    _waiters: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "store-write"))
    _task: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str | None:
        """Why records are not stored now, or that some are lost: a sentence for people. None while all is well."""
        waiting = f"Waiting in memory: {_counted(len(self._records))}." if self._fault and self._records else ""
        lost = f"Lost, because they could not be stored: {_counted(self.lost)}." if self.lost else ""
        return " ".join(part for part in (self.deleted, self._fault, waiting, lost) if part) or None

    def start(self) -> None:
        """Open the database and write what is given, until `close`."""
        self._task = asyncio.create_task(self._run(), name="store writer")

    def put(self, record: Record, size: int) -> None:
        """Write a record of about `size` letters as soon as may be."""
        if self._size + size > self.most_waiting or self._closing.is_set():
            self._lose([record])
            return
        self._records.append((record, size))
        self._size += size
        self._given += 1
        self._wake.set()

    async def settled(self) -> str | None:
        """Wait until all that was given is stored for good: then None. Else why it is not, as soon as a try failed.

        What was lost before the call is told by `trouble` alone.
        """
        lost, deleted = self.lost, self.deleted
        if (self._over < self._given or self._database is None) and self._task and not self._task.done():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append((self._given, waiter))
            self._hurry.set()
            await waiter
        news = self.lost > lost or self.deleted is not deleted
        return self.trouble if self._fault or news or self._closing.is_set() else None

    async def database(self) -> Database:
        """The open database, with all in it that was given before. Raises StoreError where it can't be used."""
        await self.settled()
        if self._fault or self._database is None or self._closing.is_set():
            raise StoreError(self._fault or CLOSED)
        if await self.in_thread(self._left_behind):
            self._wake.set()  # the next one who asks finds the new file
            raise StoreError(self.deleted or CLOSED)
        return self._database

    async def do(self, work: Callable[[Database], Result]) -> Result:
        """The result of `work`, which runs between two batches. Raises StoreError where the database can't be used."""
        database = await self.database()
        return await self.in_thread(partial(work, database))

    async def close(self) -> None:
        """Write what waits, with one last try where there is trouble; then close the database."""
        self._closing.set()
        self._wake.set()
        self._hurry.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSING_S)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._lose([record for record, _ in self._records])
        self._records.clear()
        self._answer(everyone=True)
        closing = self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)
        await asyncio.wait({asyncio.wrap_future(closing)}, timeout=CLOSING_S)

    # --- the task

    async def _run(self) -> None:
        """The first try opens the database, whether there is something to write or not."""
        failed = 0
        while True:
            if not self._records and self._database is not None:
                if self._closing.is_set():
                    return
                self._wake.clear()
                await self._wake.wait()
                await self._gather()
                continue
            failed = 0 if await self._try() else failed + 1
            if failed and self._closing.is_set():
                return
            if failed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), self.pauses_s[min(failed, len(self.pauses_s)) - 1])

    async def _gather(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self.gather_s)

    async def _try(self) -> bool:
        """Try to write what waits; tells whether the database took it, or would have but for faults in records."""
        batch = [record for record, _ in islice(self._records, AT_ONCE)]
        outcome = await self.in_thread(partial(self._attempt, batch))
        for _ in range(outcome.over):
            self._size -= self._records.popleft()[1]
        self._over += outcome.over
        self.stored_answers += _answers(batch[: outcome.over]) - _answers(outcome.refused)
        self._lose(outcome.refused)
        self._fault = outcome.fault
        self._answer(everyone=outcome.fault is not None)
        return outcome.fault is None

    def _lose(self, records: Sequence[Record]) -> None:
        self.lost += len(records)
        self.lost_answers += _answers(records)

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, which runs in the thread that writes."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _answer(self, *, everyone: bool) -> None:
        """Wake those who wait for what is over by now; after a failed try all of them."""
        for ticket, waiter in self._waiters:
            if (everyone or ticket <= self._over) and not waiter.done():
                waiter.set_result(None)
        self._waiters = [(ticket, waiter) for ticket, waiter in self._waiters if not waiter.done()]
        if not self._waiters and not self._closing.is_set():
            self._hurry.clear()

    # --- in the thread

    def _attempt(self, batch: Sequence[Record]) -> Outcome:
        from llamafarm.history.database.attempt import attempt, open_or_fault  # noqa: PLC0415 - see the top of this file

        self._left_behind()
        if self._database is None or (batch and self._database.fault):
            opened = open_or_fault(self.place)
            if isinstance(opened, str):
                return Outcome(0, fault=opened)
            self._database = opened
        if self._database.fault is not None:  # it can be read
            return Outcome(0, fault=self._database.fault if batch else None)
        return attempt(self._database, self.place, batch)

    def _left_behind(self) -> bool:
        """Whether the file has gone that is open here, or another one has its name: then it is let go of, and told."""
        from llamafarm.history.database.connecting.connect import identity_of  # noqa: PLC0415 - see the top of this file

        open_now = self._database
        if open_now is None or open_now.identity is None or self.place.file is None:
            return False
        if identity_of(self.place.file) == open_now.identity:
            return False
        open_now.close()
        self._database = None
        self.deleted = f"The history at {self.place.name} was deleted or replaced while it was open: {GONE}"
        return True

    def _disconnect(self) -> None:
        if self._database is not None:
            self._database.close()


def _answers(records: Sequence[Record]) -> int:
    return sum(isinstance(record, Ended) for record in records)


def _counted(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"

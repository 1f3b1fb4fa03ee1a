"""A batch as it runs: each row of a file to each model, so many at once to each server, stopped and resumed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing, closing, suppress
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeVar

from llamafarm.config.loading import grouped, loading_of
from llamafarm.config.model import NamedModel
from llamafarm.config.server import server_of
from llamafarm.core.errors import RequestError
from llamafarm.core.figures import Progress
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import Before
from llamafarm.engine.lane import Lane
from llamafarm.experiments.batch.job import Job, Survey, lanes_of, stamp_of
from llamafarm.experiments.grade import verdict
from llamafarm.experiments.progress import Meter
from llamafarm.experiments.prompt_file.row import Bad, Row
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.tally import Tally

Ask = Callable[[Row, Lane], Awaitable[Reply]]
Calls = asyncio.Queue[tuple[Row, Lane] | None]  # None ends a worker
Found = TypeVar("Found")
AT_ONCE = 8
ALL = "all servers"
ROWS_AT_ONCE = 200  # that are read from the file in one go
NEWEST = 3


class Kept(NamedTuple):
    """A call that an earlier process had asked: which row, which model, and what came of it."""

    row: int
    model: str
    sample: Sample


class Ledger(Protocol):
    """What remembers a batch from one process to the next."""

    async def claim(self) -> None:
        """Take the run for this process, before anything of it is read. Raises RequestError where another is at it."""
        ...

    async def release(self) -> None:
        """Let others have the run."""
        ...

    def kept(self) -> AsyncGenerator[Kept, None]:
        """The calls that ended before."""
        ...

    async def settled(self) -> None:
        """Wait until all that has ended is kept for good, or can't be. Never fails."""
        ...

    def finish(self) -> None:
        """All calls have ended. Never waits and never fails."""
        ...


class Batch:
    """Runs a job; an async context manager that owns its tasks. Leaving it stops what still runs.

    At most `at_once` calls are at one server at a time, and one at an embedded model. Each server has the file for
    itself, so that none waits for another, and memory holds a few rows of it. One that loads its models gets all rows
    of one model before the next one's, and these begin when those have ended. `before` is awaited before the first
    call. A call that fails is counted, and the rest goes on. What `ledger` kept as done
    is not asked again; `tallies` has it by model all the same. A fair job is one queue, a model's rows after the
    other's, with one call at a time.
    """

    def __init__(
        self,
        job: Job,
        survey: Survey,
        ask: Ask,
        *,
        at_once: int = AT_ONCE,
        ledger: Ledger | None = None,
        before: Before | None = None,
    ) -> None:
        self.job = job
        self.survey = survey
        self.tallies = {model.name: Tally() for model in job.models}
        self.newest: deque[tuple[Row, Reply]] = deque(maxlen=NEWEST)
        self._ask = ask
        self._at_once = 1 if job.fair else at_once
        self._ledger = ledger
        self._before = before
        self._lanes = {lane.model.name: lane for lane in lanes_of(job)}
        self._done = {model.name: bytearray(survey.rows + 1) for model in job.models}
        self._servers: dict[str, list[NamedModel]] = {}
        self._meter = Meter()
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        for model in job.models:
            self._servers.setdefault(self._server(model), []).append(model)

    async def __aenter__(self) -> Self:
        for server, models in self._servers.items():
            self._meter.expect(server, self.survey.good * len(models))
        if self._ledger is not None:
            await self._ledger.claim()
            await self._recall(self._ledger)
        if self._before is not None:
            await self._before()
        self._meter.start()
        for server, models in self._servers.items():
            places = 1 if all(model.profile.embedded for model in models) else self._at_once
            self._tasks.append(asyncio.create_task(self._serve(models, server, places), name=f"batch {server}"))
        self._watcher = asyncio.create_task(self._watch(), name="batch")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self._watcher
        if self._ledger is not None:
            await self._ledger.release()

    async def _recall(self, ledger: Ledger) -> None:
        try:
            async with aclosing(ledger.kept()) as kept:
                async for each in kept:
                    self._remember(each)
        except BaseException:
            await ledger.release()
            raise

    def stop(self) -> None:
        """Stop asking; what is being answered stops too, at its server."""
        for task in self._tasks:
            task.cancel()

    async def ticks(self, every_s: float) -> AsyncGenerator[Progress, None]:
        """How far it is, each `every_s` seconds and at the end. Raises what ended it: a file that was changed."""
        while not self._over.is_set():
            yield self.progress
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), every_s)
        yield self.progress
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    @property
    def progress(self) -> Progress:
        """How far it is now."""
        return self._meter.progress

    @property
    def finished(self) -> bool:
        """Whether each row was asked of each model."""
        return self._meter.done == self._meter.total

    def _server(self, model: NamedModel) -> str:
        return ALL if self.job.fair else server_of(model)

    def _remember(self, kept: Kept) -> None:
        done = self._done.get(kept.model)
        if kept.sample.reply.status != "done" or done is None or not 0 < kept.row < len(done) or done[kept.row]:
            return  # what failed or was stopped is asked again
        done[kept.row] = True
        self._count(self._server(self._lanes[kept.model].model), kept.model, kept.sample, resumed=True)

    def _count(self, server: str, model: str, sample: Sample, *, resumed: bool = False) -> None:
        self.tallies[model].add(sample)
        self._meter.count(server, failed=sample.reply.status != "done", resumed=resumed)

    async def _watch(self) -> None:
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._meter.stop()
        if self._ledger is not None and self.finished:
            self._ledger.finish()
        self._over.set()

    # --- one server

    async def _serve(self, models: Sequence[NamedModel], server: str, places: int) -> None:
        """All calls at one server. A reader and so many workers, which end together."""
        calls: Calls = asyncio.Queue(2 * places)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(places):
                    group.create_task(self._work(calls, server), name=f"batch {server} worker")
                for some in self._groups(models):
                    await self._read(some, calls)
                    await calls.join()
                for _ in range(places):
                    await calls.put(None)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    def _groups(self, models: Sequence[NamedModel]) -> list[list[NamedModel]]:
        """Models that can be asked together: those for which the server loads nothing, or the same."""
        found = grouped([(loading_of(model, self.job.parameters), model) for model in models])
        return [[model] for group in found for model in group] if self.job.fair else found

    async def _read(self, models: Sequence[NamedModel], calls: Calls) -> None:
        lanes = [self._lanes[model.name] for model in models]
        with closing(self.job.file.rows()) as rows:
            while some := await _whole(asyncio.to_thread(lambda: list(islice(rows, ROWS_AT_ONCE)))):
                self._check_stamp()
                for row in some:
                    if isinstance(row, Bad) or self.survey.passed_over[row.number]:
                        continue
                    for lane in lanes:
                        if not self._done[lane.id][row.number]:
                            await calls.put((row, lane))

    def _check_stamp(self) -> None:
        """Rows of another file would be recorded as those of this one."""
        if stamp_of(self.job.file.path) != self.survey.stamp:
            raise RequestError(
                f"{self.job.file.title} was changed while the batch ran, so it was stopped.",
                hint="Begin a new one, or bring the file back and resume.",
            )

    async def _work(self, calls: Calls, server: str) -> None:
        """One call after the other. The next one begins while the last one is written, and ends after that."""
        writing: asyncio.Task[None] | None = None
        try:
            while (call := await calls.get()) is not None:
                row, lane = call
                reply = await self._ask(row, lane)
                calls.task_done()
                passed, notes = await verdict(row.checks, reply)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._settle(), name=f"batch {server} writing")
                self._done[lane.id][row.number] = True
                self._count(server, lane.id, Sample(row.number, 0, reply, passed, None, notes))
                self.newest.append((row, reply))
        finally:
            if writing is not None:
                await asyncio.shield(writing)

    async def _settle(self) -> None:
        if self._ledger is not None:
            await self._ledger.settled()


async def _whole(work: Coroutine[None, None, Found]) -> Found:
    """The result of `work`, which is waited for also where the wait is cancelled: its thread can't be."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise

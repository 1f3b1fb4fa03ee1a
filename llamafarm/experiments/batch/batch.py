"""A batch as it runs: each row of a file to each model, so many at once to each server, stopped and resumed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

from llamafarm.config.loading import grouped, loading_of
from llamafarm.config.model import NamedModel
from llamafarm.core.errors import RequestError
from llamafarm.core.figures import Progress
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import Before
from llamafarm.engine.lane import Lane
from llamafarm.experiments.batch.job import Job, Survey, lanes_of, stamp_of
from llamafarm.experiments.grade import verdict
from llamafarm.experiments.ledger import Ledger
from llamafarm.experiments.prompt_file.row import Bad, Row
from llamafarm.experiments.scheduler import Items, Scheduled, side_by_side
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.tally import Tally

Ask = Callable[[Row, Lane], Awaitable[Reply]]
Call = tuple[Row, Lane]
Found = TypeVar("Found")
AT_ONCE = 8
ROWS_AT_ONCE = 200  # that are read from the file in one go
NEWEST = 3


class Kept(NamedTuple):
    """A call that an earlier process had asked: which row, which model, and what came of it."""

    row: int
    model: str
    sample: Sample


class BatchLedger(Ledger, Protocol):
    """What remembers a batch from one process to the next."""

    def kept(self) -> AsyncGenerator[Kept, None]:
        """The calls that ended before."""
        ...

    async def settled(self) -> None:
        """Wait until all that has ended is kept for good, or can't be. Never fails."""
        ...


class Batch(Scheduled[BatchLedger]):
    """Runs a job; see `Scheduled`.

    One call at a time goes to an embedded model. Each server has the file for itself, and memory holds a few rows of
    it. One that loads its models gets all rows of one model before the next one's, and these begin when those have
    ended. A call that fails is counted, and the rest goes on; `tallies` has by model also what was kept before. A fair
    job is one queue, a model's rows after the other's.
    """

    def __init__(
        self,
        job: Job,
        survey: Survey,
        ask: Ask,
        *,
        at_once: int = AT_ONCE,
        ledger: BatchLedger | None = None,
        before: Before | None = None,
    ) -> None:
        super().__init__(at_once, ledger, before, fair=job.fair)
        self.job = job
        self.survey = survey
        self.tallies = {model.name: Tally() for model in job.models}
        self.newest: deque[tuple[Row, Reply]] = deque(maxlen=NEWEST)
        self._ask = ask
        self._lanes = {lane.model.name: lane for lane in lanes_of(job)}
        self._done = {model.name: bytearray(survey.rows + 1) for model in job.models}

    def _planned(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        servers: dict[str, list[NamedModel]] = {}
        for model in self.job.models:
            server = self._server(model)
            servers.setdefault(server, []).append(model)
            self._meter.expect(server, self.survey.good)
        return {server: self._serve(models, server) for server, models in servers.items()}

    async def _recall(self, ledger: BatchLedger) -> None:
        async with aclosing(ledger.kept()) as kept:
            async for each in kept:
                self._remember(each)

    async def ticks(self, every_s: float) -> AsyncGenerator[Progress, None]:
        """How far it is, each `every_s` seconds and at the end. Raises what ended it: a file that was changed."""
        while not self._over.is_set():
            yield self.progress
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), every_s)
        yield self.progress
        self._raise()

    def _remember(self, kept: Kept) -> None:
        done = self._done.get(kept.model)
        if kept.sample.reply.status != "done" or done is None or not 0 < kept.row < len(done) or done[kept.row]:
            return  # what failed or was stopped is asked again
        done[kept.row] = True
        self._count(self._server(self._lanes[kept.model].model), kept.model, kept.sample, resumed=True)

    def _count(self, server: str, model: str, sample: Sample, *, resumed: bool = False) -> None:
        self.tallies[model].add(sample)
        self._meter.count(server, failed=sample.reply.status != "done", resumed=resumed)

    # --- one server

    async def _serve(self, models: Sequence[NamedModel], server: str) -> None:
        """All calls at one server, group by group."""
        places = 1 if all(model.profile.embedded for model in models) else self._at_once
        for group in self._groups(models):
            async with aclosing(self._read(group)) as calls:
                await side_by_side(calls, places, partial(self._work, server))

    def _groups(self, models: Sequence[NamedModel]) -> list[list[NamedModel]]:
        """Models that can be asked together: those for which the server loads nothing, or the same."""
        found = grouped([(loading_of(model, self.job.parameters), model) for model in models])
        return [[model] for group in found for model in group] if self.job.fair else found

    async def _read(self, models: Sequence[NamedModel]) -> AsyncGenerator[Call, None]:
        lanes = [self._lanes[model.name] for model in models]
        with closing(self.job.file.rows()) as rows:
            while some := await _whole(asyncio.to_thread(lambda: list(islice(rows, ROWS_AT_ONCE)))):
                self._check_stamp()
                for row in some:
                    if isinstance(row, Bad) or self.survey.passed_over[row.number]:
                        continue
                    for lane in lanes:
                        if not self._done[lane.id][row.number]:
                            yield row, lane

    def _check_stamp(self) -> None:
        """Rows of another file would be recorded as those of this one."""
        if stamp_of(self.job.file.path) != self.survey.stamp:
            raise RequestError(
                f"{self.job.file.title} was changed while the batch ran, so it was stopped.",
                hint="Begin a new one, or bring the file back and resume.",
            )

    async def _work(self, server: str, calls: Items[Call]) -> None:
        """One call after the other. The next one begins while the last one is written, and ends after that."""
        writing: asyncio.Task[None] | None = None
        try:
            async for row, lane in calls:
                reply = await self._ask(row, lane)
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

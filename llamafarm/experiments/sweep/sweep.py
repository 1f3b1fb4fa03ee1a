"""A sweep as it runs: so many calls at once to each server, results as they come, stopped and resumed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Protocol, Self, TypeVar

from llamafarm.config.loading import Loading, grouped, loading_of
from llamafarm.config.server import server_of
from llamafarm.core.figures import Progress
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import Before, Comparison
from llamafarm.engine.lane import Lane, Question
from llamafarm.experiments.grade import checked, judged
from llamafarm.experiments.judge import judge_prompt
from llamafarm.experiments.progress import Meter
from llamafarm.experiments.stats.sample import Judged, Sample
from llamafarm.experiments.sweep.grid import Call, Grid, judge_lane

Ask = Callable[[Lane, Question, str], Awaitable[Reply]]  # the last is the call's key, which stays when it is resumed
JUDGED = " judged"  # what the key of a judgement ends in
Item = TypeVar("Item")
AT_ONCE = 4
ALL = "all servers"


class Ledger(Protocol):
    """What remembers a sweep from one process to the next."""

    async def claim(self) -> None:
        """Take the run for this process, before anything of it is read. Raises RequestError where another is at it."""
        ...

    async def release(self) -> None:
        """Let others have the run."""
        ...

    async def ended(self) -> Mapping[str, Reply]:
        """The replies that were kept before, by key."""
        ...

    async def keep(self, key: str, reply: Reply) -> None:
        """Keep a reply that has just ended; done when it is kept for good, or can't be. Never fails."""
        ...

    def finish(self) -> None:
        """All calls have ended. Never waits and never fails."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """One call that ended. `resumed`: an earlier run had asked it."""

    call: Call
    sample: Sample
    resumed: bool = False


async def reply_of(comparison: Comparison) -> Reply:
    """The reply of a comparison with one lane, when it has ended; cancelling stops it at its server too."""
    async with comparison:
        return next(iter((await comparison.ended()).values()))


class Sweep:
    """Runs a grid; an async context manager that owns its tasks. Leaving it stops what still runs.

    At most `at_once` calls are at one server at a time. Each result is told once, in the order in which they end. A
    call that fails is a result like any other. What `ledger` kept as done is not asked again. A server that loads its
    models gets all calls for which it needs the same loaded, and has answered them, before the next ones; a judge that
    it would have to load comes at the end. `fair`: one call at a time, whichever servers there are. `before` is awaited
    before the first call.
    """

    def __init__(
        self,
        grid: Grid,
        ask: Ask,
        *,
        at_once: int = AT_ONCE,
        ledger: Ledger | None = None,
        fair: bool = False,
        before: Before | None = None,
    ) -> None:
        self.grid = grid
        self._ask = ask
        self._ledger = ledger
        self._at_once = 1 if fair else at_once
        self._fair = fair
        self._before = before
        self._kept: Mapping[str, Reply] = {}
        self._servers = {model.name: ALL if fair else server_of(model) for model in grid.models}
        self._places: dict[str, asyncio.Semaphore] = {}
        self._results: asyncio.Queue[Result] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._meter = Meter()

    async def __aenter__(self) -> Self:
        if self._ledger is not None:
            await self._ledger.claim()
            kept = await self._ended(self._ledger)
            self._kept = {key: reply for key, reply in kept.items() if reply.status == "done"}
        if self._before is not None:
            await self._before()
        waiting: dict[str, list[tuple[Loading, Call]]] = {}
        for call in self._calls():
            server = self._servers[call.model]
            waiting.setdefault(server, []).append((self._loading(call), call))
            self._meter.expect(server)
        self._meter.start()
        for server, calls in waiting.items():
            self._workers.append(asyncio.create_task(self._serve(server, grouped(calls)), name=f"sweep {server}"))
        self._watcher = asyncio.create_task(self._watch(), name="sweep")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        await self._watcher
        if self._ledger is not None:
            await self._ledger.release()

    async def _ended(self, ledger: Ledger) -> Mapping[str, Reply]:
        try:
            return await ledger.ended()
        except BaseException:
            await ledger.release()
            raise

    def _calls(self) -> Iterable[Call]:
        order = [model.name for model in self.grid.models]
        calls = self.grid.calls()
        return sorted(calls, key=lambda call: order.index(call.model)) if self._fair else calls

    def stop(self) -> None:
        """Stop asking; what is being answered stops too, at its server."""
        for worker in self._workers:
            worker.cancel()

    async def batches(self, *, heartbeat_s: float | None = None) -> AsyncGenerator[list[Result], None]:
        """The results, gathered, until all calls have ended or the sweep was stopped. To be read once.

        Where nothing ends for `heartbeat_s` seconds an empty batch comes. Raises what a defect of ours raised.
        """
        while not (self._over.is_set() and self._results.empty()):
            batch = await self._gather(heartbeat_s)
            if batch or not self._over.is_set():
                yield batch
        for worker in self._workers:
            if not worker.cancelled() and (error := worker.exception()) is not None:
                raise error

    async def _gather(self, patience_s: float | None) -> list[Result]:
        next_one = asyncio.ensure_future(self._results.get())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({next_one, over}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            batch = [next_one.result()] if next_one.done() else []
        finally:
            for waiting in (next_one, over):
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    await waiting
        while not self._results.empty():
            batch.append(self._results.get_nowait())
        return batch

    @property
    def progress(self) -> Progress:
        """How far it is now."""
        return self._meter.progress

    async def _watch(self) -> None:
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._meter.stop()
        if self._ledger is not None and self._meter.done == self._meter.total:
            self._ledger.finish()
        self._over.set()

    def _loading(self, call: Call) -> Loading:
        lane = self.grid.lane(call)
        return loading_of(lane.model, {**lane.parameters, **self.grid.question(call).parameters})

    async def _serve(self, server: str, groups: Sequence[Sequence[Call]]) -> None:
        """All calls at one server: those of a group side by side, and one group after the other."""
        judged_later: deque[Result] = deque()
        try:
            for group in groups:
                await self._side_by_side(deque(group), partial(self._work, server, judged_later))
            await self._side_by_side(judged_later, self._judge)
        finally:
            for result in judged_later:  # it was stopped: what was answered is told without a grade
                self._results.put_nowait(result)

    async def _side_by_side(self, left: deque[Item], work: Callable[[Item], Awaitable[None]]) -> None:
        """`work` on each of those that are `left`, so many at once. Raises the first error."""

        async def worker() -> None:
            while left:
                await work(left.popleft())

        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(min(self._at_once, len(left))):
                    tasks.create_task(worker(), name=f"sweep worker {number}")
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _work(self, server: str, judged_later: deque[Result], call: Call) -> None:
        grid, key = self.grid, self.grid.key(call)
        resumed = key in self._kept
        reply = await self._reply(server, grid.lane(call), grid.question(call), key)
        passed, notes = await checked(grid.prompts[call.prompt], reply)
        result = Result(call, Sample(call.prompt, call.repeat, reply, passed, None, notes), resumed)
        self._meter.count(server, failed=not result.sample.answered, resumed=resumed)
        if self._exchanged_for(server, call):
            judged_later.append(result)
        else:
            await self._judge(result)

    async def _judge(self, result: Result) -> None:
        """Have it judged, where there is a judge, and tell it."""
        call, sample = result.call, result.sample
        grade = await self._judged(call, self.grid.key(call), sample.reply)
        self._results.put_nowait(replace(result, sample=replace(sample, judged=grade)))

    def _exchanged_for(self, server: str, call: Call) -> bool:
        """Whether the server would have to load the judge in the place of what `call` needs."""
        judge = self.grid.judge
        if judge is None or server not in (ALL, server_of(judge.model)):
            return False
        lane = judge_lane(judge)
        needed = loading_of(lane.model, lane.parameters)
        return bool(needed) and needed != self._loading(call)

    async def _judged(self, call: Call, key: str, reply: Reply) -> Judged | None:
        judge = self.grid.judge
        if judge is None or reply.status != "done":
            return None
        asked = Question.of(judge_prompt(judge.rubric, self.grid.prompts[call.prompt].text, reply.text))
        return judged(await self._reply(server_of(judge.model), judge_lane(judge), asked, key + JUDGED))

    async def _reply(self, server: str, lane: Lane, question: Question, key: str) -> Reply:
        """What was kept, or a new answer when there is a place at the server."""
        if (kept := self._kept.get(key)) is not None:
            return kept
        async with self._places.setdefault(server, asyncio.Semaphore(self._at_once)):
            reply = await self._ask(lane, question, key)
        if self._ledger is not None:
            await self._ledger.keep(key, reply)
        return reply

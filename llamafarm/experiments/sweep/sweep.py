"""A sweep as it runs: so many calls at once to each server, results as they come, stopped and resumed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from llamafarm.config.loading import Loading, grouped, loading_of
from llamafarm.config.server import server_of
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import Before, Comparison
from llamafarm.engine.lane import Lane, Question
from llamafarm.experiments.grade import checked, judged
from llamafarm.experiments.judge import judge_prompt
from llamafarm.experiments.ledger import Ledger
from llamafarm.experiments.scheduler import ALL, Items, Scheduled, side_by_side
from llamafarm.experiments.stats.sample import Judged, Sample
from llamafarm.experiments.sweep.grid import Call, Grid, judge_lane

Ask = Callable[[Lane, Question, str], Awaitable[Reply]]  # the last is the call's key, which stays when it is resumed
JUDGED = " judged"  # what the key of a judgement ends in
Item = TypeVar("Item")
AT_ONCE = 4


class SweepLedger(Ledger, Protocol):
    """What remembers a sweep from one process to the next."""

    async def ended(self) -> Mapping[str, Reply]:
        """The replies that were kept before, by key."""
        ...

    async def keep(self, key: str, reply: Reply) -> None:
        """Keep a reply that has just ended; done when it is kept for good, or can't be. Never fails."""
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


class Sweep(Scheduled[SweepLedger]):
    """Runs a grid; see `Scheduled`.

    Each result is told once, in the order in which they end. A call that fails is a result like any other. A server
    that loads its models gets all calls for which it needs the same loaded, and has answered them, before the next
    ones; a judge that it would have to load comes at the end.
    """

    def __init__(
        self,
        grid: Grid,
        ask: Ask,
        *,
        at_once: int = AT_ONCE,
        ledger: SweepLedger | None = None,
        fair: bool = False,
        before: Before | None = None,
    ) -> None:
        super().__init__(at_once, ledger, before, fair=fair)
        self.grid = grid
        self._ask = ask
        self._kept: Mapping[str, Reply] = {}
        self._servers = {model.name: self._server(model) for model in grid.models}
        self._places: dict[str, asyncio.Semaphore] = {}
        self._results: asyncio.Queue[Result] = asyncio.Queue()

    def _planned(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        waiting: dict[str, list[tuple[Loading, Call]]] = {}
        for call in self._calls():
            server = self._servers[call.model]
            waiting.setdefault(server, []).append((self._loading(call), call))
            self._meter.expect(server)
        return {server: self._serve(server, grouped(calls)) for server, calls in waiting.items()}

    async def _recall(self, ledger: SweepLedger) -> None:
        self._kept = {key: reply for key, reply in (await ledger.ended()).items() if reply.status == "done"}

    def _calls(self) -> Iterable[Call]:
        order = [model.name for model in self.grid.models]
        calls = self.grid.calls()
        return sorted(calls, key=lambda call: order.index(call.model)) if self._fair else calls

    async def batches(self, *, heartbeat_s: float | None = None) -> AsyncGenerator[list[Result], None]:
        """The results, gathered, until all calls have ended or the sweep was stopped. To be read once.

        Where nothing ends for `heartbeat_s` seconds an empty batch comes. Raises what a defect of ours raised.
        """
        while not (self._over.is_set() and self._results.empty()):
            batch = await self._gather(heartbeat_s)
            if batch or not self._over.is_set():
                yield batch
        self._raise()

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

    def _loading(self, call: Call) -> Loading:
        lane = self.grid.lane(call)
        return loading_of(lane.model, {**lane.parameters, **self.grid.question(call).parameters})

    async def _serve(self, server: str, groups: Sequence[Sequence[Call]]) -> None:
        """All calls at one server: those of a group side by side, and one group after the other."""
        judged_later: deque[Result] = deque()
        try:
            for group in groups:
                await self._side_by_side(group, partial(self._work, server, judged_later))
            await self._side_by_side(_taken(judged_later), self._judge)
        finally:
            for result in judged_later:  # it was stopped: what was answered is told without a grade
                self._results.put_nowait(result)

    async def _side_by_side(self, left: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
        async def worker(items: Items[Item]) -> None:
            async for item in items:
                await work(item)

        await side_by_side(_each(left), self._at_once, worker)

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


async def _each(items: Iterable[Item]) -> AsyncGenerator[Item, None]:
    for item in items:
        yield item


def _taken(items: deque[Item]) -> Iterator[Item]:
    """What is left in `items`, each taken out as it is begun."""
    while items:
        yield items.popleft()

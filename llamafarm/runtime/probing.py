"""Probes of several models, one after the other, so that none disturbs another: what the faces follow."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import StoreError
from llamafarm.core.events import Event
from llamafarm.core.types import ChatRequest
from llamafarm.engine.lane import Registry
from llamafarm.experiments.probe.outlay import MOST, Outlay, outlay
from llamafarm.experiments.probe.run import Prober
from llamafarm.history.probe import Probe
from llamafarm.pricing import PriceBook
from llamafarm.runtime.keptprobes import subject_of

if TYPE_CHECKING:
    from llamafarm.history.database.history import History

Window = Callable[[NamedModel], Awaitable[int | None]]
Turn = Callable[[], AbstractAsyncContextManager[object]]
Plans = tuple[Outlay, ...]
Keep = Callable[[Probe], Awaitable[None]]


def planned(models: Iterable[NamedModel], prices: PriceBook, window: Callable[[NamedModel], int | None]) -> Plans:
    """What the probe of each model takes at most; `window` gives a model's context where it is known before."""
    asked = tuple(models)
    prices.prepare(asked)
    return tuple(outlay(model, prices.price(model, MOST), window(model)) for model in asked)


async def kept_probes(history: History, models: Iterable[NamedModel]) -> list[Probe | None]:
    """The newest probe that is kept of each of `models`."""
    kept = {probe.subject: probe for probe in await history.newest_probes()}
    return [kept.get(subject_of(model)) for model in models]


@dataclass(frozen=True, slots=True)
class Probing:
    """How far probes are: `doing` with `model` now, the `number`th; `probe` is there as soon as that one has ended."""

    model: str
    number: int
    doing: str
    probe: Probe | None = None


@dataclass(slots=True)
class ProbeRun:
    """Probes of the models of `plans`; nothing is asked before `follow`. What was found until `stop` is kept too.

    `turn` is taken for each model, so that nothing that is measured runs meanwhile. `trouble` says why something was
    not kept.
    """

    plans: Plans
    registry: Registry
    window: Window
    turn: Turn
    keep: Keep
    trouble: str | None = None
    stopped: bool = False
    _now: Prober | None = field(default=None)

    def stop(self) -> None:
        """Leave what is asked now, and ask nothing more."""
        self.stopped = True
        if self._now is not None:
            self._now.stop()

    async def follow(self) -> AsyncGenerator[Probing, None]:
        """What is done now, and each probe as it ends."""
        for number, plan in enumerate(self.plans, 1):
            if self.stopped:
                return
            model = plan.model
            yield Probing(model.name, number, "waiting for its turn")
            async with self.turn():
                prober = self._now = self._prober(plan)
                began = time.perf_counter()
                async with aclosing(prober.steps()) as steps:
                    async for doing in steps:
                        yield Probing(model.name, number, doing)
                self._now = None
            probe = Probe(
                subject=subject_of(model),
                model=model.name,
                probed_at=datetime.now(UTC),
                findings=prober.findings(),
                tokens=prober.spent,
                seconds=time.perf_counter() - began,
                ended=prober.ended,
                long_tokens=prober.long_tokens,
            )
            await self._kept(probe)
            yield Probing(model.name, number, "", probe)

    async def _kept(self, probe: Probe) -> None:
        """What a server never answered says nothing of it, and takes no earlier probe's place."""
        if all(each.mark == "untold" for each in probe.findings):
            return
        try:
            await self.keep(probe)
        except StoreError as error:
            self.trouble = str(error)

    def _prober(self, plan: Outlay) -> Prober:
        async def window() -> int | None:
            return await self.window(plan.model)

        async def ask(request: ChatRequest) -> AsyncGenerator[Event, None]:
            async with aclosing(self.registry.for_model(plan.model).stream(request)) as events:
                async for event in events:
                    yield event

        return Prober(plan.model, ask, window, plan.free)

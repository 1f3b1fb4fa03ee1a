"""The replies of a comparison as they grow: what every face shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.conditions import ProbeMark
from llamafarm.core.events import Event
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Usage
from llamafarm.engine.fold.fold import Fold
from llamafarm.engine.lane import Lane


class Prices(Protocol):
    """What turns usage into money; see `llamafarm.pricing.PriceBook`."""

    def price(self, model: NamedModel, usage: Usage, *, reported_usd: Decimal | None = None) -> Cost:
        """The cost of one answer of `model`."""
        ...


Marks = Callable[[NamedModel], tuple[ProbeMark, ...]]


def unmarked(_: NamedModel) -> tuple[ProbeMark, ...]:
    """No probes."""
    return ()


class Replies:
    """Folds the events of lanes, each once; `now` gives the replies of all lanes at one instant.

    `marks` gives what probes found of a model's server.
    """

    def __init__(self, project: Project, lanes: tuple[Lane, ...], prices: Prices, marks: Marks = unmarked) -> None:
        models = {model.name: model for model in project.models} | {lane.model.name: lane.model for lane in lanes}

        def price(name: str, usage: Usage, usd: Decimal | None) -> Cost:
            return prices.price(models[name], usage, reported_usd=usd)

        self._folds = {lane.id: Fold(lane.id, lane.model, models.__getitem__, price, marks) for lane in lanes}

    def add(self, lane: str, event: Event) -> None:
        """Take the next event of `lane`."""
        self._folds[lane].add(event)

    def reply(self, lane: str) -> Reply:
        """The reply of `lane` so far."""
        return self._folds[lane].reply(time.perf_counter())

    def now(self) -> dict[str, Reply]:
        """Each lane's reply so far, by lane id, in the lanes' order."""
        now = time.perf_counter()
        return {lane: fold.reply(now) for lane, fold in self._folds.items()}

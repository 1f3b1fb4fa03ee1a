"""Collects the conditions of an answer while it runs: whether its model was warmed, and its server shared."""

from __future__ import annotations

from dataclasses import dataclass

from llamafarm.core.conditions import Shared, Sharing, Warmed, WarmUp
from llamafarm.core.events import Event
from llamafarm.engine.tool_loop.turn import Price


@dataclass(slots=True)
class Conditions:
    """Takes what a lane says of them; `price` is that of `Fold`."""

    price: Price
    sharing: Sharing | None = None
    warmup: WarmUp | None = None

    def add(self, event: Event) -> None:
        """Take the next event; others than its own change nothing."""
        match event:
            case Shared(server=server, others=others):
                before = 0 if self.sharing is None else self.sharing.others
                self.sharing = Sharing(server, max(before, others))
            case Warmed():
                cost = self.price(event.model, event.usage, event.usd)
                self.warmup = WarmUp(event.model, event.seconds, event.load_s, event.usage, cost, event.error)

    def give_up(self) -> None:
        """Another model is asked: it shares no server with anybody yet."""
        self.sharing = None

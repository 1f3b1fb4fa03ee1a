"""Runs lanes one at a time, each model warmed before, so that their figures may be compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from llamafarm.core.events import Event, Started, Waiting
from llamafarm.engine.exchange import ITS_TURN
from llamafarm.engine.lane import Lane

TURN = f"{ITS_TURN}: one model is asked at a time"
Events = AsyncGenerator[Event, None]


@dataclass(slots=True)
class Sequential:
    """Lets lanes run one after the other, and has each model warmed before its first lane.

    Lanes at different servers wait for each other too: figures that may be compared need a quiet machine. One
    `Sequential` belongs to one comparison, sweep or batch; `turn` belongs to the process, so that two don't measure
    at once. Lanes of others, which are not fair, run all the same: `Reply.sharing` tells where they were in the way.
    `warmed` are the named models that need no warming any more.
    """

    turn: asyncio.Lock
    warmed: set[str] = field(default_factory=set)

    def opening(self, open_lane: Callable[[Lane], Events], warm: Callable[[Lane], Events]) -> Callable[[Lane], Events]:
        """`open_lane`, in its turn and after `warm`. A lane's spans are measured from when it is really begun."""

        async def opened(lane: Lane) -> Events:
            now = time.perf_counter()
            yield Started(at=now)
            if self.turn.locked():
                yield Waiting(at=now, what=TURN)
            async with self.turn:
                for open_next in [warm, open_lane] if self._is_cold(lane) else [open_lane]:
                    async with aclosing(open_next(lane)) as events:
                        async for event in events:
                            yield event

        return opened

    def _is_cold(self, lane: Lane) -> bool:
        """Whether the model is to be warmed now; only once, whatever comes of it."""
        name = lane.model.name
        if name in self.warmed or not lane.model.usable:
            return False
        self.warmed.add(name)
        return True

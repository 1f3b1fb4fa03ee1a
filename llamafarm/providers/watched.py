"""Tells with how many others a request shares its server: a policy that wraps a provider and is one."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from llamafarm.conditions import Shared
from llamafarm.errors import LlamaFarmError
from llamafarm.events import Event, Loaded, Loading, Sent, TextDelta, is_final
from llamafarm.providers.base import Provider
from llamafarm.providers.servers import Servers, Use
from llamafarm.types import ChatRequest


@dataclass(frozen=True, slots=True)
class Watched:
    """A provider whose requests at `server` are known to `servers`.

    A request is under way from when it is sent until its answer has ended, and while this process loads its model
    (`Loading` before `Sent`). What is told of it changes with the next event, so that a lane that is stopped knows
    what was so when its last one came.
    """

    provider: Provider
    server: str
    servers: Servers

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; `Shared` is told before the first event of the answer, and whenever there are more."""
        use, told, sent = Use(self.server), None, False
        try:
            async with aclosing(self.provider.stream(request)) as events:
                async for event in events:
                    if use.others != told:
                        told = use.others
                        yield _shared(use, event.at)
                    if is_final(event):
                        self.servers.leave(use)
                    yield event
                    if type(event) is not TextDelta and not sent:  # first what comes most often
                        sent = isinstance(event, Sent)
                        self._note(use, event)
        except LlamaFarmError:
            self.servers.leave(use)
            if use.others != told:
                yield _shared(use, time.perf_counter())
            raise
        finally:
            self.servers.leave(use)

    def _note(self, use: Use, event: Event) -> None:
        """Take what happens before the answer; only now, when the event has been told, does a request leave."""
        if isinstance(event, Sent | Loading):
            self.servers.enter(use)
        elif isinstance(event, Loaded):
            self.servers.leave(use)


def _shared(use: Use, at: float) -> Shared:
    return Shared(at=at, server=use.server, others=use.others or 0)

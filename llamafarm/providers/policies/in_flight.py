"""Tells with how many others a request shares its server: a policy that wraps a provider and is one."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from llamafarm.core.conditions import ServerQueued, Shared
from llamafarm.core.errors import LlamaFarmError
from llamafarm.core.events import Event, Loaded, Loading, Sent, TextDelta, Waiting, is_final
from llamafarm.core.types import ChatRequest
from llamafarm.providers.base import Provider
from llamafarm.providers.servers import Servers, Use

BEHIND = "the answer to another request: the server gives one at a time, as far as it is known"


@dataclass(frozen=True, slots=True)
class Watched:
    """A provider whose requests at `server` are known to `servers`.

    A request is under way from when it is sent until its answer has ended, and while this process loads its model
    (`Loading` before `Sent`). What is told of it changes with the next event, so that a lane that is stopped knows
    what was so when its last one came. `one_at_a_time` is the model, where its server gives one answer of a model at a
    time unless it is set otherwise: then a request that comes behind another says that it waits.
    """

    provider: Provider
    server: str
    servers: Servers
    one_at_a_time: str = ""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; `Shared` is told before the first event of the answer, and whenever there are more."""
        use, told, sent = Use(self.server, model=self.one_at_a_time), None, False
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
                        if sent and self.servers.waits(use):
                            yield Waiting(at=event.at, what=BEHIND)
                    elif isinstance(event, ServerQueued):
                        self.servers.waited(use, event.seconds)
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

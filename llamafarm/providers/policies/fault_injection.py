"""Faults that are staged for a demonstration: a policy that wraps a provider and is one.

Everything that it says tells that it is staged, so that no figure of a demonstration passes for a measured one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from llamafarm.core.errors import ConnectFailed, Interrupted, ProviderError, RateLimited, ServerFailed, TimedOut
from llamafarm.core.events import Event, StagedFault, is_content, is_final
from llamafarm.core.types import ChatRequest, Fault
from llamafarm.providers.base import Provider

TIMEOUT_S = 3.0
PIECES = 5  # of the real answer, before it is cut
HINT = "It is staged in this browser tab alone: see “Fault injection” on the page."


@dataclass(frozen=True, slots=True)
class FaultInjection:
    """A provider that fails as `fault` says; `cut` lets the real answer begin. `model` is the named model."""

    provider: Provider
    model: str
    fault: Fault
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`. Raises the ProviderError that a real fault of this kind would raise."""
        yield StagedFault(at=time.perf_counter(), model=self.model, fault=self.fault)
        if self.fault == "cut":
            async with aclosing(self.provider.stream(request)) as events:
                left = PIECES
                async for event in events:
                    if is_final(event):  # a short answer is cut before its end
                        break
                    yield event
                    left -= is_content(event)
                    if left == 0:
                        break
        elif self.fault == "timeout":
            await self.sleep(TIMEOUT_S)
        raise self._error()

    def _error(self) -> ProviderError:
        match self.fault:
            case "refused":
                return ConnectFailed("Staged: nothing listens at the server's address.", hint=HINT)
            case "429":
                return RateLimited("Staged: the server limits the rate (HTTP 429).", hint=HINT)
            case "500":
                return ServerFailed("Staged: the server failed (HTTP 500).", hint=HINT, status=500)
            case "timeout":
                message = f"Staged: nothing of an answer within {TIMEOUT_S:g} s."
                return TimedOut(message, phase="first_token", seconds=TIMEOUT_S, hint=HINT)
            case "cut":
                return Interrupted("Staged: the connection was cut in mid-answer.", hint=HINT)

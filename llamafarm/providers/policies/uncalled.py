"""Tools that are not to be called (`tool_choice: none`). A policy that wraps a provider and is one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from llamafarm.core.errors import ToolsUnsupported
from llamafarm.core.events import Event
from llamafarm.core.parameters import without_tools
from llamafarm.core.types import ChatRequest
from llamafarm.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Uncalled:
    """Asks a model that can't use tools again without them: it was to call none."""

    provider: Provider

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`."""
        for asked in (request, without_tools(request)):
            with suppress(ToolsUnsupported):
                async with aclosing(self.provider.stream(asked)) as events:
                    async for event in events:
                        yield event
                return

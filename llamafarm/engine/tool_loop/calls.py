"""The calls of one turn: all run together, each is told as it goes, and each has a result."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from llamafarm.config.model import Project
from llamafarm.core.events import Event, ToolHeld, ToolReturned, ToolStarted
from llamafarm.core.types import JsonValue, Tool, ToolCall
from llamafarm.engine.tool_loop.functions import arguments_of
from llamafarm.tools.base import Offer, ToolResult
from llamafarm.tools.results import cut

log = logging.getLogger(__name__)

# (lane, tool, call, what would be sent) -> why it is not to be made; None: it may be.
Approve = Callable[[str, Tool, ToolCall, Mapping[str, JsonValue]], Awaitable[str | None]]
DENIED = "The person who watches did not allow this call. Go on without it."
NOT_ARGUMENTS = "The arguments are not a JSON object in which each name stands once: write them anew."


class Servers(Protocol):
    """What runs tools; see `llamafarm.tools.McpServers`."""

    async def offer(self, project: Project, servers: Sequence[str], taken: Collection[str] = ()) -> Offer:
        """The tools of the project's `servers`, under names that are not among `taken`."""
        ...

    async def call(self, project: Project, tool: Tool, arguments: Mapping[str, JsonValue]) -> ToolResult:
        """The result of one call; never raises but for cancelling."""
        ...

    def running(self, project: Project) -> frozenset[str]:
        """The names of the servers that are up."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Runs the calls of one lane. `approve`, where given, is asked before each.

    It is told what is then sent, the very object, and its refusal is told to the model.
    """

    lane: str
    project: Project
    servers: Servers
    tools: Mapping[str, Tool]
    approve: Approve | None = None

    async def run(self, calls: Sequence[ToolCall], limit: int) -> AsyncGenerator[Event, None]:
        """The events of `calls`, one `ToolReturned` each; results are cut to `limit` characters.

        Closing it cancels what still runs, at the servers too.
        """
        events: asyncio.Queue[Event] = asyncio.Queue()
        tasks = [
            asyncio.create_task(self._one(call, limit, events.put_nowait), name=f"tool {call.name}") for call in calls
        ]
        try:
            left = len(tasks)
            while left:
                event = await events.get()
                left -= isinstance(event, ToolReturned)
                yield event
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, call: ToolCall, limit: int, tell: Callable[[Event], None]) -> None:
        tool = self.tools.get(call.name)
        try:
            returned = await self._returned(call, tool, tell)
        except Exception:
            log.exception("the call of %s failed unexpectedly", call.name)
            returned = _answer(call, tool, "The playground itself failed here: its log has the details.")
        tell(_cut(returned, limit))

    async def _returned(self, call: ToolCall, tool: Tool | None, tell: Callable[[Event], None]) -> ToolReturned:
        if tool is None:
            return _answer(call, tool, f"There is no tool {call.name}. The tools are: {', '.join(self.tools)}.")
        arguments = arguments_of(call.arguments)
        if arguments is None:
            return _answer(call, tool, NOT_ARGUMENTS)
        if self.approve is not None:
            tell(ToolHeld(at=time.perf_counter(), call_id=call.id))
            refusal = await self.approve(self.lane, tool, call, arguments)
            if refusal is not None:
                return _answer(call, tool, refusal, denied=True)
        began = time.perf_counter()
        tell(ToolStarted(at=began, call_id=call.id, server=tool.server, tool=tool.name))
        result = await self.servers.call(self.project, tool, arguments)
        now = time.perf_counter()
        return ToolReturned(
            at=now,
            call_id=call.id,
            server=tool.server,
            tool=tool.name,
            text=result.text,
            is_error=result.is_error,
            seconds=now - began,
        )


def _answer(call: ToolCall, tool: Tool | None, text: str, *, denied: bool = False) -> ToolReturned:
    """The return of a call that was not made."""
    server, name = (tool.server, tool.name) if tool else ("", "")
    return ToolReturned(
        at=time.perf_counter(), call_id=call.id, server=server, tool=name, text=text, is_error=True, denied=denied
    )


def _cut(returned: ToolReturned, limit: int) -> ToolReturned:
    return replace(returned, text=cut(returned.text, limit))

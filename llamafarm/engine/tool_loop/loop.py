"""The tool loop of one model: it asks for tools, we call them, it is asked again, until it answers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Set
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import count

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import ContextTooLong, ToolsUnsupported
from llamafarm.core.events import (
    Asking,
    Event,
    Finished,
    NextTurn,
    Reclassified,
    TextDelta,
    ToolCalled,
    ToolReturned,
    ToolsOffered,
    ToolStarted,
    Waiting,
)
from llamafarm.core.parameters import without_tools
from llamafarm.core.types import TOOL_TURNS, ChatRequest, Message, Tool, ToolCall
from llamafarm.engine.fold.metrics import estimated_input
from llamafarm.engine.tool_loop.calls import Approve, Caller, Servers
from llamafarm.engine.tool_loop.functions import function_names, function_of, sendable
from llamafarm.providers.base import Provider
from llamafarm.providers.policies.prompted import Prompted
from llamafarm.providers.policies.uncalled import Uncalled

USUAL_WINDOW = 32_000  # tokens, where nobody tells
CHARACTERS_A_TOKEN = 3  # low, so that what is cut to so many tokens surely is no more
LEAST = 300  # characters of a result that the model gets, however little room there is
MISSES = 2  # turns in a row in which no call reached a tool: more of them lead nowhere


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What lanes need to run tools.

    `window` gives a model's context in tokens, None where nobody tells. `approve`, where given, is awaited before each
    call with the lane's id, the tool and the call; False is an answer to the model.
    """

    servers: Servers
    window: Callable[[NamedModel], int | None]
    approve: Approve | None = None


@dataclass(slots=True)
class _Turn:
    """What the model said in one turn, and what its calls gave."""

    text: StringIO = field(default_factory=StringIO)
    calls: list[ToolCall] = field(default_factory=list)
    finished: Finished | None = None
    returned: dict[str, str] = field(default_factory=dict)
    reached: bool = False

    def end(self) -> Finished:
        """How the turn ended."""
        return self.finished or _unended()

    def messages(self) -> list[Message]:
        """The turn as the model is told of it when it is asked again."""
        results = [Message("tool", self.returned[call.id], tool_call_id=call.id) for call in self.calls]
        return [Message("assistant", self.text.getvalue(), tuple(map(sendable, self.calls))), *results]


@dataclass(frozen=True, slots=True)
class Answering:
    """One model's answer, with as many turns as its tools take; without a `box` no tool is run."""

    lane: str
    project: Project
    model: NamedModel
    provider: Provider
    box: Toolbox | None = None

    def events(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """The events of the answer, `Finished` last. `Asking` tells the request as it is made.

        A model that can't use tools is asked without those of MCP servers, and `ToolsOffered` says so. Raises what the
        provider raises.
        """
        if self.box is None or not self.model.mcp_servers:
            return self._once(request)
        return self._equipped(request, self.box.servers)

    async def _once(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """One turn: there is nothing that we could call. What the model calls is for the asker to answer."""
        yield Asking(at=time.perf_counter(), model=self.model.name, request=request)
        seen: set[str] = set()
        ended = False
        async with aclosing(self._asked(request)) as events:
            async for event in events:
                if isinstance(event, TextDelta):  # first what comes most often
                    yield event
                elif isinstance(event, ToolCalled):
                    yield _told_apart(event, seen)
                else:
                    ended = isinstance(event, Finished)
                    yield event
        if not ended:
            yield _unended()

    async def _equipped(self, request: ChatRequest, servers: Servers) -> AsyncGenerator[Event, None]:
        """As many turns as it takes, with the tools of MCP servers."""
        offered = ToolsOffered(at=0.0, tools=(), missing={})
        async with aclosing(self._offer(request, servers)) as events:
            async for event in events:
                yield event
                offered = event if isinstance(event, ToolsOffered) else offered
        tools = {tool.call_name: tool for tool in offered.tools}
        equipped = replace(request, tools=(*request.tools, *map(function_of, offered.tools))) if tools else request
        try:
            async with aclosing(self._turns(equipped, tools, function_names(request.tools))) as events:
                async for event in events:
                    yield event
        except ToolsUnsupported as error:
            if request.tools or not tools:
                raise
            why = {tool.server: str(error) for tool in offered.tools}
            yield ToolsOffered(at=time.perf_counter(), tools=(), missing={**offered.missing, **why})
            async with aclosing(self._once(request)) as events:
                async for event in events:
                    yield event

    async def _offer(self, request: ChatRequest, servers: Servers) -> AsyncGenerator[Event, None]:
        names, began = self.model.mcp_servers, time.perf_counter()
        starting = [name for name in names if name not in servers.running(self.project)]
        if starting and self.project.trusted:
            yield Waiting(at=began, what=f"MCP server {', '.join(starting)}")
        offer = await servers.offer(self.project, names, function_names(request.tools))
        now = time.perf_counter()
        yield ToolsOffered(at=now, tools=offer.tools, missing=offer.missing, seconds=now - began)

    async def _turns(
        self, request: ChatRequest, tools: Mapping[str, Tool], declared: Set[str]
    ) -> AsyncGenerator[Event, None]:
        """Turn after turn; `declared` are functions that the asker answers: a call of one ends the answer."""
        yield Asking(at=time.perf_counter(), model=self.model.name, request=request)
        seen: set[str] = set()
        misses = 0
        for number in count(1):
            turn = _Turn()
            async with aclosing(self._ask(request, turn, seen, first=number == 1)) as events:
                async for event in events:
                    yield event
            if not tools or not turn.calls or any(call.name in declared for call in turn.calls):
                yield turn.end()
                return
            if number > self.model.max_tool_turns or misses >= MISSES:
                yield Finished(at=turn.end().at, reason=TOOL_TURNS)
                return
            async with aclosing(self._call(request, turn, tools)) as events:
                async for event in events:
                    yield event
            misses = 0 if turn.reached else misses + 1
            request = replace(request, messages=(*request.messages, *turn.messages()))
            yield NextTurn(at=time.perf_counter(), turn=number + 1, request=request)

    async def _ask(
        self, request: ChatRequest, turn: _Turn, seen: set[str], *, first: bool
    ) -> AsyncGenerator[Event, None]:
        """One turn of the model, but for its `Finished`, which is kept in `turn`; no two calls have the same id."""
        try:
            async with aclosing(self._asked(request)) as events:
                async for event in events:
                    match event:
                        case Finished():
                            turn.finished = event
                            continue
                        case TextDelta(text=text):
                            turn.text.write(text)
                        case Reclassified():
                            turn.text = StringIO()
                        case ToolCalled():
                            own = _told_apart(event, seen)
                            turn.calls.append(own.call)
                            yield own
                            continue
                    yield event
        except ContextTooLong:
            if first:
                raise
            turn.finished = Finished(at=time.perf_counter(), reason="length")

    async def _call(self, request: ChatRequest, turn: _Turn, tools: Mapping[str, Tool]) -> AsyncGenerator[Event, None]:
        if self.box is None:
            return
        caller = Caller(self.lane, self.project, self.box.servers, tools, self.box.approve)
        limit = self._room(request) // len(turn.calls)
        async with aclosing(caller.run(turn.calls, max(limit, LEAST))) as events:
            async for event in events:
                match event:
                    case ToolReturned(call_id=call_id, text=text, denied=denied):
                        turn.returned[call_id] = text
                        turn.reached = turn.reached or denied
                    case ToolStarted():
                        turn.reached = True
                yield event

    def _asked(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        if self.model.tool_call_strategy == "prompt_based":
            return Prompted(self.provider, self._window()).stream(request)
        if not request.tools:
            return self.provider.stream(without_tools(request))
        if request.parameters.get("tool_choice") == "none":
            return Uncalled(self.provider).stream(request)
        return self.provider.stream(request)

    def _window(self) -> int:
        return (self.box and self.box.window(self.model)) or USUAL_WINDOW

    def _room(self, request: ChatRequest) -> int:
        """Characters that a turn's results may have: a quarter of the context, while a quarter stays for the answer."""
        window, given = self._window(), estimated_input(request)
        left = window * 3 // 4 - (given.value if given else 0)
        return min(left, window // 4) * CHARACTERS_A_TOKEN


def _unended() -> Finished:
    """The end of an answer whose provider tells none."""
    return Finished(at=time.perf_counter(), reason="unknown")


def _told_apart(called: ToolCalled, seen: set[str]) -> ToolCalled:
    """`called` with an id that no call of this lane has; `seen` are those which there are."""
    return replace(called, call=replace(called.call, id=_different(called.call.id, seen)))


def _different(call_id: str, seen: set[str]) -> str:
    """`call_id`, or one made of it that no call of this lane has: some servers count anew in each turn."""
    own = next(name for number in count(1) if (name := call_id if number == 1 else f"{call_id}_{number}") not in seen)
    seen.add(own)
    return own

"""A scripted provider: says what it is told to, when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.core.events import Event, Finished, TextDelta, ToolCalled
from llamafarm.core.types import ChatRequest, Cost, JsonValue, Tool, ToolCall, Usage
from llamafarm.providers.base import Provider
from llamafarm.tools.base import Offer, ToolResult

Step = str | Event | asyncio.Event | BaseException | Callable[[], None]


class Scripted:
    """A provider that plays `steps`: text to say, an event to tell, a gate to wait for, an error to raise."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.requests: list[ChatRequest] = []
        self.closed = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        try:
            for step in self._steps:
                match step:
                    case str():
                        yield TextDelta(at=time.perf_counter(), text=step)
                    case asyncio.Event():
                        await step.wait()
                    case BaseException():
                        raise step
                    case Event():
                        yield step
                    case _:
                        step()
            if not isinstance(self._steps[-1] if self._steps else None, Finished):
                yield Finished(at=time.perf_counter(), reason="stop")
        finally:
            self.closed.set()


class Counting:
    """A provider that knows how many answers are going on, and what was asked; a gate holds them until it is open."""

    def __init__(self, expected: int = 0) -> None:
        self.now = self.most = 0
        self.gate, self.full = asyncio.Event(), asyncio.Event()
        self.expected = expected
        self.asked: list[str] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        self.now += 1
        self.most = max(self.most, self.now)
        self.asked.append(request.messages[-1].content)
        if self.now == self.expected:
            self.full.set()
        try:
            await self.gate.wait()
            async for event in Scripted("yes").stream(request):
                yield event
        finally:
            self.now -= 1


class Turns:
    """A provider that plays the next script each time it is asked, and the last one ever after."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self._scripts = [Scripted(*steps) for steps in scripts]
        self.requests: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(request)
        async with aclosing(script.stream(request)) as events:
            async for event in events:
                yield event


def asks(name: str, arguments: str = "{}", call_id: str = "c1") -> ToolCalled:
    """The model asks for a tool."""
    return ToolCalled(at=time.perf_counter(), call=ToolCall(call_id, name, arguments))


ToolStep = ToolResult | asyncio.Event | BaseException


class FakeServers:
    """MCP servers that offer `tools` and answer each call from its script: gates are waited for, then a result."""

    def __init__(self, *tools: Tool, missing: Mapping[str, str] | None = None, **scripts: Sequence[ToolStep]) -> None:
        self._offer = Offer(tools, missing or {})
        self._scripts = scripts
        self.calls: list[tuple[str, Mapping[str, JsonValue]]] = []
        self.began = asyncio.Event()
        self.cancelled: list[str] = []

    async def offer(self, project: Project, servers: Sequence[str], taken: Collection[str] = ()) -> Offer:
        return self._offer

    def running(self, project: Project) -> frozenset[str]:
        return frozenset()

    async def call(self, project: Project, tool: Tool, arguments: Mapping[str, JsonValue]) -> ToolResult:
        self.calls.append((tool.name, arguments))
        self.began.set()
        try:
            for step in self._scripts.get(tool.name, ()):
                match step:
                    case asyncio.Event():
                        await step.wait()
                    case BaseException():
                        raise step
                    case _:
                        return step
        except asyncio.CancelledError:
            self.cancelled.append(tool.name)
            raise
        return ToolResult(f"{tool.name} was called")


def tool(name: str, server: str = "fs", call_name: str | None = None) -> Tool:
    return Tool(server, name, call_name or name, f"To {name}.", {"type": "object", "properties": {}})


class Registry:
    """Gives each named model the provider that the test scripted for it."""

    def __init__(self, providers: Mapping[str, Provider | LlamaFarmError]) -> None:
        self._providers = providers

    def for_model(self, model: NamedModel) -> Provider:
        provider = self._providers[model.name]
        if isinstance(provider, LlamaFarmError):
            raise provider
        return provider


class FlatPrices:
    """A thousandth of a dollar a token."""

    def price(self, model: NamedModel, usage: Usage, *, reported_usd: Decimal | None = None) -> Cost:
        if reported_usd is not None:
            return Cost(reported_usd, "reported")
        count = sum(part.value for part in (usage.input, usage.output) if part is not None)
        return Cost(Decimal(count) / 1000, "config", estimated=usage.source == "estimated")


def model(name: str, **settings: object) -> NamedModel:
    return NamedModel.model_validate(
        {"name": name, "provider": "openai", "model": f"{name}-id", "base_url": "http://127.0.0.1:9/v1"} | settings
    )


def project(models: Sequence[NamedModel], **settings: object) -> Project:
    return Project.model_validate(
        {"namespace": "default", "name": "test", "models": tuple(models), "default_model": models[0].name} | settings
    )


def unusable(name: str) -> LlamaFarmError:
    return RequestError(f"{name} can't be used.", hint="Set the variable X.")

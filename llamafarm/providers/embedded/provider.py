"""Embedded models: llama.cpp on this machine, one process a file, shared by all named models that use it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from llamafarm.config.model import NamedModel
from llamafarm.config.profiles import EMBEDDED
from llamafarm.core.errors import MissingPartError, ModelUnusable, RequestRejected, ToolsUnsupported
from llamafarm.core.events import Event, Loaded, Loading, Ready, Waiting
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.providers.base import Provider
from llamafarm.providers.embedded.limits import check_request
from llamafarm.providers.embedded.llama_cpp import LlamaServer, model_file, need_library, start, stop
from llamafarm.providers.http.client import Client
from llamafarm.providers.openai import OpenAICompatible

PROPS_S = 5.0  # for what a server that is up says of itself


@dataclass(slots=True)
class _Running:
    """A server that is up: where, whether its model knows tools and sees pictures, and its free places."""

    server: LlamaServer
    supports_tools: bool
    sees: bool
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EMBEDDED.places))


class EmbeddedModels:
    """The embedded models of the playground. An async context manager: leaving it stops all servers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._servers: dict[Path, asyncio.Task[_Running]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._servers.values())
        self._servers.clear()
        for task in tasks:
            task.cancel()  # what is still being loaded is no longer wanted
        await asyncio.gather(*tasks, return_exceptions=True)
        up = [task.result().server for task in tasks if not task.cancelled() and task.exception() is None]
        await asyncio.gather(*(stop(server) for server in up))

    def provider(self, model: NamedModel) -> Provider:
        """The provider of an embedded model; its file is loaded when it is first asked."""
        return Embedded(model, self._client, self)

    def trouble(self, model: NamedModel) -> str | None:
        """In a sentence why `model` can't be asked on this machine; None where it can. Blocks, and loads nothing."""
        try:
            model_file(model.model)
            need_library()
        except (MissingPartError, ModelUnusable) as error:
            return str(error)
        return None

    def loaded(self) -> tuple[str, ...]:
        """The names of the model files that are in memory."""
        up = (path.name for path, task in self._servers.items() if task.done() and not _is_gone(task))
        return tuple(sorted(up))

    def running(self, path: Path) -> asyncio.Task[_Running]:
        """The server of `path`: started now, being started, or up. One that failed or has ended is started anew."""
        task = self._servers.get(path)
        if task is None or _is_gone(task):
            task = self._servers[path] = asyncio.create_task(self._start(path), name=f"load {path.name}")
        return task

    async def _start(self, path: Path) -> _Running:
        server = await start(path)
        try:
            headers = {"Authorization": f"Bearer {server.key}", "Connection": "close"}
            async with (
                asyncio.timeout(PROPS_S),
                aclosing(await self._client.send("GET", f"{server.address}/props", headers=headers)) as response,
            ):
                await response.aread()
                props = response.json()
        except BaseException:
            await stop(server)
            raise
        tools = props.get("chat_template_caps", {}).get("supports_tools")
        return _Running(server, bool(tools), bool(props.get("modalities", {}).get("vision")))


def _is_gone(task: asyncio.Task[_Running]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None or not task.result().server.up)


@dataclass(frozen=True, slots=True)
class Embedded:
    """One named model on this machine."""

    model: NamedModel
    client: Client
    home: EmbeddedModels

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; `Loading` and `Loaded` where its file is not in memory yet.

        Raises RequestRejected for parameters that are not known or out of bounds and for pictures that the model can't
        see, ToolsUnsupported for tools that its chat template would silently leave out.
        """
        check_request(request)
        asked = time.perf_counter()
        path = await asyncio.to_thread(model_file, self.model.model)
        task = self.home.running(path)
        if not task.done():
            yield Loading(at=asked, what=path.name)
            await asyncio.shield(task)
            now = time.perf_counter()
            yield Loaded(at=now, seconds=now - asked)
        running = await asyncio.shield(task)
        if request.tools and not running.supports_tools:
            raise ToolsUnsupported(
                f"{self.model.model} can't use tools: its chat template has no place for them.",
                hint="Set tool_call_strategy: prompt_based.",
            )
        if not running.sees and any(message.images for message in request.messages):
            raise RequestRejected(f"{self.model.model} can't see pictures: it takes text alone.")
        waiting_since = time.perf_counter()
        if running.slots.locked():
            yield Waiting(at=waiting_since, what=f"one of the {EMBEDDED.places} places of {path.name}")
        async with running.slots:
            now = time.perf_counter()
            yield Ready(at=now, waited_s=now - waiting_since)
            inner = _OverHttp(self._at(running.server), self.client)
            async with aclosing(inner.stream(request)) as events:
                async for event in events:
                    yield event

    def _at(self, server: LlamaServer) -> NamedModel:
        address = {"base_url": f"{server.address}/v1", "api_key": SecretStr(server.key), "key_variable": None}
        return self.model.model_copy(update=address)


class _OverHttp(OpenAICompatible):
    """The server's own quirks: a connection for each answer, and counts with every token, also for stopped answers."""

    def payload(self, request: ChatRequest) -> dict[str, JsonValue]:
        return {**super().payload(request), "timings_per_token": True}

    def headers(self) -> dict[str, str]:
        """After a stream the server often closes a connection that it said to keep."""
        return {**super().headers(), "Connection": "close"}

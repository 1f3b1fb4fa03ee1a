"""Asking one model over a real connection, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import ProviderError
from llamafarm.core.events import Event, ReasoningDelta, TextDelta
from llamafarm.core.types import ChatRequest, Message
from llamafarm.providers.base import Provider
from llamafarm.providers.embedded.llama_cpp import LlamaServer
from llamafarm.providers.embedded.provider import EmbeddedModels, _Running
from llamafarm.providers.http.client import Client, open_client
from llamafarm.providers.policies.retry import Pauses
from llamafarm.providers.registry import Providers

PROMPT = "Tell me what llamas eat, and nothing else: this sentence must never appear in an error message."
REQUEST = ChatRequest((Message("user", PROMPT),), {"temperature": 0.5})
KEY = "sk-very-secret-key-1234567890"
NO_RETRY = Pauses(tries=1)
QUICK = Pauses(tries=3, first_s=0.001)


def named(provider: str, url: str, **settings: Any) -> NamedModel:
    fields = {"name": "lane", "provider": provider, "model": "llama3.1:8b", "base_url": url, "api_key": KEY}
    return NamedModel.model_validate(fields | {"key_variable": "LANE_KEY"} | settings)


class StandIn(EmbeddedModels):
    """The server at `url` in place of llama.cpp's process."""

    def __init__(self, client: Client, url: str) -> None:
        super().__init__(client)
        self._url = url

    async def _start(self, _: Path) -> _Running:
        server = cast("LlamaServer", SimpleNamespace(address=self._url, key=KEY, up=True))
        return _Running(server, supports_tools=True, sees=True)

    async def __aexit__(self, *_: object) -> None:
        """There is no process to end."""


@asynccontextmanager
async def asking(model: NamedModel, pauses: Pauses = NO_RETRY) -> AsyncIterator[Provider]:
    async with open_client() as client:
        home = StandIn(client, model.base_url) if model.base_url else EmbeddedModels(client)
        async with home as embedded:
            yield Providers(client, embedded.provider, pauses).for_model(model)


async def ask(
    model: NamedModel, pauses: Pauses = NO_RETRY, request: ChatRequest = REQUEST
) -> tuple[list[Event], ProviderError | None]:
    """All events, and the error where it ended in one."""
    events: list[Event] = []
    try:
        async with asking(model, pauses) as provider, aclosing(provider.stream(request)) as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 - what came before an error must be kept
    except ProviderError as error:
        return events, error
    return events, None


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasoning_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))

"""Which models a server has in memory: what it says before the clock starts, and what has answered since.

Ollama tells it by GET /api/ps (https://github.com/ollama/ollama/blob/main/docs/api.md#list-running-models). Its
`load_duration` is never zero and holds the wait for other models, so that it alone doesn't say whether one was loaded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import LlamaFarmError
from llamafarm.core.events import Event, Loaded
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.providers.base import Provider
from llamafarm.providers.http.body import response_body
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import parse
from llamafarm.providers.ollama import Ollama, ollama_address

LOOK_S = 0.5  # for all servers' answers
KNOWN_S = 240.0  # a model is kept for five minutes after its last answer, unless told otherwise
BEYOND_DOUBT_S = 0.35  # of loading: with the model in memory 0.17.4 told up to 0.25 s on a busy machine


@dataclass(slots=True)
class _Held:
    """What is known of one server: when it was asked, and by model the context it has and when that was known."""

    asked: float
    models: dict[str, tuple[int | None, float]] = field(default_factory=dict)


@dataclass(slots=True)
class Residency:
    """The models in memory by server, as far as this process knows. `clock` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    _servers: dict[str, _Held] = field(default_factory=dict)

    async def look(self, models: Iterable[NamedModel], client: Client, *, known_s: float = 0.0) -> None:
        """Ask each server of `models` that tells; one that was asked within `known_s` seconds is not asked again.

        Never fails, and takes no longer than half a second.
        """
        asked: dict[str, NamedModel] = {}
        for model in models:
            held = self._servers.get(_server(model))
            if model.provider == "ollama" and model.usable and (held is None or self.clock() - held.asked > known_s):
                asked.setdefault(_server(model), model)
        if not asked:
            return
        tasks = [asyncio.create_task(self._ask(model, client), name=f"models at {url}") for url, model in asked.items()]
        _, late = await asyncio.wait(tasks, timeout=LOOK_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, model: NamedModel, client: Client) -> None:
        exchange, deadlines = Ollama(model, client).running(), Deadlines(model.timeout)
        try:
            with deadlines:
                async with aclosing(await exchange.answered(deadlines)) as response:
                    told = _models(parse(await exchange.whole(response_body(response), deadlines)))
        except (LlamaFarmError, ValueError):
            return
        now = self.clock()
        self._servers[_server(model)] = _Held(now, {name: (context, now) for name, context in told.items()})

    def holds(self, model: NamedModel, request: ChatRequest) -> bool | None:
        """Whether `model` is in memory as `request` wants it; None where that is not known.

        A server with others in memory may have it under another's name: both are the same file.
        """
        held = self._servers.get(_server(model))
        if held is None:
            return None
        context, at = held.models.get(_name(model), (None, held.asked))
        if self.clock() - at > KNOWN_S:
            return None
        if _name(model) not in held.models:
            return None if held.models else False
        wanted = request.parameters.get("num_ctx")
        return wanted is None or context is None or context == wanted

    def context(self, model: NamedModel) -> int | None:
        """How many tokens of context `model` has in its server's memory, where that was told."""
        held = self._servers.get(_server(model))
        return None if held is None else held.models.get(_name(model), (None, 0.0))[0]

    def answered(self, model: NamedModel, request: ChatRequest) -> None:
        """It is in memory now, as `request` wanted it."""
        now = self.clock()
        held = self._servers.setdefault(_server(model), _Held(now))
        wanted = request.parameters.get("num_ctx")
        known = held.models.get(_name(model), (None, now))[0]
        held.models[_name(model)] = (wanted if isinstance(wanted, int) else known, now)


@dataclass(frozen=True, slots=True)
class LoadTold:
    """A provider of Ollama's whose `Loaded` means it: the model was not in memory, or it took too long for a doubt."""

    provider: Provider
    model: NamedModel
    residency: Residency

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`."""
        held = self.residency.holds(self.model, request)
        async with aclosing(self.provider.stream(request)) as events:
            async for event in events:
                if not isinstance(event, Loaded):
                    yield event
                    continue
                if held is False or event.seconds >= BEYOND_DOUBT_S:
                    yield event
                self.residency.answered(self.model, request)


def _server(model: NamedModel) -> str:
    return ollama_address(model)


def _name(model: NamedModel) -> str:
    return model.model if ":" in model.model else f"{model.model}:latest"


def _models(body: JsonValue) -> Mapping[str, int | None]:
    """The contexts of the models in memory by name. Raises ValueError where it is no such list."""
    listed = body.get("models") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not (listed is None or isinstance(listed, list)):
        raise ValueError("no list of models")
    found: dict[str, int | None] = {}
    for entry in listed or ():
        name = entry.get("name") or entry.get("model") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(name, str):
            context = entry.get("context_length")
            found[name] = context if isinstance(context, int) else None
    return found

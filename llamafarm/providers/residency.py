"""Tracks which models a server has in memory: its own list before the clock starts, and the answers since.

Ollama tells it by GET /api/ps (https://github.com/ollama/ollama/blob/main/docs/api.md#list-running-models). Its
`load_duration` is never zero and holds the wait for other models, so that it alone doesn't say whether one was loaded.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime

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


@dataclass(frozen=True, slots=True)
class _Listed:
    """A model in a server's list: its context, for how many seconds it is kept, and whether a part of it had no room
    on the graphics card.
    """

    context: int | None = None
    kept_s: float = math.inf
    spilled: bool = False


@dataclass(slots=True)
class _Held:
    """What is known of one server: when it was asked, and by model the context it has and when that was known.

    `listed` are those that it told when it was asked; `full`: there is no room for more on its graphics card. `apart`
    are pairs of which one took the other's place. `brief` are those that were asked to be kept for a time of their own:
    that they are gone says nothing.
    """

    asked: float
    models: dict[str, tuple[int | None, float]] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    full: bool = False
    apart: set[frozenset[str]] = field(default_factory=set)
    brief: set[str] = field(default_factory=set)

    def replaced(self, told: Mapping[str, _Listed], now: float) -> set[frozenset[str]]:
        """The pairs of which one took the other's place, once the server lists `told`.

        A model that was in memory a moment ago and is gone before its time made room for one that was not there with
        it. Pairs that are there together now are none.
        """
        found = {pair for pair in self.apart if not pair <= told.keys()}
        for name, (_, at) in self.models.items():
            if name in told or name in self.brief:
                continue
            for other, listed in told.items():
                together = {name, other} <= self.listed
                if not together and now - at < min(listed.kept_s, KNOWN_S):
                    found.add(frozenset((name, other)))
        return found


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
            if model.profile.tells_loaded and model.usable and (held is None or self.clock() - held.asked > known_s):
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
        now, before = self.clock(), self._servers.get(_server(model), _Held(0.0))
        self._servers[_server(model)] = _Held(
            now,
            {name: (each.context, now) for name, each in told.items()},
            frozenset(told),
            any(each.spilled for each in told.values()),
            before.replaced(told, now),
            before.brief & told.keys(),
        )

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

    def listed(self, model: NamedModel) -> bool:
        """Whether `model` was in memory when its server was last asked."""
        held = self._servers.get(_server(model)) if model.profile.tells_loaded else None
        return held is not None and _name(model) in held.listed

    def apart(self, first: NamedModel, second: NamedModel) -> bool:
        """Whether two models of one server are known not to be in memory together.

        One took the other's place before, or the graphics card has no room and they are not both there.
        """
        if not (first.profile.tells_loaded and second.profile.tells_loaded) or _server(first) != _server(second):
            return False
        held, pair = self._servers.get(_server(first)), frozenset((_name(first), _name(second)))
        if held is None or len(pair) == 1:
            return False
        return pair in held.apart or (held.full and not pair <= held.listed)

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
        if "keep_alive" in request.parameters or "keep_alive" in model.extra_body:
            held.brief.add(_name(model))


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


def _models(body: JsonValue) -> Mapping[str, _Listed]:
    """The models in memory by name. Raises ValueError where it is no such list."""
    listed = body.get("models") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not (listed is None or isinstance(listed, list)):
        raise ValueError("no list of models")
    found: dict[str, _Listed] = {}
    for entry in listed or ():
        name = entry.get("name") or entry.get("model") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(name, str):
            context, size, on_card = (entry.get(key) for key in ("context_length", "size", "size_vram"))
            found[name] = _Listed(
                context if isinstance(context, int) else None,
                _seconds_until(entry.get("expires_at")),
                isinstance(size, int) and isinstance(on_card, int) and 0 < on_card < size,
            )
    return found


def _seconds_until(instant: JsonValue) -> float:
    """The seconds until an instant in ISO 8601; endless where it is none."""
    try:
        return (datetime.fromisoformat(str(instant)) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.inf

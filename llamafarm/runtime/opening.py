"""Opening: all once, and closing it once."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from llamafarm.config.library import open_library
from llamafarm.history.database.connecting.place import place_of
from llamafarm.history.database.store import open_store
from llamafarm.pricing import PriceBook
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from llamafarm.providers.registry import Providers
from llamafarm.runtime.generations import Generations
from llamafarm.runtime.runtime import Runtime, history_of, switched_off
from llamafarm.tools import McpServers

if TYPE_CHECKING:
    from llamafarm.history.database.history import History


@asynccontextmanager
async def open_runtime(
    configs: Sequence[Path] = (), *, record: bool = True, generations: int | None = None
) -> AsyncIterator[Runtime]:
    """Open the operator's projects, the store, connections, the homes of embedded models and MCP servers; close them.

    `record` is False where nothing shall be kept; `generations`: lanes that one caller may have running.
    Raises ConfigError where one of `configs` is not there, RequestError where `LF_DATABASE_URL` names no database.
    """
    library = open_library(configs)
    place = place_of(os.environ) if record else None
    opening = open_store(place) if place else nullcontext()
    async with opening as store, open_client() as client, EmbeddedModels(client) as embedded, McpServers() as tools:
        providers = Providers(client, embedded=embedded.provider)
        limit = Generations(generations)
        yield Runtime(library, providers, PriceBook(), tools, embedded=embedded, store=store, generations=limit)


@asynccontextmanager
async def open_history() -> AsyncIterator[History]:
    """What was recorded, without all the rest. Raises StoreError where recording is switched off."""
    place = place_of(os.environ)
    if place is None:
        raise switched_off()
    async with open_store(place) as store:
        yield history_of(store)

"""Opening: all once, and closing it once."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from llamafarm.config.library import open_library
from llamafarm.pricing import PriceBook
from llamafarm.providers.embedded import EmbeddedModels
from llamafarm.providers.http.client import open_client
from llamafarm.providers.registry import Providers
from llamafarm.runtime.runtime import Runtime, history_of, switched_off
from llamafarm.store.place import place_of
from llamafarm.store.store import open_store
from llamafarm.tools import McpServers

if TYPE_CHECKING:
    from llamafarm.store.history import History

SWITCH_S = 0.0005


@asynccontextmanager
async def open_runtime(configs: Sequence[Path] = (), *, record: bool = True) -> AsyncIterator[Runtime]:
    """Open the operator's projects, the store, connections, the homes of embedded models and MCP servers; close them.

    `record` is False where nothing shall be kept. Raises ConfigError where one of `configs` is not there, RequestError
    where `LF_DATABASE_URL` names no database.
    """
    library = open_library(configs)
    place = place_of(os.environ) if record else None
    opening = open_store(place) if place else nullcontext()
    async with opening as store, open_client() as client, EmbeddedModels(client) as embedded, McpServers() as tools:
        providers = Providers(client, embedded=embedded.provider)
        yield Runtime(library, providers, PriceBook(), tools, embedded=embedded, store=store)


@asynccontextmanager
async def open_history() -> AsyncIterator[History]:
    """What was recorded, without all the rest. Raises StoreError where recording is switched off."""
    place = place_of(os.environ)
    if place is None:
        raise switched_off()
    async with open_store(place) as store:
        yield history_of(store)


def settle() -> None:
    """Keep garbage collections and threads out of the lanes' time, once a process is ready to serve.

    One over everything that the page imports takes a good part of a second, in which all lanes stand still: what is in
    memory now is left out of them. And they come once in some two hundred lanes, not once in three. A thread that
    works, as the store's does, gives way to them after half a millisecond, not five.
    """
    gc.freeze()
    gc.set_threshold(50_000)
    sys.setswitchinterval(SWITCH_S)

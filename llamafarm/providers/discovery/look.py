"""Asking all usual addresses of this machine at once for their lists of models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from llamafarm.config.discovery.found import FoundModel
from llamafarm.config.model import NamedModel
from llamafarm.core.errors import ProviderError
from llamafarm.core.types import ChatRequest
from llamafarm.providers.discovery.listed import models_in
from llamafarm.providers.discovery.places import HOSTS, Place
from llamafarm.providers.http.body import response_body
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import Exchange, check_whole, parse

LOOK_S = 0.9  # for all of them together
MAX_LIST = 1024 * 1024  # bytes of one list
WANTS_KEY = (401, 403)


@dataclass(frozen=True, slots=True)
class Seen:
    """What answered: the models of its list, and what is to be said of those that gave none."""

    models: tuple[FoundModel, ...] = ()
    notes: tuple[str, ...] = ()


async def look(client: Client, places: Sequence[Place]) -> Seen:
    """The models that servers at `places` list, in that order; within a second, whatever answers there.

    Of a port that answers at both loopback addresses one is taken, and of several lists of a port the first that has
    models.
    """
    asked = [(place, host) for place in places for host in HOSTS]
    tasks = [
        asyncio.create_task(_ask(client, place, host), name=f"models at {host}:{place.port}") for place, host in asked
    ]
    try:
        _, late = await asyncio.wait(tasks, timeout=LOOK_S) if tasks else (None, ())
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    found: dict[int, tuple[FoundModel, ...]] = {}
    notes: dict[int, str] = {}
    for (place, host), task, seen in zip(asked, tasks, ended, strict=True):
        if task in late:
            notes.setdefault(place.port, f"{host}:{place.port} said nothing in time.")
        elif isinstance(seen, Seen):
            if seen.models:
                found.setdefault(place.port, seen.models)
            for note in seen.notes:
                notes.setdefault(place.port, note)
    models = tuple(model for each in found.values() for model in each)
    return Seen(models, tuple(note for port, note in notes.items() if port not in found))


async def _ask(client: Client, place: Place, host: str) -> Seen:
    """One list. What is no list, or none of a server's, is nothing."""
    origin = f"http://{host}:{place.port}"
    model = NamedModel(name=place.server, provider=place.provider, base_url=f"{origin}{place.path}")
    headers = {"Accept": "application/json"}
    exchange = Exchange(model, client, ChatRequest(()), f"{origin}{place.listing}", {}, headers, "GET")
    deadlines = Deadlines(model.timeout)
    try:
        with deadlines:
            async with aclosing(await exchange.answered(deadlines)) as response:
                body = await exchange.whole(response_body(response), deadlines, MAX_LIST)
        check_whole(body, MAX_LIST)
        listed = await asyncio.to_thread(parse, body)
    except ProviderError as error:
        wants = error.status in WANTS_KEY
        return Seen(notes=(f"{host}:{place.port} wants a key: write it into a project by hand.",) if wants else ())
    except ValueError:
        return Seen()
    return Seen(models_in(listed, place, model.base_url or ""))

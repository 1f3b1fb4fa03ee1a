"""Looking for what a machine has, and a project of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llamafarm.config.discovery.draft import draft
from llamafarm.config.discovery.found import Cloud, FoundModel, clouds_of
from llamafarm.config.reading.env import environment
from llamafarm.providers.discovery.look import look
from llamafarm.providers.discovery.places import PLACES
from llamafarm.providers.http.client import Client, open_client


@dataclass(frozen=True, slots=True)
class Discovered:
    """Models of servers on this machine, cloud providers whose keys are there, and a project of both as `text`.

    `text` is empty where there is nothing. `notes` are sentences about servers that gave no list.
    """

    models: tuple[FoundModel, ...]
    clouds: tuple[Cloud, ...]
    notes: tuple[str, ...]
    text: str

    def summary(self) -> list[str]:
        """A line for each server and each key."""
        servers: dict[tuple[str, str], int] = {}
        for model in self.models:
            servers[model.server, model.base_url] = servers.get((model.server, model.base_url), 0) + 1
        lines = [f"{name} at {url}: {n} model{'' if n == 1 else 's'}" for (name, url), n in servers.items()]
        return [*lines, *(f"{cloud.name}: {cloud.variable} is set" for cloud in self.clouds), *self.notes]


async def discover(folder: Path | None, client: Client | None = None) -> Discovered:
    """What answers at the usual addresses of this machine, within a second, and which well-known variables are set.

    Variables count that the environment or the `.env` in `folder` has; what they hold is not kept.
    """
    if client is None:
        async with open_client() as own:
            return await discover(folder, own)
    seen = await look(client, PLACES)
    clouds = clouds_of(environment(folder))
    return Discovered(seen.models, clouds, seen.notes, draft(seen.models, clouds) if seen.models or clouds else "")

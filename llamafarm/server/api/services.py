"""What the endpoints share: one object an application, found by way of the request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Path
from starlette.requests import Request

from llamafarm.access.asgi import ANYBODY, CALLER
from llamafarm.access.settings import ServerSettings
from llamafarm.config.library import Entry
from llamafarm.config.model import Project
from llamafarm.runtime import Runtime
from llamafarm.server.api.completions.sessions import Conversations
from llamafarm.server.api.errors import not_found, unknown


@dataclass(slots=True)
class Services:
    """The open runtime, and what is counted and kept for callers."""

    runtime: Runtime
    settings: ServerSettings
    conversations: Conversations = field(default_factory=Conversations)

    async def entries(self) -> tuple[tuple[Entry, Project], ...]:
        """The files that are projects, as they are now."""
        library = self.runtime.library
        await library.refresh()
        return tuple((entry, entry.project) for entry in library.entries if entry.project is not None)

    async def first(self) -> tuple[Entry, Project]:
        """The project that addresses without a project mean. Raises ApiError (404) where there is none."""
        for found in await self.entries():
            return found
        raise not_found("No project can be used: /health says why.", "project_not_found")

    async def project(self, namespace: str, name: str) -> tuple[Entry, Project]:
        """The project `namespace/name`. Raises ApiError (404) that lists those which there are."""
        library = self.runtime.library
        await library.refresh()
        entry = library.find(namespace, name)
        if entry is not None and entry.project is not None:
            return entry, entry.project
        names = [f"{project.namespace}/{project.name}" for _, project in await self.entries()]
        asked = f"{namespace}/{name}"
        raise unknown(f"There is no project {asked}; there is", asked, names, "project")


def services_of(request: Request) -> Services:
    """The application's services. Called by endpoints: as a dependency it would cost each request a detour."""
    services: Services = request.app.state.services
    return services


def caller_of(request: Request) -> str:
    """Who calls, as the gate found; another wrapper may not be there in front of the application."""
    caller: str | None = request.scope.get(CALLER, ANYBODY)
    return caller or ANYBODY


Namespace = Annotated[str, Path(description="The project's `namespace`.")]
Name = Annotated[str, Path(alias="project", description="The project's `name`.")]

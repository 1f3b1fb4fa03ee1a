"""Whether the server can answer, part by part."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from llamafarm import __version__
from llamafarm.access.asgi import ANYBODY, CALLER
from llamafarm.config.library import Entry
from llamafarm.server.api.bodies.jsons import dumps
from llamafarm.server.api.bodies.reading import Route
from llamafarm.server.api.catalogue import Health
from llamafarm.server.api.services import Services, services_of

router = APIRouter(route_class=Route, tags=["health"])

READY, DEGRADED, NOT_READY = "ready", "degraded", "not_ready"
Part = dict[str, str]


@router.get(
    "/health",
    response_model=Health,
    responses={503: {"model": Health, "description": "No model of any project can be asked."}},
)
async def health(request: Request) -> Response:
    """200 where at least one named model can be asked, else 503. No model's server is called for it.

    `degraded`: something does not work as its file says (a broken edit, a model that can't be used).
    """
    services = services_of(request)
    parts = {"projects": await _projects(services), "embedded": await _embedded(services), "page": _page(services)}
    status = _worst(parts)
    body: dict[str, Any] = {"status": status}
    if request.scope.get(CALLER, ANYBODY) is not None:
        body |= {"version": __version__, "parts": parts}
    return Response(dumps(body), 503 if status == NOT_READY else 200, media_type="application/json")


def _worst(parts: dict[str, Part]) -> str:
    statuses = {part["status"] for part in parts.values()}
    if parts["projects"]["status"] == NOT_READY:
        return NOT_READY
    return READY if statuses == {READY} else DEGRADED


async def _projects(services: Services) -> Part:
    await services.runtime.library.refresh()
    entries = services.runtime.library.entries
    troubles = [said for entry in entries for said in _troubles(entry)]
    usable = any(model.usable for entry in entries if entry.project for model in entry.project.models)
    if not usable:
        return _part(NOT_READY, " ".join(["No model of any project can be used.", *troubles]))
    served = ", ".join(f"{each.project.namespace}/{each.project.name}" for each in entries if each.project)
    return _part(DEGRADED if troubles else READY, " ".join([f"Served: {served}.", *troubles]))


def _troubles(entry: Entry) -> list[str]:
    name = entry.path.name
    if entry.project is None:
        return [f"{name} can't be used: {_said(entry.loaded.errors)}"]
    told = [f"{name}: {model.name} can't be used." for model in entry.project.models if not model.usable]
    if entry.broken:
        told.insert(0, f"{name} was edited and can't be read, so its last good state is used: {_said(entry.broken)}")
    return told


def _said(problems: Any) -> str:
    first = problems[0]
    return f"line {first.line}: {first.message}" if first.line else first.message


async def _embedded(services: Services) -> Part:
    projects = [entry.project for entry in services.runtime.library.entries if entry.project]
    models = [model for project in projects for model in project.models if model.profile.embedded]
    if not models:
        return _part(READY, "No project has an embedded model.")
    home = services.runtime.embedded
    if home is None:
        return _part(DEGRADED, "This server has no home for embedded models.")
    wrong = [said for model in models if (said := await asyncio.to_thread(home.trouble, model))]
    if wrong:
        return _part(DEGRADED, wrong[0])
    loaded = home.loaded()
    return _part(READY, f"In memory: {', '.join(loaded)}." if loaded else "Its file is loaded when it is first asked.")


def _page(services: Services) -> Part:
    return _part(READY, "At /, for people with a login or a key." if services.settings.protected else "At /.")


def _part(status: str, detail: str) -> Part:
    return {"status": status, "detail": detail}

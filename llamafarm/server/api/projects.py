"""Which projects there are, what is in them, and which models they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from llamafarm.config.library import Entry
from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import Problem
from llamafarm.output.probe import probe_object
from llamafarm.runtime import Runtime
from llamafarm.server.api.bodies.answers import ErrorBody
from llamafarm.server.api.bodies.jsons import answer
from llamafarm.server.api.bodies.reading import Route
from llamafarm.server.api.bodies.requests import AUTO, RouteRequest
from llamafarm.server.api.catalogue import ModelList, OneModel, ProjectAnswer, ProjectList, RouteAnswer
from llamafarm.server.api.completions.asked import names_of
from llamafarm.server.api.completions.trace import route_json
from llamafarm.server.api.errors import unknown
from llamafarm.server.api.services import Name, Namespace, services_of

router = APIRouter(
    route_class=Route, tags=["projects"], responses={"4XX": {"model": ErrorBody, "description": "What is wrong."}}
)


@router.get("/v1/projects/{namespace}", response_model=ProjectList)
async def list_projects(namespace: Namespace, request: Request) -> Response:
    """The projects of a namespace; none is an empty list."""
    entries = [each for each in await services_of(request).entries() if each[1].namespace == namespace]
    return answer({"object": "list", "data": [_entry(entry, project) for entry, project in entries]})


@router.get("/v1/projects/{namespace}/{project}", response_model=ProjectAnswer)
async def show_project(namespace: Namespace, name: Name, request: Request) -> Response:
    """A project's file as plain values, with every secret hidden, and what is wrong with it."""
    entry, project = await services_of(request).project(namespace, name)
    more = {
        "config": entry.config or {},
        "errors": problems_json(entry.loaded.errors),
        "warnings": problems_json(entry.loaded.warnings),
    }
    return answer(_entry(entry, project) | more)


@router.get("/v1/projects/{namespace}/{project}/models", response_model=ModelList)
async def project_models(namespace: Namespace, name: Name, request: Request) -> Response:
    """The named models of a project, its default marked, and `auto`."""
    return answer(_models(*await services_of(request).project(namespace, name)))


@router.get("/v1/models", response_model=ModelList)
async def first_models(request: Request) -> Response:
    """The named models of the first project, in OpenAI's form."""
    return answer(_models(*await services_of(request).first()))


@router.get("/v1/models/{model:path}", response_model=OneModel)
async def first_model(model: str, request: Request) -> Response:
    """One of them, with what a probe found its server to do."""
    services = services_of(request)
    return await _one(model, services.runtime, *await services.first())


@router.get("/v1/projects/{namespace}/{project}/models/{model:path}", response_model=OneModel)
async def project_model(namespace: Namespace, name: Name, model: str, request: Request) -> Response:
    """One named model of a project, with what a probe found its server to do. Nothing is asked."""
    services = services_of(request)
    return await _one(model, services.runtime, *await services.project(namespace, name))


@router.post("/v1/projects/{namespace}/{project}/route", response_model=RouteAnswer)
async def suggest_route(namespace: Namespace, name: Name, body: RouteRequest, request: Request) -> Response:
    """The named model that each strategy would pick for a prompt, and why. Nothing is asked."""
    _, project = await services_of(request).project(namespace, name)
    runtime = services_of(request).runtime
    chosen = await runtime.chosen(body.prompt, project)
    suggestions = [route_json(route) for route in await runtime.suggested(body.prompt, project)]
    return answer({"model": chosen.model, "reason": chosen.reason, "suggestions": suggestions})


def problems_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems of a project file, with their lines."""
    return [{"line": each.line, "key": each.key, "message": each.message} for each in problems]


def _entry(entry: Entry, project: Project) -> dict[str, Any]:
    return {
        "namespace": project.namespace,
        "name": project.name,
        "file": entry.path.name,
        "default_model": project.default_model,
        "models": [model.name for model in project.models],
        "broken": problems_json(entry.broken),
    }


async def _one(name: str, runtime: Runtime, entry: Entry, project: Project) -> Response:
    found = next((each for each in _models(entry, project)["data"] if each["id"] == name), None)
    if found is None:
        raise unknown(f"There is no model {name!r}; there is", name, names_of(project), "model")
    await runtime.read_probes()
    model = project.model(name)
    probe = None if model is None else runtime.probes.of(model)
    told = {"probe": None if probe is None else probe_object(probe)}
    return answer(found | {"llamafarm": found["llamafarm"] | told})


def _models(entry: Entry, project: Project) -> dict[str, Any]:
    created = int(entry.changed_at)
    models = [_model(project, model, created) for model in project.models]
    if project.model(AUTO) is None:
        models.append(_auto(created))
    return {"object": "list", "data": models}


def _model(project: Project, model: NamedModel, created: int) -> dict[str, Any]:
    state = {
        "provider": model.provider,
        "model": model.model,
        "description": model.description,
        "tier": model.tier,
        "default": model.name == project.default_model,
        "usable": model.usable,
        "problems": [problem.message for problem in model.problems],
    }
    return {
        "id": model.name,
        "object": "model",
        "created": created,
        "owned_by": model.provider or "unknown",
        "llamafarm": state,
    }


def _auto(created: int) -> dict[str, Any]:
    state: dict[str, Any] = {
        "provider": "",
        "model": "",
        "description": "Whichever named model the router picks for the prompt.",
        "tier": None,
        "default": False,
        "usable": True,
        "problems": [],
    }
    return {"id": AUTO, "object": "model", "created": created, "owned_by": "llamafarm", "llamafarm": state}

"""From a request to what the engine is asked: which named model, why, and the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.parameters import reserved
from llamafarm.core.types import JsonValue, Message, Route
from llamafarm.engine.lane import Lane, Question
from llamafarm.runtime import Runtime
from llamafarm.server.api.bodies.requests import AUTO, ChatCompletionRequest
from llamafarm.server.api.errors import invalid, unknown


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for one answer. `question` holds the request's own messages, without those of a session."""

    project: Project
    lane: Lane
    question: Question
    route: Route

    def after(self, history: tuple[Message, ...]) -> Lane:
        """The lane as it continues `history`."""
        return replace(self.lane, history=history) if history else self.lane


async def asked(runtime: Runtime, project: Project, body: ChatCompletionRequest) -> Asked:
    """What `body` asks of `project`. Raises ApiError: 404 for a model that is not named, 400 for parameters."""
    messages = tuple(message.message() for message in body.messages)
    route = await _route(runtime, project, body.model, messages)
    lane = Lane(route.model, named(project, route.model), auto=route.strategy not in ("named", "default"))
    parameters = parameters_of(body.parameters())
    tools = tuple(tool.model_dump(exclude_unset=True) for tool in body.tools or ())
    return Asked(project, lane, Question(messages, body.variables or {}, parameters, tools), route)


def parameters_of(given: Mapping[str, JsonValue], place: str = "") -> dict[str, JsonValue]:
    """The parameters of a request that are not null. Raises ApiError (400) for one at `place` that is none."""
    parameters: dict[str, JsonValue] = {name: value for name, value in given.items() if value is not None}
    for name in parameters:
        if wrong := reserved([name]):
            param = f"{place}.{name}" if place else name
            raise invalid(f"{param}: {wrong}", param)
    return parameters


def named(project: Project, name: str) -> NamedModel:
    """The named model `name`. Raises ApiError (404) that lists the names which there are."""
    model = project.model(name)
    if model is None:
        place = f"{project.namespace}/{project.name}"
        raise unknown(f"The project {place} names no model {name!r}; it has", name, names_of(project), "model")
    return model


def names_of(project: Project) -> list[str]:
    """What a request may name as its model."""
    return [*dict.fromkeys([*(each.name for each in project.models), AUTO])]


def prompt_of(messages: Sequence[Message]) -> str:
    """What a router looks at: the user's newest words alone, so that no system prompt sways it."""
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


async def _route(runtime: Runtime, project: Project, name: str | None, messages: Sequence[Message]) -> Route:
    if name is None:
        return Route("default", project.default_model, "The request names no model: this is the project's default.")
    if name == AUTO and project.model(AUTO) is None:
        return await runtime.chosen(prompt_of(messages), project)
    return Route("named", name, "The request names it.")

"""What the MCP server can do, without MCP: arguments in, JSON out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.nearest import nearest
from llamafarm.core.errors import RequestError
from llamafarm.core.events import is_final
from llamafarm.core.reply import Reply
from llamafarm.core.types import JsonValue, Route
from llamafarm.engine.exchange import exchange_notes
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Origin
from llamafarm.output.contracts import comparison_json, lane_json
from llamafarm.routing import AUTO
from llamafarm.runtime import Runtime

MAX_LANES = 32
Progress = Callable[[int, int, str], Awaitable[None]]
Answer = dict[str, JsonValue]


class Arguments(BaseModel):
    """Base of the arguments of all tools."""

    model_config = ConfigDict(extra="forbid")

    project: str | None = Field(None, description="namespace/name of a project of this server; else its first.")


class ListModels(Arguments):
    """List the named models of a project: provider, model id, whether each can be used, and which is the default."""


class RoutePrompt(Arguments):
    """Say which named model each routing strategy would pick for a prompt, and why. No model is asked."""

    prompt: str = Field(description="The prompt.", min_length=1)


class Compare(Arguments):
    """Ask several named models the same at once: every answer with its time to first token, tokens and cost."""

    prompt: str = Field(description="What to ask.", min_length=1)
    models: list[str] | None = Field(
        None, description="Names of models, `auto` among them; else all that can be used.", min_length=1
    )
    system: str | None = Field(None, description="A system prompt in place of the project's own.")


class Chat(Arguments):
    """Ask one named model: its answer with its time to first token, tokens and cost."""

    prompt: str = Field(description="What to ask.", min_length=1)
    model: str | None = Field(
        None, description="The name of a model; `auto`: the router's pick for the prompt; else the project's default."
    )
    system: str | None = Field(None, description="A system prompt in place of the project's own.")


@dataclass(frozen=True, slots=True)
class Actions:
    """The tools on the operator's projects. All raise RequestError for what is not there."""

    runtime: Runtime

    async def list_models(self, asked: ListModels) -> Answer:
        """The project and its models."""
        project = await self._project(asked.project)
        return {
            "project": f"{project.namespace}/{project.name}",
            "models": [_model(model, project) for model in project.models],
        }

    async def route(self, asked: RoutePrompt) -> Answer:
        """The model that each strategy picks, with its reason."""
        project = await self._project(asked.project)
        return {
            route.strategy: {"model": route.model, "reason": route.reason}
            for route in await self.runtime.suggested(asked.prompt, project)
        }

    async def compare(self, asked: Compare, progress: Progress) -> Answer:
        """The record of a comparison; `progress` hears of each lane that ends."""
        project = await self._project(asked.project)
        models = [model for model in project.models if model.usable] or list(project.models)
        names = dict.fromkeys(asked.models or [model.name for model in models])
        if len(names) > MAX_LANES:
            raise RequestError(f"{len(names)} models at once are too many.", hint=f"Name at most {MAX_LANES}.")
        taken = {name: await self._taken(project, name, asked.prompt) for name in names}
        lanes = [_lane(name, route, project, asked.system) for name, route in taken.items()]
        routes = await self.runtime.suggested(asked.prompt, project)
        replies = await self._ask(project, lanes, asked.prompt, progress, Origin(routes=routes))
        notes = exchange_notes([lane.model for lane in lanes])
        return comparison_json(asked.prompt, routes, replies, notes)

    async def chat(self, asked: Chat, progress: Progress) -> Answer:
        """The record of one lane."""
        project = await self._project(asked.project)
        route = await self._taken(project, asked.model, asked.prompt)
        lane = _lane(route.model, route, project, asked.system)
        (reply,) = await self._ask(project, [lane], asked.prompt, progress)
        return lane_json(reply) | {"route": {"strategy": route.strategy, "model": route.model, "reason": route.reason}}

    async def _taken(self, project: Project, name: str | None, prompt: str) -> Route:
        """How the model that a call means is found."""
        if name == AUTO and project.model(AUTO) is None:
            return await self.runtime.chosen(prompt, project)
        if name is None:
            return Route("default", project.default_model, "The call names no model: this is the project's default.")
        return Route("named", name, "The call names it.")

    async def _ask(
        self,
        project: Project,
        lanes: Sequence[Lane],
        prompt: str,
        progress: Progress,
        origin: Origin = Origin(),
    ) -> list[Reply]:
        ended = 0
        comparison = self.runtime.compare(project, lanes, Question.of(prompt), origin=origin)
        async with comparison, aclosing(comparison.events()) as events:
            async for told in events:
                if is_final(told.event):
                    ended += 1
                    await progress(ended, len(lanes), f"{told.lane}: {comparison.reply(told.lane).status}")
        return list(comparison.replies().values())

    async def _project(self, name: str | None) -> Project:
        library = self.runtime.library
        await library.refresh()
        projects = {
            f"{each.project.namespace}/{each.project.name}": each.project for each in library.entries if each.project
        }
        if name is None and projects:
            return next(iter(projects.values()))
        if name not in projects:
            raise RequestError(f"There is no project {name}.", hint=f"There is: {', '.join(projects) or 'none'}.")
        return projects[name]


def _lane(lane_id: str, route: Route, project: Project, system: str | None) -> Lane:
    model = project.model(route.model)
    if model is None:
        known = ", ".join([*(each.name for each in project.models), AUTO])
        near = nearest(route.model, [each.name for each in project.models])
        meant = f" Did you mean {near}?" if near else ""
        raise RequestError(f"There is no model {route.model}.", hint=f"The project has: {known}.{meant}")
    return Lane(lane_id, model, system=system, auto=route.strategy not in ("named", "default"))


def _model(model: NamedModel, project: Project) -> JsonValue:
    return {
        "name": model.name,
        "provider": model.provider,
        "model": model.model,
        "description": model.description,
        "default": model.name == project.default_model,
        "usable": model.usable,
        "problems": [problem.message for problem in model.problems],
    }

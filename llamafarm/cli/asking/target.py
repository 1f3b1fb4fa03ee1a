"""Resolves the target of a prompt: a named model, the router's pick, or a model of a running server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import typer

from llamafarm.cli.asking.complete import AUTO
from llamafarm.cli.asking.find import model_of, project_of, project_or_sample
from llamafarm.cli.asking.learned import learned_by
from llamafarm.cli.asking.remote import remote_project, renamed
from llamafarm.config.model import Project
from llamafarm.core.types import JsonValue, Route
from llamafarm.engine.lane import Lane
from llamafarm.routing import Learned, choose


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is the named model that is asked, `auto` for the router's pick of each prompt, None for the default.

    `remote`: the project stands for a running server, which finds the model itself. `learned` is what the history
    has taught, where the project routes by it.
    """

    project: Project
    name: str | None = None
    remote: bool = False
    learned: Learned | None = None

    def lane(self, prompt: str) -> tuple[Lane, Route]:
        """The lane that answers `prompt`, and how its model was found."""
        project = self.project
        if self.remote:
            model = project.models[0]
            how = "Named by --model." if self.name else "The server's default."
            return Lane(model.name, model), Route("named" if self.name else "default", model.name, how)
        if self.name == AUTO and project.model(AUTO) is None:
            route = choose(prompt, project, self.learned)
            model = model_of(project, route.model)
            return Lane(model.name, model, auto=True), route
        if self.name is not None:
            model = model_of(project, self.name)
            return Lane(model.name, model), Route("named", model.name, "Named by --model.")
        model = model_of(project, project.default_model)
        return Lane(model.name, model), Route("default", model.name, "The project's default model.")

    def named(self, name: str) -> Target:
        """The same with another model; wrong usage where there is no such."""
        if self.remote:
            return replace(self, name=name, project=renamed(self.project, name))
        if name != AUTO:
            model_of(self.project, name)
        return replace(self, name=name)

    def names(self) -> list[str]:
        """The names that `named` takes, as far as they are known here."""
        return [] if self.remote else [*(model.name for model in self.project.models), AUTO]


def target_of(
    model: str | None, config: Path | None, url: str | None, key: str | None, variables: dict[str, JsonValue]
) -> Target:
    """The target of a command line; wrong usage where its options don't fit together."""
    if url is not None:
        if config is not None:
            raise typer.BadParameter("A server has its own project: --url goes without --config.", param_hint="--url")
        return Target(remote_project(url, key, model, variables), model, remote=True)
    if key is not None:
        raise typer.BadParameter("A key is for a server: --api-key goes with --url.", param_hint="--api-key")
    project = project_of(project_or_sample(config))
    target = Target(project, learned=learned_by(project) if project.routing.strategy == "learned" else None)
    return target if model is None else target.named(model)

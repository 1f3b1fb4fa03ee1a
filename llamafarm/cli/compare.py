"""`lf compare`: one prompt to several models at once, in a terminal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.find import project_or_sample

if TYPE_CHECKING:
    from llamafarm.config.model import NamedModel, Project
    from llamafarm.types import Reply


def compare(
    prompt: Annotated[str, typer.Argument(help="What to ask.")],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The project file.")] = None,
    models: Annotated[str | None, typer.Option(help="Names of models, with commas; else all that can be used.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write a JSON object for programs.")] = False,
) -> None:
    """Ask several models the same and compare: exit 0 if at least one answered, 1 if none did."""
    from llamafarm.engine.record import comparison_json
    from llamafarm.routing import suggest

    project = _project(project_or_sample(config))
    replies = asyncio.run(_replies(project, _chosen(project, models), prompt, live=not as_json))
    if as_json:
        record = comparison_json(prompt, suggest(prompt, project), replies)
        typer.echo(json.dumps(record, indent=2, ensure_ascii=False))
    raise typer.Exit(0 if any(reply.status == "done" for reply in replies) else 1)


def _project(path: Path) -> Project:
    from llamafarm.config import load
    from llamafarm.errors import ConfigError

    loaded = load(path)
    if loaded.project is None:
        raise ConfigError(f"{path} can't be used.", loaded.errors)
    return loaded.project


def _chosen(project: Project, names: str | None) -> list[NamedModel]:
    """The models that were named, else all that can be used, else all: their errors say why."""
    if names is None:
        return [model for model in project.models if model.usable] or list(project.models)
    chosen = []
    for name in dict.fromkeys(part.strip() for part in names.split(",") if part.strip()):
        model = project.model(name)
        if model is None:
            known = ", ".join(each.name for each in project.models)
            raise typer.BadParameter(f"There is no model {name}; the project has: {known}.", param_hint="--models")
        chosen.append(model)
    return chosen


async def _replies(project: Project, models: list[NamedModel], prompt: str, *, live: bool) -> list[Reply]:
    """Run the comparison; `live` shows it as it goes."""
    from llamafarm.cli.table import LiveTable
    from llamafarm.engine.chat import Lane, Question
    from llamafarm.routing import suggest
    from llamafarm.runtime import open_runtime

    lanes = tuple(Lane(model.name, model) for model in models)
    async with open_runtime() as runtime:
        board = runtime.board(project, lanes)
        with LiveTable(suggest(prompt, project), project.default_model, shown=live) as table:
            async with runtime.compare(project, lanes, Question.of(prompt)) as comparison:
                async for batch in comparison.batches(every_s=0.1, heartbeat_s=0.5):
                    for told in batch:
                        board.add(told)
                    table.show(board.replies())
        return list(board.replies().values())

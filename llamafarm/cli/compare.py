"""`lf compare`: one prompt to several models at once, in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from llamafarm.cli.find import model_of, project_of, project_or_sample
from llamafarm.cli.options import (
    ConfigOption,
    FileOption,
    JsonOption,
    MaxTokensOption,
    ModelsOption,
    ParamOption,
    PromptArgument,
    SystemOption,
    TemperatureOption,
    VarOption,
    Wish,
    wish_of,
)

if TYPE_CHECKING:
    from llamafarm.cli.stop import Stop
    from llamafarm.config.model import NamedModel, Project
    from llamafarm.types import Reply, Route

FRAME_S = 0.1


def compare(
    prompt: PromptArgument = None,
    models: ModelsOption = None,
    config: ConfigOption = None,
    file: FileOption = None,
    system: SystemOption = None,
    temperature: TemperatureOption = None,
    max_tokens: MaxTokensOption = None,
    param: ParamOption = None,
    var: VarOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask several models the same, side by side.

    The exit code is 0 if at least one answered, 1 if none did, 130 after Ctrl-C: what had come is shown.
    """
    wish = wish_of(prompt, file, system, temperature, max_tokens, param, var)
    import asyncio

    from llamafarm.cli.stop import Stop
    from llamafarm.engine.record import comparison_json
    from llamafarm.routing import suggest

    project, stop = project_of(project_or_sample(config)), Stop()
    routes = suggest(wish.prompt, project)
    replies = asyncio.run(_replies(project, _chosen(project, models), wish, None if as_json else routes, stop))
    if as_json:
        typer.echo(json.dumps(comparison_json(wish.prompt, routes, replies), indent=2, ensure_ascii=False))
    answered = any(reply.status == "done" for reply in replies)
    raise typer.Exit(stop.code or (0 if answered else 1))


def _chosen(project: Project, names: str | None) -> list[NamedModel]:
    """The models that were named, else all that can be used, else all: their errors say why."""
    if names is None:
        return [model for model in project.models if model.usable] or list(project.models)
    wanted = dict.fromkeys(part.strip() for part in names.split(",") if part.strip())
    if not wanted:
        raise typer.BadParameter("No model is named.", param_hint="--models")
    return [model_of(project, name, "--models") for name in wanted]


async def _replies(
    project: Project, models: list[NamedModel], wish: Wish, shown: tuple[Route, ...] | None, stop: Stop
) -> list[Reply]:
    """Run the comparison until all lanes have ended, or `stop`; `shown` are the routes to show above it as it goes.

    Drawing is done in a thread, so that a slow terminal changes none of the measurements.
    """
    import asyncio

    from llamafarm.cli.table import LiveTable
    from llamafarm.engine.chat import Lane
    from llamafarm.runtime import open_runtime

    lanes = tuple(Lane(model.name, model) for model in models)
    with stop.on_signals():
        async with open_runtime() as runtime:
            board = runtime.board(project, lanes)
            with LiveTable(shown or (), project.default_model, shown=shown is not None) as table:
                async with runtime.compare(project, lanes, wish.question()) as comparison:
                    with stop.stops(comparison.stop):
                        async for batch in comparison.batches(every_s=FRAME_S, heartbeat_s=FRAME_S):
                            for told in batch:
                                board.add(told)
                            await asyncio.to_thread(table.show, board.replies())
            return list(board.replies().values())

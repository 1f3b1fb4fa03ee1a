"""`lf compare`: one prompt to several models at once, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from llamafarm.cli.find import model_of, project_of, project_or_sample
from llamafarm.cli.options import (
    ConfigOption,
    FairOption,
    FileOption,
    JsonOption,
    MaxTokensOption,
    ModelsOption,
    ParamOption,
    PromptArgument,
    RecordOption,
    SystemOption,
    TemperatureOption,
    VarOption,
    wish_of,
)
from llamafarm.cli.run import compared

if TYPE_CHECKING:
    from llamafarm.config.model import NamedModel, Project


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
    fair: FairOption = False,
    as_json: JsonOption = False,
    record: RecordOption = True,
) -> None:
    """Ask several models the same, side by side.

    The exit code is 0 if at least one answered, 1 if none did, 130 after Ctrl-C: what had come is shown.
    """
    wish = wish_of(prompt, file, system, temperature, max_tokens, param, var)
    from llamafarm.engine.chat import Lane
    from llamafarm.engine.recording import Origin
    from llamafarm.routing import suggest

    project = project_of(project_or_sample(config))
    lanes = tuple(Lane(model.name, model) for model in _chosen(project, models))
    origin = Origin(routes=suggest(wish.prompt, project))
    compared(project, lanes, wish.question(), origin, as_json=as_json, record=record, fair=fair)


def _chosen(project: Project, names: str | None) -> list[NamedModel]:
    """The models that were named, else all that can be used, else all: their errors say why."""
    if names is None:
        return [model for model in project.models if model.usable] or list(project.models)
    wanted = dict.fromkeys(part.strip() for part in names.split(",") if part.strip())
    if not wanted:
        raise typer.BadParameter("No model is named.", param_hint="--models")
    return [model_of(project, name, "--models") for name in wanted]

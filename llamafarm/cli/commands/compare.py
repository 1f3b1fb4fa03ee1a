"""`lf compare`: one prompt to several models at once, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamafarm.cli.asking.find import models_of, project_of, project_or_sample
from llamafarm.cli.asking.options import (
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
from llamafarm.cli.commands.comparison import compared

if TYPE_CHECKING:
    pass


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

    The exit code is 0 if at least one answered, 1 if none did or not all could be kept, 130 after Ctrl-C: what had come
    is shown.
    """
    given = wish_of(prompt, file, system, temperature, max_tokens, param, var)
    from llamafarm.engine.lane import Lane
    from llamafarm.engine.recording import Origin

    project = project_of(project_or_sample(config))
    lanes = tuple(Lane(model.name, model) for model in models_of(project, models))
    origin = Origin()
    compared(project, lanes, given.question(), origin, as_json=as_json, record=record, fair=fair)

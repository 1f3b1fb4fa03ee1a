"""Turns the options of `lf sweep` into a grid of calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llamafarm.cli.asking.find import listed, model_of
from llamafarm.cli.asking.options import given_parameters
from llamafarm.cli.asking.pairs import value_of, variables_of
from llamafarm.cli.asking.prompt import STDIN, read_prompt, read_standard_input

if TYPE_CHECKING:
    from llamafarm.config.model import NamedModel, Project
    from llamafarm.core.types import JsonValue
    from llamafarm.experiments.stats.guidelines import Aim, Guideline
    from llamafarm.experiments.sweep.grid import Grid, Judge, Prompt

RUBRIC = "The answer is correct, follows the question, and is well written."


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that say what is asked."""

    prompt: str | None
    file: Path | None
    parameter: str
    values: Sequence[str]
    task: str | None
    repeats: int
    checks: Sequence[str]
    judge: str | None
    rubric: str | None
    system: str | None
    seed: int | None


def grid_of(
    project: Project,
    named: Sequence[NamedModel],
    wanted: Wanted,
    max_tokens: int | None,
    params: Sequence[str],
    variables: Sequence[str],
) -> Grid:
    """The grid. Wrong usage or RequestError where it can't be made out."""
    from llamafarm.experiments.sweep.grid import Grid

    guideline = _guideline(wanted.task)
    prompts, notes = _prompts(project, named, wanted, variables_of(variables))
    return Grid(
        models=tuple(named),
        parameter=wanted.parameter,
        values=_values(wanted, guideline),
        repeats=wanted.repeats,
        prompts=prompts,
        parameters=given_parameters(params, None, max_tokens),
        system=wanted.system,
        seed=wanted.seed,
        judge=_judge(project, wanted),
        notes=notes,
    )


def aim_of(task: str | None) -> Aim | None:
    """What a task aims at; None where no task is named."""
    guideline = _guideline(task)
    return None if guideline is None else guideline.aim


def _guideline(task: str | None) -> Guideline | None:
    from llamafarm.experiments.stats.guidelines import GUIDELINES

    if task is None:
        return None
    found = next((guide for guide in GUIDELINES if guide.key == task.lower()), None)
    if found is None:
        known = ", ".join(guide.key for guide in GUIDELINES)
        raise typer.BadParameter(f"There is no task {task}; there are: {known}.", param_hint="--task")
    return found


def _values(wanted: Wanted, guideline: Guideline | None) -> tuple[JsonValue, ...]:
    if wanted.values:
        return tuple(map(value_of, listed(wanted.values)))
    if wanted.parameter == "temperature" and guideline is not None:
        return guideline.values
    raise typer.BadParameter("Name the values to try, or a task for its temperatures.", param_hint="--values")


def _prompts(
    project: Project, named: Sequence[NamedModel], wanted: Wanted, variables: dict[str, JsonValue]
) -> tuple[tuple[Prompt, ...], tuple[str, ...]]:
    """The prompts, and what is to be known of them."""
    from llamafarm.experiments.prompt_file.checktexts import checks_of, written_checks
    from llamafarm.experiments.prompt_file.file import PromptFile
    from llamafarm.experiments.sweep.grid import Prompt
    from llamafarm.experiments.sweep.prompts import notes_of, prompts_of

    checks = written_checks(wanted.checks)
    text = read_prompt(wanted.prompt, (), piped=wanted.file is None)
    prompts, notes = list[Prompt](), tuple[str, ...]()
    if text:
        prompts.append(Prompt(text, variables, checks_of(checks, variables)))
    if wanted.file is not None:
        data = read_standard_input() if wanted.file == STDIN else None
        file = PromptFile(wanted.file, variables=variables, checks=checks, data=data)
        found, remarks = prompts_of(file)
        prompts += found
        notes = notes_of(remarks, project, named, wanted.system)
    if not prompts:
        raise typer.BadParameter("There is no prompt: give one, name a file with -f, or pipe it in.")
    return tuple(prompts), notes


def _judge(project: Project, wanted: Wanted) -> Judge | None:
    from llamafarm.experiments.sweep.grid import Judge

    if wanted.judge is None:
        if wanted.rubric is not None:
            raise typer.BadParameter("A rubric needs a judge: name a model with --judge.", param_hint="--rubric")
        return None
    return Judge(model_of(project, wanted.judge, "--judge"), wanted.rubric or RUBRIC)

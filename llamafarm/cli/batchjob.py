"""From the command line of `lf batch` to what is asked, and a person's word for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llamafarm.cli.find import model_of
from llamafarm.cli.pairs import parameters_of, variables_of

if TYPE_CHECKING:
    from llamafarm.config.model import Project
    from llamafarm.engine.job import Job, Survey


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that say what is asked of each row."""

    template: str | None
    checks: Sequence[str]
    system: str | None
    temperature: float | None
    max_tokens: int | None
    params: Sequence[str]
    variables: Sequence[str]
    skip_bad: bool
    fair: bool


def job_of(project: Project, models: str | None, file: Path, wanted: Wanted) -> Job:
    """The job. Wrong usage or RequestError where it can't be made out."""
    from llamafarm.engine.job import Job
    from llamafarm.engine.rows import PromptFile
    from llamafarm.study.checks import check_of

    names = dict.fromkeys(part.strip() for part in (models or "").split(",") if part.strip())
    named = tuple(model_of(project, name, "--models") for name in names)
    parameters = parameters_of(wanted.params)
    if wanted.temperature is not None:
        if not math.isfinite(wanted.temperature):
            raise typer.BadParameter("A temperature is a finite number.", param_hint="--temperature")
        parameters["temperature"] = wanted.temperature
    if wanted.max_tokens is not None:
        parameters["max_tokens"] = wanted.max_tokens
    checks = tuple(check_of(text) for text in wanted.checks)
    whole = PromptFile(file, wanted.template, variables_of(wanted.variables), checks)
    usable = tuple(model for model in project.models if model.usable)
    return Job(named or usable or project.models, whole, parameters, wanted.system, wanted.skip_bad, wanted.fair)


async def resumed(project: Project, run: str, file: Path) -> Job:
    """The job of a batch in the history, of `file`, which must be the one that it was begun with."""
    import asyncio

    from llamafarm.engine.batchrun import check_same_file, job_from
    from llamafarm.engine.rows import PromptFile
    from llamafarm.runtime import open_history

    async with open_history() as history:
        found = await history.run(run)
    job = job_from(found, project, PromptFile(file))
    await asyncio.to_thread(check_same_file, found, job.file)
    return job


def checked(project: Project, job: Job) -> Survey:
    """Read the whole file; RequestError where rows of it can't be asked."""
    from llamafarm.engine.job import check_survey
    from llamafarm.runtime import surveyed

    survey = surveyed(project, job)
    check_survey(job, survey)
    return survey


def confirmed(survey: Survey, *, ask: bool) -> None:
    """Tell what it will take, and ask whether to start where somebody is there to say so."""
    import sys

    from llamafarm.cli.sweepscreen import plan_lines

    for line in plan_lines(survey.plan):
        typer.echo(line, err=True)
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm("Start?", abort=True, err=True)

"""Turns the command line of `lf batch` into a batch, and asks the person to confirm its plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llamafarm.cli.asking.find import models_of
from llamafarm.cli.asking.options import given_parameters
from llamafarm.cli.asking.pairs import variables_of

if TYPE_CHECKING:
    from llamafarm.config.model import Project
    from llamafarm.experiments.batch.job import Job, Survey
    from llamafarm.experiments.sweep.plan import Plan


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


NOTHING = Wanted(None, (), None, None, None, (), (), skip_bad=False, fair=False)  # what a resumed batch may name


def job_of(project: Project, models: Sequence[str] | None, file: Path, wanted: Wanted) -> Job:
    """The job. Wrong usage or RequestError where it can't be made out."""
    from llamafarm.experiments.batch.job import Job
    from llamafarm.experiments.prompt_file.checktexts import written_checks
    from llamafarm.experiments.prompt_file.file import PromptFile

    whole = PromptFile(file, wanted.template, variables_of(wanted.variables), written_checks(wanted.checks))
    parameters = given_parameters(wanted.params, wanted.temperature, wanted.max_tokens)
    return Job(models_of(project, models), whole, parameters, wanted.system, wanted.skip_bad, wanted.fair)


async def resumed(project: Project, run: str, file: Path) -> Job:
    """The job of a batch in the history, of `file`, which must be the one that it was begun with."""
    import asyncio

    from llamafarm.experiments.batch.run import check_same_file, job_from
    from llamafarm.experiments.prompt_file.file import PromptFile
    from llamafarm.runtime import open_history

    async with open_history() as history:
        found = await history.run(run)
    job = job_from(found, project, PromptFile(file))
    await asyncio.to_thread(check_same_file, found, job.file)
    return job


def checked(project: Project, job: Job) -> Survey:
    """Read the whole file; RequestError where rows of it can't be asked."""
    from llamafarm.experiments.batch.job import check_survey
    from llamafarm.runtime import surveyed

    survey = surveyed(project, job)
    check_survey(job, survey)
    return survey


async def expected(plan: Plan, at_once: int, *, fair: bool) -> Plan:
    """`plan` with how long it may take, where the history can tell."""
    from llamafarm.core.errors import StoreError
    from llamafarm.experiments.duration import expecting
    from llamafarm.runtime import open_history

    try:
        async with open_history() as history:
            return await expecting(plan, history, at_once, fair=fair)
    except StoreError:  # the batch itself says what is the matter with it
        return plan

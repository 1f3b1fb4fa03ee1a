"""A batch as a run of the history: each row is a comparison, each model a lane of it, recorded as it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from llamafarm.config.model import Project
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.core.types import JsonValue
from llamafarm.engine.recording import Origin
from llamafarm.experiments.batch.batch import Kept
from llamafarm.experiments.batch.job import Job, Survey, digest_of, rows_told
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.grade import verdict_now
from llamafarm.experiments.ledger import RunLedger, RunRecorder, begun, check_run
from llamafarm.experiments.prompt_file.checktexts import written_checks
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.row import Row, item_number
from llamafarm.experiments.stats.sample import Sample
from llamafarm.history.ids import piece_id
from llamafarm.history.model import Ended, Kind, Recorded, Run
from llamafarm.history.query import Filter
from llamafarm.history.reader import HistoryReader

BATCH: Kind = "batch"


@dataclass(slots=True)
class BatchRun(RunLedger):
    """The ledger of a batch of `rows` rows.

    The id of a row's comparison follows from the run's and the row's number, so that nothing of it need be remembered.
    """

    rows: int = 0
    _begun: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self._begun = bytearray(self.rows + 1)

    def origin(self, row: Row) -> tuple[str, Origin]:
        """The id of the row's comparison, and where its next lane is recorded: anew, or in that comparison."""
        identity = piece_id(self.id, row.number)
        into = identity if self._begun[row.number] else None
        self._begun[row.number] = True
        checks = tuple(check.text for check in row.checks)
        return identity, Origin(kind=BATCH, run=self.id, item=row.item, into=into, checks=checks)

    async def kept(self) -> AsyncGenerator[Kept, None]:
        """See `BatchLedger`."""
        if self.past is None:
            return
        async with aclosing(answers(self.past, self.id)) as found:
            async for each in found:
                yield Kept(each.row, each.ended.spec.model, each.sample)


@dataclass(frozen=True, slots=True)
class Answered:
    """One lane of a batch in the history: the row, the comparison that it is, and what its checks say."""

    row: int
    recorded: Recorded
    ended: Ended
    sample: Sample


async def answers(past: HistoryReader, run: str) -> AsyncGenerator[Answered, None]:
    """Every lane of a batch that ended, by row; checks are made anew, in a thread. Memory holds a few rows."""
    async with aclosing(past.stream(Filter(run=run), oldest_first=True)) as stream:
        async for recorded in stream:
            for answered in await asyncio.to_thread(_answered, recorded):
                yield answered


def _answered(recorded: Recorded) -> list[Answered]:
    number = item_number(recorded.asked.item)
    if number is None:
        return []
    checks = tuple(check_of(text) for text in recorded.asked.checks)
    found = []
    for ended in recorded.lanes:
        passed, notes = verdict_now(checks, ended.reply)
        found.append(Answered(number, recorded, ended, Sample(number, 0, ended.reply, passed, None, notes)))
    return found


def begin_batch(project: Project, job: Job, survey: Survey, recorder: RunRecorder) -> BatchRun:
    """A new run for `job`, recorded with its plan."""
    title = f"{job.file.title}: {rows_told(survey.good)}"
    run = begun(project, BATCH, title, job_plan(job, survey), recorder)
    return BatchRun(run.id, recorder, rows=survey.rows)


def job_plan(job: Job, survey: Survey) -> dict[str, JsonValue]:
    """What a run remembers: the models by name, the file by name and SHA-256, and all that was asked of each row."""
    file = job.file
    return {
        "models": [model.name for model in job.models],
        "file": file.title,
        "digest": survey.digest,
        "rows": survey.rows,
        "good": survey.good,
        "template": file.template,
        "variables": dict(file.variables),
        "checks": list(file.checks),
        "parameters": dict(job.parameters),
        "system": job.system,
        "skip_bad": job.skip_bad,
        "fair": job.fair,
    }


def job_from(run: Run, project: Project, file: PromptFile) -> Job:
    """The job that a run remembers, of `file`, which has only a path and a name.

    Raises RequestError where the run is no batch, or was begun with another project file: its answers would be other
    models'.
    """
    check_run(run, BATCH, project)
    plan: Mapping[str, Any] = run.plan
    try:
        models = tuple(project.model(name) for name in plan["models"])
        checks = written_checks(plan["checks"])
        whole = PromptFile(file.path, plan["template"], plan["variables"], checks, file.name)
        known = tuple(model for model in models if model is not None)
        if len(known) < len(models):
            raise RequestError("The project has no longer all models of the run.")
        return Job(known, whole, plan["parameters"], plan["system"], plan["skip_bad"], plan.get("fair") is True)
    except LlamaFarmError:
        raise
    except (KeyError, TypeError, ValueError):
        raise RequestError("What the run remembers is no batch's plan.", hint="Begin a new batch.") from None


def check_same_file(run: Run, file: PromptFile) -> None:
    """Raise RequestError where `file` is not the one that the run was begun with. Blocks: it reads all of it."""
    if run.plan.get("digest") != digest_of(file.path):
        raise RequestError(
            f"{file.title} is not the file that the run was begun with ({run.plan.get('file')}): its content differs.",
            hint="Name that file, or begin a new batch.",
        )

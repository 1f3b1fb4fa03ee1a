"""A batch while it runs in a terminal, and its answers as a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.config.model import Project
    from llamafarm.experiments.batch.batch import Batch
    from llamafarm.experiments.batch.job import Job, Survey
    from llamafarm.experiments.stats.tally import Tally
    from llamafarm.history.database.history import History
    from llamafarm.runtime import Runtime

FRAME_S = 0.2


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it. `run` is its id in the history, `finished` whether each row was asked of each model."""

    run: str | None
    tallies: Mapping[str, Tally]
    elapsed_s: float
    finished: bool
    code: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether and as what a batch is kept: a new run, or `resume`, with which it goes on.

    `command` is what --resume and a run's id are added to. `out` is a file for all answers, `excel` its form.
    """

    resume: str | None
    command: str
    out: Path | None
    record: bool
    excel: bool


def check_form(out: Path | None, *, excel: bool, record: bool) -> None:
    """Wrong usage where the answers have no form for such a file, or are not kept."""
    import os

    from llamafarm.cli.terminal.output import check_answers_form
    from llamafarm.history.database.connecting.place import place_of

    check_answers_form(out, excel=excel)
    if out is not None and (not record or place_of(os.environ) is None):
        raise typer.BadParameter("It is written from the history, which is switched off.", param_hint="--out")


async def run(
    project: Project,
    job: Job,
    survey: Survey,
    at_once: int,
    keeping: Keeping,
    *,
    quiet: bool,
) -> Ran:
    """Run until all has ended, or a signal stops it, and write the answers where they are wanted.

    Raises StoreError before anything is asked where it is to be kept and can't be.
    """
    from llamafarm.cli.terminal.kept import check_begun, what_is_lost
    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.runtime import open_runtime, zero

    stop = Stop()
    with stop.on_signals():
        async with open_runtime(record=keeping.record) as runtime:
            resume, command = keeping.resume, keeping.command
            run = runtime.begin_batch(project, job, survey) if resume is None else runtime.resume_batch(resume, survey)
            identity = None if run is None else run.id
            await check_begun(runtime.store)
            if identity and resume is None:
                typer.echo(f"Kept as it goes; to go on with it: {command} --resume {identity}", err=True)
            await zero(runtime)
            batch = runtime.batch(project, job, survey, at_once=at_once, run=run)
            await _shown(batch, stop, quiet=quiet)
            written = await _after(runtime, batch, identity, keeping)
    # Only now that the history is closed it is known what could not be stored.
    if trouble := what_is_lost(runtime.store, f"{keeping.command} --resume {identity}"):
        typer.echo(f"lf: {trouble}", err=True)
    answered = any(tally.asked > tally.failed for tally in batch.tallies.values())
    code = stop.code or (0 if answered and written and not trouble else 1)
    return Ran(identity, batch.tallies, batch.progress.elapsed_s, batch.finished, code)


async def _shown(batch: Batch, stop: Stop, *, quiet: bool) -> None:
    """Show how far it is, until its end; drawing is done in a thread, so that it changes no measurement."""
    from llamafarm.cli.commands.batch.screen import LiveBatch
    from llamafarm.experiments.progress import Redraws

    with LiveBatch(batch, shown=not quiet) as live:
        async with batch:
            with stop.stops(batch.stop):
                async with aclosing(batch.ticks(FRAME_S)) as ticks:
                    redraws = Redraws()
                    async for progress in ticks:
                        if live.drawn:
                            await redraws.drawn(live.show, progress)
        live.end(batch.progress)


async def _after(runtime: Runtime, batch: Batch, run: str | None, keeping: Keeping) -> bool:
    """Write the answers, and tell how to go on where something is left; False where they could not be written."""
    from llamafarm.core.errors import LlamaFarmError

    progress, written = batch.progress, True
    if keeping.out is not None and run is not None:
        try:
            count = await write(runtime.history(), run, keeping.out, excel=keeping.excel)
            typer.echo(f"{count:,} answers were written to {keeping.out}.", err=True)
        except LlamaFarmError as error:  # what was measured is shown all the same
            written = False
            typer.echo(f"lf: {error}", err=True)
    if run is not None and (progress.failed or not batch.finished):
        failed = f"{progress.failed:,} calls failed" if progress.failed else ""
        left = f"{progress.total - progress.done:,} are left" if not batch.finished else ""
        told = ", ".join(part for part in (failed, left) if part)
        typer.echo(f"{told}; to ask them again: {keeping.command} --resume {run}", err=True)
    return written


async def write(history: History, run: str, out: Path, *, excel: bool = False) -> int:
    """Write all answers of a run to `out`, a few at a time, and give how many. RequestError where it can't be."""
    from llamafarm.cli.terminal.output import write_pieces
    from llamafarm.experiments.batch.run import Answered, answers
    from llamafarm.output.batch import form_of, written

    count = 0

    async def counted() -> AsyncGenerator[Answered, None]:
        nonlocal count
        async with aclosing(answers(history, run)) as found:
            async for each in found:
                yield each
                count += 1

    await write_pieces(written(counted(), form_of(out.name) or "csv", excel=excel), out)
    return count

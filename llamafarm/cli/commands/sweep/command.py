"""`lf sweep`: models × values of one parameter × repeats × prompts, measured, with a recommendation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.complete import complete_models
from llamafarm.cli.asking.find import models_of, project_of, project_or_sample
from llamafarm.cli.asking.options import (
    CheckOption,
    ConcurrencyOption,
    ConfigOption,
    ExcelOption,
    FairOption,
    JsonOption,
    MaxTokensOption,
    ModelsOption,
    OutOption,
    ParamOption,
    RecordOption,
    ResumeOption,
    SystemOption,
    VarOption,
    YesOption,
)
from llamafarm.cli.commands.sweep.grid import Wanted, aim_of, grid_of
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.config.model import Project
    from llamafarm.experiments.stats.recommend import Recommendation
    from llamafarm.experiments.stats.summary import Summary
    from llamafarm.experiments.sweep.findings import Cell, Findings
    from llamafarm.experiments.sweep.grid import Grid
    from llamafarm.experiments.sweep.plan import Plan

FRAME_S = 0.2

HELP = """\b
Examples:
  lf sweep --task factual --check contains:Paris "What is the capital of France?"
  lf sweep --models fast,expert --values 0,0.5,1 --repeats 10 -f prompts.jsonl
  lf sweep --parameter top_p --values 0.5,0.9,1 --task creative --judge expert
    --rubric "Vivid, in good English" "Write a line about rain."
  lf sweep -c llamafarm.yaml --task code -f prompts.txt --patch
  lf sweep --resume RUN

\b
Checks: equals:TEXT, contains:TEXT, not-contains:TEXT, regex:PATTERN, json,
schema:{…}, number:42, number:3.14±0.01.
Exit codes: 0 answered, 1 no answer at all or not all kept, 2 wrong usage,
130 interrupted."""


TasksFileOption = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="Prompts: .txt with one a line, or .csv, .jsonl, .json, .yaml."),
]
ParameterOption = Annotated[
    str, typer.Option("--parameter", metavar="NAME", help="What is varied: temperature, top_p, max_tokens, …")
]
ValuesOption = Annotated[
    list[str] | None,
    typer.Option("--values", metavar="VALUES", help="Its values, with commas or repeated; else the task's range."),
]
TaskOption = Annotated[
    str | None, typer.Option("--task", help="factual, code, analysis, chat, creative or brainstorm: range and aim.")
]
JudgeOption = Annotated[
    str | None,
    typer.Option("--judge", metavar="NAME", help="A model that grades each answer.", autocompletion=complete_models),
]


def sweep(
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What to ask.")] = None,
    models: ModelsOption = None,
    config: ConfigOption = None,
    file: TasksFileOption = None,
    parameter: ParameterOption = "temperature",
    values: ValuesOption = None,
    task: TaskOption = None,
    repeats: Annotated[int, typer.Option("--repeats", "-n", min=1, help="How often each is asked.")] = 5,
    check: CheckOption = None,
    judge: JudgeOption = None,
    rubric: Annotated[str | None, typer.Option("--rubric", metavar="TEXT", help="By what it grades.")] = None,
    system: SystemOption = None,
    max_tokens: MaxTokensOption = None,
    param: ParamOption = None,
    var: VarOption = None,
    at_once: ConcurrencyOption = 4,
    fair: FairOption = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The first repeat's; each repeat has the next.")] = 1,
    no_seed: Annotated[bool, typer.Option("--no-seed", help="Send no seeds.")] = False,
    resume: ResumeOption = None,
    record: RecordOption = True,
    out: OutOption = None,
    excel: ExcelOption = False,
    yes: YesOption = False,
    patch: Annotated[bool, typer.Option("--patch", help="Show the recommendation as a change of the file.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write it into the file that --config names.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the value of a parameter that suits a task: many answers, measured, with 95 % intervals.

    What it takes is shown before it starts. Ctrl-C stops, and measures what had come.
    """
    import asyncio

    from llamafarm.cli.terminal.output import check_answers_form, check_output
    from llamafarm.cli.terminal.run_screen import confirm

    check_answers_form(out, excel=excel)
    if apply and config is None:
        raise typer.BadParameter("Name the file that is to be changed with --config.", param_hint="--apply")
    path = project_or_sample(config)
    check_output(out, (file, path), "--out")
    project = project_of(path)
    if resume is None:
        seeding = None if no_seed else seed
        wanted = Wanted(
            prompt, file, parameter, values or (), task, repeats, check or (), judge, rubric, system, seeding
        )
        grid = grid_of(project, models_of(project, models), wanted, max_tokens, param or (), var or ())
        confirm(asyncio.run(_plan(project, grid, at_once, fair=fair, record=record)), ask=not yes)
    else:
        grid, task = asyncio.run(_begun(project, resume))
    again = "lf sweep" + (f" -c {config}" if config else "")
    keeping = Keeping(task, resume, record, fair, again, out, excel)
    raise typer.Exit(_measured(path, project, grid, at_once, keeping, as_json=as_json, patch=patch, apply=apply))


def _measured(
    path: Path, project: Project, grid: Grid, at_once: int, keeping: Keeping, *, as_json: bool, patch: bool, apply: bool
) -> int:
    """Run it, and tell what was found; the exit code."""
    import asyncio

    from llamafarm.cli.commands.sweep.file import write_answers
    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.experiments.sweep.findings import recommendations

    stop, aim = Stop(), aim_of(keeping.task)
    run, findings, kept = asyncio.run(_swept(project, grid, at_once, stop, keeping, quiet=as_json))
    cells = findings.cells()
    found = recommendations(grid, cells, aim) if aim else {}
    _tell(grid, cells, found, at_once, run if as_json else None, as_json=as_json)
    if patch or apply:
        _patch(path, grid, found, write=apply)
    written = keeping.out is None or asyncio.run(write_answers(findings, keeping.out, excel=keeping.excel))
    answered = any(cell.answered for cell in cells.values())
    return stop.code or (0 if answered and kept and written else 1)


async def _plan(project: Project, grid: Grid, at_once: int, *, fair: bool, record: bool) -> Plan:
    from llamafarm.runtime import open_runtime

    async with open_runtime(record=record) as runtime:
        return await runtime.plan(project, grid, at_once, fair=fair)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether and as what a sweep is kept: a new run, or the one it goes on with. `fair`: one at a time, warmed.

    `command` is what --resume and a run's id are added to. `out` is a file for all answers, `excel` its form.
    """

    task: str | None
    resume: str | None
    record: bool
    fair: bool
    command: str
    out: Path | None
    excel: bool


async def _begun(project: Project, run: str) -> tuple[Grid, str | None]:
    """The grid and the task of a sweep in the history."""
    from llamafarm.runtime import open_runtime

    async with open_runtime() as runtime:
        _, grid, task = await runtime.resume_sweep(run, project)
    return grid, task


async def _swept(
    project: Project, grid: Grid, at_once: int, stop: Stop, keeping: Keeping, *, quiet: bool
) -> tuple[str | None, Findings, bool]:
    """Run until all has ended, or `stop`; its id in the history, what was found, and whether all that is kept.

    Raises StoreError before anything is asked where it is to be kept and can't be.
    Drawing is done in a thread, so that it changes no measurement.
    """
    import asyncio

    from llamafarm.cli.commands.sweep.screen import LiveProgress
    from llamafarm.cli.terminal.kept import check_begun, what_is_lost
    from llamafarm.experiments.sweep.findings import Findings
    from llamafarm.runtime import open_runtime, zero

    findings = Findings(grid)
    with stop.on_signals(), LiveProgress(grid, shown=not quiet) as shown:
        async with open_runtime(record=keeping.record or keeping.resume is not None) as runtime:
            if keeping.resume is None:
                run = runtime.begin_sweep(project, grid, keeping.task, fair=keeping.fair)
            else:
                run, _, _ = await runtime.resume_sweep(keeping.resume, project)
            await check_begun(runtime.store)
            again = f"{keeping.command} --resume {run.id}" if run else ""
            if run is not None:
                typer.echo(f"Kept as it goes; to go on with it: {again}", err=True)
            await zero(runtime)
            async with runtime.sweep(project, grid, at_once=at_once, run=run, fair=keeping.fair) as sweep:
                with stop.stops(sweep.stop):
                    async for batch in sweep.batches(heartbeat_s=FRAME_S):
                        for result in batch:
                            findings.add(result)
                        await asyncio.to_thread(shown.show, sweep.progress, batch)
        await asyncio.to_thread(shown.end, sweep.progress)
    # Only now that the history is closed it is known what could not be stored.
    if trouble := what_is_lost(runtime.store, again):
        typer.echo(f"lf: {trouble}", err=True)
    return None if run is None else run.id, findings, trouble is None


def _tell(
    grid: Grid,
    cells: dict[Cell, Summary],
    found: dict[str, Recommendation],
    at_once: int,
    run: str | None,
    *,
    as_json: bool,
) -> None:
    from llamafarm.cli.commands.sweep.screen import print_findings
    from llamafarm.experiments.sweep.findings import findings_json

    if as_json:
        typer.echo(strict_json.dumps({"run": run, **findings_json(grid, cells, found, at_once)}, indent=2))
    else:
        print_findings(grid, cells, found)


def _patch(path: Path, grid: Grid, found: dict[str, Recommendation], *, write: bool) -> None:
    """Show what the recommendations change in the project file, and write it where that is wanted."""
    from llamafarm.cli.terminal.streams import data_out
    from llamafarm.config.patch import apply_file, diff, patch_file
    from llamafarm.experiments.sweep.findings import changes_of

    changes = changes_of(grid, found)
    if not changes:
        typer.echo("lf: nothing is recommended, so there is nothing to change.", err=True)
        return
    before, after = patch_file(path, changes)
    told = diff(before, after, path.name)
    if write:
        typer.echo(told, nl=False, err=True)
        apply_file(path, before, after)
        typer.echo(f"lf: {path} was changed.", err=True)
    else:  # for `patch`: data
        data_out().write(told.encode())

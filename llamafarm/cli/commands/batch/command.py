"""`lf batch`: every prompt of a file to many models, measured, kept as it goes, and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.find import project_of, project_or_sample
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
    TemperatureOption,
    VarOption,
    YesOption,
)
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.cli.commands.batch.run import Ran
    from llamafarm.experiments.batch.job import Job, Survey

HELP = """\b
Examples:
  lf batch prompts.csv --models fast,expert --out results.csv
  lf batch questions.jsonl --check json --concurrency 32 -y
  lf batch cities.csv --prompt "Where is {{city}}?" --check 'contains:{{country}}'
  lf batch prompts.csv --resume RUN

\b
The file: CSV with the columns prompt, id, expected, system, variables, checks,
or objects with these (.jsonl, .json, .yaml); all but prompt may be missing,
and every other column fills {{name}} in prompts and checks. .txt: a prompt a line.
Checks: equals:TEXT, contains:TEXT, not-contains:TEXT, regex:PATTERN, json,
schema:{…}, number:42, number:3.14±0.01.
Exit codes: 0 answered, 1 no answer at all or not all kept, 2 wrong usage,
130 interrupted."""


TemplateOption = Annotated[
    str | None,
    typer.Option("--prompt", metavar="TEMPLATE", help="The prompt of every row, with {{name}} for its columns."),
]


def batch(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The prompts: .csv, .jsonl, .json, .yaml, or .txt with one a line.")
    ],
    models: ModelsOption = None,
    config: ConfigOption = None,
    prompt: TemplateOption = None,
    check: CheckOption = None,
    system: SystemOption = None,
    temperature: TemperatureOption = None,
    max_tokens: MaxTokensOption = None,
    param: ParamOption = None,
    var: VarOption = None,
    concurrency: ConcurrencyOption = 8,
    fair: FairOption = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Pass over rows that can't be asked.")] = False,
    resume: ResumeOption = None,
    record: RecordOption = True,
    out: OutOption = None,
    excel: ExcelOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask many models every prompt of a file, and measure them: pass rate, TTFT, time, tokens, cost.

    What it takes is shown before it starts. Each answer is kept as it ends; Ctrl-C stops, and --resume goes on with
    what has no answer yet.
    """
    from llamafarm.cli.commands.batch import job as batchjob
    from llamafarm.cli.commands.batch import run
    from llamafarm.cli.terminal import loop
    from llamafarm.cli.terminal.output import check_output
    from llamafarm.cli.terminal.run_screen import confirm

    if resume and not record:
        raise typer.BadParameter("What goes on is kept.", param_hint="--no-record")
    run.check_form(out, excel=excel, record=record)
    path = project_or_sample(config)
    check_output(out, (file, path), "--out")
    project = project_of(path)
    wanted = batchjob.Wanted(
        prompt, check or (), system, temperature, max_tokens, param or (), var or (), skip_bad, fair
    )
    if resume is None:
        job = batchjob.job_of(project, models, file, wanted)
    elif models or wanted != batchjob.NOTHING:
        raise typer.BadParameter("A resumed batch asks what it asked before.", param_hint="--resume")
    else:
        job = loop.run(batchjob.resumed(project, resume, file))
    survey = batchjob.checked(project, job)
    if resume is None:
        confirm(loop.run(batchjob.expected(survey.plan, concurrency, fair=fair)), ask=not yes)
    command = f"lf batch {file}" + (f" -c {config}" if config else "")
    keeping = run.Keeping(resume, command, out, record=record, excel=excel)
    ran = loop.run(run.run(project, job, survey, concurrency, keeping, quiet=as_json))
    _tell(job, survey, concurrency, ran, as_json=as_json)
    raise typer.Exit(ran.code)


def _tell(job: Job, survey: Survey, concurrency: int, ran: Ran, *, as_json: bool) -> None:
    from llamafarm.cli.commands.batch.screen import print_results
    from llamafarm.experiments.batch.results import results_json

    if not as_json:
        print_results(ran.tallies, 1 if job.fair else concurrency)
        return
    whole = {
        "run": ran.run,
        "file": job.file.title,
        "digest": survey.digest,
        "rows": survey.rows,
        "bad_rows": survey.bad_rows,
        "concurrency": 1 if job.fair else concurrency,
        "fair": job.fair,
        "elapsed_s": ran.elapsed_s,
        "finished": ran.finished,
        "models": results_json(ran.tallies),
    }
    typer.echo(strict_json.dumps(whole, indent=2))

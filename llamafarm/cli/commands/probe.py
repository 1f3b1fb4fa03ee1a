"""`lf models probe`: what the servers of a project's models do, found by asking."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.find import models_of, one_file, project_of, project_or_sample
from llamafarm.cli.asking.options import (
    ConfigOption,
    FileArgument,
    JsonOption,
    ModelsOption,
    RecordOption,
    YesOption,
)
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.config.model import NamedModel
    from llamafarm.history.probe import Finding, Probe
    from llamafarm.runtime import ProbeRun

LastOption = Annotated[bool, typer.Option("--last", help="Show the newest probe that is kept, and ask nothing.")]
EXAMPLE = "Example: lf models probe -m fast; lf models probe --last --json"
MARKS = {"yes": ("✓", "green"), "no": ("✗", "red"), "untold": ("?", "yellow")}


def probe_models(
    models: ModelsOption = None,
    file: FileArgument = None,
    config: ConfigOption = None,
    last: LastOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    record: RecordOption = True,
) -> None:
    """Ask each model a dozen short things, and show what its server does.

    Whether it streams word by word, counts, says where it cut, stops, refuses what is too long, calls tools and so on:
    at most 600 tokens and 60 s a model. What that costs is told before, and where it does, you are asked. Ctrl-C stops,
    and shows what was found. The exit code is 1 where no model answered.
    """
    import asyncio

    from llamafarm.cli.terminal.stop import Stop

    asked, stop = models_of(project_of(project_or_sample(one_file(file, config))), models), Stop()
    if last:
        found, trouble = asyncio.run(_kept(asked)), None
    else:
        found, trouble = asyncio.run(_probed(asked, stop, ask=not yes, shown=not as_json, record=record))
    if as_json:
        from llamafarm.output.probe import probe_object

        typer.echo(strict_json.dumps({"probes": [probe_object(each) for each in found]}, indent=2))
    else:
        _show(found)
    if trouble:
        typer.echo(f"lf: {trouble}", err=True)
    answered = any(each.mark != "untold" for probe in found for each in probe.findings)
    raise typer.Exit(stop.code or (0 if answered else 1))


async def _kept(models: Sequence[NamedModel]) -> list[Probe]:
    """The newest probe of each model that has one."""
    from llamafarm.runtime import kept_probes, open_history

    async with open_history() as history:
        found = await kept_probes(history, models)
    for model, probe in zip(models, found, strict=True):
        if probe is None:
            typer.echo(f"lf: {model.name} was never probed at its server: lf models probe -m {model.name}", err=True)
    return [probe for probe in found if probe is not None]


async def _probed(
    models: Sequence[NamedModel], stop: Stop, *, ask: bool, shown: bool, record: bool
) -> tuple[list[Probe], str | None]:
    """Tell what it takes, probe, and give what was found and why it may not be kept."""
    from llamafarm.cli.terminal.console import open_console
    from llamafarm.runtime import open_runtime, zero

    found: list[Probe] = []
    async with open_runtime(record=record) as runtime:
        run = runtime.probe(models)
        _confirm(run, ask=ask)
        with stop.on_signals(), stop.stops(run.stop):
            await zero(runtime)
            console = open_console(stderr=True)
            with console.status("") as status:
                async for now in run.follow():
                    if now.probe is not None:
                        found.append(now.probe)
                    elif shown:
                        status.update(f"{now.number} of {len(models)}: {_plain(now.model)}, {now.doing} · Ctrl-C stops")
    return found, run.trouble


def _confirm(run: ProbeRun, *, ask: bool) -> None:
    """Tell what it takes; ask where it costs, or may. Wrong usage where nobody is there to answer."""
    from llamafarm.core.characters import one_line
    from llamafarm.experiments.probe.outlay import outlay_lines

    for line in outlay_lines(run.plans):
        typer.echo(one_line(line), err=True)
    if not ask or all(plan.free for plan in run.plans):
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter("It may cost money, and nobody is there to say so: add --yes.", param_hint="--yes")
    typer.confirm("Start?", abort=True, err=True)


def _plain(text: str) -> str:
    """`text` on one line, without rich's marks."""
    from rich.markup import escape

    from llamafarm.core.characters import one_line

    return escape(one_line(text))


def _show(probes: Sequence[Probe]) -> None:
    from rich.text import Text

    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line
    from llamafarm.output.probe import heading

    console = open_console()
    for probe in probes:
        console.print(Text(one_line(heading(probe)), style="bold"))
        table = plain_table("", "It …", "Seen")
        for finding in probe.findings:
            table.add_row(Text(*MARKS[finding.mark]), Text(finding.title), _evidence(finding))
        console.print(table)
        console.print()


def _evidence(finding: Finding) -> Text:
    from rich.text import Text

    from llamafarm.core.characters import one_line

    seen = Text(one_line(finding.evidence))
    return seen.append(f" {finding.meaning}", style="red") if finding.meaning else seen

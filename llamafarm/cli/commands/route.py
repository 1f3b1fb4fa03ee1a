"""`lf route`: which model a router would pick, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from llamafarm.cli.asking.find import project_of, project_or_sample
from llamafarm.cli.asking.learned import learned_by
from llamafarm.cli.asking.options import ConfigOption, FileOption, JsonOption, PromptArgument, wish_of
from llamafarm.core import strict_json


def route(
    prompt: PromptArgument = None,
    config: ConfigOption = None,
    file: FileOption = None,
    why: Annotated[
        bool, typer.Option("--why", help="Tell too what each strategy saw: figures, doubts, the nearest prompts.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell which model each routing strategy would pick.

    Nobody is asked. The strategy that is marked with auto is the one of --model auto.
    """
    from llamafarm.routing import choose, suggest

    given = wish_of(prompt, file, None, None, None, None, None)
    project = project_of(project_or_sample(config))
    learned = learned_by(project)
    routes, auto = suggest(given.prompt, project, learned), choose(given.prompt, project, learned)
    if as_json:
        picks = {
            each.strategy: {"model": each.model, "reason": each.reason, "signals": dict(each.signals)}
            for each in routes
        }
        record = {"prompt": given.prompt, "auto": {"strategy": auto.strategy, "model": auto.model}, "route": picks}
        typer.echo(strict_json.dumps(record, indent=2))
        return
    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line

    table = plain_table("Strategy", "Model", "Why")
    for each in routes:
        mark = " (auto)" if each.strategy == auto.strategy else ""
        table.add_row(f"{each.strategy.replace('_', ' ')}{mark}", one_line(each.model), one_line(each.reason))
    console = open_console()
    console.print(table)
    for each in routes if why else ():
        console.print(f"\n{each.strategy.replace('_', ' ')}:")
        for name, value in each.signals.items():
            console.print(one_line(f"  {name.replace('_', ' ')}: {strict_json.dumps(value)}"), soft_wrap=True)

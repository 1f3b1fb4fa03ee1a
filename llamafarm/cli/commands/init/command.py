"""`lf init`: a project file to begin with."""

from __future__ import annotations

import difflib
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from llamafarm.cli.asking.complete import complete_patterns
from llamafarm.cli.commands.init.discovered import found_project
from llamafarm.cli.commands.init.target import TARGET, write_project


def init(
    pattern: Annotated[
        str | None,
        typer.Argument(help="The pattern; else the one that needs nothing.", autocompletion=complete_patterns),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", "-l", help="Tell the patterns, and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the llamafarm.yaml that is there.")] = False,
    discover: Annotated[
        bool, typer.Option("--discover", help="Look for models on this machine, and write a project of them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write what was found without asking.")] = False,
) -> None:
    """Write one of the sample projects, or one of what this machine has, as ./llamafarm.yaml.

    `--discover` asks the usual addresses of model servers on this machine for their lists, within a second, and looks
    which well-known key variables are set, not what they hold. The project is shown before it is written.
    """
    if discover:
        if pattern or listed:
            raise typer.BadParameter(
                "It makes a project of its own: leave PATTERN and --list out.", param_hint="--discover"
            )
        found_project(force=force, yes=yes)
        return
    if yes:
        raise typer.BadParameter("It is for --discover.", param_hint="--yes")
    from llamafarm.config.samples import FIRST, sample_names, sample_path

    names = sample_names()
    if listed:
        for name in names:
            typer.echo(f"{name:{max(map(len, names))}}  {_about(sample_path(name))}")
        return
    from llamafarm.core.files import same_file

    chosen = (pattern or FIRST).replace("-", "_").lower().removesuffix(".yaml")
    if chosen not in names:
        near = difflib.get_close_matches(chosen, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}."
        raise typer.BadParameter(f"There is no pattern {pattern}: {hint}", param_hint="PATTERN")
    if same_file(TARGET, sample_path(chosen)):
        raise typer.BadParameter(f"{TARGET} is the sample itself: remove that link first.", param_hint="PATTERN")
    write_project(sample_path(chosen).read_bytes(), force=force)
    typer.echo(f"Wrote {TARGET} ({chosen}). {_about(sample_path(chosen))}")
    typer.echo('Next: lf models check, then lf chat "Hello"')


def _about(path: Path) -> str:
    """What the comment at the head of a sample says, on one line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))

"""`lf init --discover`: a project of the models that this machine has."""

from __future__ import annotations

from pathlib import Path

import typer

from llamafarm.cli.commands.init.target import TARGET, in_the_way, write_project

NOTHING = """\
No model server answers at the usual addresses of this machine, and no well-known key variable is set.
Start one (ollama serve), or begin with the model that needs none: lf init"""


def found_project(*, force: bool, yes: bool) -> None:
    """Show a project of what was found, and write it once that is confirmed, or with `yes`.

    The project goes to standard output, all else beside it. One that is there already is overwritten with `force`, or
    where that is confirmed.
    """
    import asyncio

    from llamafarm.core.characters import one_line
    from llamafarm.runtime.discovering import discover

    if yes and not force and (there := in_the_way()):
        raise typer.BadParameter(there, param_hint="--force")
    found = asyncio.run(discover(Path()))
    for line in found.summary():
        typer.echo(one_line(line), err=True)
    if not found.text:
        typer.echo(NOTHING, err=True)
        raise typer.Exit(1)
    typer.echo(found.text, nl=False)
    there = None if force else in_the_way()
    if not yes and not _confirmed(there):
        typer.echo("Nothing was written: --yes writes it without asking.", err=True)
        return
    write_project(found.text.encode(), force=force or there is not None)
    typer.echo(f'Wrote {TARGET}. Next: lf compare "Hello"', err=True)


def _confirmed(there: str | None) -> bool:
    """Whether somebody says yes; nobody at standard input says no."""
    ask = f"{there.partition(':')[0]}. Write {TARGET} all the same?" if there else f"Write this as {TARGET}?"
    try:
        return typer.confirm(ask, err=True)
    except typer.Abort:
        return False

"""`lf history runs`: the sweeps and batches of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llamafarm.cli.commands.history.kept import using
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llamafarm.history.model import Run


def runs(
    kind: Annotated[Literal["sweep", "batch"] | None, typer.Option("--kind", help="Only of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")] = 20,
    older_than: Annotated[str | None, typer.Option(metavar="ID", help="List those before this one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs.")] = False,
) -> None:
    """List sweeps and batches, newest first: what can be resumed, and reported."""
    found = using(lambda kept: kept.runs(kind=kind, limit=limit, older_than=older_than))
    if as_json:
        typer.echo(strict_json.dumps([_object(run) for run in found], indent=2))
    else:
        _show(found)


def _object(run: Run) -> dict[str, str | None]:
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "namespace": run.project.namespace,
        "project": run.project.name,
    }


def _show(found: Sequence[Run]) -> None:
    from rich.text import Text

    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line

    console = open_console()
    if not found:
        console.print("Nothing was found.")
        return
    table = plain_table("Id", "Kind", "When", "State", "Project", "Title")
    table.columns[0].no_wrap = True
    for run in found:
        project = one_line(f"{run.project.namespace}/{run.project.name}")
        title = Text(one_line(run.title), no_wrap=True, overflow="ellipsis")
        state = "whole" if run.ended_at else "unfinished"
        table.add_row(run.id, run.kind, f"{run.started_at.astimezone():%Y-%m-%d %H:%M}", state, Text(project), title)
    console.print(table)

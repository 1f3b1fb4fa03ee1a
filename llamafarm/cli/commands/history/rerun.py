"""Asking again what was asked before."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer

from llamafarm.cli.asking.find import project_of, project_or_sample
from llamafarm.cli.commands.comparison import compared
from llamafarm.core.errors import RequestError
from llamafarm.engine.recording import Origin, again, ref_of
from llamafarm.history.model import Recorded


def ask_again(recorded: Recorded, config: Path | None, *, as_json: bool) -> NoReturn:
    """Run the comparison anew; its record says which one it follows.

    Raises RequestError where the project file is another one, or has a model no more.
    """
    before = recorded.asked.project
    path = project_or_sample(config)
    project = project_of(path)
    now = ref_of(project)
    if (now.namespace, now.name) != (before.namespace, before.name):
        raise RequestError(
            f"The comparison was asked by the project {before.namespace}/{before.name}, but {path.name} is "
            f"{now.namespace}/{now.name}.",
            hint="Name its file with --config.",
        )
    if now.digest != before.digest:
        typer.echo(f"lf: {path.name} has changed since: its settings are used as they are now.", err=True)
    lanes, question = again(recorded, project)
    asked = recorded.asked
    kind = asked.kind if asked.run is None else "compare"
    origin = Origin(kind=kind, parent=asked.id)
    compared(project, lanes, question, origin, as_json=as_json)

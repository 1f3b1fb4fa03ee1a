"""`lf validate`: what is wrong with a project file."""

from __future__ import annotations

from typing import Annotated

import typer

from llamafarm.cli.asking.find import one_file, project_file
from llamafarm.cli.asking.options import ConfigOption, FileArgument
from llamafarm.core import strict_json


def validate(
    file: FileArgument = None,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write a JSON object for programs.")] = False,
) -> None:
    """Check a project file.

    The exit code is 0 if a model can be used, 1 if none can, 2 for wrong usage.
    """
    from llamafarm.config import load
    from llamafarm.config.report import report
    from llamafarm.config.text import lines

    path = project_file(one_file(file, config))
    loaded = load(path)
    if as_json:
        typer.echo(strict_json.dumps(report(loaded), indent=2))
    else:
        for line in lines(loaded, path.name):
            typer.echo(line)
    usable = loaded.project is not None and any(model.usable for model in loaded.project.models)
    raise typer.Exit(0 if usable else 1)

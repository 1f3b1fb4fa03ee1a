"""`lf schema`: what a project file may hold, for editors and other programs."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema of llamafarm.yaml, by which editors complete and check it.

    `lf init` writes it beside the project as llamafarm.schema.json, and names it in the project's first line.
    """
    from llamafarm.config.schema.project import schema_json

    typer.echo(schema_json(), nl=False)

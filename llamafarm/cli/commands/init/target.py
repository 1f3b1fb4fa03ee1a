"""What `lf init` writes: the project file, and beside it the JSON Schema that editors check it with."""

from __future__ import annotations

from pathlib import Path

import typer

from llamafarm.cli.asking.find import NAMES

TARGET = Path(NAMES[0])


def in_the_way() -> str | None:
    """What writing would do to the project file that is there, in words; None where there is none."""
    there = next((name for name in NAMES if Path(name).exists()), None)
    if there is None:
        return None
    what = "overwrites it" if there == TARGET.name else f"writes {TARGET}, which is read instead of it"
    return f"{there} is there already: --force {what}."


def write_project(text: bytes, *, force: bool) -> None:
    """Write the file and the schema; a project that is there stays, unless `force`.

    A `llamafarm.schema.json` of somebody else's stays in any case, and then no line names it.
    """
    from llamafarm.config.schema.project import FILE, LINE, is_ours, schema_json
    from llamafarm.core.files import write_whole

    schema = Path(FILE)
    named = not schema.exists() or is_ours(schema)
    data = f"{LINE}\n".encode() + text if named else text
    if not force and (there := in_the_way()):
        raise typer.BadParameter(there, param_hint="--force")
    try:
        if force:
            write_whole(TARGET, data)
        else:
            with TARGET.open("xb") as file:
                file.write(data)
    except FileExistsError:
        raise typer.BadParameter(f"{TARGET} is there already: --force overwrites it.", param_hint="--force") from None
    except OSError as error:
        raise typer.BadParameter(f"{TARGET} can't be written: {error.strerror}.") from None
    try:
        if named:
            write_whole(schema, schema_json().encode())
    except OSError as error:
        typer.echo(f"{schema} can't be written, so that editors can't check {TARGET}: {error.strerror}.", err=True)

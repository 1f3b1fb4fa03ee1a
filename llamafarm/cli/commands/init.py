"""`lf init`: a project file to begin with."""

from __future__ import annotations

import difflib
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from llamafarm.cli.asking.complete import complete_patterns
from llamafarm.cli.asking.find import NAMES

TARGET = Path(NAMES[0])


def init(
    pattern: Annotated[
        str | None,
        typer.Argument(help="The pattern; else the one that needs nothing.", autocompletion=complete_patterns),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", "-l", help="Tell the patterns, and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the llamafarm.yaml that is there.")] = False,
) -> None:
    """Write one of the sample projects as ./llamafarm.yaml."""
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
    _write(sample_path(chosen).read_bytes(), force=force)
    typer.echo(f"Wrote {TARGET} ({chosen}). {_about(sample_path(chosen))}")
    typer.echo('Next: lf models check, then lf chat "Hello"')


def _write(data: bytes, *, force: bool) -> None:
    """Write the file; one that is there stays, unless `force`."""
    from llamafarm.core.files import write_whole

    there = next((name for name in NAMES if Path(name).exists()), None)
    if there is not None and not force:
        what = "overwrites it" if there == TARGET.name else f"writes {TARGET}, which is read instead of it"
        raise typer.BadParameter(f"{there} is there already: --force {what}.", param_hint="--force")
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


def _about(path: Path) -> str:
    """What the comment at the head of a sample says, on one line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))

"""Where commands write: never over what they read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import typer

from llamafarm.cli.find import NAMES
from llamafarm.files import same_file


def check_output(out: Path | None, inputs: Iterable[Path | None], option: str) -> None:
    """Wrong usage where `out` can't be written, or is one of `inputs`, the history or a project file of this folder."""
    if out is None:
        return
    read = [each for each in inputs if each is not None]
    for each in (*read, *map(Path, NAMES), *_history()):
        if same_file(out, each):
            what = "which is read here" if each in read else "which others read"
            raise typer.BadParameter(f"{out} is {each}, {what}: name another file.", param_hint=option)
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder: name a file.", param_hint=option)
    if not out.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {out.parent}.", param_hint=option)


def _history() -> list[Path]:
    from llamafarm.errors import LlamaFarmError
    from llamafarm.store.place import place_of

    try:
        place = place_of(os.environ)
    except LlamaFarmError:  # the command itself says what is the matter with it
        return []
    return [place.file] if place is not None and place.file is not None else []

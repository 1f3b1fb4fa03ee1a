"""Checks and writes the output files of commands, never over a file that they read."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from pathlib import Path

import typer

from llamafarm.cli.asking.find import NAMES
from llamafarm.core.files import same_file


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


def check_answers_form(out: Path | None, *, excel: bool) -> None:
    """Wrong usage where answers have no such form, RequestError where what writes it is not installed."""
    from llamafarm.output.batch import form_of
    from llamafarm.output.tables import check_form

    form = None if out is None else form_of(out.name)
    if excel and form != "csv":
        raise typer.BadParameter("Excel reads CSV: name a file that ends in .csv with --out.", param_hint="--excel")
    if out is not None and form is None:
        raise typer.BadParameter("Name a file that ends in .csv, .parquet or .jsonl.", param_hint="--out")
    check_form(form or "")


async def write_pieces(pieces: AsyncGenerator[bytes, None], out: Path) -> None:
    """Write the pieces to `out`, which is there when it is whole. Closes them. RequestError where it can't be."""
    import asyncio

    from llamafarm.core.errors import RequestError
    from llamafarm.core.files import replacing_in_thread

    try:
        async with aclosing(pieces), replacing_in_thread(out) as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
    except OSError as error:
        raise RequestError(f"{out} can't be written: {error.strerror}.") from None


def _history() -> list[Path]:
    from llamafarm.core.errors import LlamaFarmError
    from llamafarm.history.database.connecting.place import place_of

    try:
        place = place_of(os.environ)
    except LlamaFarmError:  # the command itself says what is the matter with it
        return []
    return [place.file] if place is not None and place.file is not None else []

"""The prompt: from the command line, from files and from standard input."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import typer

MAX_BYTES = 8 * 1024 * 1024  # what `lf serve` takes too
PATIENCE_S = 2.0
STDIN = Path("-")


def read_prompt(argument: str | None, files: Sequence[Path], *, piped: bool) -> str:
    """The argument, the files and what is piped in, in this order, with an empty line between them.

    `piped`: also standard input, unless it is a terminal or named as a file. Empty where there is nothing. Wrong
    usage where a file can't be read, or is no text of at most 8 MiB.
    """
    parts = [argument or ""]
    parts += [_standard_input(alone=False) if file == STDIN else _file(file) for file in files]
    if piped and STDIN not in files and _is_piped():
        parts.append(_standard_input(alone=not any(parts)))
    return "\n\n".join(part for part in parts if part.strip())


def _is_piped() -> bool:
    """Whether something may come on standard input: a pipe, a file or a socket, and no terminal or /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or none at all
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"{path} can't be read: {error.strerror}.", param_hint="--file") from None
    return _text(data, str(path))


def _standard_input(*, alone: bool) -> str:
    """All of standard input as text; see `read_standard_input`."""
    return _text(read_standard_input(alone=alone), "Standard input")


def read_standard_input(*, alone: bool = True) -> bytes:
    """All of standard input. Where it is not `alone` and does not end, a line says what is waited for."""
    timer = threading.Timer(PATIENCE_S, _still_waiting)
    timer.daemon = True
    if not alone:
        timer.start()
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"Standard input can't be read: {error.strerror}.") from None
    finally:
        timer.cancel()
    if len(data) > MAX_BYTES:
        raise typer.BadParameter(f"Standard input is larger than {MAX_BYTES // 1024 // 1024} MiB.")
    return data


def _still_waiting() -> None:
    typer.echo("lf: waiting for the end of standard input; give </dev/null where there is none.", err=True)


def _text(data: bytes, name: str) -> str:
    """UTF-8, or UTF-16 with its mark; without the line ends at its end, as a shell's $(…) has it."""
    if len(data) > MAX_BYTES:
        raise typer.BadParameter(f"{name} is larger than {MAX_BYTES // 1024 // 1024} MiB.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{name} is not UTF-8 text.") from None

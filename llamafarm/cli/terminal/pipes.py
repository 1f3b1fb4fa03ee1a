"""Ends a command properly when its output can't be written: the reader has gone, or the disk is full."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar, cast

import typer

from llamafarm.cli.terminal.screen import close_output

BROKEN_PIPE = 141  # what shells tell of a program that SIGPIPE ended


Result = TypeVar("Result")


class OutputLost(Exception):
    """Standard output or error takes nothing any more. No OSError: command frameworks swallow some of those."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Told:
    """A stream whose trouble is told as OutputLost; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream's."""
        return _guarded(lambda: self._stream.write(text))

    def flush(self) -> None:
        """As the stream's."""
        _guarded(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stream)


def _guarded(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except OSError as error:
        raise OutputLost(error) from None


@contextmanager
def told_output() -> Iterator[None]:
    """What is written inside is written at the end, or the process exits with the code that says why it is not."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, _Told(out)), cast(TextIO, _Told(err))
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except OutputLost as lost:
        sys.stdout, sys.stderr = out, err
        close_output()
        sys.exit(lost_code(lost.error))
    finally:
        sys.stdout, sys.stderr = out, err


def lost_code(error: OSError) -> int:
    """The exit code where the output was lost for this reason, which is told unless its reader has gone."""
    if error.errno == errno.EPIPE:
        return BROKEN_PIPE
    typer.echo(f"lf: The output can't be written: {error.strerror}.", err=True)
    return 1

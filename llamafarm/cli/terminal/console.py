"""Tables in the terminal; in a pipe the same, neither folded nor cut to a width that nothing has."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from llamafarm.cli.terminal.streams import beneath
from llamafarm.core.characters import for_terminal

PIPE_WIDTH = 10_000


class CleanConsole(Console):
    """Shows text as it is, but for what would steer the terminal: only the console's own sequences do."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich's. Texts are cleaned before they are folded to a width, so that nothing of them is cut."""
        if isinstance(renderable, str):
            renderable = for_terminal(renderable)
        elif isinstance(renderable, Text) and (clean := for_terminal(renderable.plain)) != renderable.plain:
            renderable = Text(
                clean, renderable.style, no_wrap=renderable.no_wrap, overflow=renderable.overflow, end=renderable.end
            )
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(for_terminal(segment.text), segment.style)


def open_console(*, stderr: bool = False) -> Console:
    """A console without mark-up, emoji names, and colours in a pipe."""
    stream = beneath(sys.stderr if stderr else sys.stdout)
    console = CleanConsole(highlight=False, markup=False, emoji=False, file=stream)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def plain_table(*columns: str) -> Table:
    """A table without lines, its columns two spaces apart."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name)
    return table


class LiveScreen:
    """A part of a terminal that is drawn anew as things change, and is gone at the end; elsewhere nothing is drawn."""

    def __init__(self, console: Console, *, shown: bool) -> None:
        self._console = console
        live = shown and console.is_terminal
        self._live = Live(console=console, auto_refresh=False, transient=True) if live else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

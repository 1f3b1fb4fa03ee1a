"""Tables in the terminal; in a pipe the same, neither folded nor cut to a width that nothing has."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 10_000


def open_console(*, stderr: bool = False) -> Console:
    """A console that shows text as it is: no mark-up, no emoji names, no colours in a pipe."""
    console = Console(highlight=False, markup=False, emoji=False, stderr=stderr)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def plain_table(*columns: str) -> Table:
    """A table without lines, its columns two spaces apart."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name)
    return table

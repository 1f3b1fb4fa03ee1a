"""A batch in the terminal: how far it is, and what each model came to."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from llamafarm import display
from llamafarm.cli.console import open_console, plain_table
from llamafarm.cli.plain import one_line
from llamafarm.cli.sweepscreen import BAR, WIDTH, progress_line
from llamafarm.engine.batch import Batch
from llamafarm.engine.progress import Progress
from llamafarm.engine.rows import Row
from llamafarm.export.batchtable import figures_of, notes
from llamafarm.reply import Reply
from llamafarm.study.tally import Tally


class LiveBatch:
    """A bar, the table so far and the newest answers on a terminal; a line at the end elsewhere."""

    def __init__(self, batch: Batch, *, shown: bool) -> None:
        self._batch = batch
        self._console = open_console(stderr=True)
        live = shown and self._console.is_terminal
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if live else None

    @property
    def drawn(self) -> bool:
        """Whether anything is shown while it runs."""
        return self._live is not None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Draw how far it is."""
        if self._live is None:
            return
        row = Table.grid(padding=(0, 1, 0, 0))
        bar = ProgressBar(total=max(progress.total, 1), completed=progress.done, width=BAR, complete_style="green")
        row.add_row(bar, Text(f"{progress_line(progress)} · Ctrl-C stops", "dim"))
        newest = [_newest(row, reply) for row, reply in list(self._batch.newest)]
        self._live.update(Group(results_table(self._batch.tallies), Text(), *newest, row), refresh=True)

    def end(self, progress: Progress) -> None:
        """Say how far it came."""
        self._console.print(Text(f"{progress_line(progress)} · {display.seconds(progress.elapsed_s)}", "dim"))


def _newest(row: Row, reply: Reply) -> Text:
    said = reply.text if reply.failure is None else reply.failure.message
    head = one_line(f"{row.item} {reply.lane}")
    return Text(f"{head}: {one_line(said)[:WIDTH]}", "dim" if reply.failure is None else "red")


def print_results(tallies: Mapping[str, Tally], at_once: int) -> None:
    """The table of all models, and what must be known to read it rightly."""
    console = open_console()
    console.print(results_table(tallies))
    for line in notes(tallies, at_once):
        console.print(Text(line, "dim"))


def results_table(tallies: Mapping[str, Tally]) -> Table:
    """One row a model; columns that no model has anything for are left out."""
    figures = {name: figures_of(tally) for name, tally in tallies.items()}
    columns = [
        name
        for name in next(iter(figures.values()), {})
        if any(each[name] != display.NOTHING for each in figures.values())
    ]
    table = plain_table("Model", *columns)
    for column in table.columns[1:]:
        column.justify = "right"
    for model, each in figures.items():
        table.add_row(Text(one_line(model)), *(Text(each[name]) for name in columns))
    return table

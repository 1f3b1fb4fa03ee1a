"""A batch in the terminal: how far it is, and what each model came to."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from llamafarm.cli.terminal.console import open_console, plain_table
from llamafarm.cli.terminal.run_screen import LiveRun, answer_line
from llamafarm.core import display
from llamafarm.core.characters import one_line
from llamafarm.core.figures import Progress
from llamafarm.experiments.batch.batch import Batch
from llamafarm.experiments.stats.tally import Tally
from llamafarm.output.batch_table import figures_of, notes


class LiveBatch(LiveRun):
    """The table so far, the newest answers and a bar."""

    def __init__(self, batch: Batch, *, shown: bool) -> None:
        super().__init__(shown=shown)
        self._batch = batch

    def show(self, progress: Progress) -> None:
        """Draw how far it is."""
        if self.drawn:
            newest = [answer_line(f"{row.item} {reply.lane}", reply) for row, reply in list(self._batch.newest)]
            self.draw(progress, results_table(self._batch.tallies), Text(), *newest)


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

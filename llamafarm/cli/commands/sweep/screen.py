"""A sweep in the terminal: how far it is, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.text import Text

from llamafarm.cli.terminal.console import open_console, plain_table
from llamafarm.cli.terminal.run_screen import LiveRun, answer_line
from llamafarm.core import display
from llamafarm.core.characters import one_line
from llamafarm.core.figures import Progress
from llamafarm.experiments.stats.recommend import Recommendation
from llamafarm.experiments.stats.summary import Summary
from llamafarm.experiments.sweep.findings import Cell, timing_notes
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.sweep import Result
from llamafarm.output.measures import MEASURES

NEWEST = 3


class LiveProgress(LiveRun):
    """A bar with the newest answers of a sweep."""

    def __init__(self, grid: Grid, *, shown: bool) -> None:
        super().__init__(shown=shown)
        self._grid = grid
        self._newest: list[Text] = []

    def show(self, progress: Progress, batch: Sequence[Result]) -> None:
        """Draw how far it is."""
        self._newest = [*self._newest, *map(self._line, batch[-NEWEST:])][-NEWEST:]
        self.draw(progress, *self._newest)

    def _line(self, result: Result) -> Text:
        call = result.call
        return answer_line(f"{call.model} {self._grid.parameter} {self._grid.values[call.value]}", result.sample.reply)


def print_findings(grid: Grid, cells: Mapping[Cell, Summary], found: Mapping[str, Recommendation]) -> None:
    """The table of all measures with their intervals, and the recommendations."""
    console = open_console()
    columns = _columns(cells.values())
    table = plain_table("Model", grid.parameter, *columns)
    for (model, value), cell in cells.items():
        figures = dict(_figures(cell))
        table.add_row(Text(one_line(model)), Text(str(grid.values[value])), *(Text(figures[name]) for name in columns))
    console.print(table)
    console.print(Text("In brackets: 95 % bootstrap intervals. Similarity is Jaccard's.", "dim"))
    for note in timing_notes(cells.values()):
        console.print(Text(note, "dim"))
    for model, each in found.items():
        console.print(Text(f"{one_line(model)}: {recommendation_line(grid.parameter, each)}", "bold"))
    if not found:
        console.print(Text("Name a task with --task, and number values, for a recommendation.", "dim"))


def recommendation_line(parameter: str, found: Recommendation) -> str:
    """A recommendation in a sentence, with its figure."""
    if found.value is None:
        return f"no recommendation. {found.why}"
    return f"{parameter} {found.value:g}, {found.measure} {display.interval(found.figure, display.share)}. {found.why}"


def _columns(cells: Iterable[Summary]) -> list[str]:
    """The measures of which any cell has something."""
    names: dict[str, bool] = {}
    for cell in cells:
        for name, text in _figures(cell):
            names[name] = names.get(name, False) or text != display.NOTHING
    return [name for name, known in names.items() if known]


def _figures(cell: Summary) -> Iterator[tuple[str, str]]:
    yield "Answers", f"{cell.answered} of {cell.asked}" if cell.failed else str(cell.answered)
    yield "Cut", str(cell.cut) if cell.cut else display.NOTHING
    for measure in MEASURES:
        yield measure.name, display.interval(measure.of(cell), measure.text)
    yield "Cost", display.money(cell.cost)
    yield "Judge's cost", display.NOTHING if cell.judge_cost is None else display.money(cell.judge_cost)
    yield "Warming", display.NOTHING if cell.warmups is None else display.money(cell.warmups)

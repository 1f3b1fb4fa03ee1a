"""A sweep in the terminal: its plan, how far it is, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from llamafarm.engine.findings import Cell, timing_notes
from llamafarm.engine.grid import Grid
from llamafarm.engine.plan import Plan
from llamafarm.engine.progress import Progress
from llamafarm.engine.sweep import Result
from llamafarm.study.bootstrap import Estimate
from llamafarm.study.recommend import Recommendation
from llamafarm.study.summary import Summary

BAR = 30
NEWEST = 3
WIDTH = 100


def plan_lines(plan: Plan) -> Iterator[str]:
    """What a sweep will take, and what must be known before it starts."""
    judging = f" and {plan.judge_calls:,} of the judge" if plan.judge_calls else ""
    made = "unknown: no max_tokens" if plan.output_tokens is None else f"at most {plan.output_tokens:,}"
    yield f"Calls: {plan.calls:,}{judging}. Tokens: ~{plan.input_tokens:,} in, out {made}."
    if plan.usd is None:
        yield f"Cost: unknown (for {', '.join(plan.unpriced)}). Time: unknown before the first answers."
    else:
        most = "nothing" if plan.usd == 0 else f"at most {display.usd(plan.usd, estimated=True)}"
        yield f"Cost: {most}. Time: unknown before the first answers."
    yield from plan.notes


def progress_line(progress: Progress) -> str:
    """How far it is, in a line."""
    parts = [f"{progress.done:,} of {progress.total:,}"]
    if progress.resumed:
        parts.append(f"{progress.resumed:,} of them from before")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.per_s is not None:
        parts.append(display.rate(progress.per_s))
    if progress.left_s:
        parts.append(f"{display.seconds(progress.left_s)} left")
    return " · ".join(parts)


class LiveProgress:
    """A bar with the newest answers on a terminal; a line at the end elsewhere."""

    def __init__(self, grid: Grid, *, shown: bool) -> None:
        self._grid = grid
        self._console = open_console(stderr=True)
        self._newest: list[Text] = []
        live = shown and self._console.is_terminal
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if live else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, progress: Progress, batch: Sequence[Result]) -> None:
        """Draw how far it is."""
        if self._live is None:
            return
        self._newest = [*self._newest, *map(self._line, batch[-NEWEST:])][-NEWEST:]
        row = Table.grid(padding=(0, 1, 0, 0))
        bar = ProgressBar(total=progress.total, completed=progress.done, width=BAR, complete_style="green")
        row.add_row(bar, Text(f"{progress_line(progress)} · Ctrl-C stops", "dim"))
        self._live.update(Group(*self._newest, row), refresh=True)

    def end(self, progress: Progress) -> None:
        """Say how far it came."""
        self._console.print(Text(f"{progress_line(progress)} · {display.seconds(progress.elapsed_s)}", "dim"))

    def _line(self, result: Result) -> Text:
        call, reply = result.call, result.sample.reply
        said = reply.text if reply.failure is None else reply.failure.message
        head = f"{call.model} {self._grid.parameter} {self._grid.values[call.value]}"
        return Text(f"{head}: {one_line(said)[:WIDTH]}", "dim" if reply.failure is None else "red")


def print_findings(grid: Grid, cells: Mapping[Cell, Summary], found: Mapping[str, Recommendation]) -> None:
    """The table of all measures with their intervals, and the recommendations."""
    console = open_console()
    columns = _columns(cells.values())
    table = plain_table("Model", grid.parameter, *columns)
    for (model, value), cell in cells.items():
        figures = dict(_figures(cell))
        table.add_row(Text(one_line(model)), Text(str(grid.values[value])), *(Text(figures[name]) for name in columns))
    console.print(table)
    console.print(Text("In brackets: 95 % bootstrap intervals. Diversity is distinct-2, similarity Jaccard's.", "dim"))
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
    return f"{parameter} {found.value:g}, {found.measure} {share(found.figure)}. {found.why}"


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
    yield "Checks passed", share(cell.validity)
    yield "Judge", share(cell.score)
    yield "Agreement", share(cell.agreement)
    yield "Similarity", share(cell.similarity)
    yield "Diversity", share(cell.distinct2)
    yield "Words", _number(cell.length)
    yield "TTFT", _seconds(cell.ttft_s)
    yield "Speed", display.NOTHING if cell.tokens_per_s is None else display.speed(cell.tokens_per_s.value)
    yield "Cost", display.money(cell.cost)
    yield "Judge's cost", display.NOTHING if cell.judge_cost is None else display.money(cell.judge_cost)
    yield "Warming", display.NOTHING if cell.warmups is None else display.money(cell.warmups)


def share(found: Estimate | None) -> str:
    """`0.83 [0.60, 1.00]`; without brackets where there is no interval."""
    return display.interval(found, lambda value: f"{value:.2f}")


def _number(found: Estimate | None) -> str:
    return display.interval(found, lambda value: f"{value:.0f}")


def _seconds(found: Estimate | None) -> str:
    return display.interval(found, display.seconds)

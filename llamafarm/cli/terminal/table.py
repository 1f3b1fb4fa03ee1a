"""The replies of a comparison as a table in the terminal, and the answers under it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from llamafarm.cli.terminal.console import LiveScreen, open_console
from llamafarm.cli.terminal.lines import call_line, failure_line, fallback_line, missing_line, run_line
from llamafarm.core import display
from llamafarm.core.characters import excerpt, one_line
from llamafarm.core.conditions import Figure
from llamafarm.core.reply import Reply
from llamafarm.core.types import Route

TAIL = 240  # characters of an answer that is still coming
NOTE = 32  # characters of what a lane is waiting for
BAR = 24
ENDED = {"done": ("✓ done", "green"), "failed": ("✗ failed", "red"), "stopped": ("■ stopped", "yellow")}
FIGURES = ("TTFT", "Total", "Speed", "In", "Out", "Cost")


class LiveTable(LiveScreen):
    """Redraws on a terminal, and writes once at the end where the output goes elsewhere.

    `known` are notes that are known from the start.
    """

    def __init__(self, routes: Sequence[Route], default: str, *, shown: bool, known: Sequence[str] = ()) -> None:
        super().__init__(open_console(), shown=shown)
        self._routes = routes
        self._default = default
        self._shown = shown
        self._known = known
        self._replies: Mapping[str, Reply] = {}
        self._spinners: dict[str, Spinner] = {}
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        if self._shown:
            for route in self._routes:
                self._console.print(Text(f"Route by {route.strategy.replace('_', ' ')}: {route.reason}", style="dim"))
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._shown and self._replies:
            for reply in self._replies.values():
                self._answer(reply)
            self._console.print()
            self._console.print(self._table())
            for note in (*self._known, *notes(self._replies.values())):
                self._console.print(Text(note, style="dim"))

    def show(self, replies: Mapping[str, Reply]) -> None:
        """Show how far the lanes are."""
        self._replies = replies
        if self._live:
            tails = [
                Text(f"{reply.lane}: …{one_line(reply.text)[-TAIL:]}", style="dim")
                for reply in replies.values()
                if not reply.ended and reply.text
            ]
            self._live.update(Group(self._table(), Text(), self._progress(), *tails), refresh=True)

    def _answer(self, reply: Reply) -> None:
        """A lane's whole answer, with the way to it."""
        self._console.print(Text(f"\n{reply.lane}", style="bold"))
        for line in chain_lines(reply):
            self._console.print(Text(line, style="yellow"))
        for line in tool_lines(reply):
            self._console.print(Text(line, style="dim"))
        self._console.print(Text(reply.text or "(no text)"))
        if reply.failure:
            self._console.print(Text(failure_line(reply.failure), style="red"))

    def _progress(self) -> RenderableType:
        """How many lanes have ended, and how long it took until now."""
        done, lanes = sum(reply.ended for reply in self._replies.values()), len(self._replies)
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_row(
            ProgressBar(total=lanes, completed=done, width=BAR, complete_style="green", finished_style="green"),
            Text(
                f"{done} of {lanes} done · {display.seconds(time.perf_counter() - self._began)} · Ctrl-C stops", "dim"
            ),
        )
        return row

    def _table(self) -> Table:
        table = Table("Model", "State", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for name in FIGURES:
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("Source")
        picked = {route.model for route in self._routes}
        for reply in self._replies.values():
            stand_in = f" ← {reply.model}" if reply.model != reply.asked else ""
            marks = (" (default)" if reply.asked == self._default else "") + (" →" if reply.asked in picked else "")
            table.add_row(
                Text(one_line(f"{reply.lane}{marks}{stand_in}")),
                self._state(reply),
                *map(Text, _figures(reply)),
                Text(reply.cost.source, style="dim"),
            )
        return table

    def _state(self, reply: Reply) -> RenderableType:
        """What a lane is doing, turning while it does; how it ended."""
        if reply.status in ENDED:
            word, style = ENDED[reply.status]
            return Text(f"{word}, shared" if reply.shared else word, style)
        doing = f"{reply.status} {excerpt(reply.note, NOTE)}".strip()
        spinner = self._spinners.setdefault(reply.lane, Spinner("dots", style="cyan"))
        spinner.update(text=Text(doing, style="cyan"))
        return spinner


PROBED = " ✗"  # behind a figure that a probe found something about
LOST = " *"  # behind a time that has a failed try, a pause or a closed connection in it
LATE = " †"  # behind a figure that our own lateness makes doubtful


def _figures(reply: Reply) -> tuple[str, ...]:
    spans, usage, cost = reply.timings, reply.usage, reply.cost
    estimated = usage.output is not None and usage.output.source == "estimated"
    told: dict[Figure, str] = {
        "ttft": display.seconds(spans.ttft_s) + (LOST if reply.ttft_lost_s and spans.ttft_s is not None else ""),
        "total": display.seconds(spans.total_s) + (LOST if reply.lost_s else ""),
        "speed": display.speed(spans.tokens_per_s, estimated=estimated),
        "input": display.tokens(usage.input),
        "output": display.tokens(usage.output),
        "cost": display.usd(cost.usd, estimated=cost.estimated),
    }
    late: set[Figure] = {"ttft"} if spans.ttft_doubtful else set()
    late |= {"total", "speed"} if spans.total_doubtful else set()
    probed = {figure for mark in reply.probed for figure in mark.figures}
    return tuple(
        text if text == display.NOTHING else text + LATE * (name in late) + PROBED * (name in probed)
        for name, text in told.items()
    )


def chain_lines(reply: Reply) -> list[str]:
    """The tries and fallbacks of a lane, a line each."""
    tries = [one_line(f"try {each.attempt}: {each.message}") for each in reply.retries]
    again = [display.reconnected(reply)] if reply.reconnects else []
    return [*tries, *again, *map(fallback_line, reply.fallbacks)]


def tool_lines(reply: Reply) -> Iterator[str]:
    """What was called and what came of it, a line each; and why the tools of a server were not there."""
    for name, why in reply.tools_missing.items():
        yield missing_line(name, why)
    for run in reply.tool_runs:
        name = f"{run.server}: {run.tool}" if run.server else run.call.name
        yield run_line(f"{name} {run.call.arguments}", run.state, run.seconds, run.text)
    yield from map(call_line, reply.own_calls)


def notes(replies: Iterable[Reply]) -> Iterator[str]:
    """What must be known to read the table rightly: what times include, who shared a server, what was cut."""
    for reply in replies:
        yield from _spans_inside(reply)
        if told := display.lost(reply, reply.lost_s):
            yield f"{reply.lane}{LOST}: {told}; it is in the times."
        if told := display.waited(reply.timings):
            yield f"{reply.lane}: {told}. Times that may be compared: --fair."
        if told := display.warm_ttft(reply.timings):
            yield f"{reply.lane}: TTFT {told}."
        if reply.warmup is not None:
            yield f"{reply.lane} was warmed before, which counts in no figure: {display.warmup(reply.warmup)}."
        if told := display.lag(reply.timings):
            yield f"{reply.lane}{LATE}: {told}."
        if told := display.sharing(reply.sharing):
            yield f"{reply.lane}: shared {told}. Times that may be compared: --fair."
        yield from _of_its_server(reply)
        if reply.finish_reason == "length":
            yield f"{reply.lane}: the answer was cut at the token limit."


def _of_its_server(reply: Reply) -> Iterator[str]:
    """What a probe found of it, and what it told that can't be."""
    for told in display.probe_notes(reply):
        yield one_line(f"{reply.lane}{PROBED}: {told}")
    for doubt in display.remarks(reply):
        yield one_line(f"{reply.lane}: {doubt}")


def _spans_inside(reply: Reply) -> Iterator[str]:
    spans = {
        "loading the model": reply.timings.load_s,
        "waiting for a place": reply.timings.queue_s,
        "tools": reply.timings.tools_s,
    }
    for what, span in spans.items():
        if span and span >= display.WORTH_TELLING_S:
            yield f"{reply.lane}: the times include {display.seconds(span)} of {what}."

"""The replies of a comparison as a table in the terminal, and the answers under it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from llamafarm import display
from llamafarm.types import Reply, Route

WORTH_TELLING_S = 0.05
RESULT = 120  # characters of a tool's result
TAIL = 3  # lines of an answer that is still coming
STYLES = {"done": "green", "failed": "red", "stopped": "yellow"}


class LiveTable:
    """Redraws on a terminal, and writes once at the end where the output goes elsewhere."""

    def __init__(self, routes: Sequence[Route], default: str, *, shown: bool) -> None:
        self._console = Console(highlight=False)
        self._routes = routes
        self._default = default
        self._shown = shown
        self._replies: Mapping[str, Reply] = {}
        live = shown and self._console.is_terminal
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if live else None

    def __enter__(self) -> Self:
        if self._shown:
            for route in self._routes:
                self._console.print(Text(f"Route by {route.strategy.replace('_', ' ')}: {route.reason}", style="dim"))
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        if self._shown and self._replies:
            for reply in self._replies.values():
                self._console.print(Text(f"\n{reply.lane}", style="bold"))
                for line in chain_lines(reply):
                    self._console.print(Text(line, style="yellow"))
                for line in tool_lines(reply):
                    self._console.print(Text(_plain(line), style="dim"))
                self._console.print(Text(_plain(reply.text) or "(no text)"))
                if reply.failure:
                    self._console.print(Text(f"{reply.failure.message} {reply.failure.hint}".strip(), style="red"))
            self._console.print()
            self._console.print(self._table())
            for note in notes(self._replies.values()):
                self._console.print(Text(note, style="dim"))

    def show(self, replies: Mapping[str, Reply]) -> None:
        """Show how far the lanes are."""
        self._replies = replies
        if self._live:
            tails = [
                Text(f"{reply.lane}: {' '.join(_plain(reply.text).split())[-TAIL * 80 :]}", style="dim")
                for reply in replies.values()
                if not reply.ended and reply.text
            ]
            self._live.update(Group(self._table(), *tails), refresh=True)

    def _table(self) -> Table:
        table = Table("Model", "Status", box=None, pad_edge=False)
        for name in ("TTFT", "Total", "Speed", "In", "Out", "Cost", "Source"):
            table.add_column(name, justify="left" if name == "Source" else "right")
        picked = {route.model for route in self._routes}
        for reply in self._replies.values():
            stand_in = f" ← {reply.model}" if reply.model != reply.asked else ""
            marks = (" (default)" if reply.asked == self._default else "") + (" →" if reply.asked in picked else "")
            spans, usage, cost = reply.timings, reply.usage, reply.cost
            estimated = usage.output is not None and usage.output.source == "estimated"
            table.add_row(
                f"{reply.lane}{marks}{stand_in}",
                Text(reply.status, style=STYLES.get(reply.status, "cyan")),
                display.seconds(spans.ttft_s),
                display.seconds(spans.total_s),
                display.speed(spans.tokens_per_s, estimated=estimated),
                display.tokens(usage.input),
                display.tokens(usage.output),
                display.usd(cost.usd, estimated=cost.estimated),
                cost.source,
            )
        return table


def chain_lines(reply: Reply) -> list[str]:
    """The tries and fallbacks of a lane, a line each."""
    tries = [f"try {each.attempt}: {each.message}" for each in reply.retries]
    steps = [
        f"{step.model} → {step.to} after {display.seconds(step.lost_s)}: {step.message}" for step in reply.fallbacks
    ]
    return [_plain(line) for line in (*tries, *steps)]


def tool_lines(reply: Reply) -> Iterator[str]:
    """What was called and what came of it, a line each; and why the tools of a server were not there."""
    for name, why in reply.tools_missing.items():
        yield f"no tools of {name}: {why}"
    for run in reply.tool_runs:
        name = f"{run.server}: {run.tool}" if run.server else run.call.name
        result = " ".join(run.text.split())
        shown = result if len(result) <= RESULT else f"{result[:RESULT]}…"
        yield f"{name} {run.call.arguments} → {run.state}, {display.seconds(run.seconds)}: {shown}"


def _plain(text: str) -> str:
    """`text` without control characters: what a model says must not steer the terminal."""
    return "".join(char for char in text if char in "\n\t" or char.isprintable())


def notes(replies: Iterable[Reply]) -> Iterator[str]:
    """What must be known to read the table rightly: loading and waiting inside a TTFT, and answers that were cut."""
    for reply in replies:
        for span, what in ((reply.timings.load_s, "loading the model"), (reply.timings.queue_s, "waiting for a place")):
            if span and span >= WORTH_TELLING_S:
                yield f"{reply.lane}: the times include {display.seconds(span)} of {what}."
        if reply.finish_reason == "length":
            yield f"{reply.lane}: the answer was cut at the token limit."

"""A run of many calls in the terminal: its plan, and how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from llamafarm.cli.terminal.console import LiveScreen, open_console
from llamafarm.core import display
from llamafarm.core.characters import one_line
from llamafarm.core.figures import Progress
from llamafarm.core.reply import Reply
from llamafarm.experiments.sweep.plan import Plan

BAR = 30
WIDTH = 100  # characters of an answer


def _lines(plan: Plan) -> Iterator[str]:
    """What a run will take, and what must be known before it starts."""
    judging = f" and {plan.judge_calls:,} of the judge" if plan.judge_calls else ""
    made = "unknown: no max_tokens" if plan.output_tokens is None else f"at most {plan.output_tokens:,}"
    yield f"Calls: {plan.calls:,}{judging}. Tokens: ~{plan.input_tokens:,} in, out {made}."
    expected = plan.expected
    time = "unknown before the first answers" if expected is None else display.about(expected.seconds, expected.answers)
    yield f"Cost: {display.most(plan.usd, plan.unpriced)}. Time: {time}."
    yield from plan.notes


def confirm(plan: Plan, *, ask: bool) -> None:
    """Tell what it will take, and ask whether to start where somebody is there to say so."""
    for line in _lines(plan):
        typer.echo(line, err=True)
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm("Start?", abort=True, err=True)


class LiveRun(LiveScreen):
    """A bar under what is new, on a terminal; a line at the end elsewhere."""

    def __init__(self, *, shown: bool) -> None:
        super().__init__(open_console(stderr=True), shown=shown)

    @property
    def drawn(self) -> bool:
        """Whether anything is shown while it runs."""
        return self._live is not None

    def draw(self, progress: Progress, *above: RenderableType) -> None:
        """Draw how far it is, under what is new."""
        if self._live is None:
            return
        row = Table.grid(padding=(0, 1, 0, 0))
        bar = ProgressBar(total=max(progress.total, 1), completed=progress.done, width=BAR, complete_style="green")
        row.add_row(bar, Text(f"{display.progress(progress)} · Ctrl-C stops", "dim"))
        self._live.update(Group(*above, row), refresh=True)

    def end(self, progress: Progress) -> None:
        """Say how far it came."""
        self._console.print(Text(f"{display.progress(progress)} · {display.seconds(progress.elapsed_s)}", "dim"))


def answer_line(head: str, reply: Reply) -> Text:
    """The beginning of an answer, or why there is none."""
    said = reply.text if reply.failure is None else reply.failure.message
    return Text(f"{one_line(head)}: {one_line(said)[:WIDTH]}", "dim" if reply.failure is None else "red")

"""Recorded comparisons in a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from llamafarm.cli.terminal.console import open_console, plain_table
from llamafarm.cli.terminal.table import LiveTable
from llamafarm.core import display, strict_json
from llamafarm.core.characters import excerpt, one_line
from llamafarm.experiments.stats.sample import money
from llamafarm.history.diff import Change, Difference, LaneDifference
from llamafarm.history.model import Recorded, Vote
from llamafarm.history.query import Brief, Found

SHORT = 60  # letters of a value that differs
MARKED = " *"  # behind a time that has more in it than the model's own


def show_list(found: Found) -> None:
    """One line a comparison, newest first."""
    console = open_console()
    if not found.items:
        console.print("Nothing was found.")
        return
    table = plain_table("Id", "When", "Lanes", "TTFT", "Cost", "Vote", "Prompt")
    table.columns[0].no_wrap = True
    table.columns[3].no_wrap = True
    table.columns[3].justify = table.columns[4].justify = "right"
    for brief in found.items:
        when = f"{brief.started_at.astimezone():%Y-%m-%d %H:%M}"
        prompt = Text(one_line(brief.prompt), no_wrap=True, overflow="ellipsis")
        best, cost = _best(brief), display.money(money(brief.costs))
        table.add_row(brief.id, when, _lanes(brief), best, cost, _vote(brief.vote), prompt)
    console.print(table)
    for brief in found.items:
        if brief.best is not None and (marks := display.ttft_marks(brief.best)):
            console.print(Text(f"{brief.id}{MARKED}: TTFT with {'; '.join(marks)}.", style="dim"))
    if found.older:
        console.print(Text(f"Older ones: --older-than {found.older}", style="dim"))


def _best(brief: Brief) -> str:
    """The best TTFT of its lanes, marked where not all of it is the model's."""
    if (best := brief.best) is None:
        return display.NOTHING
    return display.seconds(best.ttft_s) + (MARKED if display.ttft_marks(best) else "")


def _lanes(brief: Brief) -> Text:
    """How many lanes there are, and how many of them did not end well."""
    count = len(brief.names)
    done = sum(lane.status == "done" for lane in brief.lanes)
    return Text(str(count)) if done == count else Text(f"{done} of {count}", style="yellow")


def _vote(vote: Vote | None) -> str:
    return "" if vote is None else (vote.lane or vote.choice) + (" (blind)" if vote.blind else "")


def show_comparison(recorded: Recorded) -> None:
    """What was asked, the answers, and the table, as they were."""
    console = open_console()
    asked = recorded.asked
    project = f"{asked.project.namespace}/{asked.project.name}"
    when = f"{asked.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
    console.print(Text(f"{asked.kind} {asked.id}, {when}, project {project}", style="dim"))
    for message in asked.messages:
        console.print(Text(f"{message.role}: {message.content}"))
    with LiveTable(asked.routes, "", shown=True) as table:
        table.show(recorded.replies)
    for spec in recorded.unfinished:
        console.print(Text(f"{spec.id} never ended: it still runs, or its process was stopped.", style="yellow"))
    if recorded.earlier:
        console.print(Text(f"{len(recorded.earlier)} earlier tries are in --json.", style="dim"))
    if recorded.vote:
        vote = recorded.vote
        words = {"best": f"{vote.lane} is the best", "tie": "a tie", "bad": "all are bad"}[vote.choice]
        console.print(f"Vote: {words}{', blind' if vote.blind else ''}.")


def show_difference(found: Difference) -> None:
    """What was asked differently, then each lane."""
    console = open_console()
    _show_changes(console, found.asked)
    for lane in found.lanes:
        console.print(Text(f"\n{lane.lane}: {_summary(lane)}", style="bold"))
        _show_changes(console, (*lane.settings, *lane.outcome, *lane.figures))
        for line in lane.text:
            style = {"+": "green", "-": "red"}.get(line[:1], "dim")
            console.print(Text(line, style=style))


def _summary(lane: LaneDifference) -> str:
    if lane.presence != "both":
        return f"only in the {lane.presence}"
    return "the same" if lane.same else "differs"


def _show_changes(console: Console, changes: Iterable[Change]) -> None:
    for change in changes:
        console.print(Text(f"  {change.name}: {_short(change.first)} → {_short(change.second)}"))


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return excerpt(value if isinstance(value, str) else strict_json.dumps(value), SHORT)

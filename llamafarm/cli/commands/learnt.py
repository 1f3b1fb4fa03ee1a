"""`lf learn` without a file: the state of what a project's own comparisons teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llamafarm.cli.asking.find import project_of, project_or_sample
from llamafarm.cli.commands.history.kept import using
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.config.model import Project
    from llamafarm.experiments.learnt.gathered import Waiting
    from llamafarm.experiments.learnt.learnt import Learnt
    from llamafarm.experiments.learnt.state import State
    from llamafarm.history.database.history import History
    from llamafarm.learning.meter import Mean, Window

Told = tuple["State", "list[Waiting]", "tuple[Window, ...]"]


def show_state(config: Path | None, *, as_json: bool) -> None:
    """Print it."""
    project = project_of(project_or_sample(config))
    told = using(lambda kept: _told(kept, project))
    if as_json:
        typer.echo(strict_json.dumps(_object(project, *told), indent=2))
    else:
        _print(project, *told)


async def _told(kept: History, project: Project) -> Told:
    import asyncio

    from llamafarm.experiments.learnt.gathered import waiting
    from llamafarm.experiments.learnt.metered import metered
    from llamafarm.experiments.learnt.state import state_of
    from llamafarm.history.model import ProjectRef
    from llamafarm.runtime.learner import learnt_of

    learnt: Learnt = await learnt_of(kept, project)
    named = ProjectRef(project.namespace, project.name)
    waits = await waiting(kept, learnt.gathered, named)
    following = await asyncio.to_thread(learnt.next_to_judge, waits)
    windows = metered(await kept.suggestions(named), learnt.gathered.outcomes)
    return state_of(learnt), following, windows


def _object(project: Project, state: State, following: Sequence[Waiting], windows: Sequence[Window]) -> object:
    return {
        "project": f"{project.namespace}/{project.name}",
        **asdict(state),
        "next": [asdict(each) for each in following],
        "regret": [window_json(each) for each in windows],
    }


def window_json(window: Window) -> dict[str, object]:
    """One window of the regret meter."""
    return {
        "strategy": window.strategy,
        "begins": window.begins.isoformat(),
        "ends": window.ends.isoformat(),
        "suggested": window.suggested,
        "covered": window.covered,
        "covered_share": window.covered_share,
        "regret": None if window.regret is None else asdict(window.regret),
        "ahead": None if window.ahead is None else asdict(window.ahead),
    }


def _print(project: Project, state: State, following: Sequence[Waiting], windows: Sequence[Window]) -> None:
    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line

    console = open_console()
    console.print(one_line(f"{project.namespace}/{project.name}: {state.comparisons} of {state.needed} comparisons."))
    console.print(
        f"With votes {state.votes} ({state.blind_votes} blind), with checks {state.checks}, graded {state.judged}. "
        f"The gate is {'open' if state.open else 'shut'} (gain {state.gain:+.3f} ± {state.error:.3f} a prompt)."
    )
    for line in state.missing:
        console.print(one_line(f"Missing: {line}"), soft_wrap=True)
    table = plain_table("Model", "Labels", "Mean", "Typical cost", "")
    for each in state.standings:
        marks = [*(["incumbent"] if each.model == state.incumbent else []), *(["new"] if each.new else [])]
        cost = "unknown" if each.usd is None else f"${each.usd:.6f}"
        table.add_row(one_line(each.model), f"{each.labels:,}", f"{each.mean:.2f}", cost, ", ".join(marks))
    console.print(table)
    if windows:
        console.print(_regret(windows))
        console.print("Covered: suggestions whose model was asked and judged. Of the others nothing is known.")
    if following:
        console.print("Vote on these next (lf history vote ID --best LANE):")
        for waits in following:
            console.print(one_line(f"  {waits.id}  {waits.prompt}"), overflow="ellipsis", no_wrap=True)


def _regret(windows: Sequence[Window]) -> object:
    from llamafarm.cli.terminal.console import plain_table

    table = plain_table("Strategy", "Until", "Regret", "Ahead of the incumbent", "Covered")
    for each in windows:
        share = f"{each.covered} of {each.suggested}"
        table.add_row(
            each.strategy.replace("_", " "), f"{each.ends:%Y-%m-%d}", mean(each.regret), mean(each.ahead), share
        )
    return table


def mean(found: Mean | None) -> str:
    """A mean with its interval, for people."""
    if found is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.value:.2f} (of 1)"
    return f"{found.value:.2f} [{found.low:.2f}–{found.high:.2f}]"

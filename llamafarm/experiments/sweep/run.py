"""A sweep as a run of the history: each call is recorded as it ends, and what was recorded is not asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from llamafarm.config.model import Project
from llamafarm.core.reply import Reply
from llamafarm.engine.recording import Origin
from llamafarm.experiments.ledger import TITLE, RunLedger, RunRecorder, begun, check_run
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.grid_plan import grid_from, grid_plan
from llamafarm.history.model import Kind, Piece, Run
from llamafarm.history.reader import HistoryReader

SWEEP: Kind = "sweep"
AT_A_TIME = 200  # comparisons that are read at once


@dataclass(slots=True)
class SweepRun(RunLedger):
    """The ledger of a sweep. `fair`: it was begun as one that asks one at a time, warmed."""

    fair: bool = False
    _begun: dict[str, str] = field(default_factory=dict)

    def origin(self, key: str) -> Origin:
        """Where the call `key` is recorded: anew, or in the comparison in which it was begun before."""
        return Origin(kind=SWEEP, run=self.id, item=key, into=self._begun.get(key))

    async def ended(self) -> Mapping[str, Reply]:
        """See `SweepLedger`. A call that failed or was cut off is not in it: it is asked again."""
        return await self._replies(lambda piece: "done" in piece.ended.values())

    async def all_ended(self) -> Mapping[str, Reply]:
        """The newest reply of every call that has ended, by key, those that failed too."""
        return await self._replies(lambda piece: bool(piece.ended))

    async def _replies(self, wanted: Callable[[Piece], bool]) -> Mapping[str, Reply]:
        if self.past is None:
            return {}
        found: dict[str, str] = {}
        async with aclosing(self.past.pieces(self.id)) as pieces:
            async for piece in pieces:
                self._begun[piece.item] = piece.comparison
                if wanted(piece):
                    found[piece.item] = piece.comparison
        items, replies = list(found), {}
        for at in range(0, len(items), AT_A_TIME):
            some = items[at : at + AT_A_TIME]
            whole = {each.asked.id: each for each in await self.past.whole([found[item] for item in some])}
            for item in some:
                if (recorded := whole.get(found[item])) is not None and recorded.replies:
                    replies[item] = next(iter(recorded.replies.values()))
        return replies

    async def keep(self, key: str, reply: Reply) -> None:  # noqa: ARG002 - the comparison has recorded itself
        """See `SweepLedger`."""
        await self.settled()


def begin_run(
    project: Project, grid: Grid, recorder: RunRecorder, task: str | None = None, *, fair: bool = False
) -> SweepRun:
    """A new run for `grid`, recorded with its plan."""
    title = f"{grid.parameter}: {grid.prompts[0].text[:TITLE]}"
    run = begun(project, SWEEP, title, {**grid_plan(grid, task), "fair": fair}, recorder)
    return SweepRun(run.id, recorder, fair=fair)


def resume_run(
    run: Run, project: Project, recorder: RunRecorder, past: HistoryReader
) -> tuple[SweepRun, Grid, str | None]:
    """The run, its grid and its task, to ask what is missing.

    Raises RequestError where it is no sweep, or where `project` is not the file it was begun with: its answers would
    be other models'.
    """
    check_run(run, SWEEP, project)
    task = run.plan.get("task")
    ledger = SweepRun(run.id, recorder, past, fair=run.plan.get("fair") is True)
    return ledger, grid_from(run.plan, project), task if isinstance(task, str) else None

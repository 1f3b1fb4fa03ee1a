"""A sweep as a run of the history: each call is recorded as it ends, and what was recorded is not asked again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from llamafarm.config.model import Project
from llamafarm.core.errors import RequestError
from llamafarm.core.reply import Reply
from llamafarm.engine.recording import Origin, Recorder, ref_of, snapshot_of
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.grid_plan import grid_from, grid_plan
from llamafarm.history.ids import new_id
from llamafarm.history.model import Kind, Piece, Recorded, Run, RunBegan, RunEnded

SWEEP: Kind = "sweep"
AT_A_TIME = 200  # comparisons that are read at once
TITLE = 80


class Past(Protocol):
    """What was recorded; see `llamafarm.history.database.history.History`."""

    def pieces(self, run: str) -> AsyncGenerator[Piece, None]:
        """Each comparison of a run that has begun."""
        ...

    async def whole(self, ids: Sequence[str]) -> list[Recorded]:
        """The comparisons with these ids."""
        ...


class Keeper(Recorder, Protocol):
    """What keeps records, and tells when they are kept; see `llamafarm.history.database.store.Store`."""

    @property
    def trouble(self) -> str | None:
        """Why records are not kept now."""
        ...

    async def recorded(self) -> str | None:
        """Wait until all that was taken is kept, or can't be."""
        ...

    async def claim(self, run: str) -> None:
        """Take the run for this process. Raises RequestError where somebody else is at it."""
        ...

    async def release(self, run: str) -> None:
        """Let others have the run."""
        ...


@dataclass(slots=True)
class SweepRun:
    """The ledger of a sweep. The comparisons themselves are recorded as they end: see `Recording`.

    `fair`: it was begun as one that asks one at a time, warmed.
    """

    id: str
    recorder: Keeper
    past: Past | None = None
    fair: bool = False
    _begun: dict[str, str] = field(default_factory=dict)

    def origin(self, key: str) -> Origin:
        """Where the call `key` is recorded: anew, or in the comparison in which it was begun before."""
        return Origin(kind=SWEEP, run=self.id, item=key, into=self._begun.get(key))

    async def claim(self) -> None:
        """See `Ledger`."""
        await self.recorder.claim(self.id)

    async def release(self) -> None:
        """See `Ledger`."""
        await self.recorder.release(self.id)

    async def ended(self) -> Mapping[str, Reply]:
        """See `Ledger`. A call that failed or was cut off is not in it: it is asked again."""
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
        """See `Ledger`. Where the store is in trouble nothing is waited for: it says so itself."""
        if self.recorder.trouble is None:
            await self.recorder.recorded()

    def finish(self) -> None:
        """See `Ledger`."""
        self.recorder.take(RunEnded(self.id, datetime.now(UTC)))


def begin_run(
    project: Project, grid: Grid, recorder: Keeper, task: str | None = None, *, fair: bool = False
) -> SweepRun:
    """A new run for `grid`, recorded with its plan."""
    title = f"{grid.parameter}: {grid.prompts[0].text[:TITLE]}"
    plan = {**grid_plan(grid, task), "fair": fair}
    run = Run(new_id(), SWEEP, title, datetime.now(UTC), ref_of(project), plan)
    recorder.take(RunBegan(run, snapshot_of(project)))
    return SweepRun(run.id, recorder, fair=fair)


def resume_run(run: Run, project: Project, recorder: Keeper, past: Past) -> tuple[SweepRun, Grid, str | None]:
    """The run, its grid and its task, to ask what is missing.

    Raises RequestError where it is no sweep, or where `project` is not the file it was begun with: its answers would
    be other models'.
    """
    if run.kind != SWEEP:
        raise RequestError(f"The run {run.id} is no sweep.")
    if run.project.digest != project.digest:
        raise RequestError(
            "The project file is not the one that the run was begun with.", hint="Begin a new sweep, or name that file."
        )
    task = run.plan.get("task")
    ledger = SweepRun(run.id, recorder, past, fair=run.plan.get("fair") is True)
    return ledger, grid_from(run.plan, project), task if isinstance(task, str) else None

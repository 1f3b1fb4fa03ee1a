"""What a run of many calls keeps of itself in the history, whatever its calls are; see `sweep.run` and `batch.run`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from llamafarm.config.model import Project
from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.engine.recording import Recorder, ref_of, snapshot_of
from llamafarm.history.ids import new_id
from llamafarm.history.model import Kind, Run, RunBegan, RunEnded
from llamafarm.history.reader import HistoryReader

TITLE = 80


class Ledger(Protocol):
    """What remembers a run from one process to the next."""

    async def claim(self) -> None:
        """Take the run for this process, before anything of it is read. Raises RequestError where another is at it."""
        ...

    async def release(self) -> None:
        """Let others have the run."""
        ...

    def finish(self) -> None:
        """All calls have ended. Never waits and never fails."""
        ...


class RunRecorder(Recorder, Protocol):
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
class RunLedger:
    """The ledger of a run. Its comparisons are recorded as they end: see `Recording`. `past` is None for a new one."""

    id: str
    recorder: RunRecorder
    past: HistoryReader | None = None

    async def claim(self) -> None:
        """See `Ledger`."""
        await self.recorder.claim(self.id)

    async def release(self) -> None:
        """See `Ledger`."""
        await self.recorder.release(self.id)

    async def settled(self) -> None:
        """Wait until all that has ended is kept for good. Never fails.

        Where the store is in trouble nothing is waited for: it says so itself.
        """
        if self.recorder.trouble is None:
            await self.recorder.recorded()

    def finish(self) -> None:
        """See `Ledger`."""
        self.recorder.take(RunEnded(self.id, datetime.now(UTC)))


def begun(project: Project, kind: Kind, title: str, plan: dict[str, JsonValue], recorder: RunRecorder) -> Run:
    """A new run, recorded with its plan."""
    run = Run(new_id(), kind, title[:TITLE], datetime.now(UTC), ref_of(project), plan)
    recorder.take(RunBegan(run, snapshot_of(project)))
    return run


def check_run(run: Run, kind: Kind, project: Project) -> None:
    """Raise RequestError where `run` is no `kind`, or was begun with another project file: it has other models."""
    if run.kind != kind:
        raise RequestError(f"The run {run.id} is no {kind}.")
    if run.project.digest != project.digest:
        raise RequestError(
            "The project file is not the one that the run was begun with.",
            hint=f"Begin a new {kind}, or name that file.",
        )

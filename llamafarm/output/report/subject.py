"""What a report is about: a run, or a comparison, found by its id."""

from __future__ import annotations

from dataclasses import dataclass

from llamafarm.core.errors import RequestError
from llamafarm.history.machine import Machine
from llamafarm.history.model import Recorded, Run, Snapshot
from llamafarm.history.query import Filter
from llamafarm.history.reader import HistoryReader

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Subject:
    """A run, or a comparison that belongs to none; with the project file that was asked by, and the machines."""

    run: Run | None
    comparison: Recorded | None
    snapshot: Snapshot | None
    machines: tuple[Machine, ...]

    @property
    def id(self) -> str:
        """The id in the history."""
        return self.run.id if self.run else self._recorded.asked.id

    @property
    def _recorded(self) -> Recorded:
        assert self.comparison is not None  # noqa: S101 - one of both is there
        return self.comparison


async def subject_of(past: HistoryReader, name: str) -> Subject:
    """The run or the comparison whose id begins with `name`; for `latest` the newest of all.

    Raises RequestError where there is none, or several.
    """
    identity = await _latest(past) if name == LATEST else name
    run = await past.run_beginning(identity)
    if run is not None:
        machines = await past.machines(run=run.id)
        return Subject(run, None, await past.snapshot(run.project.digest), tuple(machines))
    comparison = await past.open(identity)
    asked = comparison.asked
    machines = await past.machines(comparison=asked.id)
    return Subject(None, comparison, await past.snapshot(asked.project.digest), tuple(machines))


async def _latest(past: HistoryReader) -> str:
    runs = await past.runs(limit=1)
    comparisons = (await past.find(Filter(), limit=1)).items
    ids = [run.id for run in runs] + [brief.id for brief in comparisons]
    if not ids:
        raise RequestError("The history is empty: there is nothing to report.", hint="Ask something first: lf compare.")
    return max(ids)

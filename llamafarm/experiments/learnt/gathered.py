"""What the history of a project holds for a router: labels, what each lane's answers took, and what became of each."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from llamafarm.experiments.evidence import compared, key_of
from llamafarm.history.model import Ended, ProjectRef, Recorded
from llamafarm.history.query import Brief, Filter
from llamafarm.learning.evidence import LOOKED_AT
from llamafarm.learning.labels import Compared, placed
from llamafarm.learning.meter import Outcome

if TYPE_CHECKING:
    from llamafarm.history.database.history import History

WAITING = 300  # comparisons, the newest, among which those to judge next are looked for
AT_ONCE = 50  # records that one turn of a thread looks at


@dataclass(slots=True)
class Heard:
    """What is known of a lane beside its scores: sums over its answers. `usd` is over the `priced` of them alone."""

    answers: int = 0
    priced: int = 0
    usd: float = 0.0
    timed: int = 0
    seconds: float = 0.0
    newest: datetime | None = None

    @property
    def cost(self) -> float:
        """US dollars of a typical answer; not a number where none was priced."""
        return self.usd / self.priced if self.priced else math.nan

    @property
    def typical_s(self) -> float:
        """Seconds of a typical answer; 0 where none was timed."""
        return self.seconds / self.timed if self.timed else 0.0

    def add(self, lane: Ended) -> None:
        """One more answer."""
        self.answers += 1
        if lane.reply.cost.usd is not None:
            self.priced += 1
            self.usd += float(lane.reply.cost.usd)
        if lane.reply.timings.total_s is not None:
            self.timed += 1
            self.seconds += lane.reply.timings.total_s
        self.newest = lane.ended_at if self.newest is None else max(self.newest, lane.ended_at)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A comparison of which nobody has said anything: its `models` answered, and a vote would teach."""

    id: str
    prompt: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Evidence of one project, newest first. `heard` is by named model and lane key, `outcomes` are for the meter."""

    rows: tuple[Compared, ...] = ()
    heard: Mapping[str, Mapping[str, Heard]] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()


async def gather(history: History, project: ProjectRef) -> Gathered:
    """Read what was judged for the project with this name, whatever its file was."""
    wanted = Filter(project=f"{project.namespace}/{project.name}", judged=True)
    made = _Gathering()
    some: list[Recorded] = []
    async with aclosing(history.stream(wanted)) as stream:
        async for recorded in stream:
            some.append(recorded)
            if len(some) == AT_ONCE:
                await asyncio.to_thread(made.add, some)
                some = []
            if len(made.rows) >= LOOKED_AT:
                break
    await asyncio.to_thread(made.add, some)
    return Gathered(tuple(made.rows), made.heard, tuple(made.outcomes))


async def waiting(history: History, gathered: Gathered, project: ProjectRef) -> tuple[Waiting, ...]:
    """The newest comparisons of the project that nobody has judged."""
    newest = await history.find(Filter(project=f"{project.namespace}/{project.name}"), limit=WAITING)
    return _waiting(newest.items, gathered.rows)


@dataclass(slots=True)
class _Gathering:
    rows: list[Compared] = field(default_factory=list)
    heard: dict[str, dict[str, Heard]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, some: Iterable[Recorded]) -> None:
        """Look at whole comparisons; their checks may take a second an answer."""
        for recorded in some:
            for lane in recorded.lanes:
                if lane.reply.status == "done" and not lane.reply.staged:
                    lanes = self.heard.setdefault(lane.reply.model, {})
                    lanes.setdefault(key_of(lane, recorded), Heard()).add(lane)
            row = compared(recorded)
            if row is not None:
                self.rows.append(row)
                self.outcomes.append(outcome(recorded, row))


def outcome(recorded: Recorded, row: Compared) -> Outcome:
    """What each named model's answer got, where it was asked: the mean of checks and its place in the vote."""
    names = {key_of(lane, recorded): lane.reply.model for lane in recorded.lanes}
    voted = {} if row.vote is None else placed(row.vote, [answer.lane for answer in row.answers])
    said: dict[str, list[float]] = {}
    for answer in row.answers:
        found = said.setdefault(names[answer.lane], [])
        found += [answer.passed] if answer.passed is not None else []
        found += [voted[answer.lane]] if answer.lane in voted else []
    scores = {name: math.fsum(found) / len(found) for name, found in said.items() if found}
    return Outcome(row.id, recorded.asked.started_at, row.at, scores)


def _waiting(briefs: Sequence[Brief], rows: Sequence[Compared]) -> tuple[Waiting, ...]:
    """Each prompt once, its newest comparison."""
    judged = {row.id for row in rows}
    found: dict[str, Waiting] = {}
    for brief in briefs:
        models = tuple(dict.fromkeys(lane.model for lane in brief.lanes if lane.counts))
        if brief.vote is None and brief.id not in judged and len(models) > 1 and brief.prompt.strip():
            found.setdefault(brief.prompt, Waiting(brief.id, brief.prompt, models))
    return tuple(found.values())

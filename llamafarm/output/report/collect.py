"""Reads a run or a comparison from the history, a few records at a time, and adds them up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.grade import judged, verdict_now
from llamafarm.experiments.stats.sample import Judged, Sample
from llamafarm.experiments.sweep.grid import Call
from llamafarm.history.model import Asked, Ended, Recorded
from llamafarm.history.query import Filter
from llamafarm.history.reader import HistoryReader
from llamafarm.output.report.examples import Examples, cut
from llamafarm.output.report.figures import Figures
from llamafarm.output.report.grids import Places
from llamafarm.output.report.subject import Subject

AT_ONCE = 50  # records that are added up in one go, in a thread
PROMPTS = 12  # that are shown


@dataclass(frozen=True, slots=True)
class Shown:
    """A prompt as it was asked, cut where it is long, with its variables and checks."""

    text: str
    system: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    checks: tuple[str, ...] = ()
    earlier: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Collected:
    """All that a report rests on. `samples` are those of a sweep alone, whose number is bounded: see `Grid`."""

    subject: Subject
    places: Places | None
    figures: dict[str, Figures] = field(default_factory=dict)
    examples: Examples = field(default_factory=Examples)
    prompts: list[Shown] = field(default_factory=list)
    more_prompts: int = 0
    cells: dict[tuple[str, int], Figures] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)
    answers: list[tuple[str, Sample]] = field(default_factory=list)
    parameters: dict[str, JsonValue] = field(default_factory=dict)
    comparisons: int = 0
    unfinished: int = 0
    votes: int = 0
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def fair(self) -> bool:
        """Whether it was begun as one that asks one at a time, warmed."""
        return self.subject.run is not None and self.subject.run.plan.get("fair") is True

    def add(self, some: Iterable[Recorded]) -> None:
        """Take the next comparisons, oldest first. Blocks: for a thread."""
        for recorded in some:
            self._add(recorded)

    def _add(self, recorded: Recorded) -> None:
        asked = recorded.asked
        for spec in asked.lanes:
            if self.places is None:
                self._figures(spec.model)
        for lane in recorded.earlier:
            if lane.reply.cost.usd is not None:
                self._figures(lane.reply.asked).earlier.add(lane.reply.cost)
        self.began = min(self.began or asked.started_at, asked.started_at)
        for lane in recorded.lanes:
            self.ended = max(self.ended or lane.ended_at, lane.ended_at)
        if self.places is not None:
            self._add_call(recorded, self.places)
            return
        self.comparisons += 1
        self.unfinished += len(recorded.unfinished)
        self.votes += recorded.vote is not None
        self._show(asked)
        checks = tuple(check_of(text) for text in asked.checks)
        for lane in recorded.lanes:
            passed, notes = verdict_now(checks, lane.reply)
            sample = Sample(self.comparisons, 0, lane.reply, passed, None, notes)
            figures = self._figures(lane.reply.asked)
            figures.add(lane, sample)
            vote = _voted(recorded, lane)
            if vote is not None:
                figures.voted += 1
                figures.best += vote
            where = f"row {asked.item}" if asked.item else ""
            self.examples.add(sample, asked.prompt, where, vote=vote)
            if self.subject.comparison is not None:
                self.answers.append((lane.reply.lane, sample))

    def _add_call(self, recorded: Recorded, places: Places) -> None:
        """A comparison of a sweep: one call, or what a judge says of one that came before."""
        item = recorded.asked.item or ""
        for lane in recorded.lanes:
            if (answer := self.samples.get(places.judged_by(item))) is not None:
                self._judge(places.judged_by(item), answer, judged(lane.reply), places)
            elif (call := places.call(item)) is not None:
                passed, notes = verdict_now(places.checks(call), lane.reply)
                light = replace(lane.reply, sent=None, said=(), tools=(), tool_runs=())
                sample = Sample(call.prompt, call.repeat, light, passed, None, notes)
                self.samples[item] = sample
                self._figures(call.model).add(lane, sample)
                self._cell(call).add(lane, sample)
        self.unfinished += len(recorded.unfinished)

    def _judge(self, item: str, answer: Sample, found: Judged, places: Places) -> None:
        self.samples[item] = replace(answer, judged=found)
        if (call := places.call(item)) is not None:
            self._figures(call.model).judge(answer, found)
            self._cell(call).judge(answer, found)

    def _figures(self, name: str) -> Figures:
        return self.figures.setdefault(name, Figures(name, repeated=self.places is not None))

    def _cell(self, call: Call) -> Figures:
        return self.cells.setdefault((call.model, call.value), Figures(call.model, repeated=True))

    def _show(self, asked: Asked) -> None:
        if len(self.prompts) >= PROMPTS:
            self.more_prompts += 1
            return
        earlier = [(message.role, cut(message.content)) for message in asked.messages]
        if earlier and earlier[-1][0] == "user":
            earlier.pop()
        variables = tuple((name, str(value)) for name, value in asked.variables.items())
        self.prompts.append(Shown(cut(asked.prompt), asked.system, variables, asked.checks, tuple(earlier)))
        self.parameters |= asked.parameters


def _voted(recorded: Recorded, lane: Ended) -> bool | None:
    """Whether the lane was voted the best; None where nobody was, or nobody voted."""
    vote = recorded.vote
    return None if vote is None or vote.choice != "best" else vote.lane == lane.spec.id


async def collect(past: HistoryReader, subject: Subject) -> Collected:
    """Read all of `subject`. However much it is, memory holds the figures and a few records."""
    places = Places.of(subject.run.plan) if subject.run is not None and subject.run.kind == "sweep" else None
    whole = Collected(subject, places)
    async with aclosing(_records(past, subject)) as records:
        some: list[Recorded] = []
        async for recorded in records:
            some.append(recorded)
            if len(some) == AT_ONCE:
                await asyncio.to_thread(whole.add, some)
                some = []
        await asyncio.to_thread(whole.add, some)
    return whole


async def _records(past: HistoryReader, subject: Subject) -> AsyncGenerator[Recorded, None]:
    if subject.comparison is not None:
        yield subject.comparison
        return
    async with aclosing(past.stream(Filter(run=subject.id), oldest_first=True)) as found:
        async for recorded in found:
            yield recorded

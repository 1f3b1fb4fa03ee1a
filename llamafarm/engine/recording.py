"""Hands a comparison's events to a recorder, each lane the moment it ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from llamafarm.config.model import Project
from llamafarm.config.sections.template import fill
from llamafarm.core.errors import RequestError
from llamafarm.core.events import Asking, is_final
from llamafarm.core.types import JsonValue, Route
from llamafarm.engine.comparison import LaneEvent
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.replies import Replies
from llamafarm.history.ids import new_id
from llamafarm.history.model import Asked, Began, Ended, Kind, LaneSpec, ProjectRef, Record, Recorded, Snapshot
from llamafarm.history.suggested import suggested

log = logging.getLogger(__name__)

UNNAMED = "llamafarm.yaml"  # a project's text that came from no file


class Recorder(Protocol):
    """What keeps records; see `llamafarm.history.database.store.Store`. Taking one never waits and never fails."""

    def take(self, record: Record) -> None:
        """Keep `record`."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a comparison comes from, for its record.

    `routes` are the strategies' picks, as they were shown. `run` and `item`: it is that piece of that run. `parent`:
    the comparison that it follows. `into`: it is no new comparison, but its lanes are tried again in that one.
    `checks` are what its answers must pass.
    """

    kind: Kind = "compare"
    routes: Sequence[Route] = ()
    run: str | None = None
    item: str | None = None
    parent: str | None = None
    into: str | None = None
    checks: Sequence[str] = ()


@dataclass(slots=True)
class Recording:
    """Follows the events of one comparison. Whatever goes wrong here, the lanes go on.

    `id` is the comparison's in the history. Its record begins with its first event. `replies` has each event before it
    comes here.
    """

    recorder: Recorder
    project: Project
    lanes: Mapping[str, Lane]
    question: Question
    origin: Origin
    replies: Replies
    id: str = field(default_factory=new_id)
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _begun: bool = False
    _parameters: dict[str, Mapping[str, JsonValue]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.origin.into is not None:
            self.id, self._begun = self.origin.into, True

    def watch(self, told: LaneEvent) -> None:
        """Take the next event."""
        try:
            self._take(told)
        except Exception:  # a defect of ours must not end the lane in which it shows
            log.exception("an event of lane %s could not be recorded", told.lane)

    def _take(self, told: LaneEvent) -> None:
        if not self._begun:
            self._begun = True
            # The project file of a run was kept when the run began.
            snapshot = snapshot_of(self.project) if self.origin.run is None else None
            self.recorder.take(Began(self._asked(), snapshot, suggested(self.origin.routes, self.made_at)))
        if isinstance(told.event, Asking):
            self._parameters[told.lane] = told.event.request.parameters
        if is_final(told.event):
            self.recorder.take(self._ended(self.lanes[told.lane]))

    def _asked(self) -> Asked:
        origin, question = self.origin, self.question
        return Asked(
            id=self.id,
            kind=origin.kind,
            started_at=datetime.now(UTC),
            project=ref_of(self.project),
            messages=question.messages,
            lanes=tuple(_spec(lane) for lane in self.lanes.values()),
            variables=question.variables,
            parameters=question.parameters,
            tools=question.tools,
            system=question.system,
            routes=tuple(origin.routes),
            run=origin.run,
            item=origin.item,
            parent=origin.parent,
            checks=tuple(origin.checks),
        )

    def _ended(self, lane: Lane) -> Ended:
        return Ended(
            id=new_id(),
            comparison=self.id,
            spec=_spec(lane),
            parameters=self._parameters.get(lane.id, lane.parameters),
            reply=self.replies.reply(lane.id),
            ended_at=datetime.now(UTC),
        )


def _spec(lane: Lane) -> LaneSpec:
    return LaneSpec(lane.id, lane.model.name, lane.parameters, lane.system, lane.auto, lane.history)


def ref_of(project: Project) -> ProjectRef:
    """How records name `project`."""
    return ProjectRef(project.namespace, project.name, project.digest)


def snapshot_of(project: Project) -> Snapshot | None:
    """The project's file as it may be kept; None where it was made without one."""
    if not project.text:
        return None
    return Snapshot(project.digest, Path(project.source or UNNAMED).name, project.text)


def question_of(asked: Asked) -> Question:
    """What was asked. In the system prompt of a run's row only names with a value are variables."""
    question = Question(asked.messages, asked.variables, asked.parameters, asked.tools, asked.system)
    if asked.run is None or asked.system is None:
        return question
    return replace(question, system=fill(asked.system, asked.variables, defaults=True).text, verbatim=True)


def again(recorded: Recorded, project: Project) -> tuple[tuple[Lane, ...], Question]:
    """What was asked, to be asked again by `project` as it is now: the same lanes, each with its newest settings.

    Raises RequestError where a model of it is no longer in the project.
    """
    asked = recorded.asked
    specs = {spec.id: spec for spec in asked.lanes} | {lane.spec.id: lane.spec for lane in recorded.lanes}
    lanes = []
    for spec in specs.values():
        model = project.model(spec.model)
        if model is None:
            raise RequestError(
                f"{project.namespace}/{project.name} has no model {spec.model} any more.",
                hint="Name the project file that has it.",
            )
        lanes.append(Lane(spec.id, model, spec.parameters, spec.system, spec.auto, spec.history))
    return tuple(lanes), question_of(asked)

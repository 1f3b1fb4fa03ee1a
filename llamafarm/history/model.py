"""What is recorded of a comparison, as plain values. Instants are aware datetimes in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from llamafarm.core.reply import LaneStatus, Reply
from llamafarm.core.types import JsonValue, Message, Route
from llamafarm.history.suggested import Suggested

Kind = Literal["compare", "sweep", "batch", "chat"]
Choice = Literal["best", "tie", "bad"]


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """The project file that was asked by: its name, and the SHA-256 of its text (empty where it had none)."""

    namespace: str
    name: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A project file as it was; secrets that stood in it are hidden. `file` is its name without the folder."""

    digest: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """A lane as it was asked for: `parameters` and `system` are its own, over those of the project.

    `history` is what it said and heard before the question.
    """

    id: str
    model: str
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    system: str | None = None
    auto: bool = False
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison as it began. `system` is the asker's own system prompt, for all lanes.

    `run` and `item` tell which run (a sweep, a batch) it belongs to, and which of its pieces it is; an item
    stands once in a run. `parent` is the comparison that it follows: an earlier turn, or the one that is rerun.
    `checks` are what its answers must pass, as `study.checks` has them.
    """

    id: str
    kind: Kind
    started_at: datetime
    project: ProjectRef
    messages: tuple[Message, ...]
    lanes: tuple[LaneSpec, ...]
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    tools: tuple[Mapping[str, JsonValue], ...] = ()
    system: str | None = None
    routes: tuple[Route, ...] = ()
    run: str | None = None
    item: str | None = None
    parent: str | None = None
    checks: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """The newest message of the user: what lists show."""
        said = [message.content for message in self.messages if message.role == "user"]
        return said[-1] if said else ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A lane that ended. `parameters` are those that were sent: the project's, the lane's and the asker's.

    `id` is its own, so that it is stored once however often that is tried. The cost was fixed at `ended_at`.
    """

    id: str
    comparison: str
    spec: LaneSpec
    parameters: Mapping[str, JsonValue]
    reply: Reply
    ended_at: datetime

    @property
    def priced_on(self) -> date:
        """The day (UTC) whose prices `reply.cost` rests on; its detail names the table's version."""
        return self.ended_at.date()


@dataclass(frozen=True, slots=True)
class Vote:
    """A person's judgement of a comparison. `lane` is the best one's id, and None for a tie or where all are bad.

    `blind`: the names of the models were hidden until the vote.
    """

    choice: Choice
    lane: str | None
    blind: bool
    voted_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """A comparison as it is kept: each lane's newest reply, in the lanes' order.

    `earlier` are the replies that a later try of the same lane replaced, oldest first.
    """

    asked: Asked
    lanes: tuple[Ended, ...] = ()
    earlier: tuple[Ended, ...] = ()
    vote: Vote | None = None

    @property
    def replies(self) -> dict[str, Reply]:
        """Each lane's reply by lane id, in the lanes' order."""
        return {lane.spec.id: lane.reply for lane in self.lanes}

    @property
    def unfinished(self) -> tuple[LaneSpec, ...]:
        """Lanes that never ended: they still run, or their process was killed."""
        ended = {lane.spec.id for lane in self.lanes}
        return tuple(spec for spec in self.asked.lanes if spec.id not in ended)


@dataclass(frozen=True, slots=True)
class Run:
    """Many comparisons that belong together: a sweep or a batch. `plan` is all that is needed to resume it."""

    id: str
    kind: Kind
    title: str
    started_at: datetime
    project: ProjectRef
    plan: Mapping[str, JsonValue] = field(default_factory=dict)
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """To be recorded: a comparison begins, by this project file (None where there is none to keep).

    `suggested` is what routing strategies had suggested before.
    """

    asked: Asked
    snapshot: Snapshot | None
    suggested: tuple[Suggested, ...] = ()


@dataclass(frozen=True, slots=True)
class RunBegan:
    """To be recorded: a run begins."""

    run: Run
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class RunEnded:
    """To be recorded: a run has done all that it had to do."""

    run: str
    ended_at: datetime


Record = Began | Ended | RunBegan | RunEnded


@dataclass(frozen=True, slots=True)
class Piece:
    """A comparison of a run that has begun, and the newest status of each of its lanes that has ended.

    What resuming the run need not ask again; what is missing of an item goes into its `comparison`.
    """

    item: str
    comparison: str
    ended: Mapping[str, LaneStatus]

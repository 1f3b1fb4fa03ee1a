"""What the page knows of each open browser tab, kept here and not in the browser.

Gradio's own per-session state would hold a connection open for every tab, and browsers allow six to one
server (the seventh tab would hang), so a tab is known by its session hash alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llamafarm.access.operator import NONE, Rights
from llamafarm.config.model import Loaded, NamedModel, Project
from llamafarm.core.errors import Problem
from llamafarm.core.reply import Reply
from llamafarm.core.types import Message, Route, Tool
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Question
from llamafarm.engine.recording import Origin
from llamafarm.experiments.batch.batch import Batch
from llamafarm.experiments.sweep.sweep import Sweep
from llamafarm.history.model import Kind, Recorded, Vote
from llamafarm.runtime import ProbeRun
from llamafarm.runtime.discovering import Discovered
from llamafarm.ui.compare.tools import Held
from llamafarm.ui.conversation.conversation import Turn, history
from llamafarm.ui.history.list import Search
from llamafarm.ui.parts.markdown import Views
from llamafarm.ui.parts.pictures import Picture
from llamafarm.ui.parts.prompt_files import Prompts
from llamafarm.ui.votes.blind import Blind

MAX_LANES = 12  # side by side on the page; a project may hold more


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a file that a person may apply: its text before and after."""

    path: Path
    before: str
    after: str


@dataclass(slots=True)
class Past:
    """What the History tab of one browser tab shows.

    `place` is where the list's page begins, `older` where the next one does. `opened` is the comparison that is shown,
    and `doomed` are those that wait for a person's word before they are deleted. `blind`: the names of the opened one
    are hidden until the vote.
    """

    search: Search = field(default_factory=Search)
    place: str | None = None
    older: str | None = None
    opened: Recorded | None = None
    doomed: tuple[str, ...] = ()
    blind: Blind | None = None


@dataclass(slots=True)
class Session:
    """One tab: the project that it shows, what runs in it, and the replies of its newest question.

    `turns` are those before the newest question; `editing` is the turn that the next follow-up replaces, with all
    that came after it. `pictures` go with the next prompt.

    `source` is the project's key in the page's list, None for what came by path or from the browser. `holder` says
    which run owns each lane: a lane that is retried while others still stream belongs to the newer run, and the
    older one no longer speaks for it. `record` is the newest question's id in the history, `trouble` why that may
    not be kept. `changed` are the parameters that lanes were asked with and are not the project's. `cooldowns` are
    the models that failed on this tab's stage, apart from the server's own. `sweep` is the lab's that runs,
    `proposal` what it would change in the project's file; `batch` runs in the batch tab, and `prompts` is the file
    that was chosen there. `probe` is what was told what it takes, `probing` the one that runs. `held` are the tool
    calls that wait for a person, `tools` those that were listed. `closed`: another session took its place. `broken`
    are the problems of a newer edit of the file, which is not used. `past` is what the History tab shows, whichever
    project is open. `rerun` is the comparison that was put into the page to be asked again, and its prompt.
    `blind`: the names of the lanes are hidden until the vote; `votes` are those on this conversation's comparisons.
    `draft` is the file's text as it was edited last. `views` are what is shown of the newest question's replies.
    `raw` is the text of a file from the browser with its secrets in it, where `text` is what is shown of it.
    `found` is what was looked for and seen on this machine.
    """

    loaded: Loaded
    text: str = ""
    raw: str = field(default="", repr=False)
    title: str = ""
    source: str | None = None
    chosen: Sequence[str] = ()
    runs: list[Comparison] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)
    routes: Sequence[Route] = ()
    question: Question | None = None
    turns: list[Turn] = field(default_factory=list)
    editing: int | None = None
    pictures: tuple[Picture, ...] = ()
    record: str | None = None
    trouble: str | None = None
    holder: dict[str, object] = field(default_factory=dict)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cooldowns: Cooldowns = field(default_factory=Cooldowns)
    sweep: Sweep | None = None
    batch: Batch | None = None
    probe: ProbeRun | None = None
    probing: ProbeRun | None = None
    prompts: Prompts | None = None
    proposal: Proposal | None = None
    held: list[Held] = field(default_factory=list)
    tools: Sequence[Tool] = ()
    closed: bool = False
    broken: Sequence[Problem] = ()
    past: Past = field(default_factory=Past)
    rerun: tuple[str, str] | None = None
    blind: Blind | None = None
    votes: dict[str, Vote] = field(default_factory=dict)
    draft: str | None = None
    views: Views = field(default_factory=Views)
    found: Discovered | None = None
    rights: Rights = NONE
    caller: str = ""

    def __post_init__(self) -> None:
        usable = [model.name for model in self.models if model.usable]
        self.chosen = usable[:MAX_LANES]

    @property
    def project(self) -> Project | None:
        """The project that is shown, if its file could be read."""
        return self.loaded.project

    @property
    def models(self) -> tuple[NamedModel, ...]:
        """The named models of the project; none where there is no project."""
        return self.project.models if self.project else ()

    def shown(self) -> list[NamedModel]:
        """The models that take part, in the file's order."""
        return [model for model in self.models if model.name in self.chosen]

    def panel_models(self) -> Sequence[NamedModel]:
        """Which model sits in which slot of the page: all where they fit, else those that take part."""
        return self.models if len(self.models) <= MAX_LANES else self.shown()

    def places(self) -> list[int]:
        """The seats of the lanes that take part."""
        return [at for at, model in enumerate(self.panel_models()) if model.name in self.chosen]

    def named(self, lane: str) -> str:
        """What `lane` is called on the page."""
        return lane if self.blind is None else self.blind.label(lane)

    def lane_at(self, index: int) -> str | None:
        """The lane that is shown in `index`, under its name or without; None where there is none."""
        if self.blind is None:
            return self.panel_models()[index].name if index < len(self.panel_models()) else None
        places = self.places()
        return self.blind.order[places.index(index)] if index in places else None

    def all_turns(self) -> list[Turn]:
        """The whole conversation, the newest question included."""
        newest = [] if self.question is None else [Turn(self.question, dict(self.replies), self.record, self.views)]
        return [*self.turns, *newest]

    def history(self, lane: str) -> tuple[Message, ...]:
        """What `lane` said and heard before the newest question."""
        return history(self.turns, lane)

    @property
    def origin(self) -> Origin:
        """Where lanes that are asked the newest question belong in the history."""
        parent = self.turns[-1].record if self.turns else self._asked_before()
        kind: Kind = "chat" if self.turns else "compare"
        return Origin(kind=kind, routes=self.routes, parent=parent, into=self.record)

    def _asked_before(self) -> str | None:
        """The comparison that is asked again, where its prompt still stands."""
        if self.rerun is None or self.question is None or self.question.messages[-1].content != self.rerun[1]:
            return None
        return self.rerun[0]

    def ask(self, question: Question, *, follow: bool) -> None:
        """`question` is the newest now: the next turn of the conversation, or the first of a new one."""
        kept = self.all_turns()[: self.editing] if follow else []
        self.stop()
        self.turns, self.editing = kept, None
        self.question, self.replies, self.holder, self.record = question, {}, {}, None
        self.changed = {}
        self.views = Views()

    def keep(self, turns: Sequence[Turn]) -> None:
        """Go on from `turns`, the last of which is the newest question; what runs is stopped and forgotten."""
        self.stop()
        self.editing, self.holder, self.changed = None, {}, {}
        self.turns = list(turns[:-1])
        self.question = turns[-1].question if turns else None
        self.replies = dict(turns[-1].replies) if turns else {}
        self.record = turns[-1].record if turns else None
        self.views = turns[-1].views if turns else Views()

    def take(self, lanes: Iterable[str]) -> object:
        """Give `lanes` to a new run; the ticket that comes back is what it speaks for them with."""
        ticket = object()
        self.holder |= dict.fromkeys(lanes, ticket)
        return ticket

    def tell(self, ticket: object, replies: Mapping[str, Reply]) -> None:
        """Take the replies of the lanes that `ticket` holds."""
        self.replies |= {lane: reply for lane, reply in replies.items() if self.holder.get(lane) is ticket}

    @property
    def running(self) -> bool:
        """Whether anything runs in this tab."""
        return bool(self.runs) or any(each is not None for each in (self.sweep, self.batch, self.probing))

    def close(self) -> None:
        """Stop everything that runs; nothing of it is shown any more."""
        self.closed = True
        self.stop()
        for running in (self.sweep, self.batch, self.probing):
            if running is not None:
                running.stop()

    def stop(self, lane: str | None = None) -> None:
        """Stop `lane`, or everything that runs in this tab."""
        for run in self.runs:
            run.stop(lane)

"""The reply: the fold of a lane's events, while it runs and in the end. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from llamafarm.core.conditions import Caution, ProbeMark, Sharing, WarmUp
from llamafarm.core.events import Failed, FellBack, Relayed, Retrying
from llamafarm.core.types import Cost, Fault, Message, SentRequest, Timings, Tool, ToolCall, Usage

LaneStatus = Literal[
    "idle", "waiting", "warming", "loading", "thinking", "streaming", "calling", "done", "stopped", "failed"
]
ToolState = Literal["asked", "held", "running", "done", "failed", "denied", "stopped"]


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One call that a model made of a tool, and what came of it.

    `call` is as the model wrote it; `server` and `tool` are empty where there is no such tool. `state`: asked, held
    (for a person's word), running, done, failed, denied, or stopped with its lane. `text` is the result as the model
    gets it, and `seconds` how long the tool ran, or has run. `turn` counts from 1.
    """

    call: ToolCall
    turn: int
    server: str = ""
    tool: str = ""
    state: ToolState = "asked"
    text: str = ""
    seconds: float | None = None

    @property
    def pending(self) -> bool:
        """Whether its result is still to come."""
        return self.state in ("asked", "held", "running")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a lane has said so far, or in the end.

    `lane` names the lane, `asked` its named model, `model` the one that answers (another after a fallback),
    `provider` and `model_id` are those of the one that answers. `text` and `reasoning` are whole; `finish_reason`
    and `failure` are None until there is one. `note` says in words what the lane is doing, where its status alone
    does not. `staged` are the models and faults of a demonstration: its figures are no measurements. `relayed` is what
    a LlamaFarm server told of its own model behind this one. `sharing` is None until it is known. `warmup` is there
    where the model was warmed for this lane; its cost is not in `cost`.

    `tool_calls` are the calls of the newest turn, for the asker to answer where `finish_reason` is tool_calls.
    `tools` are what the model was told of, `tools_missing` says by MCP server why its tools were not there, and
    `tool_runs` are all calls that we made or were to make. Usage and cost are those of all turns. `said` is what the
    lane adds to its conversation: every turn of calls with their results, and the answer.

    `cautions` say what must be known to read the answer rightly: of each kind the first.

    `retries` are tries that failed, of this model or of one before it; `reconnects` counts its requests that had to
    leave again because a kept connection was closed. `probed` is what a probe of its server had found before that bears
    on the figures.
    """

    lane: str
    asked: str
    model: str
    provider: str
    model_id: str
    status: LaneStatus
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    timings: Timings = Timings()
    cost: Cost = Cost(None, "unknown")
    finish_reason: str | None = None
    failure: Failed | None = None
    sent: SentRequest | None = None
    retries: tuple[Retrying, ...] = ()
    reconnects: int = 0
    fallbacks: tuple[FellBack, ...] = ()
    staged: Mapping[str, Fault] = field(default_factory=dict)
    relayed: Relayed | None = None
    note: str = ""
    tools: tuple[Tool, ...] = ()
    tools_missing: Mapping[str, str] = field(default_factory=dict)
    tool_runs: tuple[ToolRun, ...] = ()
    said: tuple[Message, ...] = ()
    sharing: Sharing | None = None
    warmup: WarmUp | None = None
    cautions: tuple[Caution, ...] = ()
    probed: tuple[ProbeMark, ...] = ()

    @property
    def shared(self) -> bool | None:
        """Whether other requests may have slowed this one at its server; None where that is not known."""
        return None if self.sharing is None else self.sharing.others > 0

    @property
    def lost_s(self) -> float:
        """Seconds of the total that went to models which failed before, failed tries, pauses, closed connections."""
        return sum(step.lost_s for step in self.fallbacks) + (self.timings.lost_s or 0.0)

    @property
    def ttft_lost_s(self) -> float:
        """What of that is in the TTFT."""
        return sum(step.lost_s for step in self.fallbacks) + (self.timings.ttft_lost_s or 0.0)

    @property
    def own_calls(self) -> tuple[ToolCall, ...]:
        """Calls of tools that are the asker's own, which nobody here makes."""
        ours = {run.call.id for run in self.tool_runs}
        return tuple(call for call in self.tool_calls if call.id not in ours)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("done", "stopped", "failed")

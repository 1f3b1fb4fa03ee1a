"""The vocabulary of the playground: what is asked, what a lane says, what is measured. No I/O.

Times are seconds of `time.perf_counter()` where they are instants (`at`) and plain seconds where they
are spans (`…_s`). Money is `Decimal` US dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
Role = Literal["system", "user", "assistant", "tool"]
CountSource = Literal["reported", "estimated"]
CostSource = Literal["reported", "config", "table", "free", "unknown"]
Fault = Literal["refused", "429", "500", "timeout", "cut"]
LaneStatus = Literal["idle", "waiting", "loading", "thinking", "streaming", "calling", "done", "stopped", "failed"]
ToolState = Literal["asked", "held", "running", "done", "failed", "denied", "stopped"]
TOOL_TURNS = "tool_turns"  # our finish_reason where a model asked for tools until its bound


# --- what is asked ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a message: its media type, such as `image/png`, and its bytes in base64."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, in OpenAI's roles. `name` tells speakers of one role apart."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[Image, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What one model is asked, independent of its protocol.

    `parameters` are in OpenAI's names (temperature, top_p, max_tokens, …) or a provider's own (num_ctx);
    each provider maps them. `tools` are OpenAI function definitions.
    """

    messages: tuple[Message, ...]
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    tools: tuple[Mapping[str, JsonValue], ...] = ()


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The exact HTTP request that left, as it may be shown: header values that hold keys are masked."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the playground runs for models: `name` of the MCP server `server`.

    Models call it by `call_name`, which is unique among what they are offered. `schema` is the JSON Schema of its
    arguments, an object. `description` and `schema` are the server's words: shown as text, never trusted.
    """

    server: str
    name: str
    call_name: str
    description: str
    schema: Mapping[str, JsonValue]


# --- what is measured ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tokens and where it comes from."""

    value: int
    source: CountSource


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. `output` includes `reasoning`, `input` includes `cached`; None is unknown."""

    input: Count | None = None
    output: Count | None = None
    reasoning: Count | None = None
    cached: Count | None = None

    @property
    def source(self) -> CountSource | None:
        """`estimated` as soon as input or output is; None where neither is known."""
        sources = {count.source for count in (self.input, self.output) if count is not None}
        if not sources:
            return None
        return "estimated" if "estimated" in sources else "reported"


@dataclass(frozen=True, slots=True)
class Timings:
    """Spans in seconds from the lane's start; None is not measured.

    queue_s: waited for a free place before the request left. load_s: loading the model, where told.
    ttfr_s: to the first reasoning token. ttft_s: to the first visible token. total_s: to the end.
    tokens_per_s: (output tokens - 1) / (last - first token), only over 200 ms and 8 tokens or more; with tools,
    over the time in which the model generated. tools_s: MCP servers started and tools ran. held_s: calls waited for a
    person's word, and none ran.
    partial: the lane was stopped or failed; the figures are what was measured until then.
    """

    queue_s: float | None = None
    load_s: float | None = None
    ttfr_s: float | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    tokens_per_s: float | None = None
    tools_s: float | None = None
    held_s: float | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost. `usd` is None exactly when `source` is `unknown`; unknown is never zero.

    `detail` says in words what the figure rests on (price per million, table and its version);
    `estimated` is True when the token counts beneath it are.
    """

    usd: Decimal | None
    source: CostSource
    detail: str = ""
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The model that a routing strategy picks, why, and the signals that it saw."""

    strategy: str
    model: str
    reason: str
    signals: Mapping[str, JsonValue] = field(default_factory=dict)


Verdict = Literal["yes", "no", "unknown"]
KeyState = Literal["none", "missing", "refused", "accepted", "unknown"]


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What a look at the named model `model` found, without asking it anything.

    server: whether its server answers (for an embedded model: whether llama.cpp is installed). found: whether the
    server lists the model (whether its file is there); unknown where it doesn't tell. key: `none` is sent,
    `missing` is one that should be, `accepted` is one that was not refused; servers that list their models to anyone
    accept every key here. usable: nothing speaks against asking it. message: in a sentence what was found. todo:
    what to do, empty where nothing is to be done. seconds: how long the server took, None where it was not asked.
    """

    model: str
    server: Verdict
    found: Verdict
    key: KeyState
    usable: bool
    message: str
    todo: str = ""
    seconds: float | None = None


# --- what a lane says ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a lane; `at` is when, taken where the bytes arrived."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """The lane's task began; every span is measured from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking(Event):
    """The named model `model` is about to be asked `request`: first its own, after a fallback the next."""

    model: str
    request: ChatRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """The request waits for a free place before it leaves; `what` says for what."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Event):
    """The place is there, after `waited_s` seconds."""

    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading(Event):
    """The model is being loaded into memory; `what` names it for people."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Event):
    """Loading took `seconds`, as measured here or told by the server."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """The request left for the server."""

    request: SentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta(Event):
    """A piece of the model's reasoning, apart from its answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(Event):
    """A piece of the visible answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Event):
    """The model asks for a tool call (complete, not a fragment)."""

    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsOffered(Event):
    """The model is told of `tools`. `missing` says by MCP server why its tools are not there.

    Starting the servers and listing their tools took `seconds`.
    """

    tools: tuple[Tool, ...]
    missing: Mapping[str, str]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHeld(Event):
    """The call `call_id` waits for the word of the person who watches."""

    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(Event):
    """The call `call_id` of `tool` at the MCP server `server` runs now."""

    call_id: str
    server: str
    tool: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned(Event):
    """The call `call_id` gave `text`, as the model gets it.

    `is_error`: it failed, or was not made at all; `denied`: because the person who watches did not allow it. `seconds`
    is how long the tool ran. `server` and `tool` are empty where there is no such tool.
    """

    call_id: str
    server: str
    tool: str
    text: str
    is_error: bool = False
    denied: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTurn(Event):
    """The same model is asked again, with the results of its calls; `turn` counts from 2."""

    turn: int
    request: ChatRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported(Event):
    """Token counts as the server tells them; a later one replaces an earlier one of the same call."""

    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReported(Event):
    """The server itself tells what the call cost, in US dollars."""

    usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed(Event):
    """A LlamaFarm server tells which of its named models answers, and how it came to that.

    It is told when the answer begins, and again at its end. `route` says how the model was found, `fallbacks` which
    models failed before it; `cost` is what the server made of the usage, None until it is known. `estimated`: the
    token counts are no model server's own.
    """

    model: str
    provider: str
    model_id: str
    route: Route | None = None
    fallbacks: tuple[FellBack, ...] = ()
    cost: Cost | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying(Event):
    """A try failed before any content; the next, number `attempt` (from 2), starts in `delay_s` seconds."""

    attempt: int
    delay_s: float
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBack(Event):
    """`model` failed before any content after `lost_s` seconds, or rests (`kind`); `to` is asked instead."""

    model: str
    to: str
    lost_s: float
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFault(Event):
    """`fault` is staged for `model`, as a demonstration: what the lane measures is no measurement of it."""

    model: str
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """The answer is complete; `reason` is the server's finish_reason (stop, length, tool_calls, …)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """The lane failed. `message` and `hint` are for people; `kind` is the error's class name.

    `retry_after_s`: seconds that the model's server asked to wait before the next try.
    """

    kind: str
    message: str
    hint: str = ""
    status: int | None = None
    request_id: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    """The lane was stopped by the person who watches it."""


DELTAS = (TextDelta, ReasoningDelta)
CONTENT = (*DELTAS, ToolCalled)
FINAL = (Finished, Failed, Stopped)


def is_content(event: Event) -> bool:
    """Whether `event` carries something of the answer: after it, no retry and no fallback."""
    return isinstance(event, CONTENT)


def is_final(event: Event) -> bool:
    """Whether `event` ends its lane."""
    return isinstance(event, FINAL)


# --- the fold of a lane's events -------------------------------------------------------------------


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
    a LlamaFarm server told of its own model behind this one.

    `tool_calls` are the calls of the newest turn, for the asker to answer where `finish_reason` is tool_calls.
    `tools` are what the model was told of, `tools_missing` says by MCP server why its tools were not there, and
    `tool_runs` are all calls that we made or were to make. Usage and cost are those of all turns. `said` is what the
    lane adds to its conversation: every turn of calls with their results, and the answer.
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
    fallbacks: tuple[FellBack, ...] = ()
    staged: Mapping[str, Fault] = field(default_factory=dict)
    relayed: Relayed | None = None
    note: str = ""
    tools: tuple[Tool, ...] = ()
    tools_missing: Mapping[str, str] = field(default_factory=dict)
    tool_runs: tuple[ToolRun, ...] = ()
    said: tuple[Message, ...] = ()

    @property
    def lost_s(self) -> float:
        """Seconds that went to models which failed before this one was asked."""
        return sum(step.lost_s for step in self.fallbacks)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ("done", "stopped", "failed")

"""The events of a lane (text, usage, failures …), in the order in which they happen. No I/O.

Instants (`at`) are seconds of `time.perf_counter()`, spans (`…_s`) are plain seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from llamafarm.core.errors import Culprit
from llamafarm.core.types import ChatRequest, Cost, Fault, Route, SentRequest, Tool, ToolCall, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a lane; `at` is when, taken where the bytes arrived."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """The lane began; every span is measured from here. Told again where it waited for its turn, or was warmed."""


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
class Reclassified(Event):
    """All text that this turn has told so far was reasoning: only now came the mark that ends it, without another that
    opens it. The visible answer, and its TTFT, begin behind.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack(Event):
    """A piece of the answer came that is not shown, or not yet: of a tool call that is being written, or of a tag."""


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
class Reconnected(Event):
    """A connection that was kept turned out to be closed: the request left again on a new one, `lost_s` later."""

    lost_s: float


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

    `retry_after_s`: seconds that the model's server asked to wait before the next try. `culprit` is who is at fault,
    `retryable` whether the same request may succeed later; both are None where an older record does not tell.
    """

    kind: str
    message: str
    hint: str = ""
    status: int | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    culprit: Culprit | None = None
    retryable: bool | None = None


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

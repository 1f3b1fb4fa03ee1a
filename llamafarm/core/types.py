"""The vocabulary of the playground: what is asked, and what is measured. No I/O.

Spans are seconds (`…_s`). Money is `Decimal` US dollars.
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
LAG_S = 0.005  # what figures may be wrong by in any case
LAG_SHARE = 0.02  # of a figure
REPEATED = "repeated_token"  # our finish_reason where a server ended an answer that went round in circles
CUTS = ("length", REPEATED)  # the finish_reasons of answers that are not whole
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
    """Tokens of one answer. `output` includes `reasoning`; None is unknown.

    `input` includes `cached`, which were read from the server's cache, and `written`, which were written into it; of
    those `written_1h` are kept for an hour, at another price than for some minutes.

    `doubts` say in a sentence each what the server told that can't be, and is not used.
    """

    input: Count | None = None
    output: Count | None = None
    reasoning: Count | None = None
    cached: Count | None = None
    doubts: tuple[str, ...] = ()
    written: Count | None = None
    written_1h: Count | None = None

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

    queue_s: waited for a free place before the request left. server_queue_s: waited in the server's own queue before
    the first visible token, where told. load_s: loading the model before that token, where told.
    ttfr_s: to the first reasoning token. ttft_s: to the first visible token. total_s: to the end.
    tokens_per_s: (output tokens - 1) / (last - first token), only over 200 ms and 8 tokens or more; with tools,
    over the time in which the model generated. lost_s: failed tries, our pauses after them, and connections that
    turned out to be closed; ttft_lost_s: what of that is in the TTFT. tools_s: MCP servers started and tools ran.
    held_s: calls waited for a person's word, and none ran.
    lag_s: the most by which the playground's own event loop was late while the lane was timed; ttft_lag_s: the same
    until the first visible token. Where it is much of a figure, that figure may be so much too long (`ttft_doubtful`,
    `total_doubtful`).
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
    lost_s: float | None = None
    ttft_lost_s: float | None = None
    partial: bool = False
    server_queue_s: float | None = None
    lag_s: float | None = None
    ttft_lag_s: float | None = None

    @property
    def ttft_doubtful(self) -> bool:
        """Whether the playground's own lateness may be a good part of the TTFT."""
        return _spoils(self.ttft_lag_s, self.ttft_s)

    @property
    def total_doubtful(self) -> bool:
        """Whether the playground's own lateness may be a good part of the total, and of what is made of it."""
        return _spoils(self.lag_s, self.total_s)

    @property
    def warm_ttft_s(self) -> float | None:
        """TTFT without loading the model; None where nobody told how long that took, or it can't be inside the TTFT."""
        if self.ttft_s is None or self.load_s is None or self.load_s > self.ttft_s:
            return None
        return self.ttft_s - self.load_s

    @property
    def waited_s(self) -> float:
        """Seconds of waiting for a free place here and in the server's own queue: what TTFT and total have in them."""
        return (self.queue_s or 0.0) + (self.server_queue_s or 0.0)

    @property
    def served_ttft_s(self) -> float | None:
        """TTFT without that waiting: what lanes are compared by."""
        return None if self.ttft_s is None else max(self.ttft_s - self.waited_s, 0.0)

    @property
    def served_total_s(self) -> float | None:
        """The time to the end, likewise."""
        return None if self.total_s is None else max(self.total_s - self.waited_s, 0.0)


def _spoils(lag_s: float | None, span_s: float | None) -> bool:
    return lag_s is not None and span_s is not None and lag_s >= max(LAG_S, LAG_SHARE * span_s)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost. `usd` is None exactly when `source` is `unknown`; unknown is never zero.

    `detail` says in words what the figure rests on (price per million, table and its version);
    `estimated` is True when the token counts beneath it are, or a price had to stand in for another.
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

"""Conditions under which an answer came: whether its model was warmed, and its server shared. No I/O.

Events as in `events`, and what they come to in a `Reply`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from llamafarm.core.addresses import host_of, on_own_network
from llamafarm.core.events import Event, Retrying
from llamafarm.core.types import Cost, Usage

THIS_MACHINE = "this machine"
Figure = Literal["ttft", "total", "speed", "input", "output", "cost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warming(Event):
    """The named model `model` is about to get a short request whose figures don't count, so that it is ready."""

    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed(Event):
    """The short request took `seconds`, `load_s` of them loading the model where that was told.

    `usage` is its own, as reported or estimated, `usd` what the server said it cost. `error` says why it failed: then
    the model may be cold.
    """

    model: str
    seconds: float
    load_s: float | None = None
    usage: Usage = Usage()
    usd: Decimal | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared(Event):
    """So far at most `others` other requests were under way at `server` at one time, while this one was.

    From when a request is sent until its answer has ended it is under way. 0: it has had the server to itself, as far
    as this process knows.
    """

    server: str
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lagged(Event):
    """Since the lane began, the playground's own event loop was late by at most `seconds`, and so may instants be."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerQueued(Event):
    """The request waited `seconds` in the server's own queue before it was read, as the server tells."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream(Event):
    """What the times of a relayed answer have in them, as the LlamaFarm server that relays it tells at its end.

    The tries that failed there, its requests that left again on new connections, and the seconds that both took, in
    all and before visible text; what went to models that failed before is told with the fallbacks. `lag_s` and
    `ttft_lag_s` are by how much its event loop was late, `tools_s` how long its tools ran.
    """

    retries: tuple[Retrying, ...] = ()
    reconnects: int = 0
    lost_s: float = 0.0
    ttft_lost_s: float = 0.0
    lag_s: float = 0.0
    ttft_lag_s: float = 0.0
    tools_s: float = 0.0

    @property
    def longest_s(self) -> float:
        """The longest of its spans: none can be longer than the answer took."""
        return max(self.lost_s, self.ttft_lost_s, self.lag_s, self.ttft_lag_s, self.tools_s)


CautionKind = Literal["prompt_cut", "answer_cut", "repeated", "tools_ignored", "other_model"]


@dataclass(frozen=True, slots=True)
class Caution:
    """Why an answer is not what it looks like, in a sentence.

    prompt_cut: the model read only a part of the prompt, as the server tells or as its count shows. answer_cut: it is
    as long as it may be, and the server does not say whether it was cut. repeated: the server ended it, because it
    repeated one token. tools_ignored: the model was never told of the tools. other_model: the server names another
    model than the one that was asked.
    """

    kind: CautionKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cautioned(Event):
    """Something was found out about the answer that must be known to read it rightly."""

    caution: Caution


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNamed(Event):
    """The server names the model that answers, in its own word for it."""

    model: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """With how many `others`, at most at one time, an answer shared its `server` while it was under way.

    A request is under way from when it is sent until its answer has ended; loading a model into this machine's memory
    counts too. Waiting for a place or for its turn does not, nor do tools that run and pauses between tries. Only
    requests of the same process are known.
    """

    server: str
    others: int

    @property
    def hosted(self) -> bool:
        """Whether the server is a public one: it serves many others too, so that our own requests matter less."""
        return bool(host_of(self.server)) and not on_own_network(self.server)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """The short request before the first question to a model: its own cost, and figures that count nowhere else.

    `load_s` of its `seconds` were loading the model, where that was told. `error` says why it failed.
    """

    model: str
    seconds: float
    load_s: float | None = None
    usage: Usage = Usage()
    cost: Cost = Cost(None, "unknown")
    error: str = ""

    @property
    def paid(self) -> bool:
        """Whether it belongs into a sum of costs: not where it failed and no server counted anything."""
        return not self.error or self.usage != Usage() or self.cost.usd is not None


@dataclass(frozen=True, slots=True)
class ProbeMark:
    """What a probe of the answering model's server found on `day` (ISO 8601) that bears on `figures` of its lanes.

    `short` says it in a word or two, `meaning` in a sentence what it means for them.
    """

    check: str
    figures: tuple[Figure, ...]
    short: str
    meaning: str
    day: str

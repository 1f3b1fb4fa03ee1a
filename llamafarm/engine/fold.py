"""The fold of a lane's events into its Reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO

from llamafarm.config.model import NamedModel
from llamafarm.engine.metrics import Instants, complete_usage, estimated_usage, timings, with_lost
from llamafarm.types import (
    Asking,
    ChatRequest,
    Cost,
    CostReported,
    Event,
    Failed,
    Fault,
    FellBack,
    Finished,
    LaneStatus,
    Loaded,
    Loading,
    Ready,
    ReasoningDelta,
    Reply,
    Retrying,
    Sent,
    SentRequest,
    StagedFault,
    Started,
    Stopped,
    TextDelta,
    ToolCall,
    ToolCalled,
    Usage,
    UsageReported,
    Waiting,
)

Price = Callable[[str, Usage, Decimal | None], Cost]


@dataclass(slots=True)
class _Answer:
    """What has come of one named model's answer."""

    request: ChatRequest | None = None
    text: StringIO = field(default_factory=StringIO)
    reasoning: StringIO = field(default_factory=StringIO)
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    usd: Decimal | None = None
    sent: SentRequest | None = None
    begun: bool = False


class Fold:
    """Takes a lane's events one by one and gives its Reply at any time.

    `price` gives the cost of a usage of the named model (see `PriceBook`). Token counts that the server
    does not report are estimated from the request and from what came, once there is an answer at all.
    What is held grows with the answer's text alone.
    """

    def __init__(self, lane: str, model: NamedModel, find: Callable[[str], NamedModel], price: Price) -> None:
        self._lane = lane
        self._asked = self._model = model
        self._find = find
        self._price = price
        self._status: LaneStatus = "waiting"
        self._note = ""
        self._answer = _Answer()
        self._instants = Instants(started=0.0)
        self._reason: str | None = None
        self._failure: Failed | None = None
        self._retries: list[Retrying] = []
        self._fallbacks: list[FellBack] = []
        self._lost: list[Cost] = []
        self._staged: dict[str, Fault] = {}

    def add(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case TextDelta(text=text):
                self._content("streaming", event.at, self._answer.text, text)
            case ReasoningDelta(text=text):
                self._content("thinking", event.at, self._answer.reasoning, text)
            case ToolCalled(call=call):
                self._answer.begun = True
                self._answer.calls.append(call)
                self._instants.last_content = event.at
            case UsageReported(usage=usage):
                self._answer.usage = usage
            case CostReported(usd=usd):
                self._answer.usd = usd
            case Finished() | Failed() | Stopped():
                self._end(event)
            case _:
                self._progress(event)

    def _content(self, status: LaneStatus, at: float, pieces: StringIO, text: str) -> None:
        instants = self._instants
        if status == "streaming" and instants.first_text is None:
            instants.first_text = at
        if status == "thinking" and instants.first_reasoning is None:
            instants.first_reasoning = at
        instants.last_content = at
        self._status, self._note = status, ""
        self._answer.begun = True
        pieces.write(text)

    def _progress(self, event: Event) -> None:
        match event:
            case Started():
                self._instants.started = event.at
            case Asking(model=name, request=request):
                self._model = self._find(name)
                self._answer = _Answer(request=request)
            case Waiting(what=what):
                self._status, self._note = "waiting", what
            case Ready(waited_s=waited):
                self._instants.queue_s = (self._instants.queue_s or 0.0) + waited
                self._note = ""
            case Loading(what=what):
                self._status, self._note = "loading", what
            case Loaded(seconds=seconds):
                self._instants.load_s = seconds
                if self._status == "loading":
                    self._status, self._note = "waiting", ""
            case Sent(request=sent):
                self._answer.sent = sent
            case _:
                self._setback(event)

    def _setback(self, event: Event) -> None:
        match event:
            case Retrying():
                self._retries.append(event)
                self._status, self._note = "waiting", f"try {event.attempt} after: {event.message}"
            case StagedFault(model=name, fault=fault):
                self._staged[name] = fault
            case FellBack():
                self._fallbacks.append(event)
                self._status, self._note = "waiting", f"{event.model} failed, asking {event.to}"
                self._give_up()

    def _give_up(self) -> None:
        """A model is left behind: what it reported is paid for, what it measured is not the next one's."""
        if self._answer.usage != Usage() or self._answer.usd is not None:
            self._lost.append(self._price(self._model.name, self._answer.usage, self._answer.usd))
        self._answer = _Answer()
        self._instants.queue_s = self._instants.load_s = None

    def _end(self, event: Finished | Failed | Stopped) -> None:
        self._instants.ended = event.at
        self._note = ""
        match event:
            case Finished(reason=reason):
                self._status, self._reason = "done", reason
            case Failed():
                self._status, self._failure = "failed", event
            case Stopped():
                self._status = "stopped"

    def reply(self, now: float) -> Reply:
        """The reply so far; `now` (perf_counter seconds) is the end of a lane that still goes on."""
        answer = self._answer
        text, reasoning = answer.text.getvalue(), answer.reasoning.getvalue()
        usage = self._usage(text, reasoning)
        return Reply(
            lane=self._lane,
            asked=self._asked.name,
            model=self._model.name,
            provider=self._model.provider,
            model_id=self._model.model,
            status=self._status,
            text=text,
            reasoning=reasoning,
            tool_calls=tuple(answer.calls),
            usage=usage,
            timings=timings(self._instants, usage, now=now, partial=self._status in ("stopped", "failed")),
            cost=self._cost(usage),
            finish_reason=self._reason,
            failure=self._failure,
            sent=answer.sent,
            retries=tuple(self._retries),
            fallbacks=tuple(self._fallbacks),
            staged=dict(self._staged),
            note=self._note,
        )

    def _usage(self, text: str, reasoning: str) -> Usage:
        answer = self._answer
        if answer.request is None or not (answer.begun or self._status == "done"):
            return answer.usage
        if answer.usage.input and answer.usage.output and (answer.usage.reasoning or not reasoning):
            return answer.usage
        return complete_usage(answer.usage, estimated_usage(answer.request, text, reasoning))

    def _cost(self, usage: Usage) -> Cost:
        if usage == Usage() and self._answer.usd is None:
            return Cost(None, "unknown", detail="No tokens were counted.")
        cost = self._price(self._model.name, usage, self._answer.usd)
        return with_lost(cost, self._lost) if self._lost else cost

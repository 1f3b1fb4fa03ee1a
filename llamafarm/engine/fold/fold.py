"""The fold of a lane's events into its Reply."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from llamafarm.config.model import NamedModel
from llamafarm.core.addresses import on_own_network
from llamafarm.core.conditions import (
    Caution,
    Cautioned,
    CautionKind,
    Lagged,
    ModelNamed,
    ProbeMark,
    ServerQueued,
    Shared,
    Upstream,
    Warmed,
    Warming,
)
from llamafarm.core.events import (
    Asking,
    CostReported,
    Event,
    Failed,
    FellBack,
    Finished,
    HeldBack,
    Loaded,
    Loading,
    NextTurn,
    Ready,
    ReasoningDelta,
    Reclassified,
    Reconnected,
    Relayed,
    Retrying,
    Sent,
    StagedFault,
    Started,
    Stopped,
    TextDelta,
    ToolCalled,
    ToolHeld,
    ToolReturned,
    ToolsOffered,
    ToolStarted,
    UsageReported,
    Waiting,
)
from llamafarm.core.model_names import file_of, same_model
from llamafarm.core.reply import LaneStatus, Reply
from llamafarm.core.types import CUTS, Cost, Fault, Message, Usage
from llamafarm.engine.fold.metrics import Decoding, Instants, all_cost, all_usage, timings, with_lost
from llamafarm.engine.fold.setbacks import Setbacks
from llamafarm.engine.fold.tool_runs import ToolRuns
from llamafarm.engine.sharing import Conditions
from llamafarm.engine.tool_loop.functions import function_names
from llamafarm.engine.tool_loop.turn import Price, Turn
from llamafarm.providers.answers.bounds import perhaps_cut

LONG_S = 5.0  # a wait for the first token that is told


class Fold:
    """Takes a lane's events one by one and gives its Reply at any time.

    `price` gives the cost of a usage of the named model (see `PriceBook`). Token counts that the server
    does not report are estimated from the request and from what came, once there is an answer at all.
    `marks` gives what probes found of a model's server.
    What is held grows with the answer's text alone.
    """

    def __init__(
        self,
        lane: str,
        model: NamedModel,
        find: Callable[[str], NamedModel],
        price: Price,
        marks: Callable[[NamedModel], tuple[ProbeMark, ...]] = lambda _: (),
    ) -> None:
        self._lane = lane
        self._asked = self._model = model
        self._find = find
        self._price = price
        self._marks = marks
        self._status: LaneStatus = "waiting"
        self._note = ""
        self._answer = Turn()
        self._turns: list[Turn] = []
        self._tools = ToolRuns()
        self._conditions = Conditions(price)
        self._instants = Instants(started=0.0)
        self._reason: str | None = None
        self._failure: Failed | None = None
        self._setbacks = Setbacks()
        self._fallbacks: list[FellBack] = []
        self._lost: list[Cost] = []
        self._staged: dict[str, Fault] = {}
        self._cautions: dict[CautionKind, Caution] = {}

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
                self._answer.decoding.came(event.at, f"{call.name} {call.arguments}")
                self._tool(event)
            case HeldBack():
                self._answer.decoding.came(event.at)
            case UsageReported(usage=usage):
                self._answer.told = usage
            case CostReported(usd=usd):
                self._answer.usd = usd
            case Relayed():
                self._answer.relayed = event
            case Finished() | Failed() | Stopped():
                self._end(event)
            case Shared() | Warming() | Warmed():
                self._condition(event)
            case _:
                self._progress(event)

    def _content(self, status: LaneStatus, at: float, pieces: StringIO, text: str) -> None:
        instants = self._instants
        if status == "streaming" and instants.first_text is None:
            instants.first_text = at
        if status == "thinking" and instants.first_reasoning is None:
            instants.first_reasoning = at
        self._answer.decoding.came(at, text, reasoning=status == "thinking")
        self._status, self._note = status, ""
        self._answer.begun = True
        pieces.write(text)

    def _reclassify(self) -> None:
        """What was shown of this turn was reasoning: the first visible token is still to come."""
        instants = self._instants
        self._answer.reclassify()
        self._status = "thinking"
        if instants.first_reasoning is None:
            instants.first_reasoning = instants.first_text
        if not self._shown:
            instants.first_text = None

    def _condition(self, event: Shared | Warming | Warmed) -> None:
        if isinstance(event, Warming):
            self._status, self._note = "warming", "a short request first, whose figures don't count"
        self._conditions.add(event)

    def _progress(self, event: Event) -> None:
        match event:
            case Started():
                self._instants.started = event.at
                self._status, self._note = "waiting", ""
            case Asking() | NextTurn():
                self._ask(event)
            case Waiting(what=what):
                self._status, self._note = "waiting", what
            case Ready(waited_s=waited):
                self._instants.queue_s = (self._instants.queue_s or 0.0) + waited
                self._setbacks.waited(waited)
                self._note = ""
            case Loading(what=what):
                self._status, self._note = "loading", what
            case Loaded() | ServerQueued():
                self._before_reading(event)
            case Sent(request=sent):
                self._answer.sent, self._answer.sent_at = sent, event.at
                self._setbacks.sent(event.at, shown=self._shown)
            case ToolsOffered() | ToolHeld() | ToolStarted() | ToolReturned():
                self._tool(event)
            case _:
                self._setback(event)

    def _before_reading(self, event: Loaded | ServerQueued) -> None:
        """What a turn after the first text loads or waits is not in the TTFT."""
        instants = self._instants
        self._setbacks.waited(event.seconds)
        if not self._shown:
            if isinstance(event, Loaded):
                instants.load_s = (instants.load_s or 0.0) + event.seconds
            else:
                instants.server_queue_s = (instants.server_queue_s or 0.0) + event.seconds
        if self._status == "loading":
            self._status, self._note = "waiting", ""

    @property
    def _shown(self) -> bool:
        """Whether a turn before this one has shown text."""
        return any(turn.text.tell() for turn in self._turns)

    def _ask(self, event: Asking | NextTurn) -> None:
        self._setbacks.asked(event.at)
        if isinstance(event, Asking):
            self._model = self._find(event.model)
            self._turns = []
        else:
            self._turns.append(self._answer)
            self._status, self._note = "waiting", ""
        self._answer = Turn(request=event.request)

    def _tool(self, event: Event) -> None:
        request = self._answer.request
        offered = {tool.call_name for tool in self._tools.offered}
        declared = frozenset(function_names(request.tools)) - offered if request else frozenset()
        self._tools.add(event, len(self._turns) + 1, declared)
        if isinstance(event, ToolHeld | ToolStarted | ToolReturned):
            self._status, self._note = "calling", self._tools.note
        elif isinstance(event, ToolsOffered):
            self._note = ""

    def _setback(self, event: Event) -> None:
        match event:
            case Retrying():
                self._setbacks.failed(event)
                self._answer.decoding = Decoding()
                self._status, self._note = "waiting", f"try {event.attempt} after: {event.message}"
            case Reconnected():
                self._setbacks.reconnected(event, shown=self._shown)
            case Upstream():
                self._upstream(event)
            case Reclassified():
                self._reclassify()
            case StagedFault(model=name, fault=fault):
                self._staged[name] = fault
            case Cautioned(caution=caution):
                self._cautions.setdefault(caution.kind, caution)
            case ModelNamed(model=named):
                self._named(named)
            case Lagged(seconds=seconds):
                self._instants.lagged(seconds)
            case FellBack():
                self._fallbacks.append(event)
                self._status, self._note = "waiting", f"{event.model} failed, asking {event.to}"
                self._give_up()

    def _named(self, named: str) -> None:
        """Mark an answer of another model; a LlamaFarm server tells of that itself, an embedded one is our own."""
        asked = self._model.model
        if self._answer.relayed is None and not self._model.profile.embedded and not same_model(named, asked):
            text = f"{asked} was asked, and the server says that {file_of(named)} answered."
            self._cautions.setdefault("other_model", Caution("other_model", text))

    def _upstream(self, told: Upstream) -> None:
        """What a relaying server tells of its part in the times; what took longer than its answer can't be."""
        if told.longest_s > told.at - self._answer.sent_at:
            return
        self._setbacks.upstream(told, shown=self._shown)
        self._instants.upstream(told.lag_s, told.ttft_lag_s, shown=self._shown)
        self._tools.ran_elsewhere(told.tools_s)

    def _give_up(self) -> None:
        """A model is left behind: what it reported is paid for, what it measured is not the next one's."""
        if self._answer.told != Usage() or self._answer.usd is not None:
            self._lost.append(self._price(self._model.name, self._answer.told, self._answer.usd))
        self._answer, self._tools, self._cautions = Turn(), ToolRuns(), {}
        self._instants.queue_s = self._instants.load_s = self._instants.server_queue_s = None
        self._setbacks.give_up()
        self._conditions.give_up()

    def _end(self, event: Finished | Failed | Stopped) -> None:
        self._instants.ended = event.at
        self._tools.end(event.at)
        self._note = ""
        match event:
            case Finished(reason=reason):
                self._status, self._reason = "done", reason
                self._look(reason)
            case Failed():
                self._status, self._failure = "failed", event
            case Stopped():
                self._status = "stopped"

    def _look(self, reason: str) -> None:
        """Mark an answer that may have been cut, though its server does not say so."""
        answer = self._answer
        if answer.request is not None and reason not in (*CUTS, "tool_calls"):
            found = perhaps_cut(self._model, answer.request, answer.usage(ended=True).output)
            if found is not None:
                self._cautions.setdefault(found.kind, found)

    def reply(self, now: float) -> Reply:
        """The reply so far; `now` (perf_counter seconds) is the end of a lane that still goes on."""
        answer, ended = self._answer, self._status == "done"
        turns = [*self._turns, *([] if self._turns and answer.empty and not ended else [answer])]
        usages = [turn.usage(ended=ended) for turn in turns]
        decodings = [turn.paced(usage) for turn, usage in zip(turns, usages, strict=True)]
        partial = self._status in ("stopped", "failed")
        until = now if self._instants.ended is None else self._instants.ended
        return Reply(
            lane=self._lane,
            asked=self._asked.name,
            model=self._model.name,
            provider=self._model.provider,
            model_id=self._model.model,
            status=self._status,
            text=_joined([turn.text.getvalue() for turn in turns]),
            reasoning=_joined([turn.reasoning.getvalue() for turn in turns]),
            tool_calls=tuple(answer.calls),
            usage=all_usage(usages),
            timings=timings(
                self._instants, decodings, self._tools.spans(until), self._setbacks.spans, now=now, partial=partial
            ),
            cost=self._cost(turns, usages),
            finish_reason=self._reason,
            failure=self._failure,
            sent=answer.sent or (self._turns[-1].sent if self._turns else None),
            retries=tuple(self._setbacks.retries),
            reconnects=self._setbacks.reconnects,
            fallbacks=(*self._fallbacks, *(step for turn in turns if turn.relayed for step in turn.relayed.fallbacks)),
            staged=dict(self._staged),
            relayed=answer.relayed,
            note=self._note or self._waits(now),
            tools=self._tools.offered,
            tools_missing=self._tools.missing,
            tool_runs=self._tools.runs(now),
            said=self._said(),
            sharing=self._conditions.sharing,
            warmup=self._conditions.warmup,
            cautions=tuple(self._cautions.values()),
            probed=self._marks(self._model),
        )

    def _waits(self, now: float) -> str:
        """How long the first token takes, once that is long: on one's own machines a model may be loading."""
        answer = self._answer
        if self._status != "waiting" or answer.sent is None or now - answer.sent_at < LONG_S:
            return ""
        loading = "; a large model may be loading" if on_own_network(self._model.base_url or "") else ""
        return f"waiting for the first token: {now - answer.sent_at:.0f} s{loading}"

    def _cost(self, turns: list[Turn], usages: list[Usage]) -> Cost:
        if all(usage == Usage() and turn.usd is None for turn, usage in zip(turns, usages, strict=True)):
            return Cost(None, "unknown", detail="No tokens were counted.")
        name, price = self._model.name, self._price
        priced = [turn.cost(usage, name, price) for turn, usage in zip(turns, usages, strict=True)]
        cost = all_cost(priced)
        return with_lost(cost, self._lost) if self._lost else cost

    def _said(self) -> tuple[Message, ...]:
        answer = self._answer
        asked = self._turns[0].request if self._turns else answer.request
        between = answer.request.messages[len(asked.messages) :] if answer.request and asked else ()
        text = answer.text.getvalue()
        return (*between, Message("assistant", text)) if text else between


def _joined(texts: list[str]) -> str:
    """The texts of several turns, each a paragraph of its own."""
    return "\n\n".join(text for text in texts if text)

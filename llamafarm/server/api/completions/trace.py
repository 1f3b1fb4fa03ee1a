"""What is known of one answer while it comes: for headers, chunks and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from llamafarm.core.events import (
    Asking,
    Event,
    Failed,
    FellBack,
    ReasoningDelta,
    Reclassified,
    Started,
    TextDelta,
    ToolsOffered,
    is_content,
    is_final,
)
from llamafarm.core.reply import Reply, ToolRun
from llamafarm.core.types import CUTS, TOOL_TURNS, Route, Timings, ToolCall, Usage
from llamafarm.engine.replies import Replies
from llamafarm.output.contracts import cautions_json, setbacks_json
from llamafarm.server.api.completions.asked import Asked

READABLE = " !#$&'()*+,/:;<=>?@[]"  # of what headers may hold, all but the percent sign and quotes
_PLAIN = re.compile(rf"[\w.~{re.escape(READABLE)}-]*", re.ASCII)
MILLISECONDS = 1000
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter")


class Trace:
    """Takes the events of one lane, cheaply: the whole reply is made once, at the end.

    `model` is the one that is asked now: that which answers, once something of an answer has come. Only then are the
    `replies` had that fold the events: before, the request is on its way, and others may wait behind it. `folded` are
    those that the history has folded already, where it sees the lane too.
    """

    def __init__(
        self,
        asked: Asked,
        replies: Callable[[], Replies],
        session: dict[str, Any] | None = None,
        folded: Replies | None = None,
    ) -> None:
        self.asked = asked
        self.model = asked.lane.model
        self.failure: Failed | None = None
        self._open = replies
        self._mine: Replies | None = None
        self._folded = folded
        self._early: list[Event] = []
        self._whole: Reply | None = None
        self._session = session
        self._lane = asked.lane.id
        self._started = 0.0
        self._ttfr_s: float | None = None
        self._ttft_s: float | None = None
        self._reclassified = False
        self._fallbacks: list[FellBack] = []
        self._tools: set[str] = set()

    def add(self, event: Event) -> None:
        """Take the next event."""
        if self._mine is not None:
            self._mine.add(self._lane, event)
        elif self._folded is None:
            self._early.append(event)
            if is_content(event) or is_final(event):
                self._mine = self._fold()
        if self._ttft_s is None or not isinstance(event, TextDelta):
            self._note(event)

    def _fold(self) -> Replies:
        replies = self._open()
        for event in self._early:
            replies.add(self._lane, event)
        return replies

    def is_ours(self, call: ToolCall) -> bool:
        """Whether `call` is of an MCP server's tool, which we run: the caller is not to answer it."""
        return call.name in self._tools

    def _note(self, event: Event) -> None:
        match event:
            case Failed():
                self.failure = event
            case Started(at=at):
                self._started = at
            case Asking(model=name):
                self.model = self.asked.project.model(name) or self.model
            case FellBack():
                self._fallbacks.append(event)
            case ToolsOffered(tools=tools):
                self._tools = {tool.call_name for tool in tools}
            case TextDelta(at=at):
                self._ttft_s = at - self._started
            case Reclassified():
                self._ttfr_s = self._ttft_s if self._ttfr_s is None else self._ttfr_s
                self._ttft_s, self._reclassified = None, True
            case ReasoningDelta(at=at) if self._ttfr_s is None:
                self._ttfr_s = at - self._started

    def reply(self) -> Reply:
        """The lane's reply, once it has ended."""
        if self._whole is None:
            self._whole = (self._folded or self._mine or self._fold()).reply(self._lane)
        return self._whole

    def calls(self, reply: Reply) -> tuple[ToolCall, ...]:
        """The calls that the caller is to answer."""
        return tuple(call for call in reply.tool_calls if not self.is_ours(call))

    def finish_reason(self, reply: Reply) -> str:
        """Why the answer ended, as OpenAI says it: calls ask for something, whatever else the server says.

        A model that went on asking for tools until it might not any more was cut short, as by a length.
        """
        if self.calls(reply):
            return "tool_calls"
        if reply.finish_reason in ("tool_calls", TOOL_TURNS):
            return "length" if reply.finish_reason == TOOL_TURNS else "stop"
        if reply.finish_reason in CUTS:
            return "length"
        return reply.finish_reason if reply.finish_reason in FINISH_REASONS else "stop"

    def headers(self, reply: Reply | None = None) -> dict[str, str]:
        """What is known when the response begins; with `reply`, when the answer is whole. Percent-encoded UTF-8."""
        route = self.asked.route
        ttft_s = reply.timings.ttft_s if reply else self._ttft_s
        ttfr_s = reply.timings.ttfr_s if reply else self._ttfr_s
        values = {
            "model": self.model.name,
            "provider": self.model.provider,
            "model-id": self.model.model,
            "route": route.strategy,
            "route-reason": route.reason,
            "fallbacks": ", ".join(f"{step.model}>{step.to};kind={step.kind}" for step in self._fallbacks),
            "ttfr-ms": _milliseconds(ttfr_s),
            "ttft-ms": _milliseconds(ttft_s),
            "cost-usd": str(reply.cost.usd) if reply and reply.cost.usd is not None else "",
        }
        return {f"x-llamafarm-{name}": _quoted(value) for name, value in values.items() if value}

    def first(self) -> dict[str, Any]:
        """The extension of a stream's first chunk."""
        return self._extension(Timings(ttfr_s=self._ttfr_s, ttft_s=self._ttft_s))

    def last(self, reply: Reply) -> dict[str, Any]:
        """The extension when the answer is whole, or has failed."""
        cost = reply.cost
        whole: dict[str, Any] = {
            "usage_source": reply.usage.source,
            "cost": {
                "usd": None if cost.usd is None else float(cost.usd),
                "source": cost.source,
                "estimated": cost.estimated,
                "detail": cost.detail,
            },
        }
        if self._reclassified:
            whole["reclassified"] = True
        if reply.usage.doubts:
            whole["usage_doubts"] = list(reply.usage.doubts)
        if reply.cautions:
            whole["cautions"] = cautions_json(reply)
        if reply.finish_reason not in (*FINISH_REASONS, None):
            whole["finish_reason"] = reply.finish_reason
        if reply.tool_runs or reply.tools_missing:
            whole["tools"] = [_tool_json(run) for run in reply.tool_runs if self.is_ours(run.call)]
            whole["tools_missing"] = dict(reply.tools_missing)
        return self._extension(reply.timings, reply.ttft_lost_s) | setbacks_json(reply) | whole

    def _extension(self, spans: Timings, ttft_lost_s: float | None = None) -> dict[str, Any]:
        extension = {
            "asked": self.asked.lane.model.name,
            "model": self.model.name,
            "provider": self.model.provider,
            "model_id": self.model.model,
            "route": route_json(self.asked.route),
            "fallbacks": [
                {"model": step.model, "to": step.to, "lost_s": step.lost_s, "kind": step.kind, "message": step.message}
                for step in self._fallbacks
            ],
            "timings": {
                "queue_s": spans.queue_s,
                "server_queue_s": spans.server_queue_s,
                "load_s": spans.load_s,
                "ttfr_s": spans.ttfr_s,
                "ttft_s": spans.ttft_s,
                "total_s": spans.total_s,
                "tokens_per_s": spans.tokens_per_s,
                "tools_s": spans.tools_s,
                "ttft_lost_s": ttft_lost_s,
                "lag_s": spans.lag_s,
                "ttft_lag_s": spans.ttft_lag_s,
            },
        }
        return extension if self._session is None else {**extension, "session": self._session}


def route_json(route: Route) -> dict[str, Any]:
    """A route, with the signals that its strategy saw."""
    signals = dict(route.signals)
    return {"strategy": route.strategy, "model": route.model, "reason": route.reason, "signals": signals}


def _tool_json(run: ToolRun) -> dict[str, Any]:
    return {"server": run.server, "tool": run.tool, "state": run.state, "turn": run.turn, "seconds": run.seconds}


def usage_json(usage: Usage) -> dict[str, Any] | None:
    """Usage in OpenAI's form; None where input or output is not known."""
    if usage.input is None or usage.output is None:
        return None
    told: dict[str, Any] = {
        "prompt_tokens": usage.input.value,
        "completion_tokens": usage.output.value,
        "total_tokens": usage.input.value + usage.output.value,
    }
    kept = {"cached_tokens": usage.cached, "cache_write_tokens": usage.written}
    if details := {name: count.value for name, count in kept.items() if count is not None}:
        told["prompt_tokens_details"] = details
    if usage.reasoning is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning.value}
    return told


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quote(value, safe=READABLE)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * MILLISECONDS:.1f}"

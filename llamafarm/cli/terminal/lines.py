"""Formats the lines beside an answer: one for each try and fallback, and one that sums it up."""

from __future__ import annotations

from llamafarm.core import display
from llamafarm.core.characters import excerpt, one_line
from llamafarm.core.events import Failed, FellBack, Reconnected, Retrying
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Route, ToolCall, Usage

WIDTH = 120  # characters of a tool call's arguments, and of its result


UNROUTED = ("named", "default")


def route_line(route: Route) -> str:
    """What a router picked and why; empty where no router was asked."""
    if route.strategy in UNROUTED:
        return ""
    return one_line(f"Route by {route.strategy.replace('_', ' ')}: {route.reason}")


def setback_line(event: Retrying | Reconnected | FellBack) -> str:
    """What kept the answer waiting."""
    match event:
        case Retrying():
            return retry_line(event)
        case Reconnected():
            return reconnect_line(event)
        case FellBack():
            return fallback_line(event)


def retry_line(event: Retrying) -> str:
    """A try that failed, and when the next one starts."""
    return one_line(f"{event.message} Try {event.attempt} in {display.seconds(event.delay_s)}.")


def reconnect_line(event: Reconnected) -> str:
    """A request that left again."""
    return f"A kept connection was closed: asked again on a new one, {display.seconds(event.lost_s)} later."


def fallback_line(step: FellBack) -> str:
    """A model that was given up, and which one is asked instead."""
    return one_line(f"{step.model} → {step.to} after {display.seconds(step.lost_s)}: {step.message}")


def call_line(call: ToolCall) -> str:
    """A tool call as the model asks for it."""
    return f"tool call: {one_line(call.name)}({excerpt(call.arguments, WIDTH)})"


def run_line(name: str, state: str, seconds: float | None, result: str) -> str:
    """What came of a tool call."""
    return f"{one_line(name)} → {state}, {display.seconds(seconds)}: {excerpt(result, WIDTH)}"


def missing_line(server: str, why: str) -> str:
    """Why the tools of an MCP server are not there."""
    return one_line(f"no tools of {server}: {why}")


def failure_line(failure: Failed) -> str:
    """Why there is no answer, and what to do."""
    return one_line(display.why_failed(failure))


def waiting_line(reply: Reply) -> str:
    """What a lane is doing while nothing of it is seen."""
    doing = reply.note if reply.note.startswith(reply.status) else f"{reply.status} {reply.note}".strip()
    return f"{reply.model}: {doing} … {display.seconds(reply.timings.total_s)}"


def summary_line(reply: Reply, route: str) -> str:
    """Model, TTFT, speed, tokens, cost, time and route in one line; `–` is not measured, `~` estimated."""
    usage, spans = reply.usage, reply.timings
    who = f"{reply.model} ({reply.provider} {reply.model_id})" if reply.model_id else reply.model
    took = display.seconds(spans.total_s) + (f", {display.seconds(reply.lost_s)} of it lost" if reply.lost_s else "")
    if usage == Usage():  # nothing came at all
        return one_line(f"{who} · {reply.status} after {took} · route: {route}")
    estimated = usage.output is not None and usage.output.source == "estimated"
    parts = [
        who,
        f"TTFT {display.seconds(spans.ttft_s)}{_inside(reply)}",
        *filter(None, [display.lag(spans)]),
        display.speed(spans.tokens_per_s, estimated=estimated) if spans.tokens_per_s else f"{display.NOTHING} tok/s",
        f"{display.tokens(usage.input)} in, {display.tokens(usage.output)} out",
        _cost(reply.cost),
        took,
        f"route: {route}",
    ]
    if reply.shared:
        parts.append(f"shared {display.sharing(reply.sharing)}")
    parts += [f"✗ {mark.short} (probe of {mark.day})" for mark in reply.probed]
    parts += display.remarks(reply)
    if reply.status != "done":
        parts.append(reply.status)
    elif reply.finish_reason == "length":
        parts.append("cut at the token limit")
    elif reply.finish_reason not in ("stop", None):
        parts.append(f"finished by {reply.finish_reason}")
    return one_line(" · ".join(parts))


def _inside(reply: Reply) -> str:
    """What of a TTFT was loading, waiting, and lost."""
    spans = ((reply.timings.load_s, "loading"), (reply.timings.queue_s, "waiting"))
    told = [f"{display.seconds(span)} {what}" for span, what in spans if span and span >= display.WORTH_TELLING_S]
    words = (display.lost(reply, reply.ttft_lost_s), display.waited(reply.timings), display.warm_ttft(reply.timings))
    told += [text for text in words if text]
    return f" ({', '.join(told)})" if told else ""


def _cost(cost: Cost) -> str:
    if cost.source == "free":
        return "free"
    figure = display.usd(cost.usd, estimated=cost.estimated)
    return f"cost {figure}" if cost.usd is None else f"{figure} ({cost.source})"

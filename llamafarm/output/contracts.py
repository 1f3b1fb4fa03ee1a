"""A comparison or an answer as JSON for machines: the contracts of `lf compare --json` and `lf chat --json`."""

from __future__ import annotations

from collections.abc import Iterable

from llamafarm.core.conditions import WarmUp
from llamafarm.core.reply import Reply, ToolRun
from llamafarm.core.types import Cost, Count, JsonValue, Route, ToolCall

CALLS = "tool_calls"  # the finish_reason of an answer that waits for the asker's tools


def comparison_json(
    prompt: str, routes: Iterable[Route], replies: Iterable[Reply], notes: Iterable[str] = ()
) -> dict[str, JsonValue]:
    """The prompt, what each strategy would pick, every lane, and what is known of several of them together."""
    return {
        "prompt": prompt,
        "route": {route.strategy: {"model": route.model, "reason": route.reason} for route in routes},
        "lanes": [lane_json(reply) for reply in replies],
        "notes": list(notes),
    }


def chat_json(prompt: str, route: Route, reply: Reply) -> dict[str, JsonValue]:
    """One answer: what `lane_json` has, and the rest of what is known of it.

    `route` says how the model was found: by `strategy` `named` or `default`, or by a router's, with its reason.
    `partial`: the figures are those until the answer was stopped or failed. `cost.detail` says what the cost rests on,
    `cost.estimated` that its tokens are.
    """
    lane, spans, cost = lane_json(reply), reply.timings, reply.cost
    return {
        "prompt": prompt,
        "route": {"strategy": route.strategy, "model": route.model, "reason": route.reason},
        **lane,
        "model_id": reply.model_id,
        "reasoning": reply.reasoning,
        "partial": spans.partial,
        "timings": _object(lane["timings"]) | {"ttfr_s": spans.ttfr_s},
        "cost": _object(lane["cost"]) | {"estimated": cost.estimated, "detail": cost.detail},
    }


def _open_call(call: ToolCall) -> dict[str, JsonValue]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def lane_json(reply: Reply) -> dict[str, JsonValue]:
    """One lane. Spans in seconds, tokens as whole numbers, `usd` in dollars; null is unknown.
    `ttft_s` and `total_s` hold `queue_s` (waiting for a free place), `server_queue_s` (waiting in the server's own
    queue, where it tells) and `load_s` (loading the model) where there were; `served_ttft_s` and `served_total_s` are
    without the two waits. `usage.doubts` say what the server told that can't be, and is not used; `cautions` why the
    answer is not what it looks like (`prompt_cut`, `answer_cut`, `repeated`, `tools_ignored`, `other_model`).

    `error` says why it failed and what to do; `failure` has the class of the error (`kind`), who is at fault
    (`culprit`: address, key, account, region, model, request, proxy, server or playground), whether the same request
    may succeed later (`retryable`), and the HTTP `status`.
    `model` is the named model that was asked, `answered_by` the one that answered after `fallbacks`; `provider`,
    the figures and the cost are those of the one that answered. `retries` are tries that failed before the model or a
    fallback answered; `reconnects` counts requests that left again because a kept connection was closed. What all that
    took is in `total_s` as `lost_s`, and in `ttft_s` as `timings.ttft_lost_s`.
    `staged` are faults of a demonstration, by model.
    `tool_calls` are the calls of MCP tools, with the arguments as the model wrote them and the results as it got them;
    `open_tool_calls` are calls of tools that are not ours, for the asker to make. `tools_missing` says by MCP server
    why its tools were not there.
    `shared`: whether other requests were under way at its server meanwhile, null where that is not known; `sharing`
    tells where, and how many at most. `warm_ttft_s` is the TTFT without `load_s`. `warmup` is the short request that
    made the model ready; its figures and its cost are in none of the others. `probed` is what a probe of its server had
    found before that bears on `figures`: ttft, total, speed, input, output, cost.
    """
    usage, spans, cost = reply.usage, reply.timings, reply.cost
    return {
        "model": reply.asked,
        "answered_by": reply.model,
        "provider": reply.provider,
        "status": reply.status,
        "text": reply.text,
        "error": _error(reply),
        "failure": _failure(reply),
        "fallbacks": [
            {"model": step.model, "to": step.to, "lost_s": step.lost_s, "kind": step.kind, "message": step.message}
            for step in reply.fallbacks
        ],
        **setbacks_json(reply),
        "staged": dict(reply.staged),
        "tool_calls": [_tool_run(run) for run in reply.tool_runs],
        "open_tool_calls": [_open_call(call) for call in reply.own_calls] if reply.finish_reason == CALLS else [],
        "tools_missing": dict(reply.tools_missing),
        "usage": {
            "input": _value(usage.input),
            "output": _value(usage.output),
            "reasoning": _value(usage.reasoning),
            "cached": _value(usage.cached),
            "cache_write": _value(usage.written),
            "source": usage.source,
            "doubts": list(usage.doubts),
        },
        "finish_reason": reply.finish_reason,
        "cautions": cautions_json(reply),
        "timings": {
            "queue_s": spans.queue_s,
            "server_queue_s": spans.server_queue_s,
            "load_s": spans.load_s,
            "ttft_s": spans.ttft_s,
            "served_ttft_s": spans.served_ttft_s,
            "warm_ttft_s": spans.warm_ttft_s,
            "total_s": spans.total_s,
            "served_total_s": spans.served_total_s,
            "tokens_per_s": spans.tokens_per_s,
            "tools_s": spans.tools_s,
            "ttft_lost_s": reply.ttft_lost_s,
            "lag_s": spans.lag_s,
            "ttft_lag_s": spans.ttft_lag_s,
        },
        "cost": _cost(cost),
        "shared": reply.shared,
        "sharing": None if reply.sharing is None else {"server": reply.sharing.server, "others": reply.sharing.others},
        "warmup": None if reply.warmup is None else _warmup(reply.warmup),
        "probed": [
            {"check": each.check, "figures": list(each.figures), "meaning": each.meaning, "day": each.day}
            for each in reply.probed
        ],
    }


def cautions_json(reply: Reply) -> list[JsonValue]:
    """What must be known to read the answer rightly, each with its kind and a sentence."""
    return [{"kind": caution.kind, "text": caution.text} for caution in reply.cautions]


def setbacks_json(reply: Reply) -> dict[str, JsonValue]:
    """What kept the answer waiting that is not its model's, and what of its total that took."""
    return {
        "retries": [
            {"attempt": each.attempt, "delay_s": each.delay_s, "kind": each.kind, "message": each.message}
            for each in reply.retries
        ],
        "reconnects": reply.reconnects,
        "lost_s": reply.lost_s,
    }


def _cost(cost: Cost) -> dict[str, JsonValue]:
    return {"usd": None if cost.usd is None else float(cost.usd), "source": cost.source}


def _warmup(found: WarmUp) -> dict[str, JsonValue]:
    return {
        "seconds": found.seconds,
        "load_s": found.load_s,
        "usage": {"input": _value(found.usage.input), "output": _value(found.usage.output)},
        "cost": _cost(found.cost),
        "error": found.error or None,
    }


def _tool_run(run: ToolRun) -> dict[str, JsonValue]:
    return {
        "server": run.server,
        "tool": run.tool or run.call.name,
        "arguments": run.call.arguments,
        "turn": run.turn,
        "state": run.state,
        "result": run.text,
        "seconds": run.seconds,
    }


def _value(count: Count | None) -> int | None:
    return None if count is None else count.value


def _error(reply: Reply) -> str | None:
    failure = reply.failure
    return None if failure is None else f"{failure.message} {failure.hint}".strip()


def _failure(reply: Reply) -> dict[str, JsonValue] | None:
    failed = reply.failure
    if failed is None:
        return None
    return {"kind": failed.kind, "culprit": failed.culprit, "retryable": failed.retryable, "status": failed.status}

"""Comparisons as a table: one row a lane, figures in seconds, tokens and US dollars, each with its source."""

from __future__ import annotations

import json
from collections.abc import Iterator

from llamafarm.core.reply import Reply
from llamafarm.history.model import Asked, Recorded, Vote
from llamafarm.output.columns import LANE, Columns, Layout, Row

UNFINISHED = "unfinished"  # the status of a lane that never ended


def lane_row(reply: Reply) -> dict[str, object]:
    """The figures of a reply by column."""
    spans, usage, cost = reply.timings, reply.usage, reply.cost
    return {
        "lane": reply.lane,
        "model": reply.asked,
        "answered_by": reply.model,
        "provider": reply.provider,
        "model_id": reply.model_id,
        "status": reply.status,
        "finish_reason": reply.finish_reason,
        "queue_s": spans.queue_s,
        "server_queue_s": spans.server_queue_s,
        "load_s": spans.load_s,
        "ttfr_s": spans.ttfr_s,
        "ttft_s": spans.ttft_s,
        "warm_ttft_s": spans.warm_ttft_s,
        "served_ttft_s": spans.served_ttft_s,
        "total_s": spans.total_s,
        "served_total_s": spans.served_total_s,
        "tokens_per_s": spans.tokens_per_s,
        "tools_s": spans.tools_s,
        "held_s": spans.held_s,
        "lag_s": spans.lag_s,
        "ttft_lag_s": spans.ttft_lag_s,
        "input_tokens": usage.input.value if usage.input else None,
        "output_tokens": usage.output.value if usage.output else None,
        "reasoning_tokens": usage.reasoning.value if usage.reasoning else None,
        "cached_tokens": usage.cached.value if usage.cached else None,
        "cache_write_tokens": usage.written.value if usage.written else None,
        "tokens_source": usage.source,
        "tokens_doubts": " ".join(usage.doubts) or None,
        "cautions": " ".join(caution.text for caution in reply.cautions) or None,
        "cost_usd": cost.usd,
        "cost_source": cost.source,
        "cost_detail": cost.detail,
        "shared": reply.shared,
        "shared_server": None if reply.sharing is None else reply.sharing.server,
        "shared_with": None if reply.sharing is None else reply.sharing.others,
        "warmup_s": None if reply.warmup is None else reply.warmup.seconds,
        "warmup_usd": None if reply.warmup is None else reply.warmup.cost.usd,
        "warmup_cost_source": None if reply.warmup is None else reply.warmup.cost.source,
        "retries": len(reply.retries),
        "reconnects": reply.reconnects,
        "lost_s": reply.lost_s,
        "ttft_lost_s": reply.ttft_lost_s,
        "probed": "; ".join(mark.short for mark in reply.probed) or None,
        "staged": "; ".join(f"{model}: {fault}" for model, fault in reply.staged.items()) or None,
        "tool_calls": "; ".join(f"{call.name}({call.arguments})" for call in reply.own_calls) or None,
        "error": reply.failure.message if reply.failure else None,
        "culprit": reply.failure.culprit if reply.failure else None,
    }


COLUMNS: Columns = {
    "comparison": "text",
    "kind": "text",
    "run": "text",
    "item": "text",
    "started_at": "instant",
    "ended_at": "instant",
    "project": "text",
    "project_digest": "text",
    "prompt": "text",
    **LANE,
    "priced_on": "day",
    "parameters": "text",
    "vote": "text",
    "vote_blind": "truth",
    "text": "text",
    "reasoning": "text",
}


_EMPTY: dict[str, object] = dict.fromkeys(COLUMNS)
_compact = json.JSONEncoder(ensure_ascii=False, default=dict).encode


def rows(recorded: Recorded) -> Iterator[Row]:
    """The rows of a comparison: its lanes in their order, then those that never ended."""
    same = _EMPTY | _asked(recorded.asked) | _voted(recorded.vote)
    for lane in recorded.lanes:
        row = same | lane_row(lane.reply)
        row["ended_at"], row["priced_on"] = lane.ended_at, lane.priced_on
        row["parameters"] = _compact(lane.parameters)
        row["text"], row["reasoning"] = lane.reply.text, lane.reply.reasoning
        yield row
    for spec in recorded.unfinished:
        parameters = _compact(spec.parameters)
        yield {**same, "lane": spec.id, "model": spec.model, "status": UNFINISHED, "parameters": parameters}


def letters(recorded: Recorded) -> int:
    """About how long the texts of a comparison are."""
    replies = [lane.reply for lane in recorded.lanes]
    prompts = len(recorded.asked.prompt) * len(recorded.asked.lanes)
    return prompts + sum(len(reply.text) + len(reply.reasoning) for reply in replies)


LAYOUT = Layout(COLUMNS, rows, letters)
REPLIES: Layout[Reply] = Layout(LANE, lambda reply: (lane_row(reply),), lambda _: 0)  # figures alone


def _asked(asked: Asked) -> dict[str, object]:
    project = asked.project
    return {
        "comparison": asked.id,
        "kind": asked.kind,
        "run": asked.run,
        "item": asked.item,
        "started_at": asked.started_at,
        "project": f"{project.namespace}/{project.name}",
        "project_digest": project.digest,
        "prompt": asked.prompt,
    }


def _voted(vote: Vote | None) -> dict[str, object]:
    return {} if vote is None else {"vote": vote.lane or vote.choice, "vote_blind": vote.blind}

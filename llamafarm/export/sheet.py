"""CSV: one row a lane, plain figures in seconds, tokens and US dollars with their sources; empty is unknown."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from io import StringIO

from llamafarm.records.model import Asked, Ended, LaneSpec, Recorded
from llamafarm.reply import Reply
from llamafarm.sheets import inert
from llamafarm.types import JsonValue

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
        "staged": "; ".join(f"{model}: {fault}" for model, fault in reply.staged.items()) or None,
        "tool_calls": "; ".join(f"{call.name}({call.arguments})" for call in reply.own_calls) or None,
        "error": reply.failure.message if reply.failure else None,
    }


COLUMNS = (
    "comparison", "kind", "run", "item", "started_at", "ended_at", "project", "project_digest", "prompt",
    *lane_row(Reply("", "", "", "", "", "idle")),
    "priced_on", "parameters", "vote", "vote_blind", "text", "reasoning",
)  # fmt: skip


def header() -> str:
    """The first line."""
    return _line(COLUMNS)


def rows(recorded: Recorded) -> str:
    """The lines of a comparison: its lanes in their order, then those that never ended."""
    asked, vote = recorded.asked, recorded.vote
    voted: dict[str, object] = {} if vote is None else {"vote": vote.lane or vote.choice, "vote_blind": vote.blind}
    filled = [
        *(_ended(lane) for lane in recorded.lanes),
        *(_unfinished(spec) for spec in recorded.unfinished),
    ]
    return "".join(_line(_cells({**_asked(asked), **voted, **row})) for row in filled)


def _asked(asked: Asked) -> dict[str, object]:
    project = asked.project
    return {
        "comparison": asked.id,
        "kind": asked.kind,
        "run": asked.run,
        "item": asked.item,
        "started_at": asked.started_at.isoformat(),
        "project": f"{project.namespace}/{project.name}",
        "project_digest": project.digest,
        "prompt": asked.prompt,
    }


def _ended(lane: Ended) -> dict[str, object]:
    return {
        **lane_row(lane.reply),
        "ended_at": lane.ended_at.isoformat(),
        "priced_on": lane.priced_on.isoformat(),
        "parameters": _compact(lane.parameters),
        "text": lane.reply.text,
        "reasoning": lane.reply.reasoning,
    }


def _unfinished(spec: LaneSpec) -> dict[str, object]:
    parameters = _compact(spec.parameters)
    return {"lane": spec.id, "model": spec.model, "status": UNFINISHED, "parameters": parameters}


def _compact(value: Mapping[str, JsonValue]) -> str:
    return json.dumps(value, ensure_ascii=False, default=dict)


def _cells(row: Mapping[str, object]) -> Iterable[object]:
    return (inert(row.get(name)) for name in COLUMNS)


def _line(cells: Iterable[object]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)  # as RFC 4180 has it; and so a lone CR is quoted too
    return out.getvalue()

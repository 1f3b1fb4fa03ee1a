"""JSON: a comparison as an object, with all that is recorded of it; JSON Lines has one of them on each line.

Spans are in seconds, instants in UTC as ISO 8601. `usd` is a string, so that no digit of it is lost; null is unknown.
"""

from __future__ import annotations

from llamafarm.core import strict_json
from llamafarm.core.types import JsonValue
from llamafarm.history.codec import encode
from llamafarm.history.model import Asked, Ended, Recorded, Vote
from llamafarm.history.query import Brief

Json = dict[str, JsonValue]


def line(recorded: Recorded) -> str:
    """The comparison on one line, whatever a reader takes for the end of one."""
    whole = comparison_object(recorded)
    text = strict_json.dumps(whole, default=dict)
    if len(text.splitlines()) > 1 or not _is_unicode(text):
        text = strict_json.dumps(whole, ensure_ascii=True, default=dict)
    return f"{text}\n"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON has a way to write
        return False
    return True


def comparison_object(recorded: Recorded) -> Json:
    """The comparison with its lanes. `earlier` are tries of a lane that a later one replaced."""
    return {
        **_asked(recorded.asked),
        "lanes": [_ended(lane) for lane in recorded.lanes],
        "earlier": [_ended(lane) for lane in recorded.earlier],
        "unfinished": encode(recorded.unfinished),
        "vote": _vote(recorded.vote),
    }


def brief_object(brief: Brief) -> Json:
    """A comparison as a list shows it; `retries`, `reconnects` and `fallbacks` are how many there were."""
    return {
        "id": brief.id,
        "kind": brief.kind,
        "run": brief.run,
        "item": brief.item,
        "started_at": brief.started_at.isoformat(),
        "project": f"{brief.project.namespace}/{brief.project.name}",
        "prompt": brief.prompt,
        "asked": list(brief.names),
        "lanes": [
            {
                "lane": lane.lane,
                "answered_by": lane.model,
                "status": lane.status,
                "ttft_s": lane.ttft_s,
                "total_s": lane.total_s,
                "load_s": lane.timings.load_s,
                "retries": lane.retries,
                "reconnects": lane.reconnects,
                "fallbacks": lane.fallbacks,
                "lost_s": lane.lost_s,
                "ttft_lost_s": lane.ttft_lost_s,
                "lag_s": lane.timings.lag_s,
                "ttft_lag_s": lane.timings.ttft_lag_s,
                "cost": {
                    "usd": None if lane.usd is None else str(lane.usd),
                    "source": lane.cost_source,
                    "estimated": lane.estimated,
                },
                "staged": lane.staged,
            }
            for lane in brief.lanes
        ],
        "vote": _vote(brief.vote),
    }


def _asked(asked: Asked) -> Json:
    return {
        "id": asked.id,
        "kind": asked.kind,
        "run": asked.run,
        "item": asked.item,
        "parent": asked.parent,
        "started_at": asked.started_at.isoformat(),
        "project": encode(asked.project),
        "messages": encode(asked.messages),
        "system": asked.system,
        "variables": dict(asked.variables),
        "parameters": dict(asked.parameters),
        "tools": [dict(tool) for tool in asked.tools],
        "routes": encode(asked.routes),
        "checks": list(asked.checks),
    }


def _ended(lane: Ended) -> Json:
    """All of the reply; its model, error and request by the names that `lf compare --json` and people use."""
    told: Json = encode(lane.reply)
    told["answered_by"], told["model"] = told["model"], told.pop("asked")
    told["error"], told["request"] = told.pop("failure"), told.pop("sent")
    return {
        **told,
        "cost": {**encode(lane.reply.cost), "priced_on": lane.priced_on.isoformat()},
        "settings": encode(lane.spec),
        "parameters": dict(lane.parameters),
        "ended_at": lane.ended_at.isoformat(),
    }


def _vote(vote: Vote | None) -> Json | None:
    if vote is None:
        return None
    return {"choice": vote.choice, "lane": vote.lane, "blind": vote.blind, "voted_at": vote.voted_at.isoformat()}

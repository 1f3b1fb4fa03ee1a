"""Records as rows and back: what goes into a table by column name, and what comes out of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Message, Route, Timings
from llamafarm.history.codec import decode, decode_all, encode, hints
from llamafarm.history.model import Asked, Ended, LaneSpec, ProjectRef, Run, Vote
from llamafarm.history.query import Brief, LaneBrief

# Fields of a reply with a column of their own; `lane` and the cost have theirs too, and all others stand in `rest`.
OWN = (
    "asked", "model", "provider", "model_id", "status", "text", "reasoning", "finish_reason", "failure", "sent",
    "usage", "timings",
)  # fmt: skip
APART = (*OWN, "lane", "cost")


def asked_row(asked: Asked) -> dict[str, Any]:
    """A comparison as it begins."""
    return {
        "id": asked.id,
        "kind": asked.kind,
        "started_at": asked.started_at,
        **_project_row(asked.project),
        "prompt": asked.prompt,
        "messages": encode(asked.messages),
        "variables": asked.variables,
        "parameters": asked.parameters,
        "tools": list(asked.tools),
        "system": asked.system,
        "routes": encode(asked.routes),
        "lanes": encode(asked.lanes),
        "names": [spec.id for spec in asked.lanes],
        "parent": asked.parent,
        "run": asked.run,
        "item": asked.item,
        "checks": list(asked.checks) or None,
    }


def asked_of(row: RowMapping) -> Asked:
    """The comparison of a row."""
    return Asked(
        id=row["id"],
        kind=row["kind"],
        started_at=row["started_at"],
        project=_project_of(row),
        messages=decode_all(Message, row["messages"]),
        lanes=decode_all(LaneSpec, row["lanes"]),
        variables=row["variables"],
        parameters=row["parameters"],
        tools=tuple(row["tools"]),
        system=row["system"],
        routes=decode_all(Route, row["routes"]),
        run=row["run"],
        item=row["item"],
        parent=row["parent"],
        checks=tuple(row["checks"] or ()),
    )


def ended_row(ended: Ended) -> dict[str, Any]:
    """A lane that ended."""
    reply = ended.reply
    return {
        "id": ended.id,
        "comparison": ended.comparison,
        "lane": reply.lane,
        "spec": encode(ended.spec),
        "parameters": ended.parameters,
        **{name: encode(getattr(reply, name)) for name in OWN},
        "ttft_s": reply.timings.ttft_s,
        "total_s": reply.timings.total_s,
        "tokens_per_s": reply.timings.tokens_per_s,
        **_cost_row(reply.cost),
        "rest": {name: encode(getattr(reply, name)) for name in hints(Reply) if name not in APART},
        "ended_at": ended.ended_at,
    }


def ended_of(row: RowMapping) -> Ended:
    """The lane of a row."""
    return Ended(
        id=row["id"],
        comparison=row["comparison"],
        spec=decode(LaneSpec, row["spec"]),
        parameters=row["parameters"],
        reply=_reply_of(row),
        ended_at=row["ended_at"],
    )


def _reply_of(row: RowMapping) -> Reply:
    cost = Cost(row["cost_usd"], row["cost_source"], row["cost_detail"], row["cost_estimated"])
    told = {"lane": row["lane"], **{name: row[name] for name in OWN}, "cost": encode(cost), **row["rest"]}
    return decode(Reply, told)


def _cost_row(cost: Cost) -> dict[str, Any]:
    return {
        "cost_usd": cost.usd,
        "cost_source": cost.source,
        "cost_detail": cost.detail,
        "cost_estimated": cost.estimated,
    }


def run_row(run: Run) -> dict[str, Any]:
    """A run of many comparisons."""
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        **_project_row(run.project),
        "plan": run.plan,
    }


def run_of(row: RowMapping) -> Run:
    """The run of a row."""
    return Run(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        started_at=row["started_at"],
        project=_project_of(row),
        plan=row["plan"],
        ended_at=row["ended_at"],
    )


def vote_of(row: RowMapping) -> Vote:
    """The vote of a row."""
    return Vote(row["choice"], row["lane"], row["blind"], row["voted_at"])


def _project_row(project: ProjectRef) -> dict[str, Any]:
    return {"namespace": project.namespace, "project": project.name, "digest": project.digest}


def brief_of(row: RowMapping, lanes: tuple[LaneBrief, ...], vote: Vote | None) -> Brief:
    """The listed comparison of a row."""
    return Brief(
        id=row["id"],
        kind=row["kind"],
        started_at=row["started_at"],
        project=_project_of(row),
        prompt=row["prompt"],
        names=tuple(row["names"]),
        lanes=lanes,
        vote=vote,
        run=row["run"],
        item=row["item"],
    )


def brief_lane_of(row: RowMapping) -> LaneBrief:
    """The listed lane of a row."""
    rest, timings = row["rest"], decode(Timings, row["timings"])
    fallbacks = rest.get("fallbacks") or ()
    before = sum(step["lost_s"] for step in fallbacks)
    return LaneBrief(
        lane=row["lane"],
        model=row["model"],
        status=row["status"],
        ttft_s=timings.served_ttft_s,
        total_s=row["total_s"],
        usd=row["cost_usd"],
        cost_source=row["cost_source"],
        estimated=row["cost_estimated"],
        staged=bool(rest.get("staged")),
        timings=timings,
        retries=len(rest.get("retries") or ()),
        reconnects=rest.get("reconnects") or 0,
        fallbacks=len(fallbacks),
        lost_s=before + (timings.lost_s or 0.0),
        ttft_lost_s=before + (timings.ttft_lost_s or 0.0),
    )


def _project_of(row: RowMapping) -> ProjectRef:
    return ProjectRef(row["namespace"], row["project"], row["digest"])

"""Records as tests need them."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Count, Message, Timings, Usage
from llamafarm.history.database.store import Store
from llamafarm.history.ids import new_id
from llamafarm.history.model import Asked, Began, Ended, LaneSpec, ProjectRef, Snapshot

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PROJECT = ProjectRef("default", "farm", "d" * 64)
SNAPSHOT = Snapshot("d" * 64, "llamafarm.yaml", "version: v1\napi_key: (hidden)\n")


def asked(prompt: str = "What do llamas eat?", models: tuple[str, ...] = ("fast", "wise"), **changes: Any) -> Asked:
    whole = Asked(
        id=new_id(),
        kind="compare",
        started_at=START,
        project=PROJECT,
        messages=(Message("user", prompt),),
        lanes=tuple(LaneSpec(name, name) for name in models),
    )
    return replace(whole, **changes)


def ended(comparison: Asked, lane: str = "fast", text: str = "Grass and hay.", **changes: Any) -> Ended:
    """A lane of `comparison`; `changes` are of the lane's record, or of its reply."""
    own = {field.name for field in fields(Reply)}
    reply = Reply(
        lane=lane,
        asked=lane,
        model=lane,
        provider="openai",
        model_id=f"{lane}-1",
        status="done",
        text=text,
        usage=Usage(Count(8, "reported"), Count(21, "estimated")),
        timings=Timings(ttft_s=0.25, total_s=1.5, tokens_per_s=16.0),
        cost=Cost(Decimal("0.000123"), "table", "per million; table genai-prices 0.2.3", estimated=True),
        finish_reason="stop",
    )
    reply = replace(reply, **{name: value for name, value in changes.items() if name in own})
    spec = next((each for each in comparison.lanes if each.id == lane), LaneSpec(lane, lane))
    whole = Ended(new_id(), comparison.id, spec, {}, reply, comparison.started_at + timedelta(seconds=2))
    return replace(whole, **{name: value for name, value in changes.items() if name not in own})


def keep(store: Store, comparison: Asked, *lanes: Ended, snapshot: Snapshot | None = SNAPSHOT) -> Asked:
    """Give a comparison and its lanes to the store."""
    store.take(Began(comparison, snapshot))
    for lane in lanes:
        store.take(lane)
    return comparison

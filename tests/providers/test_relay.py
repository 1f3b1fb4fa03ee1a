"""What a LlamaFarm server tells beside its answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.conditions import ServerQueued
from llamafarm.events import FellBack, Relayed, UsageReported
from llamafarm.providers.chat_chunks import ChatChunks
from llamafarm.providers.deltas import Arrived
from llamafarm.providers.relay import relayed
from llamafarm.providers.usage import Counting
from llamafarm.types import ChatRequest, Cost, JsonValue, Route

TOLD: dict[str, Any] = {
    "asked": "expert", "model": "fast", "provider": "ollama", "model_id": "llama3.2:1b",
    "route": {"strategy": "complexity", "model": "expert", "reason": "Because.", "signals": {"characters": 3}},
    "fallbacks": [{"model": "expert", "to": "fast", "lost_s": 1.5, "kind": "TimedOut", "message": "Late."}],
    "cost": {"usd": 0.1, "source": "table", "estimated": True, "detail": "A table."},
    "usage_source": "estimated",
}  # fmt: skip

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(TOLD)), inner, max_size=4),
    max_leaves=8,
)


def test_all_of_it() -> None:
    assert relayed(TOLD, 2.0) == Relayed(
        at=2.0,
        model="fast",
        provider="ollama",
        model_id="llama3.2:1b",
        route=Route("complexity", "expert", "Because.", {"characters": 3}),
        fallbacks=(FellBack(at=2.0, model="expert", to="fast", lost_s=1.5, kind="TimedOut", message="Late."),),
        cost=Cost(Decimal("0.1"), "table", detail="A table.", estimated=True),
        estimated=True,
    )


def test_only_the_model_is_needed() -> None:
    assert relayed({"model": "m"}, 0.0) == Relayed(at=0.0, model="m", provider="", model_id="")


@pytest.mark.parametrize("value", [None, "text", [], {}, {"model": ""}, {"model": 3}])
def test_something_else_of_that_name_is_none(value: JsonValue) -> None:
    assert relayed(value, 0.0) is None


@pytest.mark.parametrize(
    "cost",
    [{"usd": None, "source": "table"}, {"usd": 1, "source": "unknown"}, {"usd": 1, "source": "guess"}, {"usd": -1, "source": "free"},
     {"usd": float("nan"), "source": "free"}, {"usd": True, "source": "free"}, {"source": "free"}],
)  # fmt: skip
def test_a_cost_that_is_none_is_unknown_and_never_zero(cost: dict[str, JsonValue]) -> None:
    told = relayed({"model": "m", "cost": cost}, 0.0)
    assert told is not None
    assert told.cost == Cost(None, "unknown")


@given(st.dictionaries(st.sampled_from(sorted(TOLD)), JSON))
def test_nothing_that_a_server_sends_raises(value: dict[str, JsonValue]) -> None:
    relayed(value, 0.0)


@pytest.mark.parametrize(
    ("source", "marked"), [("estimated", "estimated"), ("reported", "reported"), (None, "reported")]
)
def test_counts_keep_their_source(source: str | None, marked: str) -> None:
    chat = ChatChunks(Counting(ChatRequest(())))
    came = Arrived(0.0)
    chat.feed({"choices": [], "llamafarm": {"model": "m", "usage_source": source}}, came)
    chat.feed({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}, came)
    (reported,) = [event for event in came.events() if isinstance(event, UsageReported)]
    assert reported.usage.source == marked


def test_queues_behind_a_llamafarm_server_are_its_queue() -> None:
    chat, came = ChatChunks(Counting(ChatRequest(()))), Arrived(0.0)
    first: dict[str, JsonValue] = {"model": "m", "timings": {"queue_s": 0.5, "server_queue_s": None}}
    last: dict[str, JsonValue] = {
        "model": "m",
        "cost": {"usd": 0, "source": "free"},
        "timings": {"queue_s": 0.5, "server_queue_s": 3.1},
    }
    odd: dict[str, JsonValue] = {"model": "m", "cost": {}, "timings": {"queue_s": -1, "server_queue_s": "x"}}
    for told in (first, last, odd):
        chat.feed({"choices": [], "llamafarm": told}, came)
    assert [each.seconds for each in came.events() if isinstance(each, ServerQueued)] == [3.6]

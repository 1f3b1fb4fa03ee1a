"""What a LlamaFarm server tells beside its answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.cli.terminal.table import LATE, LOST, _figures
from llamafarm.core import display
from llamafarm.core.conditions import ServerQueued, Upstream
from llamafarm.core.events import (
    Event,
    FellBack,
    Finished,
    Loaded,
    NextTurn,
    Relayed,
    Retrying,
    Sent,
    TextDelta,
    ToolCalled,
    UsageReported,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Cost, JsonValue, Route, SentRequest, ToolCall
from llamafarm.experiments.stats.sample import Sample
from llamafarm.output.contracts import lane_json
from llamafarm.output.sheet import lane_row
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.answers.relay import LONGEST, MOST, relayed, spent
from llamafarm.providers.counts.usage import Counting
from llamafarm.ui.compare.table import table
from tests.engine.test_fold import REQUEST, fold

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


SPENT: dict[str, Any] = {
    "model": "m", "cost": {"usd": 0, "source": "free"}, "lost_s": 2.0, "reconnects": 1,
    "retries": [{"attempt": 2, "delay_s": 0.3, "kind": "ServerFailed", "message": "It broke."}],
    "timings": {"ttft_lost_s": 1.75, "lag_s": 0.5, "ttft_lag_s": 0.25, "load_s": 4.0, "tools_s": 1.0},
}  # fmt: skip
TRY = Retrying(at=20.0, attempt=2, delay_s=0.3, kind="ServerFailed", message="It broke.")


def test_what_the_answers_times_have_in_them() -> None:
    load, told = spent(SPENT, 20.0)
    assert load == Loaded(at=20.0, seconds=4.0)
    assert told == Upstream(
        at=20.0, retries=(TRY,), reconnects=1, lost_s=2.0, ttft_lost_s=1.75, lag_s=0.5, ttft_lag_s=0.25, tools_s=1.0
    )


@pytest.mark.parametrize(
    ("told", "lost_s", "ttft_lost_s"),
    [
        ({"lost_s": 2.0, "timings": {}}, 2.0, 2.0),  # behind the first token nothing is asked again
        ({"lost_s": 2.0, "timings": {"ttft_lost_s": 0}}, 2.0, 0.0),
        ({"lost_s": 2.0, "fallbacks": [{"lost_s": 1.5}, {"lost_s": "x"}]}, 0.5, 0.5),  # the rest is told with the step
        ({"lost_s": 1.0, "fallbacks": [{"lost_s": 1.5}], "retries": [{}]}, 0.0, 0.0),
        ({"reconnects": 1, "lost_s": 0.0001}, 0.0001, 0.0001),
    ],
)
def test_what_was_lost_there(told: dict[str, JsonValue], lost_s: float, ttft_lost_s: float) -> None:
    (found,) = [each for each in spent(told, 0.0) if isinstance(each, Upstream)]
    assert (found.lost_s, found.ttft_lost_s) == (lost_s, ttft_lost_s)


@pytest.mark.parametrize(
    "told",
    [
        None, "x", {}, {"timings": None}, {"lost_s": -1}, {"lost_s": float("nan")}, {"lost_s": 1e9}, {"lost_s": True},
        {"lost_s": 10**400}, {"reconnects": -1}, {"reconnects": 10**9}, {"reconnects": 1.5}, {"reconnects": True},
        {"retries": "x"}, {"retries": [3]}, {"timings": {"lag_s": "late", "load_s": -4, "tools_s": []}},
    ],
)  # fmt: skip
def test_what_can_not_be_is_not_told(told: JsonValue) -> None:
    assert list(spent(told, 0.0)) == []


def test_tries_are_no_more_than_can_be_shown() -> None:
    (found,) = spent({"retries": [{"attempt": 10**12, "message": "y" * 10**5}] * 10**4}, 0.0)
    assert isinstance(found, Upstream)
    assert len(found.retries) == MOST
    assert (found.retries[0].attempt, len(found.retries[0].message)) == (2, LONGEST)


@given(st.recursive(JSON, lambda inner: st.dictionaries(st.sampled_from([*SPENT, *SPENT["timings"]]), inner)))
def test_no_word_of_it_raises(value: JsonValue) -> None:
    for told in spent(value, 0.0):
        assert isinstance(told, Loaded | ServerQueued | Upstream)


SENT = SentRequest("POST", "http://x", {}, {})


def relaying(told: dict[str, Any], *, text_first: bool = False) -> Reply:
    """The reply of an answer that took ten seconds, relayed by a server that tells `told` at its end."""
    chat, came, first = ChatChunks(Counting(ChatRequest(()))), Arrived(20.0), Arrived(20.0)
    chat.feed({"choices": [], "llamafarm": {"fallbacks": told.get("fallbacks"), "model": told["model"]}}, first)
    chat.feed({"choices": [], "llamafarm": told}, came)
    before: list[Event] = [Sent(at=10.0, request=SENT), *first.events()]
    if text_first:
        call = ToolCall("1", "look", "{}")
        before += [TextDelta(at=11.0, text="Let me see."), ToolCalled(at=12.0, call=call)]
        before += [NextTurn(at=12.0, turn=2, request=REQUEST), Sent(at=12.0, request=SENT)]
    return fold(*before, TextDelta(at=19.0, text="Hay."), *came.events(), Finished(at=20.0, reason="stop"))


def test_it_is_marked_as_if_it_had_been_here() -> None:
    reply = relaying(SPENT | {"fallbacks": [{"model": "expert", "to": "m", "lost_s": 0.5}]})
    assert (reply.retries, reply.reconnects) == ((TRY,), 1)
    assert [(step.model, step.to) for step in reply.fallbacks] == [("expert", "m")]
    assert (reply.lost_s, reply.ttft_lost_s) == (2.0, 1.75)
    spans = reply.timings
    assert (spans.load_s, spans.warm_ttft_s, spans.tools_s) == (4.0, 5.0, 1.0)
    assert (spans.lag_s, spans.ttft_lag_s, spans.ttft_doubtful, spans.total_doubtful) == (0.5, 0.25, True, True)
    words = "1.75 s lost to a failed try, a closed connection and a model that failed before"
    assert words in display.lost(reply, reply.ttft_lost_s).replace("try and", "try,")
    assert words in table([reply], (), "m").replace("try and", "try,")
    assert ">late<" in table([reply], (), "m")
    assert _figures(reply)[0].endswith(f"{LOST}{LATE}")
    told = lane_json(reply)
    assert (told["reconnects"], told["lost_s"]) == (1, 2.0)
    assert lane_row(reply)["retries"] == 1
    assert not Sample(0, 0, reply).timed


def test_what_was_lost_behind_the_first_text_is_not_in_the_first_time() -> None:
    reply = relaying(SPENT, text_first=True)
    assert (reply.lost_s, reply.ttft_lost_s) == (2.0, 0.0)
    assert (reply.timings.lag_s, reply.timings.ttft_lag_s, reply.timings.load_s) == (0.5, None, None)


@pytest.mark.parametrize("told", [{"lost_s": 11.0}, {"timings": {"lag_s": 10.5}}, {"timings": {"tools_s": 60}}])
def test_what_took_longer_than_the_answer_can_not_be(told: dict[str, Any]) -> None:
    reply = relaying({"model": "m", "cost": {}} | told)
    assert (reply.lost_s, reply.timings.lag_s, reply.timings.tools_s) == (0.0, None, None)

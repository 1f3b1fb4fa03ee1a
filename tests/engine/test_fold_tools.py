"""A lane with tools, folded: figures over all turns, and the time of tools told apart from the model's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from llamafarm.core.events import (
    Asking,
    CostReported,
    Event,
    Finished,
    NextTurn,
    ReasoningDelta,
    Started,
    Stopped,
    TextDelta,
    ToolCalled,
    ToolHeld,
    ToolReturned,
    ToolsOffered,
    ToolStarted,
    UsageReported,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Count, Message, ToolCall, Usage
from llamafarm.engine.fold.fold import Fold
from tests.engine.fakes import FlatPrices, model, tool

REQUEST = ChatRequest((Message("user", "What is in the barn?"),))
CALLS = {name: ToolCall(name, "look", "{}") for name in ("a", "b")}
RESULTS = (Message("assistant", "", tuple(CALLS.values())), Message("tool", "hay", tool_call_id="a"))
AGAIN = ChatRequest((*REQUEST.messages, *RESULTS))


def fold(*events: Event, now: float = 99.0) -> Reply:
    folded = Fold(
        "lane",
        model("m"),
        {"m": model("m")}.__getitem__,
        lambda name, usage, usd: FlatPrices().price(model(name), usage, reported_usd=usd),
    )
    for event in (
        Started(at=10.0),
        ToolsOffered(at=11.0, tools=(tool("look"),), missing={"db": "It is down."}, seconds=1.0),
        Asking(at=11.0, model="m", request=REQUEST),
        *events,
    ):
        folded.add(event)
    return folded.reply(now)


def used(at: float, given: int, made: int) -> UsageReported:
    return UsageReported(at=at, usage=Usage(input=Count(given, "reported"), output=Count(made, "reported")))


def called(at: float, call: str = "a") -> ToolCalled:
    return ToolCalled(at=at, call=CALLS[call])


def started(at: float, call: str = "a") -> ToolStarted:
    return ToolStarted(at=at, call_id=call, server="fs", tool="look")


def returned(at: float, call: str = "a", **rest: bool) -> ToolReturned:
    return ToolReturned(at=at, call_id=call, server="fs", tool="look", text="hay", seconds=at - 14.0, **rest)


FIRST = (TextDelta(at=12.0, text="I"), TextDelta(at=13.0, text=" look."), called(14.0), used(14.0, 100, 21))
CALL = (started(14.0), returned(20.0), NextTurn(at=20.0, turn=2, request=AGAIN))
SECOND = (
    TextDelta(at=21.0, text="Hay"),
    TextDelta(at=23.0, text="."),
    used(23.0, 150, 41),
    Finished(at=23.0, reason="stop"),
)


def test_usage_and_cost_are_those_of_all_turns() -> None:
    reply = fold(*FIRST, *CALL, *SECOND)
    assert (reply.usage.input, reply.usage.output) == (Count(250, "reported"), Count(62, "reported"))
    assert reply.cost.usd == Decimal("0.312")
    assert not reply.cost.estimated
    assert "2 turns" in reply.cost.detail
    assert (reply.text, reply.finish_reason) == ("I look.\n\nHay.", "stop")
    assert reply.said == (*RESULTS, Message("assistant", "Hay."))


def test_they_are_estimated_as_soon_as_one_turn_is() -> None:
    untold = [event for event in SECOND if not isinstance(event, UsageReported)]
    reply = fold(*FIRST, *CALL, *untold)
    assert reply.usage.source == "estimated"
    assert reply.usage.input is not None
    assert reply.usage.input.value > 100
    assert reply.cost.estimated


def test_a_cost_that_only_some_turns_have_told_is_as_sure_as_the_others() -> None:
    reply = fold(*FIRST, CostReported(at=14.0, usd=Decimal("0.5")), *CALL, *SECOND)
    assert (reply.cost.usd, reply.cost.source) == (Decimal("0.691"), "config")


def test_time_in_tools_is_no_time_of_the_model() -> None:
    long = replace(SECOND[1], text=" and straw, with a few apples and some carrots beside them.")
    reply = fold(*FIRST, *CALL, SECOND[0], long, *SECOND[2:])
    spans = reply.timings
    assert spans.tools_s == 1.0 + 6.0
    assert spans.held_s is None
    assert (spans.ttft_s, spans.total_s) == (2.0, 13.0)
    assert spans.tokens_per_s == pytest.approx((20 + 40) / (2.0 + 2.0))


def test_tools_that_run_together_count_once_and_held_only_while_none_runs() -> None:
    together = (
        called(14.0), called(14.0, "b"), ToolHeld(at=14.0, call_id="a"), ToolHeld(at=14.0, call_id="b"),
        started(16.0), started(17.0, "b"), returned(18.0), returned(19.0, "b"),
    )  # fmt: skip
    spans = fold(*together, now=30.0).timings
    assert (spans.tools_s, spans.held_s) == (1.0 + 3.0, 2.0)


def test_a_call_is_shown_as_it_goes() -> None:
    def seen(*events: Event) -> tuple[str, str, str, float | None]:
        reply = fold(called(14.0), *events, now=20.0)
        (ran,) = reply.tool_runs
        return reply.status, ran.state, reply.note, ran.seconds

    assert seen() == ("waiting", "asked", "", None)
    assert seen(ToolHeld(at=14.0, call_id="a")) == ("calling", "held", "a call waits for your word", None)
    assert seen(started(15.0)) == ("calling", "running", "fs: look", 5.0)
    assert seen(started(15.0), returned(16.0)) == ("calling", "done", "", 2.0)
    assert seen(started(15.0), returned(16.0, is_error=True))[1] == "failed"
    assert seen(returned(16.0, is_error=True, denied=True))[1] == "denied"
    assert seen(started(15.0), Stopped(at=18.0))[:2] == ("stopped", "stopped")
    assert seen(started(15.0), Stopped(at=18.0))[3] == 3.0


def test_what_the_model_was_told_of_is_kept() -> None:
    reply = fold()
    assert [each.name for each in reply.tools] == ["look"]
    assert reply.tools_missing == {"db": "It is down."}
    assert (reply.tool_runs, reply.said) == ((), ())


def test_a_stop_in_a_call_is_paid_for_as_far_as_it_is_known() -> None:
    reply = fold(*FIRST, started(14.0), Stopped(at=18.0))
    assert (reply.usage.input, reply.usage.output) == (Count(100, "reported"), Count(21, "reported"))
    assert (reply.timings.tools_s, reply.timings.partial) == (5.0, True)
    stopped_later = fold(*FIRST, *CALL, Stopped(at=20.5))
    assert stopped_later.usage == reply.usage


def test_reasoning_of_several_turns() -> None:
    reply = fold(ReasoningDelta(at=12.0, text="Hm."), called(14.0), *CALL, ReasoningDelta(at=21.0, text="Ah."), *SECOND)
    assert reply.reasoning == "Hm.\n\nAh."
    assert reply.timings.ttfr_s == 2.0


def test_an_estimate_counts_what_tools_add() -> None:
    bare = fold(TextDelta(at=12.0, text="x"), Finished(at=12.0, reason="stop"))
    folded = Fold("lane", model("m"), {"m": model("m")}.__getitem__, lambda *_: FlatPrices().price(model("m"), Usage()))
    definition: dict[str, Any] = {
        "type": "function",
        "function": {"name": "look", "description": "To look at things in the barn."},
    }
    equipped = ChatRequest(AGAIN.messages, tools=(definition,))
    for event in (
        Started(at=1.0),
        Asking(at=1.0, model="m", request=equipped),
        called(2.0),
        Finished(at=2.0, reason="x"),
    ):
        folded.add(event)
    usage = folded.reply(3.0).usage
    assert usage.input is not None
    assert usage.output is not None
    assert bare.usage.input is not None
    assert usage.input.value > bare.usage.input.value + 10
    assert usage.output.value >= 2

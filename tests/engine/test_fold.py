"""Events to a reply: figures, states and what is estimated."""

from __future__ import annotations

from decimal import Decimal

import pytest

from llamafarm.core.conditions import ModelNamed
from llamafarm.core.events import (
    Asking,
    CostReported,
    Event,
    Failed,
    FellBack,
    Finished,
    Loaded,
    Loading,
    Ready,
    ReasoningDelta,
    Relayed,
    Retrying,
    Started,
    Stopped,
    TextDelta,
    ToolCalled,
    UsageReported,
    Waiting,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Count, Message, ToolCall, Usage
from llamafarm.engine.fold.fold import Fold
from tests.engine.fakes import FlatPrices, model

REQUEST = ChatRequest((Message("user", "What do llamas eat?"),))
MODELS = {"m": model("m"), "other": model("other")}
REPORTED = Usage(input=Count(8, "reported"), output=Count(21, "reported"))


def fold(*events: Event, now: float = 99.0) -> Reply:
    folded = Fold(
        "lane",
        MODELS["m"],
        MODELS.__getitem__,
        lambda name, usage, usd: FlatPrices().price(MODELS[name], usage, reported_usd=usd),
    )
    for event in (Started(at=10.0), Asking(at=10.0, model="m", request=REQUEST), *events):
        folded.add(event)
    return folded.reply(now)


def test_a_whole_answer() -> None:
    reply = fold(
        ReasoningDelta(at=10.5, text="hm"),
        TextDelta(at=11.0, text="Hay "),
        TextDelta(at=12.5, text="and grass."),
        UsageReported(at=12.5, usage=REPORTED),
        Finished(at=12.5, reason="stop"),
    )
    assert (reply.status, reply.text, reply.reasoning, reply.finish_reason) == ("done", "Hay and grass.", "hm", "stop")
    assert (reply.timings.ttfr_s, reply.timings.ttft_s, reply.timings.total_s) == (0.5, 1.0, 2.5)
    assert reply.timings.tokens_per_s == pytest.approx(10.0)
    assert not reply.timings.partial
    assert reply.usage.output == Count(21, "reported")
    assert reply.usage.reasoning is not None
    assert reply.usage.reasoning.source == "estimated"
    assert reply.cost.usd == Decimal("0.029")
    assert not reply.cost.estimated


@pytest.mark.parametrize(
    ("events", "status", "note"),
    [
        ((), "waiting", ""),
        ((Waiting(at=10, what="a place"),), "waiting", "a place"),
        ((Loading(at=10, what="x.gguf"),), "loading", "x.gguf"),
        ((Loading(at=10, what="x.gguf"), Loaded(at=11, seconds=1)), "waiting", ""),
        ((Retrying(at=10, attempt=2, delay_s=1, kind="K", message="No."),), "waiting", "try 2 after: No."),
        ((ReasoningDelta(at=11, text="x"),), "thinking", ""),
        ((ReasoningDelta(at=11, text="x"), TextDelta(at=12, text="y")), "streaming", ""),
        ((Stopped(at=12),), "stopped", ""),
        ((Failed(at=12, kind="K", message="No."),), "failed", ""),
        ((Finished(at=12, reason="stop"),), "done", ""),
    ],
)
def test_what_a_lane_is_doing(events: tuple[Event, ...], status: str, note: str) -> None:
    reply = fold(*events)
    assert (reply.status, reply.note) == (status, note)


def test_what_was_waited_for_is_told_apart() -> None:
    reply = fold(Ready(at=11, waited_s=0.5), Loaded(at=12, seconds=1.5), TextDelta(at=13, text="x"))
    assert (reply.timings.queue_s, reply.timings.load_s, reply.timings.ttft_s) == (0.5, 1.5, 3.0)


def test_a_stopped_answer_keeps_its_text_and_estimates_its_tokens() -> None:
    reply = fold(TextDelta(at=11, text="Hay and"), Stopped(at=12))
    assert (reply.text, reply.timings.partial) == ("Hay and", True)
    assert reply.usage.source == "estimated"
    assert reply.usage.output == Count(2, "estimated")
    assert reply.cost.estimated


def test_a_refused_lane_has_used_nothing_that_we_know_of() -> None:
    reply = fold(Failed(at=11, kind="ConnectFailed", message="Nothing listens."))
    assert reply.usage == Usage()
    assert (reply.cost.usd, reply.cost.source) == (None, "unknown")
    assert (reply.timings.ttft_s, reply.timings.total_s) == (None, 1.0)


def test_the_servers_own_cost_is_taken() -> None:
    reply = fold(TextDelta(at=11, text="x"), CostReported(at=12, usd=Decimal("0.5")), Finished(at=12, reason="stop"))
    assert (reply.cost.usd, reply.cost.source) == (Decimal("0.5"), "reported")


def test_counts_of_a_running_answer_are_marked_until_they_are_told() -> None:
    running = fold(TextDelta(at=11, text="Hay and grass and water."))
    assert running.usage.source == "estimated"
    assert running.timings.total_s == 89.0


def test_another_model_answers_after_a_fallback() -> None:
    fell = FellBack(at=11, model="m", to="other", lost_s=1.0, kind="ServerFailed", message="It broke.")
    reply = fold(fell, Asking(at=11, model="other", request=REQUEST), TextDelta(at=12, text="x"))
    assert (reply.lane, reply.model, reply.fallbacks) == ("lane", "other", (fell,))
    assert reply.timings.ttft_s == 2.0


def test_a_tool_call_is_part_of_the_answer() -> None:
    call = ToolCall("1", "look", "{}")
    reply = fold(ToolCalled(at=11, call=call), Finished(at=11, reason="tool_calls"))
    assert (reply.tool_calls, reply.finish_reason) == ((call,), "tool_calls")


def test_what_a_llamafarm_server_tells_stands_beside_the_lane_and_goes_with_its_model() -> None:
    told = Relayed(at=10.1, model="fast", provider="ollama", model_id="llama3.2:1b")
    again = Relayed(at=12.0, model="fast", provider="ollama", model_id="llama3.2:1b", estimated=True)
    reply = fold(told, TextDelta(at=11.0, text="Hay"), again, Finished(at=12.0, reason="stop"))
    assert reply.relayed == again
    assert (reply.model, reply.provider) == ("m", "openai")  # the lane's own model stays what it is
    left = FellBack(at=11.0, model="m", to="other", lost_s=1.0, kind="K", message="No.")
    assert fold(told, left, Asking(at=11.0, model="other", request=REQUEST)).relayed is None


def told_apart(*events: Event) -> list[str]:
    return [caution.kind for caution in fold(*events, Finished(at=13.0, reason="stop")).cautions]


def test_a_server_that_names_another_model_is_told_once() -> None:
    named = ModelNamed(at=11.0, model="another")
    assert told_apart(named, TextDelta(at=11.0, text="a"), named) == ["other_model"]
    assert told_apart(ModelNamed(at=11.0, model=MODELS["m"].model)) == []
    assert told_apart(Relayed(at=11.0, model="theirs", provider="openai", model_id="x"), named) == []
    left = FellBack(at=12.0, model="m", to="other", lost_s=1.0, kind="ServerFailed", message="it failed")
    after = ModelNamed(at=12.5, model=MODELS["other"].model)
    assert told_apart(named, left, Asking(at=12.0, model="other", request=REQUEST), after) == []

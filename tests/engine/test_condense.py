"""A backlog made small folds into the very same reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.events import (
    Asking,
    CostReported,
    Event,
    Failed,
    FellBack,
    Finished,
    Loaded,
    ReasoningDelta,
    Retrying,
    Started,
    TextDelta,
    ToolCalled,
    UsageReported,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Cost, Count, Message, ToolCall, Usage
from llamafarm.engine.comparison import BACKLOG
from llamafarm.engine.condense import condensed
from llamafarm.engine.fold.fold import Fold
from tests.engine.fakes import FlatPrices, Scripted, model
from tests.engine.test_comparison import comparison

MODELS = {"m": model("m"), "other": model("other")}
REQUEST = ChatRequest((Message("user", "What do llamas eat?"),))
KINDS: dict[str, Callable[[float], Event]] = {
    "text": lambda at: TextDelta(at=at, text=f"t{at} "),
    "reasoning": lambda at: ReasoningDelta(at=at, text=f"r{at} "),
    "usage": lambda at: UsageReported(at=at, usage=Usage(Count(5, "reported"), Count(int(at), "reported"))),
    "cost": lambda at: CostReported(at=at, usd=Decimal(at)),
    "call": lambda at: ToolCalled(at=at, call=ToolCall(f"c{at}", "look", "{}")),
    "loaded": lambda at: Loaded(at=at, seconds=0.5),
    "retry": lambda at: Retrying(at=at, attempt=2, delay_s=0.1, kind="ServerFailed", message="No."),
    "fall": lambda at: FellBack(at=at, model="m", to="other", lost_s=1.0, kind="ServerFailed", message="No."),
    "ask": lambda at: Asking(at=at, model="other", request=REQUEST),
    "end": lambda at: Finished(at=at, reason="stop"),
    "fail": lambda at: Failed(at=at, kind="ServerFailed", message="No."),
}
told = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(sorted(KINDS)), st.integers(min_value=0, max_value=2)),
    max_size=40,
)


def replies(events: list[tuple[str, Event]]) -> dict[str, Reply]:
    def price(name: str, usage: Usage, usd: Decimal | None) -> Cost:
        return FlatPrices().price(MODELS[name], usage, reported_usd=usd)

    folds = {lane: Fold(lane, MODELS["m"], MODELS.__getitem__, price) for lane in ("a", "b")}
    for lane, event in events:
        folds[lane].add(event)
    return {lane: fold.reply(999.0) for lane, fold in folds.items()}


@given(told)
def test_what_is_condensed_folds_into_the_same_reply(steps: list[tuple[str, str, int]]) -> None:
    at = 0.0
    events: list[tuple[str, Event]] = [(lane, Started(at=at)) for lane in ("a", "b")]
    for lane, kind, later in steps:
        at += later
        events.append((lane, KINDS[kind](at)))
    once = condensed(events)
    assert replies(once) == replies(events)
    assert replies(condensed(once)) == replies(events)
    assert len(once) <= len(events)


def test_a_lane_that_only_talks_is_condensed_to_a_handful() -> None:
    events = [("a", KINDS[("text", "reasoning", "usage", "cost")[at % 4]](float(at))) for at in range(10_000)]
    small = condensed(events)
    assert len(small) == 6
    assert replies(small) == replies(events)


async def test_what_nobody_reads_stays_small_and_ends_well() -> None:
    gone = asyncio.Event()
    run = comparison(talker=Scripted(*["ab"] * 200_000, gone.set), stuck=Scripted("begun", asyncio.Event()))
    async with run:
        await gone.wait()
        run.stop("stuck")
        batch = [told async for told in run.events()]
    assert len(batch) <= 2 * BACKLOG
    reply = run.reply("talker")
    assert (reply.status, len(reply.text)) == ("done", 400_000)
    assert run.reply("stuck").status == "stopped"

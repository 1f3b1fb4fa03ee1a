"""One at a time, warmed: the order, what is measured, and what the warming cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from decimal import Decimal

from llamafarm.config.model import NamedModel
from llamafarm.core.conditions import Warmed, Warming
from llamafarm.core.errors import ServerFailed
from llamafarm.core.events import Event, Loaded, Sent, Started, UsageReported, Waiting
from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, JsonValue, Message, SentRequest, Usage
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.engine.sequential import Sequential
from llamafarm.engine.warmup import TOKENS, warm
from llamafarm.providers.base import Provider
from tests.engine.fakes import FlatPrices, Registry, Scripted, Turns, model, project, unusable

QUESTION = Question.of("What is {{ it }}?")
COUNTED = UsageReported(at=0.0, usage=Usage(Count(3, "reported"), Count(2, "reported")))
SENT = Sent(at=0.0, request=SentRequest("POST", "http://localhost", {}, {}))


def prepared(fair: Sequential, providers: dict[str, Provider | ServerFailed], **parameters: JsonValue) -> Comparison:
    models = [model(name, parameters=parameters) for name in providers]
    whole, registry = project(models), Registry(dict(providers))
    lanes = tuple(Lane(each.name, each) for each in models)
    opening = fair.opening(
        lambda lane: chat(whole, lane, QUESTION, registry, Cooldowns()),
        lambda lane: warm(whole, lane, QUESTION, registry),
    )
    return Comparison(lanes, opening, Replies(whole, lanes, FlatPrices()))


async def ran(run: Comparison) -> tuple[dict[str, Reply], list[tuple[str, Event]]]:
    async with run, aclosing(run.events()) as events:
        told = [(each.lane, each.event) async for each in events]
    return run.replies(), told


async def test_lanes_run_one_after_the_other_each_warmed_before() -> None:
    a, b = (Turns([SENT, COUNTED, "hi"], [SENT, "whole"]) for _ in range(2))
    replies, told = await ran(prepared(Sequential(asyncio.Lock()), {"a": a, "b": b}))
    kinds = [(lane, type(event)) for lane, event in told]
    assert kinds.index(("b", Warming)) > max(at for at, (lane, _) in enumerate(kinds) if lane == "a")
    for provider in (a, b):
        warming, asked = provider.requests
        assert warming.messages == (Message("user", "Hello."),)
        assert asked.messages == (Message("user", "What is {{ it }}?"),)
    for reply in replies.values():
        assert reply.text == "whole"
        assert reply.warmup is not None
        assert reply.warmup.usage == COUNTED.usage
        assert reply.warmup.cost.usd == Decimal("0.005")
        assert reply.cost.usd is not None
        assert reply.usage.output != COUNTED.usage.output or reply.usage.source == "estimated"


async def test_spans_begin_when_the_turn_has_come_and_the_model_is_warm() -> None:
    replies, told = await ran(prepared(Sequential(asyncio.Lock()), {"a": Scripted("x"), "b": Scripted("y")}))
    for lane in ("a", "b"):
        own = [event for name, event in told if name == lane]
        begun = [event.at for event in own if isinstance(event, Started)]
        (warmed,) = (event for event in own if isinstance(event, Warmed))
        assert len(begun) == 2
        assert begun[-1] >= warmed.at
        total = replies[lane].timings.total_s
        assert total is not None
        assert abs(begun[-1] + total - own[-1].at) < 1e-9


async def test_a_model_is_warmed_once_for_all_that_is_measured_together() -> None:
    fair, provider = Sequential(asyncio.Lock()), Scripted("x")
    first, _ = await ran(prepared(fair, {"a": provider}))
    second, _ = await ran(prepared(fair, {"a": provider}))
    assert len(provider.requests) == 3
    assert first["a"].warmup is not None
    assert second["a"].warmup is None


async def test_two_comparisons_of_a_process_wait_for_each_other() -> None:
    turn, gate = asyncio.Lock(), asyncio.Event()
    slow, quick = (
        prepared(Sequential(turn), {"a": Turns(["hi"], [gate, "late"])}),
        prepared(Sequential(turn), {"b": Scripted("y")}),
    )
    first, second = asyncio.create_task(ran(slow)), asyncio.create_task(ran(quick))
    done, _ = await asyncio.wait({first, second}, timeout=0.05)
    assert not done
    gate.set()
    assert (await first)[0]["a"].text == "late"
    replies, told = await second
    assert replies["b"].text == "y"
    assert any(isinstance(event, Waiting) and "its turn" in event.what for _, event in told)


async def test_a_lane_that_is_stopped_passes_its_turn_on() -> None:
    gate = asyncio.Event()
    run = prepared(Sequential(asyncio.Lock()), {"a": Turns(["hi"], ["begun", gate]), "b": Scripted("y")})
    async with run, aclosing(run.events()) as events:
        async for _ in events:
            if run.reply("a").text:
                run.stop("a")
    assert [reply.status for reply in run.replies().values()] == ["stopped", "done"]


async def test_warming_that_fails_is_told_and_the_lane_goes_on() -> None:
    replies, _ = await ran(prepared(Sequential(asyncio.Lock()), {"a": Turns([ServerFailed("too busy")], ["fine"])}))
    warmup = replies["a"].warmup
    assert replies["a"].text == "fine"
    assert replies["a"].failure is None
    assert warmup is not None
    assert warmup.error.startswith("too busy")


async def test_loading_while_it_is_warmed_is_not_in_the_answers_times() -> None:
    provider = Turns([Loaded(at=0.0, seconds=4.0), "hi"], ["fine"])
    replies, _ = await ran(prepared(Sequential(asyncio.Lock()), {"a": provider}))
    assert replies["a"].timings.load_s is None
    assert replies["a"].warmup is not None
    assert replies["a"].warmup.load_s == 4.0


async def test_the_short_request_keeps_what_a_model_is_loaded_with() -> None:
    provider = Scripted("x")
    settings: dict[str, JsonValue] = {"num_ctx": 8192, "num_predict": 500, "stop": ["."]}
    await ran(prepared(Sequential(asyncio.Lock()), {"a": provider}, **settings, tool_choice="auto"))
    assert provider.requests[0].parameters == {"num_ctx": 8192, "num_predict": TOKENS}
    assert provider.requests[1].parameters == settings


async def test_a_model_that_cannot_be_used_is_not_warmed() -> None:
    broken: NamedModel = model("a", problems=({"line": 1, "key": "x", "message": "no key"},))
    fair, asked = Sequential(asyncio.Lock()), list[str]()

    async def opened(lane: Lane) -> AsyncGenerator[Event, None]:
        asked.append("lane")
        yield Started(at=0.0)

    def warming(lane: Lane) -> AsyncGenerator[Event, None]:
        raise AssertionError(unusable(lane.id))

    async with aclosing(fair.opening(opened, warming)(Lane("a", broken))) as events:
        assert len([event async for event in events]) == 2
    assert asked == ["lane"]

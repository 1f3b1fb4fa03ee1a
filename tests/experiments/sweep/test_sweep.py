"""A sweep: every call once, bounded, stopped, resumed; what fails is a result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError, ServerFailed
from llamafarm.core.reply import Reply
from llamafarm.core.tokens import estimate_messages
from llamafarm.core.types import JsonValue, Message
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.sweep.grid import Call, Grid, Judge, Prompt, without_fallback
from llamafarm.experiments.sweep.plan import plan_of
from llamafarm.experiments.sweep.sweep import Ask, Result, Sweep, reply_of
from llamafarm.providers.base import Provider
from tests.engine.fakes import Counting, FlatPrices, Registry, Scripted, model, project


def grid(*models: NamedModel, **settings: Any) -> Grid:
    whole: dict[str, Any] = {
        "parameter": "temperature",
        "values": (0, 1.5),
        "repeats": 2,
        "prompts": (Prompt("Why?"),),
    } | settings
    return Grid(models=models or (model("m"),), **whole)


def asks(within: Project, providers: Mapping[str, Provider]) -> Ask:
    async def ask(lane: Lane, question: Question, key: str) -> Reply:
        alone = without_fallback(within)
        registry = Registry(providers)
        folded = Replies(alone, (lane,), FlatPrices())
        return await reply_of(
            Comparison((lane,), lambda lane: chat(alone, lane, question, registry, Cooldowns()), folded)
        )

    return ask


async def ran(sweep: Sweep) -> list[Result]:
    async with sweep:
        return [result async for batch in sweep.batches() for result in batch]


class Kept:
    """A ledger in memory."""

    finished = False
    claimed = False

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}

    async def claim(self) -> None:
        assert not self.claimed, "two at once"
        self.claimed = True

    async def release(self) -> None:
        self.claimed = False

    async def ended(self) -> Mapping[str, Reply]:
        return dict(self.replies)

    async def keep(self, key: str, reply: Reply) -> None:
        assert key not in self.replies or self.replies[key].status != "done", "asked twice"
        self.replies[key] = reply

    def finish(self) -> None:
        self.finished = True


async def test_every_call_is_asked_once_with_its_value_and_seed() -> None:
    one, two = model("a"), model("b", base_url="https://api.anthropic.com/v1")
    providers = {"a": Scripted("A"), "b": Scripted("B")}
    plan = grid(one, two, prompts=(Prompt("Why?"), Prompt("How?")), parameters={"top_p": 0.5}, seed=7)
    results = await ran(Sweep(plan, asks(project([one, two]), providers)))
    assert len(results) == plan.size == 16
    assert len({plan.key(result.call) for result in results}) == 16
    asked = sorted(
        (request.messages[-1].content, request.parameters["temperature"], request.parameters["seed"])
        for request in providers["a"].requests
    )  # fmt: skip
    assert asked == sorted((text, value, seed) for text in ("Why?", "How?") for value in (0, 1.5) for seed in (7, 8))
    assert all(request.parameters["top_p"] == 0.5 for request in providers["b"].requests)
    assert not any("seed" in request.parameters for request in providers["b"].requests)
    assert plan.seedless == ("b",)


async def test_each_server_has_its_own_bound() -> None:
    here, also_here, there = model("a"), model("b"), model("c", base_url="http://127.0.0.2:9/v1")
    shared, other = Counting(), Counting()
    shared.expected = other.expected = 3
    plan = grid(here, also_here, there, repeats=4)
    ask = asks(project([here, also_here, there]), {"a": shared, "b": shared, "c": other})
    async with Sweep(plan, ask, at_once=3) as sweep:
        await asyncio.gather(shared.full.wait(), other.full.wait())
        shared.gate.set()
        other.gate.set()
        results = [result async for batch in sweep.batches() for result in batch]
    assert (shared.most, other.most) == (3, 3)
    assert len(results) == 24


async def test_a_call_that_fails_is_a_result_and_nobody_stands_in() -> None:
    bad, good = model("bad", fallback=("good",)), model("good", base_url="http://127.0.0.2:9/v1")
    providers = {"bad": Scripted(ServerFailed("It broke.")), "good": Scripted("fine")}
    sweep = Sweep(grid(bad, good), asks(project([bad, good], fallback=("bad", "good")), providers))
    results = await ran(sweep)
    failed = [result.sample for result in results if result.call.model == "bad"]
    assert [sample.reply.status for sample in failed] == ["failed"] * 4
    assert not any(sample.answered for sample in failed)
    assert sum(result.sample.answered for result in results) == 4
    assert (sweep.progress.done, sweep.progress.failed, sweep.progress.left_s) == (8, 4, 0.0)


async def test_stopping_stops_the_server_and_asks_nothing_more() -> None:
    gate = asyncio.Event()
    held = Scripted("begun", gate.set, asyncio.Event())
    async with Sweep(grid(), asks(project([model("m")]), {"m": held}), at_once=1) as sweep:
        await gate.wait()
        sweep.stop()
        assert [batch async for batch in sweep.batches()] == []
        await held.closed.wait()
    assert len(held.requests) == 1
    assert sweep.progress.done == 0


async def test_leaving_stops_it() -> None:
    counting = Counting()
    counting.expected = 2
    async with Sweep(grid(), asks(project([model("m")]), {"m": counting}), at_once=2):
        await counting.full.wait()
    assert counting.now == 0


async def test_resuming_asks_what_is_missing_and_what_failed() -> None:
    ledger, plan, within = Kept(), grid(repeats=3), project([model("m")])
    first = await ran(Sweep(plan, asks(within, {"m": Scripted("A")}), ledger=ledger))
    gone, broken = plan.key(Call("m", 0, 0, 1)), plan.key(Call("m", 1, 0, 2))
    failed = (await ran(Sweep(grid(), asks(within, {"m": Scripted(ServerFailed("It broke."))}))))[0].sample.reply
    del ledger.replies[gone]
    ledger.replies[broken] = failed
    provider = Scripted("B")
    sweep = Sweep(plan, asks(within, {"m": provider}), ledger=ledger)
    again = await ran(sweep)
    assert len(first) == len(again) == 6
    assert ledger.finished
    assert len(provider.requests) == 2
    assert {plan.key(result.call) for result in again if not result.resumed} == {gone, broken}
    assert sorted(result.sample.reply.text for result in again) == ["A"] * 4 + ["B"] * 2
    assert sweep.progress.resumed == 4


async def test_checks_and_the_judge_are_told_of_each_answer() -> None:
    plain, strict = model("m"), model("j", base_url="http://127.0.0.2:9/v1")
    judging = Scripted("Short.\nScore: 5")
    prompts = (Prompt("Why?", checks=(check_of("contains:because"), check_of("regex:^(a|aa)+$"))), Prompt("How?"))
    plan = grid(plain, prompts=prompts, judge=Judge(strict, "Be kind."), values=(0,), repeats=1)
    ledger = Kept()
    providers = {"m": Scripted("a" * 60 + " because"), "j": judging}
    results = await ran(Sweep(plan, asks(project([plain, strict]), providers), ledger=ledger))
    first, second = (result.sample for result in sorted(results, key=lambda result: result.call.prompt))
    assert first.passed is None  # one holds, the other took too long
    assert "more than 1 s" in first.notes[0]
    assert second.passed is None
    assert first.judged
    assert first.judged.score == 0.5
    assert first.judged.cost.usd
    assert first.judged.cost.usd > Decimal(0)
    assert "Be kind." in judging.requests[0].messages[-1].content
    assert judging.requests[0].parameters["temperature"] == 0
    await ran(Sweep(plan, asks(project([plain, strict]), {"m": Scripted("x"), "j": judging}), ledger=ledger))
    assert len(judging.requests) == 2  # a resumed judgement costs nothing


async def test_a_judge_that_fails_gives_no_score_and_spoils_no_answer() -> None:
    plan = grid(judge=Judge(model("j"), "Be kind."), values=(0,), repeats=1)
    providers = {"m": Scripted("A"), "j": Scripted(ServerFailed("It broke.", hint="Wait."))}
    (result,) = await ran(Sweep(plan, asks(project([model("m"), model("j")]), providers)))
    assert result.sample.answered
    assert result.sample.judged
    assert (result.sample.judged.score, result.sample.judged.error) == (None, "It broke. Wait.")


async def test_time_left_is_unknown_before_there_is_something_to_tell_it_from() -> None:
    counting = Counting()
    async with Sweep(grid(), asks(project([model("m")]), {"m": counting}), at_once=1) as sweep:
        batches = sweep.batches(heartbeat_s=0.01)
        assert await anext(batches) == []
        assert (sweep.progress.per_s, sweep.progress.left_s) == (None, None)
        counting.gate.set()
        while not (batch := await anext(batches)):
            pass
        assert batch
        assert sweep.progress.per_s
        assert sweep.progress.left_s is not None
        await batches.aclose()


async def test_a_defect_of_ours_is_raised_when_all_others_have_ended() -> None:
    async def ask(lane: Lane, question: Question, key: str) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ran(Sweep(grid(), ask))


@pytest.mark.parametrize(
    "settings",
    [
        {"values": ()},
        {"repeats": 0},
        {"prompts": ()},
        {"values": (1, 1)},
        {"values": (float("nan"),)},
        {"repeats": 20_000},
    ],
)
def test_what_can_not_be_swept_is_told(settings: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        grid(**settings)


# --- the plan


def test_a_plan_counts_calls_tokens_and_money() -> None:
    tokens = estimate_messages([Message("user", "Why?")])
    plan = plan_of(project([model("m")]), grid(parameters={"max_tokens": 10}), FlatPrices())
    assert (plan.calls, plan.judge_calls) == (4, 0)
    assert (plan.input_tokens, plan.output_tokens) == (4 * tokens, 40)
    assert plan.usd == Decimal(4 * (tokens + 10)) / 1000
    assert plan.servers == {"http://localhost:9": 4}


def test_a_plan_without_bound_knows_no_output_and_no_cost() -> None:
    plan = plan_of(project([model("m")]), grid(), FlatPrices())
    assert (plan.output_tokens, plan.usd, plan.unbounded, plan.unpriced) == (None, None, ("m",), ("m",))


def test_the_swept_parameter_may_be_the_bound() -> None:
    plan = plan_of(project([model("m")]), grid(parameter="max_tokens", values=(5, 50)), FlatPrices())
    assert plan.output_tokens == 2 * 5 + 2 * 50


def test_a_judge_is_planned_with_what_it_reads() -> None:
    judge = Judge(model("j", parameters={"max_tokens": 20}), "Be kind.")
    parameters: Mapping[str, JsonValue] = {"max_tokens": 10}
    plan = plan_of(project([model("m")]), grid(parameters=parameters, judge=judge), FlatPrices())
    assert plan.judge_calls == 4
    assert plan.output_tokens == 4 * (10 + 20)
    assert plan.usd is not None
    assert plan_of(project([model("m")]), grid(judge=judge), FlatPrices()).usd is None


async def test_a_fair_sweep_asks_one_at_a_time_and_model_by_model() -> None:
    here, there = model("a"), model("b", base_url="http://127.0.0.2:9/v1")
    counting = Counting()
    counting.gate.set()
    order: list[str] = []
    inner = asks(project([here, there]), {"a": counting, "b": counting})

    async def ask(lane: Lane, question: Question, key: str) -> Reply:
        order.append(lane.id)
        return await inner(lane, question, key)

    results = await ran(Sweep(grid(here, there), ask, at_once=8, fair=True))
    assert counting.most == 1
    assert order == ["a"] * 4 + ["b"] * 4
    assert len(results) == 8

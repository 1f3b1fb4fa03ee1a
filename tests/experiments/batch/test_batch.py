"""A batch: every row to every model once, bounded by server, stopped, resumed; what fails is a row."""

from __future__ import annotations

import asyncio
import json
import os
import tracemalloc
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError, ServerFailed
from llamafarm.core.events import Event
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, Cost, Count, Timings, Usage
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, chat
from llamafarm.experiments.batch.batch import Ask, Batch, Kept
from llamafarm.experiments.batch.job import Job, Survey, check_survey, survey_of, without_tools
from llamafarm.experiments.batch.lane import asking
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.row import Row
from llamafarm.experiments.stats.sample import Sample
from llamafarm.providers.base import Provider
from tests.engine.fakes import Counting, FlatPrices, Registry, Scripted, model, project

HERE, THERE = "http://127.0.0.1:9/v1", "http://127.0.0.2:9/v1"


def prompts(folder: Path, *rows: Mapping[str, Any]) -> PromptFile:
    path = folder / "prompts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return PromptFile(path)


def numbered(folder: Path, count: int) -> PromptFile:
    return prompts(folder, *({"prompt": f"Number {number}?", "id": f"q{number}"} for number in range(1, count + 1)))


def job(file: PromptFile, *models: NamedModel, **settings: Any) -> Job:
    return Job(models or (model("m"),), file, **settings)


def surveyed(within: Project, asked: Job) -> Survey:
    return survey_of(within, asked, FlatPrices())


def batch(asked: Job, providers: Mapping[str, Provider], within: Project | None = None, **settings: Any) -> Batch:
    whole = within or project(asked.models)
    registry, cooldowns = Registry(providers), Cooldowns()
    ask = asking(
        whole, asked, FlatPrices(), lambda lane, question: chat(whole, lane, question, registry, cooldowns), None
    )
    return Batch(asked, surveyed(whole, asked), ask, **settings)


async def ran(running: Batch) -> Batch:
    async with running:
        async for _ in running.ticks(60):
            pass
    return running


class Remembered:
    """A ledger in memory."""

    def __init__(self, *kept: Kept) -> None:
        self.before = kept
        self.finished = False
        self.settles = 0
        self.claimed = False

    async def claim(self) -> None:
        assert not self.claimed, "two at once"
        self.claimed = True

    async def release(self) -> None:
        self.claimed = False

    async def kept(self) -> AsyncGenerator[Kept, None]:
        for each in self.before:
            yield each

    async def settled(self) -> None:
        self.settles += 1

    def finish(self) -> None:
        self.finished = True


def done(number: int, name: str = "m", status: Any = "done") -> Kept:
    reply = Reply(lane=name, asked=name, model=name, provider="openai", model_id="x", status=status, text="before")
    return Kept(number, name, Sample(number, 0, reply))


async def test_every_row_goes_to_every_model_once(tmp_path: Path) -> None:
    one, two = model("a"), model("b", base_url=THERE)
    providers = {"a": Scripted("A"), "b": Scripted("B")}
    rows: list[dict[str, Any]] = [
        {"prompt": "Hi {{x}}", "x": 1, "system": "Be brief."},
        {"prompt": "Two"},
        {"prompt": "Three", "expected": "a"},
    ]
    asked = job(prompts(tmp_path, *rows), one, two, parameters={"max_tokens": 5}, system="Be kind.")
    running = await ran(batch(asked, providers))
    for provider in providers.values():
        assert sorted(request.messages[-1].content for request in provider.requests) == ["Hi 1", "Three", "Two"]
        assert {request.messages[0].content for request in provider.requests} == {"Be brief.", "Be kind."}
        assert all(request.parameters["max_tokens"] == 5 for request in provider.requests)
    assert running.finished
    a, b = running.tallies["a"], running.tallies["b"]
    assert (a.asked, a.answered, a.passed, a.refused) == (3, 3, 1, 0)
    assert (b.passed, b.refused) == (0, 1)
    assert a.pass_rate is not None
    assert (a.pass_rate.value, a.pass_rate.n) == (1.0, 1)


async def test_each_server_has_its_own_bound_and_none_waits_for_another(tmp_path: Path) -> None:
    here, also_here, there = model("a"), model("b"), model("c", base_url=THERE)
    shared, other = Counting(3), Counting(3)
    asked = job(numbered(tmp_path, 8), here, also_here, there)
    running = batch(asked, {"a": shared, "b": shared, "c": other}, at_once=3)
    async with running:
        await asyncio.gather(shared.full.wait(), other.full.wait())
        other.gate.set()
        async with aclosing(running.ticks(0.01)) as ticks:
            async for _ in ticks:
                if running.tallies["c"].asked == 8:  # the other server goes on to the end meanwhile
                    break
        assert running.tallies["a"].asked == running.tallies["b"].asked == 0
        shared.gate.set()
        async for _ in running.ticks(60):
            pass
    assert (shared.most, other.most) == (3, 3)
    assert running.progress.done == 24


async def test_a_fair_batch_is_one_queue_model_by_model(tmp_path: Path) -> None:
    here, there = model("a"), model("b", base_url=THERE)
    counting = Counting()
    counting.gate.set()
    asked = job(numbered(tmp_path, 3), here, there, fair=True)
    running = await ran(batch(asked, {"a": counting, "b": counting}, at_once=8))
    assert counting.most == 1
    assert counting.asked == [f"Number {number}?" for number in (1, 2, 3)] * 2
    assert running.progress.done == 6


async def test_embedded_models_are_asked_one_at_a_time_and_one_after_the_other(tmp_path: Path) -> None:
    one, two = (model(name, provider="embedded", base_url=None) for name in ("a", "b"))
    order: list[str] = []
    most = Counting()
    most.gate.set()

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
            order.append(self.name)
            async for event in most.stream(request):
                yield event

    await ran(batch(job(numbered(tmp_path, 4), one, two), {"a": Named("a"), "b": Named("b")}, at_once=8))
    assert order == ["a"] * 4 + ["b"] * 4
    assert most.most == 1


async def test_a_call_that_fails_is_a_row_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad, good = model("bad"), model("good", base_url=THERE)
    providers = {"bad": Scripted(ServerFailed("It broke.")), "good": Scripted("fine")}
    running = await ran(batch(job(numbered(tmp_path, 5), bad, good), providers))
    assert (running.tallies["bad"].failed, running.tallies["bad"].faults) == (5, {"ServerFailed": 5})
    assert running.tallies["bad"].ttft_s is None
    assert running.tallies["good"].answered == 5
    assert (running.progress.done, running.progress.failed, running.progress.left_s) == (10, 5, 0.0)
    assert running.finished


async def test_a_fallback_answers_and_counts_apart(tmp_path: Path) -> None:
    bad, good = model("bad", fallback=("good",)), model("good", base_url=THERE)
    providers = {"bad": Scripted(ServerFailed("It broke.")), "good": Scripted("fine")}
    asked = job(numbered(tmp_path, 3), bad)
    running = await ran(batch(asked, providers, project([bad, good])))
    tally = running.tallies["bad"]
    assert (tally.asked, tally.answered, tally.stood_in, tally.failed) == (3, 0, 3, 0)
    assert (tally.ttft_s, tally.pass_rate) == (None, None)
    assert tally.costs.money.usd  # what the stand-in cost was spent on these rows


async def test_stopping_stops_the_server_and_asks_nothing_more(tmp_path: Path) -> None:
    counting, ledger = Counting(2), Remembered()
    running = batch(job(numbered(tmp_path, 9)), {"m": counting}, at_once=2, ledger=ledger)
    async with running:
        await counting.full.wait()
        running.stop()
        async for _ in running.ticks(60):
            pass
        assert counting.now == 0
    assert (len(counting.asked), running.progress.done, running.finished, ledger.finished) == (2, 0, False, False)


async def test_leaving_stops_it(tmp_path: Path) -> None:
    counting = Counting(2)
    async with batch(job(numbered(tmp_path, 9)), {"m": counting}, at_once=2):
        await counting.full.wait()
    assert counting.now == 0


async def test_resuming_asks_what_has_no_answer_yet(tmp_path: Path) -> None:
    provider, ledger = Counting(), Remembered(done(1), done(3), done(4, status="failed"), done(5, status="stopped"))
    provider.gate.set()
    running = await ran(batch(job(numbered(tmp_path, 6)), {"m": provider}, ledger=ledger))
    assert sorted(provider.asked) == ["Number 2?", "Number 4?", "Number 5?", "Number 6?"]
    assert (running.progress.done, running.progress.resumed) == (6, 2)
    assert running.tallies["m"].asked == 6
    assert ledger.finished
    assert ledger.settles == 4


async def test_what_is_kept_of_other_rows_and_models_is_passed_over(tmp_path: Path) -> None:
    ledger = Remembered(done(0), done(99), done(1, name="gone"), done(1), done(1))
    running = await ran(batch(job(numbered(tmp_path, 1)), {"m": Scripted("x")}, ledger=ledger))
    assert (running.progress.done, running.progress.total) == (1, 1)


async def test_a_file_that_is_changed_ends_the_batch(tmp_path: Path) -> None:
    asked = job(numbered(tmp_path, 3))
    running = batch(asked, {"m": Scripted("x")})
    os.utime(asked.file.path, ns=(1, 1))
    with pytest.raises(RequestError, match=r"prompts\.jsonl was changed while the batch ran"):
        await ran(running)


async def test_a_defect_of_ours_is_raised(tmp_path: Path) -> None:
    async def ask(row: Row, lane: Lane) -> Reply:
        raise ZeroDivisionError

    asked = job(numbered(tmp_path, 3))
    with pytest.raises(ZeroDivisionError):
        await ran(Batch(asked, surveyed(project(asked.models), asked), ask))


def instant(text: str) -> Ask:
    """Answers at once, with all that a long answer has."""

    async def ask(row: Row, lane: Lane) -> Reply:
        return Reply(
            lane=lane.id, asked=lane.id, model=lane.id, provider="openai", model_id="x", status="done",
            text=text * 20, usage=Usage(Count(5, "reported"), Count(9, "reported")),
            timings=Timings(ttft_s=0.1, total_s=0.2), cost=Cost(None, "unknown"),
        )  # fmt: skip

    return ask


async def test_memory_stays_flat_however_many_rows(tmp_path: Path) -> None:
    async def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w") as file:
            file.write("prompt,expected\n")
            file.writelines(f"What is {number}? {'x' * 200},{number}\n" for number in range(count))
        asked = job(PromptFile(path), model("a"), model("b", base_url=THERE))
        tracemalloc.start()
        running = await ran(Batch(asked, surveyed(project(asked.models), asked), instant("a long answer "), at_once=4))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert running.tallies["a"].asked == count
        return most

    small, large = await peak(1_000), await peak(4_000)
    # Two figures of eight bytes and two marks a call: that much may grow, and no text.
    assert large - small < 3_000 * 2 * 40


# --- before it starts


def test_a_survey_counts_calls_tokens_and_money_by_row(tmp_path: Path) -> None:
    asked = job(numbered(tmp_path, 3), model("a"), model("b", base_url=THERE), parameters={"max_tokens": 10})
    found = surveyed(project(asked.models), asked)
    assert (found.rows, found.good, found.checked) == (3, 3, 0)
    plan = found.plan
    assert (plan.calls, plan.output_tokens, plan.servers) == (6, 60, {"http://localhost:9": 3, "http://127.0.0.2:9": 3})
    assert plan.usd == Decimal(plan.input_tokens + 60) / 1000
    assert surveyed(project(asked.models), replace(asked, parameters={})).plan.usd is None


def test_bad_rows_are_an_error_before_anything_is_asked_or_are_passed_over(tmp_path: Path) -> None:
    asked = job(prompts(tmp_path, {"prompt": "a"}, {"id": 1}, {"prompt": "b", "checks": ["x"]}))
    found = surveyed(project(asked.models), asked)
    with pytest.raises(
        RequestError, match=r"2 rows of prompts\.jsonl can't be asked: line 2: there is no prompt"
    ) as told:
        check_survey(asked, found)
    assert "line 3" in told.value.message
    check_survey(replace(asked, skip_bad=True), found)
    assert "Passed over: 2 of 3 rows" in found.plan.notes[0]
    assert found.plan.calls == 1
    only = job(prompts(tmp_path, {"id": 1}), skip_bad=True)
    found = surveyed(project(only.models), only)
    with pytest.raises(RequestError, match="1 row of"):
        check_survey(only, found)


async def test_rows_that_lack_a_value_of_the_project_are_bad_and_passed_over(tmp_path: Path) -> None:
    within = Project.model_validate(
        {
            **dict(project([model("m", prompts=("p",))])),
            "prompts": ({"name": "p", "messages": ({"role": "system", "content": "For {{who}}."},)},),
        }
    )
    asked = job(prompts(tmp_path, {"prompt": "a", "who": "me"}, {"prompt": "b"}), *within.models, skip_bad=True)
    found = surveyed(within, asked)
    assert [str(bad) for bad in found.bad] == ["line 2: The prompt needs a value for: who"]
    provider = Scripted("x")
    running = await ran(batch(asked, {"m": provider}, within))
    assert [request.messages[0].content for request in provider.requests] == ["For me."]
    assert running.finished


@pytest.mark.parametrize("text", ["", "prompt\n"])
def test_a_file_without_rows_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(text)
    asked = job(PromptFile(path))
    with pytest.raises(RequestError, match="empty"):
        surveyed(project(asked.models), asked)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    asked = job(PromptFile(tmp_path / "nowhere.csv"))
    with pytest.raises(RequestError, match="can't be read"):
        surveyed(project(asked.models), asked)


def test_tools_of_mcp_servers_are_not_offered() -> None:
    bare = without_tools(project([model("m", mcp_servers=("fs",))]))
    assert [each.mcp_servers for each in bare.models] == [()]


def test_checks_of_the_command_are_made_of_every_row(tmp_path: Path) -> None:
    file = replace(numbered(tmp_path, 2), checks=("json",))
    asked = job(file)
    assert surveyed(project(asked.models), asked).checked == 2


async def test_a_row_s_own_system_prompt_is_data_and_goes_out_once_filled(tmp_path: Path) -> None:
    system = "Explain {{ user.name | upper }} of {{x}}."
    asked = job(prompts(tmp_path, {"prompt": "a", "system": system, "x": "{{x}} {{y}}", "y": "no"}), model("m"))
    provider = Scripted("x")
    await ran(batch(asked, {"m": provider}, project(asked.models)))
    assert provider.requests[0].messages[0].content == "Explain {{ user.name | upper }} of {{x}} {{y}}."

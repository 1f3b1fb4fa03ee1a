"""The composition root: what runs is kept, and what is kept survives it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from llamafarm.config import parse
from llamafarm.config.model import Project
from llamafarm.core.conditions import Sharing
from llamafarm.core.errors import RequestError, StoreError
from llamafarm.core.reply import Reply
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Origin
from llamafarm.experiments.sweep.grid import Grid, Prompt
from llamafarm.runtime import Runtime, open_history, open_runtime
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, plays

FILE = """version: v1
name: farm
namespace: default
runtime:
  models:
    - {{name: good, provider: openai, model: gpt-4o-mini, base_url: '{url}/v1', api_key: sk-secret}}
    - {{name: gone, provider: ollama, model: m, base_url: 'http://127.0.0.1:9'}}
"""


def project_at(url: str) -> Project:
    project = parse(FILE.format(url=url), trusted=True, environ={}).project
    assert project is not None
    return project


async def run(
    runtime: Runtime, project: Project, *names: str, origin: Origin = Origin()
) -> tuple[str | None, dict[str, Reply]]:
    lanes = tuple(Lane(model.name, model) for model in project.models if model.name in names)
    comparison = runtime.compare(project, lanes, Question.of("How is it?"), origin=origin)
    async with comparison:
        return comparison.record, await comparison.ended()


async def test_what_was_shown_is_what_is_kept() -> None:
    async with FaultServer(plays("openai", answer("openai", "All is well."))) as server:
        project = project_at(server.url)
        async with open_runtime() as runtime:
            identity, shown = await run(runtime, project, "good", "gone")
    assert identity is not None
    async with open_history() as history:
        found = await history.open(identity)
        snapshot = await history.snapshot(project.digest)
    assert found.replies == shown
    assert [reply.status for reply in found.replies.values()] == ["done", "failed"]
    assert snapshot is not None
    assert "sk-secret" not in snapshot.text


async def test_a_lane_that_is_tried_again_belongs_to_its_comparison() -> None:
    async with FaultServer(plays("openai", answer("openai", "All is well."))) as server:
        project = project_at(server.url)
        async with open_runtime() as runtime:
            identity, first = await run(runtime, project, "good", "gone")
            same, second = await run(runtime, project, "good", origin=Origin(into=identity))
            assert identity is not None
            assert same == identity
            found = await runtime.history().open(identity)
    assert found.replies == {**first, **second}
    assert [each.reply for each in found.earlier] == [first["good"]]


async def test_nothing_is_kept_where_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FaultServer(plays("openai", answer("openai", "All is well."))) as server:
        project = project_at(server.url)
        async with open_runtime(record=False) as runtime:
            identity, shown = await run(runtime, project, "good")
            with pytest.raises(StoreError, match="switched off"):
                runtime.history()
    assert identity is None
    assert shown["good"].text == "All is well."
    async with open_history() as history:
        assert await history.count() == 0
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    with pytest.raises(StoreError, match="switched off"):
        async with open_history():
            pass


async def test_an_address_that_names_no_database_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", "mongodb://somewhere")
    with pytest.raises(RequestError, match="LF_DATABASE_URL"):
        async with open_runtime():
            pass


async def test_a_project_carries_its_text_without_secrets(tmp_path: Path) -> None:
    project = project_at("http://127.0.0.1:9")
    assert "api_key: (hidden)" in project.text
    assert "sk-secret" not in project.text + repr(project)


TWO = FILE + "    - {{name: also, provider: openai, model: gpt-4o-mini, base_url: '{url}/v1', api_key: sk-secret}}\n"


def two_at(url: str) -> Project:
    project = parse(TWO.format(url=url), trusted=True, environ={}).project
    assert project is not None
    return project


async def test_lanes_at_one_server_are_marked_and_the_mark_is_kept() -> None:
    gate = asyncio.Event()

    async def together(exchange: Exchange) -> None:
        if len(server.requests) == 2:
            gate.set()
        await gate.wait()
        await plays("openai", answer("openai", "All is well."))(exchange)

    async with FaultServer(together) as server, open_runtime() as runtime:
        project = two_at(server.url)
        identity, shown = await run(runtime, project, "good", "also", "gone")
        assert identity is not None
        found = await runtime.history().open(identity)
    name = server.url.replace("127.0.0.1", "localhost")
    assert [shown[lane].sharing for lane in ("good", "also")] == [Sharing(name, 1)] * 2
    assert shown["gone"].shared in (False, None)
    assert found.replies == shown


async def test_comparisons_of_one_process_know_of_each_other() -> None:
    """Another tab, a sweep's next call, a staged runtime: all have the same servers."""
    gate, held = asyncio.Event(), asyncio.Event()

    async def together(exchange: Exchange) -> None:
        if len(server.requests) == 1:
            held.set()
            await gate.wait()
        await plays("openai", answer("openai", "All is well."))(exchange)

    async with FaultServer(together) as server, open_runtime(record=False) as runtime:
        project = two_at(server.url)
        first = asyncio.create_task(run(runtime, project, "good"))
        await held.wait()
        _, second = await run(runtime.staged({}, Cooldowns()), project, "also")
        gate.set()
        _, third = await first
        _, alone = await run(runtime, project, "good")
    assert (second["also"].shared, third["good"].shared, alone["good"].shared) == (True, True, False)


async def test_a_fair_comparison_shares_nothing_and_counts_its_warming_apart() -> None:
    async with FaultServer(plays("openai", answer("openai", "All is well."))) as server, open_runtime() as runtime:
        project = two_at(server.url)
        lanes = tuple(Lane(model.name, model) for model in project.models if model.name != "gone")
        async with runtime.compare(project, lanes, Question.of("How is it?"), fair=runtime.fair()) as comparison:
            replies = await comparison.ended()
        assert comparison.record is not None
        found = await runtime.history().open(comparison.record)
    assert len(server.requests) == 4
    assert found.replies == replies
    for reply in replies.values():
        assert reply.shared is False
        assert reply.warmup is not None
        assert reply.warmup.usage.source == "reported"
        assert reply.warmup.cost.source == "unknown"  # as the answer's own: nobody told a price


async def test_a_sweep_of_the_history_is_opened_with_what_failed_and_asks_nothing() -> None:
    async with FaultServer(plays("openai", answer("openai", "Well."))) as server:
        project = project_at(server.url)
        grid = Grid(project.models, "temperature", (0,), 2, (Prompt("Why?"),))
        async with open_runtime() as runtime:
            begun = runtime.begin_sweep(project, grid, "factual")
            assert begun is not None
            async with runtime.sweep(project, grid, run=begun) as sweep, aclosing(sweep.batches()) as batches:
                then = {grid.key(each.call): each.sample.reply async for batch in batches for each in batch}
            asked = len(server.requests)
        async with open_runtime() as runtime:
            run = await runtime.history().run(begun.id)
            again, replies = await runtime.past_sweep(run, project)
        assert (again, replies) == (grid, then)
        assert {reply.status for reply in replies.values()} == {"done", "failed"}
        assert len(server.requests) == asked
    assert run.ended_at is not None

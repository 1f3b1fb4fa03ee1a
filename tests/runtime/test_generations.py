"""The bound on running answers holds where lanes run: for every face, by caller."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from llamafarm.config.model import Project
from llamafarm.core.errors import TooManyGenerations
from llamafarm.engine.lane import Lane, Question
from llamafarm.experiments.sweep.grid import Grid, Prompt
from llamafarm.runtime import Generations, Runtime, open_runtime
from llamafarm.server.mcp.actions import Actions, Chat, Compare
from llamafarm.ui.compare.runs import Ask, Runner
from llamafarm.ui.project.projects import Projects
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays, said

HANGS = plays("openai", [said("openai", "Llamas")], then="hang")
SAYS = plays("openai", answer("openai", "Llamas eat hay."))


@asynccontextmanager
async def opened(folder: Path, limit: int, script: Any = SAYS) -> AsyncIterator[tuple[Runtime, Project, FaultServer]]:
    async with FaultServer(script) as upstream:
        models = [
            {"name": name, "provider": "openai", "model": name, "base_url": f"{upstream.url}/v1"} for name in "abc"
        ]
        path = folder / "p.json"
        path.write_text(json.dumps({"version": "v1", "name": "p", "namespace": "n", "runtime": {"models": models}}))
        async with open_runtime([path], record=False, generations=limit) as runtime:
            project = runtime.library.entries[0].project
            assert project is not None
            yield runtime, project, upstream


def lanes(project: Project, names: str) -> list[Lane]:
    return [Lane(model.name, model) for model in project.models if model.name in names]


async def test_lanes_of_one_caller_are_counted_together_and_of_two_apart(tmp_path: Path) -> None:
    async with opened(tmp_path, 3, HANGS) as (runtime, project, _), AsyncExitStack() as stack:
        ann, bob, question = runtime.of("ann"), runtime.of("bob"), Question.of("Hello")
        await stack.enter_async_context(ann.compare(project, lanes(project, "ab"), question))
        with pytest.raises(TooManyGenerations, match="2 answers are running for you, and 3 may"):
            async with ann.compare(project, lanes(project, "ab"), question):
                raise AssertionError
        events = ann.chat(project, lanes(project, "c")[0], question)
        await anext(events)
        more = ann.chat(project, lanes(project, "c")[0], question)
        with pytest.raises(TooManyGenerations):
            await anext(more)
        async with bob.compare(project, lanes(project, "abc"), question):
            assert runtime.generations.total() == 6
        await events.aclose()
        async with ann.compare(project, lanes(project, "c"), question):
            assert runtime.generations.total() == 3
    assert runtime.generations.total() == 0


async def test_a_staged_runtime_counts_with_the_others(tmp_path: Path) -> None:
    async with opened(tmp_path, 1, HANGS) as (runtime, project, _):
        staged = runtime.staged({}, runtime.cooldowns).of("ann")
        async with staged.compare(project, lanes(project, "a"), Question.of("Hello")):
            with pytest.raises(TooManyGenerations):
                runtime.of("ann").generations.check("ann")


async def test_mcp_clients_are_told(tmp_path: Path) -> None:
    async def progress(done: int, total: int, what: str) -> None: ...

    async with opened(tmp_path, 2) as (runtime, _, upstream):
        actions = Actions(runtime.of("key 1"))
        with pytest.raises(TooManyGenerations, match="3 answers at once were asked for, and 2 may"):
            await actions.compare(Compare(prompt="Hello"), progress)
        assert upstream.requests == []
        assert (await actions.chat(Chat(prompt="Hello"), progress))["text"] == "Llamas eat hay."
    assert runtime.generations.total() == 0


async def test_the_page_is_told_before_anything_changes(tmp_path: Path) -> None:
    async with opened(tmp_path, 2) as (runtime, _, upstream):
        session = await Projects(runtime).named(Projects(runtime).sources()[0][1])
        runner = Runner(runtime, cast("Any", None))
        asked = Ask("Hello", "", blind=False, stage=False, faults=(), ask_before=(), settings=())
        sending = runner.send(session, asked, follow=False)
        with pytest.raises(TooManyGenerations):
            await anext(sending)
        assert (session.question, upstream.requests) == (None, [])


async def test_a_sweep_waits_for_places_and_loses_no_call(tmp_path: Path) -> None:
    most = 0

    async with opened(tmp_path, 2) as (runtime, project, upstream):
        ann = runtime.of("ann")
        grid = Grid(tuple(project.models), "temperature", (0.0, 1.0), 2, (Prompt("Hello"),))
        async with ann.sweep(project, grid, at_once=4) as sweep:
            async for batch in sweep.batches():
                most = max(most, runtime.generations.total())
                assert all(result.sample.answered for result in batch)
        assert len(upstream.requests) == 12
    assert most <= 2
    assert runtime.generations.total() == 0


async def test_who_waits_goes_on_when_a_place_is_free() -> None:
    generations = Generations(1)
    order: list[str] = []

    async def work(name: str) -> None:
        async with generations.waiting("ann"):
            order.append(name)
            await asyncio.sleep(0)

    with generations.running("ann"):
        workers = [asyncio.create_task(work(name)) for name in "abc"]
        await asyncio.sleep(0)
        assert order == []
        workers[1].cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert order == ["a", "c"]
    assert generations.total() == 0


async def test_what_fails_gives_its_place_back(tmp_path: Path) -> None:
    broken = plays("openai", [], then="cut")
    async with opened(tmp_path, 1, broken) as (runtime, project, _):
        for _ in range(3):
            async with runtime.compare(project, lanes(project, "a"), Question.of("x")) as comparison:
                async for _ in comparison.events():
                    pass
    assert runtime.generations.total() == 0

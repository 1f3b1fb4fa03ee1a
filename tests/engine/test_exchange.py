"""A server that must exchange models gets all calls of one, and has answered them, before the next one's begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.loading import loading_of
from llamafarm.config.model import NamedModel, Project
from llamafarm.core.events import Event, Finished, Stopped, Waiting, is_final
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.exchange import Memory as Known
from llamafarm.engine.exchange import exchange_notes, turns, waits_behind
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.experiments.batch.batch import Batch
from llamafarm.experiments.batch.job import Job, survey_of
from llamafarm.experiments.batch.lane import asking
from llamafarm.experiments.sweep.grid import Grid, Judge, Prompt
from llamafarm.experiments.sweep.sweep import Sweep, reply_of
from tests.engine.fakes import FlatPrices, Registry, Scripted, model, project
from tests.experiments.batch.test_batch import numbered


class Memory:
    """A server's memory that holds one model at a time: who was asked, in order, and how often it was exchanged."""

    def __init__(self) -> None:
        self.busy: list[tuple[str, ...]] = []
        self.loaded: list[tuple[str, ...]] = []
        self.most = 0

    def provider(self, asked: NamedModel) -> Held:
        return Held(self, asked)


class Held:
    """A model in that memory."""

    def __init__(self, memory: Memory, asked: NamedModel) -> None:
        self._memory = memory
        self._model = asked

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        memory, needed = self._memory, loading_of(self._model, request.parameters)
        assert set(memory.busy) <= {needed}, "another model is still being asked"
        memory.busy.append(needed)
        memory.most = max(memory.most, len(memory.busy))
        if not memory.loaded or memory.loaded[-1] != needed:
            memory.loaded.append(needed)
        try:
            for _ in range(5):  # others have their turn
                await asyncio.sleep(0)
            async with aclosing(Scripted("Score: 5").stream(request)) as events:
                async for event in events:
                    yield event
        finally:
            memory.busy.remove(needed)


def local(name: str, weights: str, provider: str = "ollama", **parameters: JsonValue) -> NamedModel:
    return model(name, provider=provider, model=weights, parameters=parameters)


Registered = tuple[Memory, Project, Registry]


def registered(*models: NamedModel) -> Registered:
    memory = Memory()
    return memory, project(models), Registry({each.name: memory.provider(each) for each in models})


CASES: Mapping[str, tuple[NamedModel, ...]] = {
    "three models": (local("a", "llama"), local("b", "qwen"), local("c", "phi")),
    "a model between two of another": (local("a", "llama"), local("b", "qwen"), local("c", "llama", temperature=1)),
    "another context": (local("a", "llama"), local("b", "llama", num_ctx=8192), local("c", "llama", top_p=0.5)),
    "layers and threads": (local("a", "llama", num_gpu=1), local("b", "llama", num_thread=2), local("c", "llama", num_gpu=1)),
    "Universal": (local("a", "x", "universal", n_ctx=512), local("b", "y", "universal"), local("c", "x", "universal", n_ctx=512)),
    "Lemonade": (local("a", "x", "lemonade"), local("b", "y", "lemonade")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_a_batch_loads_each_model_once(case: str, tmp_path: Path) -> None:
    models = CASES[case]
    memory, whole, registry = registered(*models)
    cooldowns, asked = Cooldowns(), Job(models, numbered(tmp_path, 4))
    ask = asking(
        whole, asked, FlatPrices(), lambda lane, question: chat(whole, lane, question, registry, cooldowns), None
    )
    running = Batch(asked, survey_of(whole, asked, FlatPrices()), ask, at_once=8)
    async with running, aclosing(running.ticks(0.01)) as ticks:
        async for _ in ticks:
            pass
    assert [tally.answered for tally in running.tallies.values()] == [4] * len(models)
    assert len(memory.loaded) == len({loading_of(each, {}) for each in models})
    assert memory.most >= 4


async def swept(grid: Grid, whole: Project, registry: Registry, **settings: Any) -> list[Reply]:
    async def ask(lane: Lane, question: Question, _: str) -> Reply:
        folded = Replies(whole, (lane,), FlatPrices())
        return await reply_of(
            Comparison((lane,), lambda each: chat(whole, each, question, registry, Cooldowns()), folded)
        )

    found: list[Reply] = []
    async with Sweep(grid, ask, **settings) as sweep, aclosing(sweep.batches()) as batches:
        async for batch in batches:
            found += [result.sample.reply for result in batch]
            assert all((result.sample.judged is not None) is (grid.judge is not None) for result in batch)
    assert sweep.progress.done == sweep.progress.total == len(found)
    return found


@pytest.mark.parametrize("fair", [False, True])
@pytest.mark.parametrize(
    ("parameter", "values", "exchanges"),
    [
        ("temperature", (0, 0.5, 1), 2),
        ("num_ctx", (2048, 4096, 8192), 6),
        ("num_thread", (1, 2), 4),
        ("n_ctx", (1, 2), 4),
    ],
)
async def test_a_sweep_loads_each_context_once(
    parameter: str, values: tuple[float, ...], exchanges: int, *, fair: bool
) -> None:
    models = (local("a", "llama"), local("b", "qwen"))
    memory, whole, registry = registered(*models)
    grid = Grid(models=models, parameter=parameter, values=values, repeats=3, prompts=(Prompt("Hello"), Prompt("Bye")))
    replies = await swept(grid, whole, registry, fair=fair)
    assert len(replies) == 2 * 3 * 2 * len(values)
    assert len(memory.loaded) == exchanges


async def test_a_judge_of_the_same_server_comes_at_the_end() -> None:
    models = (local("a", "llama"), local("b", "qwen"))
    judge = local("j", "judge")
    memory, whole, registry = registered(*models, judge)
    grid = Grid(
        models=models, parameter="temperature", values=(0, 1), repeats=2, prompts=(Prompt("Hello"),), judge=Judge(judge, "Good?")
    )  # fmt: skip
    assert len(await swept(grid, whole, registry)) == 8
    assert [each[0] for each in memory.loaded] == ["llama", "qwen", "judge"]


def test_what_is_loaded_anew_for() -> None:
    asked = local("a", "llama", num_ctx=4096, temperature=0.5)
    assert loading_of(asked, {"temperature": 1}) == loading_of(asked, {})
    assert loading_of(asked, {"num_ctx": 8192}) != loading_of(asked, {})
    assert loading_of(asked, {"num_ctx": None}) != loading_of(asked, {})
    assert loading_of(model("m"), {"num_ctx": 1}) == ()


async def compared(*lanes: Lane, known: Known | None = None) -> tuple[list[tuple[str, str]], Memory]:
    """What the lanes waited for, and how their server's memory was used."""
    memory, whole, registry = registered(*{lane.model.name: lane.model for lane in lanes}.values())
    asked = Question.of("Hello")
    comparison = Comparison(
        lanes,
        lambda lane: chat(whole, lane, asked, registry, Cooldowns()),
        Replies(whole, lanes, FlatPrices()),
        turns=lambda: turns(lanes, asked.parameters, known),
    )
    async with comparison, aclosing(comparison.events()) as events:
        waited = [(told.lane, told.event.what) async for told in events if isinstance(told.event, Waiting)]
    assert {reply.status for reply in comparison.replies().values()} == {"done"}
    return waited, memory


async def test_lanes_of_one_model_in_other_contexts_take_turns() -> None:
    asked = local("a", "llama")
    wide, narrow = {"num_ctx": 8192}, {"num_ctx": 512}
    lanes = (
        Lane("1", asked, wide),
        Lane("2", asked, narrow),
        Lane("3", asked, {**wide, "top_p": 0.5}),
        Lane("4", asked),
    )
    waited, memory = await compared(*lanes)
    assert waited == [("2", waits_behind(["1", "3"])), ("4", waits_behind(["1", "3", "2"]))]
    assert waited[0][1] == "its turn: it waits behind 1, 3, one model at a time"
    assert len(memory.loaded) == 3


async def test_lanes_that_need_the_same_run_at_once() -> None:
    asked = local("a", "llama", num_ctx=4096)
    waited, memory = await compared(*(Lane(str(number), asked, {"temperature": number}) for number in range(4)))
    assert (waited, memory.most) == ([], 4)


class Small:
    """A memory of which is known that these do not fit together, and what is in it."""

    def __init__(self, *apart: str, listed: str = "") -> None:
        self._apart = {frozenset(pair) for pair in apart}
        self._listed = listed

    def listed(self, asked: NamedModel) -> bool:
        return asked.model in self._listed

    def apart(self, first: NamedModel, second: NamedModel) -> bool:
        return frozenset((first.model, second.model)) in self._apart


def named(*weights: str) -> tuple[Lane, ...]:
    return tuple(Lane(f"{name}{at}", local(name, name)) for at, name in enumerate(weights))


async def test_lanes_of_models_that_do_not_fit_together_take_turns() -> None:
    waited, memory = await compared(*named("x", "y", "x"), known=Small("xy"))
    assert waited == [("y1", "its turn: it waits behind x0, x2, one model at a time")]
    assert ([each[0] for each in memory.loaded], memory.most) == (["x", "y"], 2)


@pytest.mark.parametrize(
    ("apart", "listed", "expected"),
    [
        ((), "", {}),
        (("xy",), "", {"y1": ("x0",)}),
        (("xy",), "y", {"x0": ("y1",)}),  # what is in memory comes first
        (("xz",), "", {"z2": ("x0",)}),
        (("xy", "yz"), "", {"y1": ("x0",), "z2": ("y1",)}),
        (("xy", "yz", "xz"), "", {"y1": ("x0",), "z2": ("x0", "y1")}),
        (("xy", "yz", "xz"), "z", {"x0": ("z2",), "y1": ("z2", "x0")}),
    ],
)
def test_who_waits_for_whom(apart: tuple[str, ...], listed: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert turns(named("x", "y", "z"), {}, Small(*apart, listed=listed)) == expected


def test_many_are_told_in_short() -> None:
    assert waits_behind("abcde") == "its turn: it waits behind a, b, c and 2 more, one model at a time"


def test_the_note_of_a_server_that_may_have_to() -> None:
    llama, qwen = local("a", "llama"), local("b", "qwen")
    (note,) = exchange_notes([llama, qwen, model("c")])
    assert note.startswith("a, b: their server exchanges models where its memory does not hold them together")
    assert not list(exchange_notes([llama, local("c", "llama"), model("d"), model("e")]))
    far = qwen.model_copy(update={"base_url": "http://10.0.0.9:11434"})
    assert not list(exchange_notes([llama, far]))


def test_other_models_and_other_servers_wait_for_nobody() -> None:
    lanes = (
        Lane("1", local("a", "llama"), {"num_ctx": 1}),
        Lane("2", local("b", "qwen"), {"num_ctx": 2}),
        Lane("3", model("c", provider="ollama", model="llama", base_url="http://10.0.0.9:11434"), {"num_ctx": 3}),
        Lane("4", model("d", model="llama"), {"num_ctx": 4}),
    )
    assert turns(lanes, {}) == {}
    again = Lane("5", local("a", "llama"), {"num_ctx": 9})
    assert turns((*lanes, again), {}) == {"5": ("1",)}
    assert turns((*lanes, again), {"num_ctx": 7}) == {}


async def test_a_lane_that_is_stopped_lets_the_next_begin() -> None:
    asked = local("a", "llama")
    gate = asyncio.Event()
    whole = project((asked,))
    registry = Registry({"a": Scripted(gate, "yes")})
    lanes = tuple(Lane(str(size), asked, {"num_ctx": size}) for size in (1, 2, 3))
    comparison = Comparison(
        lanes,
        lambda lane: chat(whole, lane, Question.of("Hello"), registry, Cooldowns()),
        Replies(whole, lanes, FlatPrices()),
        turns=lambda: turns(lanes, {}),
    )
    async with comparison, aclosing(comparison.events()) as events:
        comparison.stop("2")
        comparison.stop("1")
        gate.set()
        ended = [(told.lane, type(told.event)) async for told in events if is_final(told.event)]
    assert sorted(ended) == [("1", Stopped), ("2", Stopped), ("3", Finished)]

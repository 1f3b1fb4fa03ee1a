"""What Ollama's last record tells of times: bytes of 0.17.4, four lanes of one comparison that it answered in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llamafarm.core.conditions import ServerQueued
from llamafarm.core.events import Event, Finished, Started
from llamafarm.core.types import Cost, Timings
from llamafarm.engine.fold.fold import Fold
from tests.engine.fakes import model
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import plays, record, said
from tests.providers.helpers import ask, named

LAST = (Path(__file__).parent / "fixtures" / "ollama_queue.ndjson").read_bytes().splitlines(keepends=True)
TEXT = "The capital of France is Paris, and one river there is the Seine, which is long. " * 3


async def told(last: bytes) -> list[Event]:
    async with FaultServer(plays("ollama", [said("ollama", TEXT), last])) as server:
        events, error = await ask(named("ollama", server.url))
    assert error is None
    assert isinstance(events[-1], Finished)
    return events


@pytest.mark.parametrize(("number", "queue_s"), list(enumerate([0.036, 3.076, 4.688, 6.235])))
async def test_what_is_left_of_the_whole_time_was_the_queue(number: int, queue_s: float) -> None:
    events = await told(LAST[number])
    assert [each.seconds for each in events if isinstance(each, ServerQueued)] == [pytest.approx(queue_s, abs=0.001)]


@pytest.mark.parametrize(
    "durations",
    [
        {},
        {"total_duration": 5e9},
        {"total_duration": 1, "load_duration": 1, "eval_duration": 5_000},
        {"total_duration": -5, "load_duration": 1, "eval_duration": 1},
        {"total_duration": "5", "load_duration": True, "eval_duration": None},
        {"total_duration": float("inf"), "load_duration": 1, "eval_duration": 1},
    ],
)
async def test_times_that_cannot_be_tell_nothing(durations: dict[str, Any]) -> None:
    events = await told(record({"content": ""}, done=True, done_reason="stop", **durations))
    assert not [each for each in events if isinstance(each, ServerQueued)]


async def test_a_queue_longer_than_the_ttft_is_none() -> None:
    """The answer came at once here: a server that tells of six seconds tells of something else."""
    assert folded(await told(LAST[3])).server_queue_s is None


def folded(events: list[Event]) -> Timings:
    fold = Fold("m", model("m"), lambda _: model("m"), lambda *_: Cost(None, "unknown"))
    for event in (Started(at=events[0].at), *events):
        fold.add(event)
    return fold.reply(9e9).timings

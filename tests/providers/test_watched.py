"""With how many others a request shares its server, from when it is sent until its answer has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from llamafarm.core.conditions import ServerQueued, Shared
from llamafarm.core.errors import ServerFailed
from llamafarm.core.events import Event, Finished, Loaded, Loading, Sent, TextDelta, Waiting
from llamafarm.core.types import ChatRequest, SentRequest
from llamafarm.providers.policies.in_flight import BEHIND, Watched
from llamafarm.providers.servers import Servers, Use
from tests.engine.fakes import Scripted, Step

REQUEST = ChatRequest(())
HERE, THERE = "http://localhost:1", "http://localhost:2"


def sent() -> Sent:
    return Sent(at=time.perf_counter(), request=SentRequest("POST", HERE, {}, {}))


def asked(servers: Servers, *steps: Step, server: str = HERE) -> AsyncGenerator[Event, None]:
    return Watched(Scripted(*steps), server, servers).stream(REQUEST)


async def others(events: AsyncGenerator[Event, None]) -> list[int]:
    """What is told of an answer that is read to its end."""
    async with aclosing(events):
        return [event.others async for event in events if isinstance(event, Shared)]


async def until(events: AsyncGenerator[Event, None], kind: type[Event]) -> None:
    async for event in events:
        if isinstance(event, kind):
            return
    raise AssertionError(f"no {kind.__name__} came")


async def test_alone_is_told_too() -> None:
    assert await others(asked(Servers(), sent(), "a", "b")) == [0]


async def test_both_are_told_and_the_most_counts() -> None:
    servers = Servers()
    first = asked(servers, sent(), "a", "b")
    await until(first, TextDelta)
    assert await others(asked(servers, sent(), "x")) == [1]
    assert await others(asked(servers, sent(), "x", server=THERE)) == [0]
    assert await others(first) == [1]
    assert await others(asked(servers, sent(), "later")) == [0]


async def test_three_at_once_are_two_others() -> None:
    servers, gate = Servers(), asyncio.Event()
    three = [asyncio.create_task(others(asked(servers, sent(), gate, "a"))) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*three) == [[2], [2], [2]]


async def test_what_waits_before_it_is_sent_shares_nothing() -> None:
    servers = Servers()
    waiting = asked(servers, Waiting(at=0.0, what="a place"), sent(), "a")
    await until(waiting, Waiting)
    assert await others(asked(servers, sent(), "x")) == [0]
    assert await others(waiting) == [0]


async def test_loading_into_this_machine_counts_and_waiting_after_it_does_not() -> None:
    servers = Servers()
    loading = asked(servers, Loading(at=0.0, what="m"), Loaded(at=1.0, seconds=1.0), Waiting(at=1.0, what="a place"))
    await until(loading, Loading)
    running = asked(servers, sent(), "a", "b")
    await until(running, TextDelta)
    await until(loading, Waiting)
    assert await others(running) == [1]
    assert await others(asked(servers, sent(), "x")) == [0]
    assert servers == Servers()
    await loading.aclose()


async def test_a_load_time_that_comes_with_the_answer_does_not_end_it() -> None:
    servers = Servers()
    answer = asked(servers, sent(), "a", Loaded(at=1.0, seconds=1.0), "b")
    await until(answer, Loaded)
    assert await others(asked(servers, sent(), "x")) == [1]
    assert await others(answer) == [1]


async def test_an_answer_that_has_ended_is_not_under_way_while_its_reader_takes_its_time() -> None:
    servers = Servers()
    ended = asked(servers, sent(), "a")
    await until(ended, Finished)
    assert await others(asked(servers, sent(), "x")) == [0]
    await ended.aclose()


@pytest.mark.parametrize("end", ["closed", "failed"])
async def test_nothing_stays_under_way(end: str) -> None:
    servers = Servers()
    answer = asked(servers, sent(), "a", ServerFailed("no"), "b")
    await until(answer, TextDelta)
    if end == "closed":
        await answer.aclose()
    else:
        with pytest.raises(ServerFailed):
            await others(answer)
    assert servers == Servers()


async def test_a_failed_answer_tells_who_was_there_before_it_fails() -> None:
    servers = Servers()
    events = asked(servers, sent(), ServerFailed("no"))
    assert isinstance(await anext(events), Sent)
    told = await anext(events)
    assert isinstance(told, Shared)
    assert told.others == 0
    with pytest.raises(ServerFailed):
        await anext(events)


def test_leaving_twice_is_leaving_once() -> None:
    servers, use, other = Servers(), Use(HERE), Use(HERE)
    for each in (use, other):
        servers.enter(each)
    servers.leave(use)
    servers.leave(use)
    assert (use.others, other.others) == (1, 1)
    servers.leave(other)
    assert servers == Servers()


async def waits(servers: Servers, *steps: Step, model: str = "llama") -> list[str]:
    """What a request says that it waits for, which comes while another is answered."""
    gate = asyncio.Event()
    first = Watched(Scripted(sent(), gate, "a"), HERE, servers, "llama").stream(REQUEST)
    async with aclosing(first):
        await until(first, Sent)
        task = asyncio.ensure_future(until(first, TextDelta))
        await asyncio.sleep(0)
        second = Watched(Scripted(sent(), *steps, "b"), HERE, servers, model).stream(REQUEST)
        async with aclosing(second):
            told = [event.what async for event in second if isinstance(event, Waiting)]
        gate.set()
        await task
    return told


async def test_who_comes_behind_another_says_so() -> None:
    servers = Servers()
    assert await waits(servers) == [BEHIND]
    assert await waits(servers, model="other") == []
    assert await waits(servers, model="") == []  # a server of which nothing is known
    alone = Watched(Scripted(sent(), "a"), HERE, servers, "llama").stream(REQUEST)
    async with aclosing(alone):
        assert [event async for event in alone if isinstance(event, Waiting)] == []


async def test_a_server_that_answers_several_at_once_is_believed_until_it_lets_one_wait() -> None:
    servers = Servers()
    assert await waits(servers, ServerQueued(at=1.0, seconds=0.01)) == [BEHIND]
    assert await waits(servers, ServerQueued(at=1.0, seconds=3.1)) == []
    assert await waits(servers) == [BEHIND]

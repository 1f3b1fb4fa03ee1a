import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from llamafarm.core.errors import ServerFailed
from llamafarm.core.events import Event, Failed, Finished, Stopped, TextDelta, is_final
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import Comparison, LaneEvent
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.providers.base import Provider
from tests.engine.fakes import FlatPrices, Registry, Scripted, model, project

QUESTION = Question.of("Hello?")


def comparison(**providers: Provider) -> Comparison:
    models = [model(name) for name in providers]
    whole = project(models)
    lanes = tuple(Lane(each.name, each) for each in models)
    registry = Registry(providers)
    folded = Replies(whole, lanes, FlatPrices())
    return Comparison(lanes, lambda lane: chat(whole, lane, QUESTION, registry, Cooldowns()), folded)


async def replies_of(run: Comparison) -> dict[str, Reply]:
    async with run:
        return await run.ended()


async def test_a_slow_lane_does_not_delay_a_fast_one() -> None:
    gate = asyncio.Event()
    run = comparison(slow=Scripted(gate, "late"), fast=Scripted("quick"))
    ended: list[str] = []
    async with run, aclosing(run.events()) as events:
        async for told in events:
            if is_final(told.event):
                ended.append(told.lane)
                gate.set()
    assert ended == ["fast", "slow"]
    assert run.replies()["slow"].text == "late"


async def test_a_failing_lane_cancels_nobody_and_keeps_its_text() -> None:
    gate = asyncio.Event()
    broken = Scripted("half", ServerFailed("It broke.", hint="Try later.", status=500, request_id="r1"))
    run = comparison(broken=broken, sound=Scripted(gate, "whole"))
    async with run, aclosing(run.events()) as events:
        async for told in events:
            if isinstance(told.event, Failed):
                gate.set()
    replies = run.replies()
    assert (replies["sound"].status, replies["sound"].text) == ("done", "whole")
    assert (replies["broken"].status, replies["broken"].text) == ("failed", "half")
    failure = replies["broken"].failure
    assert failure is not None
    assert (failure.kind, failure.message, failure.hint) == ("ServerFailed", "It broke.", "Try later.")
    assert (failure.status, failure.request_id) == (500, "r1")
    assert replies["broken"].timings.partial
    assert not replies["sound"].timings.partial


async def test_a_defect_in_one_lane_is_told_without_its_words() -> None:
    run = comparison(broken=Scripted(KeyError("secret")), sound=Scripted("whole"))
    replies = await replies_of(run)
    assert replies["sound"].status == "done"
    failure = replies["broken"].failure
    assert failure is not None
    assert failure.kind == "KeyError"
    assert "secret" not in failure.message + failure.hint


async def test_stop_closes_the_stream_and_keeps_what_came() -> None:
    stuck = Scripted("begun", asyncio.Event())
    run = comparison(stuck=stuck, quick=Scripted("done"))
    async with run, aclosing(run.events()) as events:
        async for told in events:
            if isinstance(told.event, TextDelta) and told.lane == "stuck":
                run.stop("stuck")
    assert stuck.closed.is_set()
    replies = run.replies()
    assert (replies["stuck"].status, replies["stuck"].text) == ("stopped", "begun")
    assert replies["quick"].status == "done"


async def test_stop_before_a_lane_has_run_at_all_still_ends_it() -> None:
    run = comparison(one=Scripted("a"), two=Scripted("b"))
    async with run:
        run.stop()
        kinds = [type(told.event) async for told in run.events() if is_final(told.event)]
    assert kinds == [Stopped, Stopped]


async def test_leaving_the_comparison_stops_its_lanes() -> None:
    stuck = Scripted(asyncio.Event())
    run = comparison(stuck=stuck)
    async with run, aclosing(run.events()) as events:
        await anext(events)
        await anext(events)
    assert stuck.closed.is_set()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("lane ")]


async def test_a_stop_after_the_end_changes_nothing() -> None:
    run = comparison(one=Scripted("a"))
    async with run:
        finals = []
        async for told in run.events():
            if isinstance(told.event, Finished):
                run.stop()
            if is_final(told.event):
                finals.append(told.event)
    assert len(finals) == 1
    assert run.replies()["one"].status == "done"


async def test_batches_gather_what_came_and_beat_while_nothing_does() -> None:
    gate = asyncio.Event()
    run = comparison(one=Scripted("a", "b", "c", gate, "d"))
    async with run, aclosing(run.batches(heartbeat_s=0.01)) as batches:
        texts: list[list[str]] = []
        async for batch in batches:
            texts.append([told.event.text for told in batch if isinstance(told.event, TextDelta)])
            if not batch:
                gate.set()
    assert [] in texts
    assert [text for batch in texts for text in batch] == ["a", "b", "c", "d"]


async def test_a_pause_between_batches_ends_with_the_last_lane() -> None:
    gate = asyncio.Event()
    run = comparison(one=Scripted("a", gate, "b"))
    async with run, aclosing(run.batches(every_s=3600, heartbeat_s=None)) as batches:
        async for _ in batches:
            gate.set()
    assert run.replies()["one"].text == "ab"


async def test_each_lane_begins_once_the_one_before_could_write_its_request() -> None:
    log: list[str] = []

    def asks(name: str) -> Scripted:
        def writes_later() -> None:
            log.append(f"{name} asks")
            asyncio.get_running_loop().call_soon(log.append, f"{name} writes")

        return Scripted(writes_later)

    run = comparison(one=asks("one"), two=asks("two"), three=asks("three"))
    await replies_of(run)
    assert log == [f"{name} {what}" for name in ("one", "two", "three") for what in ("asks", "writes")]


class Counted(Replies):
    """Replies that remember what was folded, and break at one event where they are told to."""

    def __init__(self, lane: Lane, breaks_at: str = "") -> None:
        super().__init__(project([lane.model]), (lane,), FlatPrices())
        self.folded: list[Event] = []
        self._breaks_at = breaks_at

    def add(self, lane: str, event: Event) -> None:
        self.folded.append(event)
        if isinstance(event, TextDelta) and event.text == self._breaks_at:
            raise ZeroDivisionError
        super().add(lane, event)


@dataclass
class Noted:
    """A record of a comparison: the reply so far at each of its events, and the events."""

    folded: Counted
    id: str = "kept"
    seen: list[tuple[Event, str]] = field(default_factory=list)

    def watch(self, told: LaneEvent) -> None:
        self.seen.append((told.event, self.folded.reply(told.lane).text))


def counted(*steps: Any, breaks_at: str = "") -> tuple[Comparison, Counted, Noted]:
    lane = Lane("one", model("one"))
    folded = Counted(lane, breaks_at)
    noted, registry = Noted(folded), Registry({"one": Scripted(*steps)})
    opening = partial(chat, project([lane.model]), question=QUESTION, providers=registry, cooldowns=Cooldowns())
    return Comparison((lane,), opening, folded, record=noted), folded, noted


async def test_each_event_is_folded_once_whoever_reads_and_keeps_it() -> None:
    run, folded, noted = counted("a", "b")
    async with run, aclosing(run.events()) as events:
        told = [each.event async for each in events]
    assert folded.folded == told == [event for event, _ in noted.seen]
    assert run.record == noted.id
    assert [text for event, text in noted.seen if isinstance(event, TextDelta)] == ["a", "ab"]  # folded before


async def test_updates_are_the_replies_as_they_grow_and_the_last_is_whole() -> None:
    gate = asyncio.Event()
    run, _, _ = counted("a", gate, "b")
    seen = []
    async with run, aclosing(run.updates(heartbeat_s=0.01)) as updates:
        async for replies in updates:
            seen.append((replies["one"].status, replies["one"].text))
            if replies["one"].text == "a":
                gate.set()
    assert seen[-1] == ("done", "ab")
    assert ("streaming", "a") in seen


async def test_a_pause_between_updates_ends_with_the_last_lane() -> None:
    run, _, _ = counted("a", "b")
    async with run:
        texts = [replies["one"].text async for replies in run.updates(3600)]
    assert texts[-1] == "ab"


async def test_all_have_ended_also_where_nothing_was_read_meanwhile() -> None:
    over = asyncio.Event()
    run, _, _ = counted("a", "b", over.set)
    async with run:
        await over.wait()
        assert (await run.ended())["one"].text == "ab"


async def test_a_defect_of_the_fold_ends_no_lane(caplog: pytest.LogCaptureFixture) -> None:
    run, _, noted = counted("a", "b", "c", breaks_at="b")
    async with run:
        reply = (await run.ended())["one"]
    assert (reply.status, reply.text) == ("done", "ac")
    assert isinstance(noted.seen[-1][0], Finished)
    assert "could not be folded" in caplog.text

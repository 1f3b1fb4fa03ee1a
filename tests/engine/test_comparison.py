import asyncio
from contextlib import aclosing

from llamafarm.core.errors import ServerFailed
from llamafarm.core.events import Failed, Finished, Stopped, TextDelta, is_final
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Board
from llamafarm.providers.base import Provider
from tests.engine.fakes import FlatPrices, Registry, Scripted, model, project

QUESTION = Question.of("Hello?")


def comparison(**providers: Provider) -> tuple[Comparison, Board]:
    models = [model(name) for name in providers]
    whole = project(models)
    lanes = tuple(Lane(each.name, each) for each in models)
    registry = Registry(providers)
    run = Comparison(lanes, lambda lane: chat(whole, lane, QUESTION, registry, Cooldowns()))
    return run, Board(whole, lanes, FlatPrices())


async def replies_of(run: Comparison, board: Board) -> dict[str, Reply]:
    async with run, aclosing(run.events()) as events:
        async for told in events:
            board.add(told)
    return board.replies()


async def test_a_slow_lane_does_not_delay_a_fast_one() -> None:
    gate = asyncio.Event()
    run, board = comparison(slow=Scripted(gate, "late"), fast=Scripted("quick"))
    ended: list[str] = []
    async with run, aclosing(run.events()) as events:
        async for told in events:
            board.add(told)
            if is_final(told.event):
                ended.append(told.lane)
                gate.set()
    assert ended == ["fast", "slow"]
    assert board.replies()["slow"].text == "late"


async def test_a_failing_lane_cancels_nobody_and_keeps_its_text() -> None:
    gate = asyncio.Event()
    broken = Scripted("half", ServerFailed("It broke.", hint="Try later.", status=500, request_id="r1"))
    run, board = comparison(broken=broken, sound=Scripted(gate, "whole"))
    async with run, aclosing(run.events()) as events:
        async for told in events:
            board.add(told)
            if isinstance(told.event, Failed):
                gate.set()
    replies = board.replies()
    assert (replies["sound"].status, replies["sound"].text) == ("done", "whole")
    assert (replies["broken"].status, replies["broken"].text) == ("failed", "half")
    failure = replies["broken"].failure
    assert failure is not None
    assert (failure.kind, failure.message, failure.hint) == ("ServerFailed", "It broke.", "Try later.")
    assert (failure.status, failure.request_id) == (500, "r1")
    assert replies["broken"].timings.partial
    assert not replies["sound"].timings.partial


async def test_a_defect_in_one_lane_is_told_without_its_words() -> None:
    run, board = comparison(broken=Scripted(KeyError("secret")), sound=Scripted("whole"))
    replies = await replies_of(run, board)
    assert replies["sound"].status == "done"
    failure = replies["broken"].failure
    assert failure is not None
    assert failure.kind == "KeyError"
    assert "secret" not in failure.message + failure.hint


async def test_stop_closes_the_stream_and_keeps_what_came() -> None:
    stuck = Scripted("begun", asyncio.Event())
    run, board = comparison(stuck=stuck, quick=Scripted("done"))
    async with run, aclosing(run.events()) as events:
        async for told in events:
            board.add(told)
            if isinstance(told.event, TextDelta) and told.lane == "stuck":
                run.stop("stuck")
    assert stuck.closed.is_set()
    replies = board.replies()
    assert (replies["stuck"].status, replies["stuck"].text) == ("stopped", "begun")
    assert replies["quick"].status == "done"


async def test_stop_before_a_lane_has_run_at_all_still_ends_it() -> None:
    run, _ = comparison(one=Scripted("a"), two=Scripted("b"))
    async with run:
        run.stop()
        kinds = [type(told.event) async for told in run.events() if is_final(told.event)]
    assert kinds == [Stopped, Stopped]


async def test_leaving_the_comparison_stops_its_lanes() -> None:
    stuck = Scripted(asyncio.Event())
    run, _ = comparison(stuck=stuck)
    async with run, aclosing(run.events()) as events:
        await anext(events)
        await anext(events)
    assert stuck.closed.is_set()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("lane ")]


async def test_a_stop_after_the_end_changes_nothing() -> None:
    run, board = comparison(one=Scripted("a"))
    async with run:
        finals = []
        async for told in run.events():
            board.add(told)
            if isinstance(told.event, Finished):
                run.stop()
            if is_final(told.event):
                finals.append(told.event)
    assert len(finals) == 1
    assert board.replies()["one"].status == "done"


async def test_batches_gather_what_came_and_beat_while_nothing_does() -> None:
    gate = asyncio.Event()
    run, _ = comparison(one=Scripted("a", "b", "c", gate, "d"))
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
    run, board = comparison(one=Scripted("a", gate, "b"))
    async with run, aclosing(run.batches(every_s=3600, heartbeat_s=None)) as batches:
        async for batch in batches:
            for told in batch:
                board.add(told)
            gate.set()
    assert board.replies()["one"].text == "ab"


async def test_each_lane_begins_once_the_one_before_could_write_its_request() -> None:
    log: list[str] = []

    def asks(name: str) -> Scripted:
        def writes_later() -> None:
            log.append(f"{name} asks")
            asyncio.get_running_loop().call_soon(log.append, f"{name} writes")

        return Scripted(writes_later)

    run, board = comparison(one=asks("one"), two=asks("two"), three=asks("three"))
    await replies_of(run, board)
    assert log == [f"{name} {what}" for name in ("one", "two", "three") for what in ("asks", "writes")]

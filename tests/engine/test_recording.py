"""What the recorder is given: each lane when it ends, as it is shown, whoever reads the events."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llamafarm.core.errors import RequestError, ServerFailed
from llamafarm.core.events import Sent
from llamafarm.core.types import Image, JsonValue, Message, Route, SentRequest
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.recording import Origin, Recording, again
from llamafarm.engine.replies import Replies
from llamafarm.history.model import Began, Ended, LaneSpec, Record, Recorded
from llamafarm.providers.base import Provider
from tests.engine.fakes import FlatPrices, Registry, Scripted, model, project

QUESTION = Question.of("Hello?", {"name": "Ada"}, (Image("image/png", "aGk="),))


class Kept:
    """A recorder that keeps what it takes."""

    def __init__(self, *, fails: bool = False) -> None:
        self.records: list[Record] = []
        self.full = asyncio.Event()
        self._fails = fails

    def take(self, record: Record) -> None:
        if self._fails:
            raise ZeroDivisionError
        self.records.append(record)
        if isinstance(record, Ended):
            self.full.set()

    def asked(self) -> list[Began]:
        return [record for record in self.records if isinstance(record, Began)]

    def ended(self) -> list[Ended]:
        return [record for record in self.records if isinstance(record, Ended)]


def recorded(
    kept: Kept, lanes: dict[str, Provider], origin: Origin = Origin(), **settings: object
) -> tuple[Comparison, Recording]:
    models = [model(name, parameters={"temperature": 0.5, "top_p": 0.9}) for name in lanes]
    whole = project(models, **settings)
    asked = tuple(Lane(each.name, each, {"temperature": 0.1}) for each in models)
    named = {lane.id: lane for lane in asked}
    replies = Replies(whole, asked, FlatPrices())
    recording = Recording(kept, whole, named, QUESTION, origin, replies)
    registry, cooldowns = Registry(lanes), Cooldowns()
    run = Comparison(asked, lambda lane: chat(whole, lane, QUESTION, registry, cooldowns), replies, record=recording)
    return run, recording


async def test_a_record_is_the_reply_that_was_shown() -> None:
    sent = SentRequest("POST", "http://127.0.0.1/v1", {"authorization": "Bearer ***"}, {"model": "x"})
    kept = Kept()
    lanes: dict[str, Provider] = {
        "good": Scripted(Sent(at=0.0, request=sent), "All is well."),
        "bad": Scripted("half", ServerFailed("It broke.", status=500)),
    }
    run, _ = recorded(kept, lanes)
    before = datetime.now(UTC)
    async with run:
        shown = await run.ended()
    assert {each.spec.id: each.reply for each in kept.ended()} == shown
    assert isinstance(kept.records[0], Began)
    asked = kept.records[0].asked
    assert (asked.messages, asked.variables) == (QUESTION.messages, QUESTION.variables)
    assert asked.lanes == tuple(LaneSpec(name, name, {"temperature": 0.1}) for name in lanes)
    assert before <= asked.started_at <= datetime.now(UTC)
    assert {each.comparison for each in kept.ended()} == {asked.id} == {run.record}
    assert kept.ended()[0].parameters == {"temperature": 0.1, "top_p": 0.9}  # as they were sent


async def test_a_lane_is_recorded_when_it_ends_and_not_when_the_last_one_does() -> None:
    kept = Kept()
    gate = asyncio.Event()
    run, _ = recorded(kept, {"quick": Scripted("a"), "slow": Scripted(gate, "b")})
    async with run:
        await kept.full.wait()
        assert [each.spec.id for each in kept.ended()] == ["quick"]
        gate.set()
        async with aclosing(run.events()) as events:
            async for _told in events:
                pass
    assert [each.spec.id for each in kept.ended()] == ["quick", "slow"]


async def test_lanes_that_nobody_watches_any_more_are_recorded_as_stopped() -> None:
    kept = Kept()
    stuck = Scripted("begun", kept.full)
    run, _ = recorded(kept, {"stuck": stuck})
    async with run, aclosing(run.events()) as events:
        async for _ in events:
            break  # the tab was closed
    (ended,) = kept.ended()
    assert ended.reply.status == "stopped"


async def test_nothing_is_recorded_of_a_comparison_that_never_ran() -> None:
    kept = Kept()
    recorded(kept, {"one": Scripted("a")})
    assert kept.records == []


async def test_where_it_comes_from_is_recorded() -> None:
    kept = Kept()
    route = Route("complexity", "one", "because")
    origin = Origin(kind="batch", routes=[route], run="r", item="row-1", parent="p")
    run, _ = recorded(kept, {"one": Scripted("a")}, origin)
    async with run:
        await kept.full.wait()
    asked = kept.asked()[0].asked
    assert (asked.kind, asked.routes, asked.run, asked.item, asked.parent) == ("batch", (route,), "r", "row-1", "p")


async def test_a_lane_that_is_tried_again_goes_into_the_same_comparison() -> None:
    kept = Kept()
    run, _ = recorded(kept, {"one": Scripted("a")}, Origin(into="before"))
    async with run:
        await kept.full.wait()
    assert run.record == "before"
    assert kept.asked() == []
    assert [each.comparison for each in kept.ended()] == ["before"]


async def test_a_recorder_that_fails_harms_no_lane(caplog: pytest.LogCaptureFixture) -> None:
    run, _ = recorded(Kept(fails=True), {"one": Scripted("a"), "two": Scripted("b")})
    async with run:
        assert [reply.status for reply in (await run.ended()).values()] == ["done", "done"]
    assert "could not be recorded" in caplog.text


async def test_the_project_file_goes_with_it() -> None:
    kept = Kept()
    run, _ = recorded(
        kept, {"one": Scripted("a")}, source=Path("/home/me/farm/llamafarm.yaml"), digest="d", text="x: 1"
    )
    async with run:
        await kept.full.wait()
    (began,) = kept.asked()
    assert began.snapshot is not None
    assert (began.snapshot.file, began.snapshot.digest, began.snapshot.text) == ("llamafarm.yaml", "d", "x: 1")
    assert began.asked.project.digest == "d"


async def test_what_was_recorded_can_be_asked_again() -> None:
    kept = Kept()
    run, recording = recorded(kept, {"one": Scripted("a"), "two": Scripted("b")})
    async with run, aclosing(run.events()) as events:
        async for _told in events:
            pass
    whole = Recorded(kept.asked()[0].asked, tuple(kept.ended()))
    lanes, question = again(whole, recording.project)
    assert question == QUESTION
    assert lanes == tuple(recording.lanes.values())
    with pytest.raises(RequestError, match="no model two"):
        again(whole, project([model("one")]))


def test_a_lane_is_asked_again_as_it_was_tried_last() -> None:
    one = model("one")
    whole = project([one])
    lane = Lane("one", one, {"temperature": 0.1})
    recording = Recording(Kept(), whole, {"one": lane}, QUESTION, Origin(), Replies(whole, (lane,), FlatPrices()))
    asked = recording._asked()
    tried = replace(recording._ended(lane), spec=LaneSpec("one", "one", {"temperature": 0.9}))
    lanes, _ = again(Recorded(asked, (tried,)), whole)
    assert [each.parameters for each in lanes] == [{"temperature": 0.9}]


def test_everything_that_can_be_asked_is_recorded() -> None:
    """A field that a lane or a question gets must be recorded too, and come back from `again`."""
    one = model("one")
    lane = Lane("one", one, {"top_p": 0.5}, "Be brief.", auto=True, history=(Message("user", "before"),))
    function: dict[str, JsonValue] = {"type": "function", "function": {"name": "f"}}
    question = Question((Message("user", "now"),), {"name": "Ada"}, {"seed": 1}, (function,), "Be kind.")
    for whole in (lane, question):
        defaults = {field.name: field.default for field in fields(whole) if field.default is not MISSING}
        defaults.pop("verbatim", None)  # follows from the run that a comparison belongs to
        assert not [name for name, default in defaults.items() if getattr(whole, name) == default]
    recording = Recording(
        Kept(), project([one]), {"one": lane}, question, Origin(), Replies(project([one]), (lane,), FlatPrices())
    )
    assert again(Recorded(recording._asked()), recording.project) == ((lane,), question)


def test_lanes_keep_their_history_and_system_prompt() -> None:
    said = (Message("user", "before"), Message("assistant", "indeed"))
    one = model("one")
    lane = Lane("one", one, {}, "Be brief.", auto=True, history=said)
    whole = project([one])
    recording = Recording(Kept(), whole, {"one": lane}, QUESTION, Origin(), Replies(whole, (lane,), FlatPrices()))
    asked = recording._asked()
    lanes, _ = again(Recorded(asked), whole)
    assert lanes == (lane,)

"""Two comparisons beside each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.events import Failed
from llamafarm.core.reply import Reply
from llamafarm.core.types import JsonValue, Message, Timings
from llamafarm.history.diff import Change, difference
from llamafarm.history.ids import ALPHABET, LENGTH, as_beginning, new_id
from llamafarm.history.model import Asked, Ended, LaneSpec, Recorded
from tests.history.database.made import START, asked, ended
from tests.history.database.strategies import ASKED, OBJECTS, REPLIES


def recorded(*lanes: tuple[str, str]) -> Recorded:
    comparison = asked(models=tuple(name for name, _ in lanes))
    return Recorded(comparison, tuple(ended(comparison, name, text) for name, text in lanes))


def test_the_same_answers_are_the_same_whatever_they_took() -> None:
    first, second = recorded(("a", "Grass."), ("b", "Hay.")), recorded(("a", "Grass."), ("b", "Hay."))
    slow = replace(second.lanes[0].reply, timings=Timings(ttft_s=9.0))
    second = replace(second, lanes=(replace(second.lanes[0], reply=slow), second.lanes[1]))
    found = difference(first, second)
    assert found.same
    assert [change.name for change in found.lanes[0].figures] == ["ttft_s", "total_s", "tokens_per_s"]
    assert found.lanes[0].figures[0] == Change("ttft_s", 0.25, 9.0)
    assert found.lanes[1].figures == ()


def test_what_times_have_in_them_stands_beside_them() -> None:
    first, second = recorded(("a", "Grass.")), recorded(("a", "Grass."))
    spans = Timings(ttft_s=9.0, load_s=1.0, queue_s=0.5, lost_s=0.25, lag_s=0.2, ttft_lag_s=0.2)
    slow = replace(second.lanes[0].reply, timings=spans, reconnects=1)
    found = difference(first, replace(second, lanes=(replace(second.lanes[0], reply=slow),)))
    names = {change.name: (change.first, change.second) for change in found.lanes[0].figures}
    assert names.items() >= {
        "queue_s": (None, 0.5), "load_s": (None, 1.0), "reconnects": (0, 1), "lost_s": (0.0, 0.25), "lag_s": (None, 0.2),
    }.items()  # fmt: skip
    assert found.same


def test_answers_that_differ_are_told_line_by_line() -> None:
    found = difference(recorded(("a", "One\nTwo\nThree")), recorded(("a", "One\n2\nThree")))
    assert not found.same
    assert found.lanes[0].text == ("@@ -1,3 +1,3 @@", " One", "-Two", "+2", " Three")


def test_lanes_of_one_side_alone_are_told() -> None:
    found = difference(recorded(("a", "x"), ("b", "y")), recorded(("b", "y"), ("c", "z")))
    assert [(lane.lane, lane.presence, lane.same) for lane in found.lanes] == [
        ("a", "first", False), ("b", "both", True), ("c", "second", False),
    ]  # fmt: skip
    assert not found.same


def test_what_was_asked_differently_is_told() -> None:
    first = recorded(("a", "x"))
    lane = first.lanes[0]
    second = Recorded(
        replace(first.asked, messages=(Message("user", "Why?"),), variables={"name": "Ada"}),
        (replace(lane, parameters={"temperature": 0.9}, spec=LaneSpec("a", "a", system="Be brief.")),),
    )
    found = difference(first, second)
    assert found.asked == (
        Change("messages", "user: What do llamas eat?", "user: Why?"),
        Change("variable name", None, "Ada"),
    )
    assert found.lanes[0].settings == (
        Change("system", None, "Be brief."),
        Change("parameter temperature", None, 0.9),
    )
    assert found.lanes[0].text == ()
    assert not found.same


def test_an_error_is_an_outcome() -> None:
    first = recorded(("a", ""))
    failed = replace(
        first.lanes[0].reply, status="failed", failure=Failed(at=0.0, kind="TimedOut", message="Too late.")
    )
    second = replace(first, lanes=(replace(first.lanes[0], reply=failed),))
    names = {change.name: change.second for change in difference(first, second).lanes[0].outcome}
    assert names == {"status": "failed", "error": "Too late."}


@given(ASKED, st.lists(REPLIES, max_size=3, unique_by=lambda reply: reply.lane), OBJECTS)
def test_nothing_differs_from_itself(comparison: Asked, replies: list[Reply], parameters: dict[str, JsonValue]) -> None:
    lanes = tuple(
        Ended(new_id(), comparison.id, LaneSpec(reply.lane, reply.asked), parameters, reply, START) for reply in replies
    )
    whole = Recorded(comparison, lanes)
    found = difference(whole, whole)
    assert found.same
    assert all(not lane.figures for lane in found.lanes)


# --- ids


def test_ids_sort_by_time_and_are_never_alike() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert all(len(each) == LENGTH and set(each) <= set(ALPHABET) for each in ids)
    assert [each[:9] for each in ids] == sorted(each[:9] for each in ids)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [(" 0SGG ", "0sgg"), ("", None), ("%", None), ("il", None), ("a" * 27, None), ("0" * 26, "0" * 26)],
)
def test_what_can_begin_an_id(text: str, beginning: str | None) -> None:
    assert as_beginning(text) == beginning

"""How long a run may take, by what the same models took before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, Timings, Usage
from llamafarm.experiments.duration import expecting, pace_of
from llamafarm.experiments.sweep.plan import Plan, Work
from llamafarm.history.model import Ended
from llamafarm.history.reader import HistoryReader
from tests.engine.fakes import model
from tests.history.database.made import asked, ended

ANSWER = Reply(
    "m", "m", "m", "openai", "m-id", "done", text="so", usage=Usage(output=Count(101, "reported")),
    timings=Timings(ttft_s=1.0, total_s=3.0, tokens_per_s=50.0),
)  # fmt: skip


def remembered(**replies: list[Reply]) -> HistoryReader:
    """A history of answers by named model, of which nothing else is read."""
    return cast("HistoryReader", Remembered(replies))


class Remembered:
    def __init__(self, replies: Mapping[str, list[Reply]]) -> None:
        self.replies = replies

    async def newest_lanes(self, name: str, model_id: str, *, limit: int) -> list[Ended]:
        found = [reply for reply in self.replies.get(name, []) if reply.model_id == model_id]
        one = ended(asked())
        return [replace(one, reply=reply) for reply in found[:limit]]


def plan(*work: Work) -> Plan:
    return Plan(sum(each.calls for each in work), 0, 0, 0, Decimal(0), (), (), {}, (), work)


def took(**spans: Any) -> Reply:
    return replace(ANSWER, timings=replace(ANSWER.timings, **spans))


def test_a_pace_is_the_median_of_what_was_timed() -> None:
    failed = replace(ANSWER, status="failed")
    pace = pace_of([took(total_s=2.0), took(total_s=4.0), took(total_s=90.0, load_s=60.0), took(total_s=9.0), failed])
    assert pace is not None
    assert (pace.answers, pace.total_s, pace.ttft_s, pace.tokens, pace.tokens_per_s) == (3, 4.0, 1.0, 101, 50.0)
    assert pace_of([failed]) is None


@pytest.mark.parametrize(("bound", "seconds"), [(None, 3.0), (101, 3.0), (1_000, 3.0), (50, 2.0), (5, 1.1)])
def test_a_bound_makes_an_answer_shorter_and_never_longer(bound: int | None, seconds: float) -> None:
    pace = pace_of([ANSWER])
    assert pace is not None
    assert pace.seconds(bound) == pytest.approx(seconds)


async def test_servers_work_side_by_side_and_fair_runs_do_not() -> None:
    there = model("there", base_url="http://127.0.0.2:9/v1")
    past = remembered(m=[ANSWER] * 2, there=[replace(took(total_s=1.0), model_id="there-id")])
    asking = plan(Work(model("m"), None, 8), Work(there, None, 10))
    spread = (await expecting(asking, past, 4, fair=False)).expected
    assert spread is not None
    assert spread.seconds == pytest.approx(8 * 3.0 / 4)
    assert spread.answers == 3
    fair = (await expecting(asking, past, 4, fair=True)).expected
    assert fair is not None
    assert fair.seconds == pytest.approx(8 * 3.0 + 10 * 1.0)


@pytest.mark.parametrize(
    ("places", "at_once", "seconds"), [({}, 4, 24.0), ({"embedded": 4}, 8, 6.0), ({"embedded": 4}, 2, 12.0)]
)
async def test_an_embedded_model_has_places_of_its_own(places: dict[str, int], at_once: int, seconds: float) -> None:
    local = model("m", provider="embedded", model="m-id", base_url=None)
    asking, past = plan(Work(local, None, 8)), remembered(m=[ANSWER])
    found = (await expecting(asking, past, at_once, fair=False, **places)).expected
    assert found is not None
    assert found.seconds == pytest.approx(seconds)


async def test_nothing_is_expected_where_one_model_is_new_or_another_stands_behind_its_name() -> None:
    asking = plan(Work(model("m"), None, 8), Work(model("new"), None, 8))
    assert await expecting(asking, remembered(m=[ANSWER]), 4, fair=False) == asking
    renamed = plan(Work(model("m", model="larger"), None, 8))
    assert await expecting(renamed, remembered(m=[ANSWER]), 4, fair=False) == renamed
    assert (await expecting(plan(), remembered(), 4, fair=False)).expected is None

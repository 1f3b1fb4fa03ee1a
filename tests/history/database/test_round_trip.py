"""What goes into the store comes out as it was, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, JsonValue
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from llamafarm.history.database.tables.lossless import original, storable
from llamafarm.history.ids import new_id
from llamafarm.history.model import Asked, Began, Ended, Recorded
from llamafarm.history.query import Filter
from tests.history.database.made import SNAPSHOT, asked, ended, keep
from tests.history.database.strategies import ASKED, INSTANTS, OBJECTS, REPLIES, TEXTS

# An example that fails is large, but making it smaller would write to the database for minutes.
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]
ONE_DATABASE = [HealthCheck.function_scoped_fixture]  # examples add to one database: none looks at another's


@given(TEXTS)
def test_any_text_can_be_stored(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    assert "\x00" not in stored
    assert original(stored) == text


@settings(suppress_health_check=ONE_DATABASE, max_examples=25, phases=NO_SHRINKING)
@given(ASKED, st.lists(REPLIES, max_size=3), OBJECTS, INSTANTS)
async def test_a_comparison_comes_back_as_it_was(
    place: Place, asked: Asked, replies: list[Reply], parameters: dict[str, JsonValue], ended_at: datetime
) -> None:
    lanes = tuple(
        Ended(new_id(), asked.id, spec, parameters, replace(reply, lane=spec.id), ended_at)
        for spec, reply in zip(asked.lanes, replies, strict=False)
    )
    async with open_store(place) as store:
        keep(store, asked, *lanes, snapshot=None)
        found = await History(store).open(asked.id)
        assert store.trouble is None
    assert found == Recorded(asked, lanes)


async def test_times_are_utc_wherever_they_were_taken(place: Place) -> None:
    here = timezone(timedelta(hours=-7))
    taken = datetime(2026, 11, 24, 1, 2, 3, 4, tzinfo=here)
    async with open_store(place) as store:
        kept = keep(store, asked(started_at=taken))
        found = await History(store).open(kept.id)
    assert found.asked.started_at == taken
    assert found.asked.started_at.tzinfo == UTC


@pytest.mark.parametrize("usd", ["0.1", "1E-30", "0.10", "123456789012345678901234567890.123456789"])
async def test_money_is_kept_digit_for_digit(place: Place, usd: str) -> None:
    async with open_store(place) as store:
        kept = asked()
        keep(store, kept, ended(kept, cost=Cost(Decimal(usd), "reported")))
        found = await History(store).open(kept.id)
    assert str(found.replies["fast"].cost.usd) == usd


async def test_a_lane_that_is_tried_again_replaces_its_reply_and_the_earlier_one_stays(place: Place) -> None:
    async with open_store(place) as store:
        kept = asked()
        first, other = ended(kept, "fast", "one"), ended(kept, "wise", "two")
        second = ended(kept, "fast", "three")
        keep(store, kept, first, other, second)
        found = await History(store).open(kept.id)
    assert found.lanes == (second, other)
    assert found.earlier == (first,)
    assert found.unfinished == ()


async def test_lanes_that_never_ended_are_told(place: Place) -> None:
    async with open_store(place) as store:
        kept = asked()
        keep(store, kept, ended(kept, "wise"))
        found = await History(store).open(kept.id)
    assert [spec.id for spec in found.unfinished] == ["fast"]


async def test_what_is_given_twice_is_there_once(place: Place) -> None:
    """A connection that breaks after a commit, but before its answer, makes the writer try again."""
    async with open_store(place) as store:
        kept = asked()
        lane = ended(kept)
        for record in (Began(kept, SNAPSHOT), lane) * 2:
            store.take(record)
        history = History(store)
        assert await store.recorded() is None
        found = await history.open(kept.id)
        assert (found.lanes, found.earlier) == ((lane,), ())
        assert await history.count(Filter(text="hay")) == 1


async def test_the_project_file_is_kept_once(place: Place) -> None:
    async with open_store(place) as store:
        for _ in range(2):
            keep(store, asked())
        history = History(store)
        assert await history.snapshot(SNAPSHOT.digest) == SNAPSHOT
        assert await history.snapshot("e" * 64) is None

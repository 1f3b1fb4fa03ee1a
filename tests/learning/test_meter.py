from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llamafarm.learning.meter import Outcome, Stamp, mean_of, measure

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def stamp(comparison: str = "1", minute: float = 0, lane: str = "a", **more: object) -> Stamp:
    return Stamp(comparison, at(minute), "learned", lane, "b", **more)  # type: ignore[arg-type]  # fields of one case


def outcome(comparison: str = "1", started: float = 1, told: float = 5, **scores: float) -> Outcome:
    return Outcome(comparison, at(started), at(told), scores or {"a": 0.25, "b": 1.0})


def test_regret_is_what_the_best_judged_lane_got_more() -> None:
    (window,) = measure([stamp()], [outcome()], until=at(60), window=DAY)
    assert (window.suggested, window.covered, window.covered_share) == (1, 1, 1.0)
    assert window.regret is not None
    assert window.ahead is not None
    assert (window.regret.value, window.ahead.value) == (0.75, -0.75)


@pytest.mark.parametrize(
    ("stamped", "came", "until"),
    [
        (stamp(minute=2), outcome(started=1), 60),  # after its first lane
        (stamp(), outcome(told=70), 60),  # judged later than we look
        (stamp(known_until=at(1)), outcome(started=1), 60),  # rests on a label that came with the lanes, or later
        (stamp(known_until=at(30)), outcome(started=1), 60),
        (stamp(comparison="2"), outcome(), 60),  # never judged
        (stamp(), Outcome("1", at(1), at(5), {}), 60),
    ],
)
def test_what_came_later_is_never_seen(stamped: Stamp, came: Outcome, until: float) -> None:
    assert measure([stamped], [came], until=at(until), window=DAY) == ()


def test_a_lane_that_was_not_asked_is_never_lost() -> None:
    (window,) = measure([stamp(lane="z"), stamp("2")], [outcome(), outcome("2", a=1.0)], until=at(60), window=DAY)
    assert (window.suggested, window.covered, window.covered_share) == (2, 1, 0.5)
    assert window.regret is not None
    assert window.regret.value == 0
    assert window.ahead is None  # the incumbent was not asked


def test_windows_end_now_and_strategies_stand_apart() -> None:
    stamps = [stamp("1", 0), stamp("2", 60 * 30), Stamp("1", at(0), "complexity", "b", "b")]
    came = [outcome("1"), outcome("2", 60 * 30 + 1, 60 * 30 + 2, a=1.0, b=0.0)]
    found = measure(stamps, came, until=at(60 * 47), window=DAY)
    assert [(each.strategy, each.regret.value if each.regret else None) for each in found] == [
        ("complexity", 0.0),
        ("learned", 0.75),
        ("learned", 0.0),
    ]
    assert all(each.ends - each.begins == DAY for each in found)


def test_an_interval_needs_two() -> None:
    assert mean_of([]) is None
    one, two = mean_of([0.5]), mean_of([0.0, 1.0])
    assert one is not None
    assert two is not None
    assert (one.low, one.high) == (None, None)
    assert two.low is not None
    assert two.high is not None
    assert two.low < two.value < two.high

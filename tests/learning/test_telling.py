from __future__ import annotations

from llamafarm.learning.features import read
from llamafarm.learning.telling import most_telling
from tests.learning.worlds import planted


def test_what_is_judged_need_not_be_judged_again() -> None:
    known = [read("write a poem about the sea")] * 30
    waiting = [read("write a poem about the sea")] * 5 + [read("prove that the sum of 3 and 4 is odd")] * 5
    first, *_ = most_telling(known, waiting, 3)
    assert first >= 5


def test_each_is_named_once_and_no_more_than_there_are() -> None:
    world = planted(40, 0)
    waiting = [read(text) for text in world.prompts]
    found = most_telling((), waiting, 100)
    assert sorted(found) == list(range(40))
    assert most_telling((), waiting, 10) == found[:10]
    assert most_telling((), (), 10) == []


def test_a_kind_that_is_common_comes_before_a_lone_one() -> None:
    waiting = [read("how many eggs are left")] * 20 + [read("zebra")]
    assert most_telling((), waiting, 1) != [20]

"""Drawing takes a twentieth of the time at most."""

from __future__ import annotations

from collections.abc import Iterator

from llamafarm.experiments.progress import DRAWING, Redraws


def times(*seconds: float) -> Iterator[float]:
    yield from seconds


async def test_what_takes_long_to_draw_is_drawn_seldom() -> None:
    ended = 12.0
    clock = times(10.0, ended, 13.0, ended + 2 * DRAWING - 0.1, ended + 2 * DRAWING, 53.0)
    redraws = Redraws(clock.__next__)
    drawn = [await redraws.drawn("{}.{last}".format, number, last=0) for number in range(4)]
    assert drawn == ["0.0", None, None, "3.0"]


async def test_what_is_drawn_at_once_is_always_drawn() -> None:
    redraws = Redraws(lambda: 0.0)
    assert [await redraws.drawn(str, number) for number in range(3)] == ["0", "1", "2"]

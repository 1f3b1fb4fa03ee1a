"""Ids sort by time, and those of a run's pieces follow from it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llamafarm.history.ids import LENGTH, as_beginning, new_id, piece_id

NUMBERS = st.integers(0, 2**32 - 1)


@given(NUMBERS, NUMBERS)
def test_pieces_sort_as_their_numbers_and_are_always_the_same(one: int, other: int) -> None:
    run = new_id()
    first, second = piece_id(run, one), piece_id(run, other)
    assert (first < second, first == second) == (one < other, one == other)
    assert piece_id(run, one) == first
    assert len(first) == LENGTH
    assert as_beginning(first) == first


def test_pieces_of_two_runs_differ() -> None:
    runs = {new_id() for _ in range(200)}
    assert len({piece_id(run, number) for run in runs for number in range(5)}) == 1_000

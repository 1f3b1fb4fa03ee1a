"""A figure with its interval, as every face writes it."""

from __future__ import annotations

import pytest

from llamafarm.core import display
from llamafarm.core.figures import Estimate


@pytest.mark.parametrize(
    ("found", "whole", "bounds"),
    [
        (Estimate(0.571, 0.234, 0.866, 9), "0.57 [0.23, 0.87]", "[0.23, 0.87]"),
        (Estimate(1.0, None, None, 1), "1.00", ""),
        (Estimate(0.0, 0.0, 0.0, 4), "0.00 [0.00, 0.00]", "[0.00, 0.00]"),
        (Estimate(0.5, None, 0.9, 2), "0.50", ""),
    ],
)
def test_an_interval_stands_in_brackets_behind_its_figure(found: Estimate, whole: str, bounds: str) -> None:
    assert display.interval(found, display.share) == whole
    assert display.bounds(found, display.share) == bounds


def test_what_is_unknown_is_a_dash() -> None:
    assert display.interval(None, display.share) == display.NOTHING


@pytest.mark.parametrize(("value", "text"), [(0.7, "0.7"), (1.0, "1"), (40, "40"), (True, "True"), ("low", "low")])
def test_a_value_of_a_parameter_is_written_as_people_write_it(value: object, text: str) -> None:
    assert display.setting(value) == text  # type: ignore[arg-type]  # any of JSON's

"""How far runs are and what they will take, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from llamafarm.core import display
from llamafarm.core.figures import Progress


@pytest.mark.parametrize(
    ("span_s", "words"), [(0.2, "1 s"), (12.4, "12 s"), (59.6, "1 min 00 s"), (3_725.0, "62 min 05 s")]
)
def test_a_span_that_is_foretold_is_told_roughly(span_s: float, words: str) -> None:
    assert (
        display.about(span_s, 1_204) == f"about {words}, if answers take what 1,204 earlier ones of these models took"
    )


def test_how_far_a_run_is() -> None:
    new = Progress(done=0, total=1_200, failed=0, resumed=0, elapsed_s=0.0, per_s=None, left_s=None)
    assert display.progress(new) == "0 of 1,200"
    going = Progress(done=120, total=800, failed=3, resumed=40, elapsed_s=2.0, per_s=42.0, left_s=16.2)
    assert display.progress(going) == "120 of 800 · 40 of them from before · 3 failed · 42 a second · 16.2 s left"


def test_what_a_run_costs_at_most_is_never_nothing_where_it_is_unknown() -> None:
    assert display.most(Decimal("0.125"), ()) == "at most ~$0.125"
    assert display.most(Decimal(0), ()) == "nothing"
    assert display.most(None, ("a", "b")) == "unknown (for a, b)"

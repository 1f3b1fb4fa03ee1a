"""What of a project file a sweep's recommendations would change."""

from __future__ import annotations

import pytest

from llamafarm.experiments.stats.recommend import Recommendation
from llamafarm.experiments.sweep.findings import changes_of
from llamafarm.experiments.sweep.grid import Grid, Prompt
from tests.engine.fakes import model


def recommended(value: float | None) -> Recommendation:
    return Recommendation("clear", value, "agreement", None, (), "Highest.")


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "0"), (0.7, "0.7"), (40.0, "40"), (1.0, "1"), (None, None), (0.05, "0.05")]
)
def test_whole_numbers_are_written_as_such_and_what_is_not_recommended_stays(
    value: float | None, written: str | None
) -> None:
    grid = Grid((model("m"),), "top_k", (0,), 1, (Prompt("Why?"),))
    changes = changes_of(grid, {"m": recommended(value), "other": recommended(None)})
    assert {name: {key: str(each) for key, each in of.items()} for name, of in changes.items()} == (
        {} if written is None else {"m": {"top_k": written}}
    )

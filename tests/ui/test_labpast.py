"""The list of earlier sweeps."""

from __future__ import annotations

from dataclasses import replace

from llamafarm.history.model import Run
from llamafarm.ui.lab.past import choices
from tests.history.database.made import PROJECT, START


def test_each_says_how_far_it_is() -> None:
    run = Run("1", "sweep", f"temperature: {'x' * 100}\nand more", START, PROJECT)
    runs = [run, replace(run, id="2"), replace(run, id="3", ended_at=START)]
    found = choices(runs, {"2"})
    assert [identity for _, identity in found] == ["1", "2", "3"]
    assert [name.rsplit(" · ", 1)[1] for name, _ in found] == ["not ended", "runs now", "ended"]
    assert all("\n" not in name and len(name) < 130 for name, _ in found)
